//! The certificate authority: leaf certificates made on demand, and kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig, version};

/// How long a certificate is valid for: the most that Apple's platforms accept, of all.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 397);

/// How long one is used before another is made.
const USE: SignedDuration = SignedDuration::from_hours(24 * 180);

/// How many are kept. Endpoints have few names each, but names under a wildcard may need one of their own.
const KEPT: usize = 4096;

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The CA's certificate or key cannot be read, or a certificate not be signed.
    #[error("the CA cannot sign certificates: {0}")]
    Signing(#[from] rcgen::Error),
    /// TLS does not take it.
    #[error("TLS does not take the CA's certificates: {0}")]
    Tls(#[from] rustls::Error),
    /// The CA's certificate is no PEM.
    #[error("the CA's certificate cannot be read: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
}

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    /// Of all leaves: the same process holds them all.
    leaf_key: KeyPair,
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    config: Arc<ServerConfig>,
    made: Timestamp,
}

impl Authority {
    /// The authority of a certificate and its key, both in PEM.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn new(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        Ok(Self {
            issuer: Issuer::from_ca_cert_pem(certificate, KeyPair::from_pem(key)?)?,
            certificate: CertificateDer::from_pem_slice(certificate.as_bytes())?,
            leaf_key: KeyPair::generate()?,
            kept: Mutex::default(),
        })
    }

    /// How to serve TLS as `name`, which may begin with `*.`.
    ///
    /// # Errors
    ///
    /// If no certificate can be made for the name.
    pub(crate) fn config(&self, name: &str, now: Timestamp) -> Result<Arc<ServerConfig>, AuthorityError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(name).filter(|kept| now.duration_since(kept.made) < USE) {
            return Ok(Arc::clone(&found.config));
        }
        let config = Arc::new(self.make(name, now)?);
        if kept.len() >= KEPT {
            let oldest = kept.iter().min_by_key(|(_, kept)| kept.made).map(|(name, _)| name.clone());
            oldest.and_then(|name| kept.remove(&name));
        }
        kept.insert(name.to_owned(), Kept { config: Arc::clone(&config), made: now });
        Ok(config)
    }

    fn make(&self, name: &str, now: Timestamp) -> Result<ServerConfig, AuthorityError> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        // A common name has at most 64 characters; clients read the alternative names.
        params.distinguished_name = rcgen::DistinguishedName::new();
        if name.len() <= 64 {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let date = |time: Timestamp| {
            let date = time.to_zoned(TimeZone::UTC).date();
            date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
        };
        // Clocks of clients may be a little behind.
        params.not_before = date(now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(now));
        params.not_after = date(now.saturating_add(LIFE).unwrap_or(Timestamp::MAX));
        let leaf = params.signed_by(&self.leaf_key, &self.issuer)?;

        let key = PrivateKeyDer::Pkcs8(self.leaf_key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.into(), self.certificate.clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}
