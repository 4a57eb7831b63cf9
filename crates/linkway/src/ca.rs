//! The certificate authority that instances trust, made on the first start.

use std::fs;

use anyhow::{Context, Result};
use linkway_model::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};

use crate::state_dir::{StateDir, write_private};

/// Years that a CA is valid for.
const YEARS: i32 = 10;

/// Make the CA, unless there is one.
pub(crate) fn ensure(state: &StateDir, name: &str, now: Timestamp) -> Result<()> {
    if state.ca_certificate().exists() && state.ca_key().exists() {
        return Ok(());
    }
    let (certificate, key) = make(name, now)?;
    // The certificate comes last: where it is, its key is too.
    write_private(&state.ca_key(), key.as_bytes()).context("cannot keep the CA's key")?;
    write_private(&state.ca_certificate(), certificate.as_bytes()).context("cannot keep the CA's certificate")
}

/// The CA's certificate, in PEM.
pub(crate) fn certificate(state: &StateDir) -> Result<String> {
    fs::read_to_string(state.ca_certificate()).map_err(|error| state.explain(error))
}

/// The CA's key, in PEM.
pub(crate) fn key(state: &StateDir) -> Result<String> {
    fs::read_to_string(state.ca_key()).map_err(|error| state.explain(error))
}

/// A new CA: its certificate and its key, in PEM.
fn make(name: &str, now: Timestamp) -> Result<(String, String)> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "Linkway");
    params.distinguished_name.push(DnType::CommonName, format!("Linkway CA ({name})"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // From the year's first day: clocks of instances may be a little behind.
    let year = year_of(now);
    params.not_before = date_time_ymd(year, 1, 1);
    params.not_after = date_time_ymd(year + YEARS, 12, 31);
    let key = KeyPair::generate().context("cannot make a key for the CA")?;
    let certificate = params.self_signed(&key).context("cannot make the CA's certificate")?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// The year of a moment, in UTC.
fn year_of(now: Timestamp) -> i32 {
    now.to_string().split('-').next().and_then(|year| year.parse().ok()).unwrap_or(2026)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ca_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir::at(directory.path());
        ensure(&state, "linkway", Timestamp::UNIX_EPOCH).unwrap();
        let first = certificate(&state).unwrap();
        assert!(first.starts_with("-----BEGIN CERTIFICATE-----"));
        ensure(&state, "linkway", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(certificate(&state).unwrap(), first);
    }

    #[test]
    fn years_are_read_off_timestamps() {
        assert_eq!(year_of("2031-05-06T07:08:09Z".parse().unwrap()), 2031);
    }
}
