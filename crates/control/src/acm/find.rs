//! Finding the certificate that an ARN names, and what uses it.

use std::collections::BTreeSet;
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::certificate::Certificate;
use linkway_model::load_balancer::Listener;

use crate::error::CertificateError;
use crate::{Caller, Error};

/// What ARNs of the caller's certificates begin with.
pub(super) fn prefix(caller: &Caller) -> String {
    format!("arn:aws:acm:{}:{}:certificate/", caller.region, caller.account)
}

/// The caller's certificate of this ARN.
pub(super) fn own<'a>(
    state: &'a Snapshot,
    caller: &Caller,
    arn: Option<&str>,
) -> Result<&'a Arc<Certificate>, Error> {
    let arn = arn.unwrap_or_default();
    let is_arn = arn.strip_prefix("arn:aws:acm:").is_some_and(|rest| {
        let parts: Vec<&str> = rest.splitn(3, ':').collect();
        matches!(parts[..], [_, _, path] if path.strip_prefix("certificate/").is_some_and(|id| !id.is_empty()))
    });
    if !is_arn {
        return Err(CertificateError::InvalidArn(arn.to_owned()).into());
    }
    state
        .get::<Certificate>(arn)
        .filter(|_| arn.starts_with(&prefix(caller)))
        .ok_or_else(|| CertificateError::NotFound(arn.to_owned()).into())
}

/// ARNs of the balancers that show a certificate to clients.
pub(super) fn users_of<'a>(state: &'a Snapshot, arn: &str) -> BTreeSet<&'a str> {
    let shows = |listener: &&Arc<Listener>| {
        listener
            .tls
            .as_ref()
            .is_some_and(|tls| tls.certificate == arn || tls.others.iter().any(|one| one == arn))
    };
    state.all::<Listener>().filter(shows).map(|listener| listener.load_balancer.as_str()).collect()
}
