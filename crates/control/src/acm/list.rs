//! `ListCertificates`.

use linkway_model::certificate::Certificate;
use linkway_model::{Snapshot, Timestamp};
use linkway_wire::acm::{CertificateSummary, Filters, ListCertificatesRequest, ListCertificatesResponse};

use super::find::{prefix, users_of};
use crate::error::CertificateError;
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

const LIMITS: Limits = Limits { least: 1, most: 1000, clamp: false };

/// What is listed unless the request names key types. Source: `ListCertificates` in ACM's API reference.
const USUAL_KEYS: [&str; 2] = ["RSA_1024", "RSA_2048"];

/// AWS's state of a certificate.
pub(super) fn status(certificate: &Certificate, now: Timestamp) -> &'static str {
    if now < certificate.facts.not_after { "ISSUED" } else { "EXPIRED" }
}

pub(crate) fn list(
    control: &Control,
    caller: &Caller,
    input: ListCertificatesRequest,
) -> Result<ListCertificatesResponse, Error> {
    let state = control.read(None)?;
    let (mine, now) = (prefix(caller), control.now());
    let includes = input.includes.clone().unwrap_or_default();
    let matching = state.all::<Certificate>().filter(|certificate| {
        certificate.arn.starts_with(&mine)
            && includes_it(&includes, certificate)
            && (input.certificate_statuses.is_empty()
                || input.certificate_statuses.iter().any(|asked| asked == status(certificate, now)))
    });
    let newest_first = match (input.sort_by.as_deref(), input.sort_order.as_deref()) {
        (None, None) => false,
        (Some("CREATED_AT"), Some("DESCENDING")) => true,
        (Some("CREATED_AT"), Some("ASCENDING")) => false,
        _ => return Err(CertificateError::InvalidArgs("SortBy and SortOrder go together.".into()).into()),
    };
    let key = |certificate: &&std::sync::Arc<Certificate>| {
        let at = certificate.created.as_millisecond();
        let at = if newest_first { i64::MAX - at } else { at };
        format!("{at:020} {}", certificate.arn)
    };
    let mut matching: Vec<_> = matching.collect();
    matching.sort_by_key(key);
    let page = Page::new(LIMITS, input.max_items, &input.next_token).cut(matching, key);
    let (page, next_token) = page.map_err(|error| match error {
        Error::InvalidNextToken(_) => {
            CertificateError::InvalidArgs("The pagination token is invalid.".into()).into()
        }
        Error::InvalidParameterValue(message) => CertificateError::Validation(message).into(),
        error => error,
    })?;
    let certificate_summary_list =
        page.into_iter().map(|certificate| shape(&state, certificate, now)).collect();
    Ok(ListCertificatesResponse { certificate_summary_list, next_token })
}

fn includes_it(includes: &Filters, certificate: &Certificate) -> bool {
    let facts = &certificate.facts;
    let keys = &includes.key_types;
    let has_key = match keys.is_empty() {
        true => USUAL_KEYS.contains(&facts.key_algorithm.as_str()),
        false => keys.contains(&facts.key_algorithm),
    };
    let usages = &includes.key_usage;
    let extended = &includes.extended_key_usage;
    let has_extended = |asked: &String| facts.extended_key_usages.iter().any(|(name, _)| name == asked);
    has_key
        && (usages.is_empty() || usages.iter().any(|asked| facts.key_usages.contains(asked)))
        && (extended.is_empty() || extended.iter().any(has_extended))
        && includes.export_option.as_deref().is_none_or(|asked| asked == "DISABLED")
        && includes.managed_by.is_none()
}

fn shape(state: &Snapshot, certificate: &Certificate, now: Timestamp) -> CertificateSummary {
    let facts = &certificate.facts;
    CertificateSummary {
        certificate_arn: Some(certificate.arn.clone()),
        domain_name: facts.domain.clone(),
        subject_alternative_name_summaries: facts.names.clone(),
        has_additional_subject_alternative_names: Some(false),
        status: Some(status(certificate, now).into()),
        type_: Some("IMPORTED".into()),
        key_algorithm: Some(facts.key_algorithm.clone()),
        key_usages: facts.key_usages.clone(),
        extended_key_usages: facts.extended_key_usages.iter().map(|(name, _)| name.clone()).collect(),
        in_use: Some(!users_of(state, &certificate.arn).is_empty()),
        renewal_eligibility: Some("INELIGIBLE".into()),
        not_before: Some(facts.not_before),
        not_after: Some(facts.not_after),
        created_at: Some(certificate.created),
        imported_at: Some(certificate.imported),
        ..CertificateSummary::default()
    }
}
