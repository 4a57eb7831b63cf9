//! TLS that a balancer's listener ends, with certificates that were given to it; and TLS to its targets.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::client;
use tokio_rustls::rustls::crypto::ring::cipher_suite;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    self, ServerConfig, SignatureAlgorithm, SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion,
    version,
};
use tokio_rustls::server;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};

use crate::target_tls::target_tls;
use crate::{Names, dial};

/// A certificate that a listener shows.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    /// The names that it is good for.
    pub names: Vec<String>,
    /// The certificate and those that lead to its CA, in PEM.
    pub chain: String,
    /// Its key, in PEM.
    pub key: String,
}

/// How a listener ends TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct ListenerTlsSettings {
    /// The listener.
    pub listener: String,
    /// For clients that ask for no name, or one that no certificate has.
    pub certificate: ServerCertificate,
    /// For clients that ask for a name of theirs.
    pub others: Vec<ServerCertificate>,
    /// Versions, as `TLSv1.2`. Older ones than that are not spoken.
    pub protocols: Vec<&'static str>,
    /// Ciphers in the order of preference, under OpenSSL's names. Those that are not known here are not used.
    pub ciphers: Vec<&'static str>,
    /// Application protocols that are negotiated, in the order of preference. A client that knows none of them gets
    /// none.
    pub alpn: Vec<&'static str>,
    /// Whether targets are spoken to by TLS.
    pub to_targets: bool,
}

/// A listener's certificates and rules, ready for connections.
pub struct ListenerTls {
    settings: ListenerTlsSettings,
    plain: Arc<ServerConfig>,
    /// With application protocols.
    negotiating: Arc<ServerConfig>,
}

impl PartialEq for ListenerTls {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl Eq for ListenerTls {}

impl std::fmt::Debug for ListenerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ListenerTls").field(&self.settings.listener).finish_non_exhaustive()
    }
}

/// Why a listener cannot end TLS.
#[derive(Debug, thiserror::Error)]
pub enum ListenerTlsError {
    /// A certificate or a key is no PEM.
    #[error("a certificate or its key cannot be read: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// TLS does not take it.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl ListenerTls {
    /// Makes a listener's certificates and rules ready.
    ///
    /// # Errors
    ///
    /// If a certificate or a key cannot be used, or no version or cipher is known here.
    pub fn new(settings: ListenerTlsSettings) -> Result<Self, ListenerTlsError> {
        let chooser = Chooser {
            default: Choice::of(&settings.certificate)?.certified,
            // The default one, too: it may be the better of two for a name.
            by_name: std::iter::once(&settings.certificate)
                .chain(&settings.others)
                .map(Choice::of)
                .collect::<Result<_, _>>()?,
        };
        let provider = CryptoProvider {
            cipher_suites: settings.ciphers.iter().filter_map(|name| suite(name)).collect(),
            ..ring::default_provider()
        };
        let versions: Vec<&SupportedProtocolVersion> =
            settings.protocols.iter().filter_map(|name| known_version(name)).collect();
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(chooser));
        config.ignore_client_order = true;
        let plain = Arc::new(config.clone());
        config.alpn_protocols = settings.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self { settings, plain, negotiating: Arc::new(config) })
    }

    /// What it was made of.
    pub fn settings(&self) -> &ListenerTlsSettings {
        &self.settings
    }

    /// Takes the server's part in a handshake, within a time.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        limit: Duration,
    ) -> io::Result<server::TlsStream<TcpStream>> {
        dial::within(limit, async {
            let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
            let known = |asked: &[u8]| self.settings.alpn.iter().any(|ours| ours.as_bytes() == asked);
            let negotiates = start.client_hello().alpn().is_some_and(|mut asked| asked.any(known));
            let config = if negotiates { &self.negotiating } else { &self.plain };
            start.into_stream(Arc::clone(config)).await
        })
        .await
    }

    /// Speaks TLS to a target, within a time, and offers it the application protocol that the client got.
    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
        target: IpAddr,
        alpn: Option<&[u8]>,
        limit: Duration,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let mut config = target_tls().map_err(io::Error::other)?;
        config.alpn_protocols = alpn.map(<[u8]>::to_vec).into_iter().collect();
        let connecting = TlsConnector::from(Arc::new(config)).connect(ServerName::from(target), stream);
        dial::within(limit, connecting).await
    }

    /// Whether targets are spoken to by TLS.
    pub(crate) fn to_targets(&self) -> bool {
        self.settings.to_targets
    }
}

fn known_version(name: &str) -> Option<&'static SupportedProtocolVersion> {
    match name {
        "TLSv1.2" => Some(&version::TLS12),
        "TLSv1.3" => Some(&version::TLS13),
        _ => None,
    }
}

fn suite(name: &str) -> Option<SupportedCipherSuite> {
    Some(match name {
        "TLS_AES_128_GCM_SHA256" => cipher_suite::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_256_GCM_SHA384" => cipher_suite::TLS13_AES_256_GCM_SHA384,
        "TLS_CHACHA20_POLY1305_SHA256" => cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        "ECDHE-ECDSA-AES128-GCM-SHA256" => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "ECDHE-RSA-AES128-GCM-SHA256" => cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "ECDHE-ECDSA-AES256-GCM-SHA384" => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "ECDHE-RSA-AES256-GCM-SHA384" => cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        _ => return None,
    })
}

/// Chooses a certificate by the name that a client asks for.
#[derive(Debug)]
struct Chooser {
    default: Arc<CertifiedKey>,
    by_name: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    names: Names,
    certified: Arc<CertifiedKey>,
}

impl Choice {
    fn of(certificate: &ServerCertificate) -> Result<Self, ListenerTlsError> {
        let chain = CertificateDer::pem_slice_iter(certificate.chain.as_bytes()).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes())?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())?;
        Ok(Self { names: certificate.names.iter().collect(), certified: Arc::new(certified) })
    }

    /// A certificate's wildcard stands for one label, which is how [`Names`] certifies it.
    fn has(&self, name: &str) -> bool {
        self.names.certified(name).is_some_and(|certified| self.names.is_listed(&certified))
    }

    fn is_usable(&self, schemes: &[SignatureScheme]) -> bool {
        self.certified.key.choose_scheme(schemes).is_some()
    }
}

impl ResolvesServerCert for Chooser {
    /// Of several for a name, one with an ECDSA key comes first, as on AWS.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = hello.server_name() else { return Some(Arc::clone(&self.default)) };
        let has_ecdsa = |choice: &&Choice| choice.certified.key.algorithm() == SignatureAlgorithm::ECDSA;
        let fitting: Vec<&Choice> = self
            .by_name
            .iter()
            .filter(|choice| choice.has(name) && choice.is_usable(hello.signature_schemes()))
            .collect();
        let chosen = fitting.iter().copied().find(has_ecdsa).or(fitting.first().copied());
        Some(Arc::clone(chosen.map_or(&self.default, |choice| &choice.certified)))
    }
}
