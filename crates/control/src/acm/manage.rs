//! `DeleteCertificate`, and certificates' tags.

use linkway_model::Tags;
use linkway_model::certificate::Certificate;
use linkway_wire::acm::{
    AddTagsToCertificateRequest, DeleteCertificateRequest, ListTagsForCertificateRequest,
    ListTagsForCertificateResponse, RemoveTagsFromCertificateRequest, Tag,
};
use linkway_wire::ec2;

use super::find::{own, users_of};
use crate::error::CertificateError;
use crate::{Caller, Control, Error};

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteCertificateRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let arn = own(tx, caller, input.certificate_arn.as_deref())?.arn.clone();
        if !users_of(tx, &arn).is_empty() {
            return Err(CertificateError::InUse { arn, account: caller.account.to_string() }.into());
        }
        tx.delete::<Certificate>(arn);
        Ok(())
    })
}

/// Put the request's tags to a certificate's.
pub(super) fn put_tags(tags: &mut Tags, given: &[Tag]) -> Result<(), Error> {
    let given: Vec<ec2::Tag> =
        given.iter().map(|tag| ec2::Tag { key: tag.key.clone(), value: tag.value.clone() }).collect();
    crate::tags::add(tags, &given).map_err(|error| match error {
        Error::TagLimitExceeded(most) => CertificateError::TooManyTags(most).into(),
        error => CertificateError::InvalidTag(error.to_string()).into(),
    })
}

pub(crate) fn add_tags(
    control: &Control,
    caller: &Caller,
    input: AddTagsToCertificateRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let mut certificate = Certificate::clone(own(tx, caller, input.certificate_arn.as_deref())?);
        put_tags(&mut certificate.tags, &input.tags)?;
        tx.put(certificate);
        Ok(())
    })
}

/// A tag goes if its key is given alone, or with its value.
pub(crate) fn remove_tags(
    control: &Control,
    caller: &Caller,
    input: RemoveTagsFromCertificateRequest,
) -> Result<(), Error> {
    control.write(None, |tx| {
        let mut certificate = Certificate::clone(own(tx, caller, input.certificate_arn.as_deref())?);
        let goes = |key: &String, value: &String| {
            let is_it = |tag: &Tag| {
                tag.key.as_ref() == Some(key) && tag.value.as_ref().is_none_or(|given| given == value)
            };
            input.tags.iter().any(is_it)
        };
        certificate.tags.retain(|key, value| !goes(key, value));
        tx.put(certificate);
        Ok(())
    })
}

pub(crate) fn list_tags(
    control: &Control,
    caller: &Caller,
    input: ListTagsForCertificateRequest,
) -> Result<ListTagsForCertificateResponse, Error> {
    let state = control.read(None)?;
    let certificate = own(&state, caller, input.certificate_arn.as_deref())?;
    let tag = |(key, value): (&String, &String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
    Ok(ListTagsForCertificateResponse { tags: certificate.tags.iter().map(tag).collect() })
}
