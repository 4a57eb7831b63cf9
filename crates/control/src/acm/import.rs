//! `ImportCertificate`: a new certificate, or another one under the ARN of one that is there.

use linkway_model::certificate::{Certificate, PrivateKey};
use linkway_model::{Tags, random_uuid};
use linkway_wire::acm::{ImportCertificateRequest, ImportCertificateResponse};

use super::find::{own, prefix};
use super::manage::put_tags;
use super::read;
use crate::error::CertificateError;
use crate::{Caller, Control, Error};

/// Certificates that an account may have in a region. Source: "Quotas" in ACM's user guide.
const MAX_CERTIFICATES: usize = 2500;

pub(crate) fn import(
    control: &Control,
    caller: &Caller,
    input: ImportCertificateRequest,
) -> Result<ImportCertificateResponse, Error> {
    let now = control.now();
    let text = |blob: &linkway_wire::Blob| String::from_utf8_lossy(&blob.0).into_owned();
    let body = input.certificate.as_ref().map(text).unwrap_or_default();
    let chain = input.certificate_chain.as_ref().map(text).unwrap_or_default();
    let key = input.private_key.as_ref().map(text).unwrap_or_default();
    let facts = read::certificate(&body, &chain, &key, now)?;
    control.write(None, |tx| {
        let made = match &input.certificate_arn {
            Some(arn) => {
                if !input.tags.is_empty() {
                    return Err(CertificateError::Validation(
                        "Tagging is not permitted on re-import.".into(),
                    )
                    .into());
                }
                let before = own(tx, caller, Some(arn))?;
                Certificate {
                    body,
                    chain,
                    key: PrivateKey(key),
                    facts,
                    imported: now,
                    ..Certificate::clone(before)
                }
            }
            None => {
                let mine = prefix(caller);
                if tx.all::<Certificate>().filter(|other| other.arn.starts_with(&mine)).count()
                    >= MAX_CERTIFICATES
                {
                    return Err(CertificateError::TooMany(MAX_CERTIFICATES).into());
                }
                let mut tags = Tags::new();
                put_tags(&mut tags, &input.tags)?;
                Certificate {
                    arn: format!("{mine}{}", random_uuid()),
                    owner: caller.account.clone(),
                    region: caller.region.clone(),
                    body,
                    chain,
                    key: PrivateKey(key),
                    facts,
                    created: now,
                    imported: now,
                    tags,
                }
            }
        };
        let certificate_arn = Some(made.arn.clone());
        tx.put(made);
        Ok(ImportCertificateResponse { certificate_arn })
    })
}
