//! `DescribeCertificate` and `GetCertificate`.

use linkway_model::Snapshot;
use linkway_model::certificate::Certificate;
use linkway_wire::acm::{
    CertificateDetail, CertificateOptions, DescribeCertificateRequest, DescribeCertificateResponse,
    ExtendedKeyUsage, GetCertificateRequest, GetCertificateResponse, KeyUsage,
};

use super::find::{own, users_of};
use super::list::status;
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeCertificateRequest,
) -> Result<DescribeCertificateResponse, Error> {
    let state = control.read(None)?;
    let certificate = own(&state, caller, input.certificate_arn.as_deref())?;
    Ok(DescribeCertificateResponse { certificate: Some(shape(control, &state, certificate)) })
}

pub(crate) fn get(
    control: &Control,
    caller: &Caller,
    input: GetCertificateRequest,
) -> Result<GetCertificateResponse, Error> {
    let state = control.read(None)?;
    let certificate = own(&state, caller, input.certificate_arn.as_deref())?;
    let chain = Some(certificate.chain.clone()).filter(|chain| !chain.trim().is_empty());
    Ok(GetCertificateResponse { certificate: Some(certificate.body.clone()), certificate_chain: chain })
}

fn shape(control: &Control, state: &Snapshot, certificate: &Certificate) -> CertificateDetail {
    let facts = &certificate.facts;
    let extended = |(name, oid): &(String, String)| ExtendedKeyUsage {
        name: Some(name.clone()),
        oid: Some(oid.clone()),
    };
    CertificateDetail {
        certificate_arn: Some(certificate.arn.clone()),
        domain_name: facts.domain.clone(),
        subject_alternative_names: facts.names.clone(),
        serial: Some(facts.serial.clone()),
        subject: Some(facts.subject.clone()),
        issuer: Some(facts.issuer.clone()),
        created_at: Some(certificate.created),
        imported_at: Some(certificate.imported),
        status: Some(status(certificate, control.now()).into()),
        not_before: Some(facts.not_before),
        not_after: Some(facts.not_after),
        key_algorithm: Some(facts.key_algorithm.clone()),
        signature_algorithm: Some(facts.signature_algorithm.clone()),
        in_use_by: users_of(state, &certificate.arn).into_iter().map(str::to_owned).collect(),
        type_: Some("IMPORTED".into()),
        key_usages: facts.key_usages.iter().map(|name| KeyUsage { name: Some(name.clone()) }).collect(),
        extended_key_usages: facts.extended_key_usages.iter().map(extended).collect(),
        renewal_eligibility: Some("INELIGIBLE".into()),
        options: Some(CertificateOptions {
            certificate_transparency_logging_preference: Some("DISABLED".into()),
            ..CertificateOptions::default()
        }),
        ..CertificateDetail::default()
    }
}
