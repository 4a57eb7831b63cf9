//! The certificate that a database server shows: its DNS name's, of the CA that instances trust.

use std::fs;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::state_dir::StateDir;

/// How long a certificate is valid for. A server gets another at each start.
const LIFE: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

/// How far the clocks of clients may be behind.
const SKEW: Duration = Duration::from_secs(24 * 3600);

/// The longest common name that a certificate may have (RFC 5280, ub-common-name).
const LONGEST_COMMON_NAME: usize = 64;

/// A new certificate for `name` and its key, in PEM.
pub(crate) fn issue(state: &StateDir, name: &str) -> Result<(String, String)> {
    let read = |path: std::path::PathBuf| {
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let ca_key = KeyPair::from_pem(&read(state.ca_key())?).context("the CA's key does not read")?;
    let issuer = Issuer::from_ca_cert_pem(&read(state.ca_certificate())?, ca_key)
        .context("the CA's certificate does not read")?;
    let mut params = CertificateParams::new([name.to_owned()])
        .with_context(|| format!("no certificate can be made for {name:?}"))?;
    params.distinguished_name = DistinguishedName::new();
    // Clients read the alternative names.
    if name.len() <= LONGEST_COMMON_NAME {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let now = SystemTime::now();
    params.not_before = (now - SKEW).into();
    params.not_after = (now + LIFE).into();
    let key = KeyPair::generate().context("cannot make a key")?;
    let certificate = params.signed_by(&key, &issuer).context("cannot sign a certificate")?;
    Ok((certificate.pem(), key.serialize_pem()))
}
