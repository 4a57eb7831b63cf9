//! Where AWS services are served.

use linkway_model::aws_service::AwsService;
use linkway_model::service_backend::{Backend, ServiceBackend, Tls, UnknownKeys};
use linkway_model::vpc_endpoint::VpcEndpoint;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::ec2::vpc_endpoint::{has_ended, is_full_access};
use crate::error::AdminError;
use crate::{Control, Error};

/// What an operator says about a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendRequest {
    /// The service's full name.
    pub service: String,
    /// `http://HOST[:PORT]`, `https://HOST[:PORT]` or `aws`.
    pub backend: String,
    /// Certificates that an HTTPS backend's own must lead to, in PEM.
    pub ca: Option<String>,
    /// What becomes of requests that are signed with a key that is not known.
    pub unknown_keys: UnknownKeys,
    /// Who ends TLS.
    pub tls: Tls,
}

impl Control {
    /// Say where a service is served. It replaces what was said before.
    pub fn set_backend(&self, request: BackendRequest) -> Result<ServiceBackend, Error> {
        let BackendRequest { service, backend, ca, unknown_keys, tls } = request;
        known(&service)?;
        let backend = read(&backend, ca)?;
        if tls == Tls::Passthrough {
            match &backend {
                Backend::Http { .. } => return Err(AdminError::PassthroughWithoutTls.into()),
                Backend::Https { ca: Some(_), .. } => return Err(AdminError::CaOfPassthrough.into()),
                Backend::Https { .. } | Backend::Aws => {}
            }
        }
        self.write(None, |tx| {
            let narrow = |endpoint: &VpcEndpoint| {
                endpoint.service_name == service && !has_ended(endpoint) && !is_full_access(&endpoint.policy)
            };
            if tls == Tls::Passthrough
                && let Some(endpoint) = tx.all::<VpcEndpoint>().find(|endpoint| narrow(endpoint))
            {
                let endpoint = endpoint.id.to_string();
                return Err(AdminError::PolicyNeedsTls { endpoint, service: service.clone() }.into());
            }
            let set = ServiceBackend { service: service.clone(), backend, unknown_keys, tls };
            tx.put(set.clone());
            Ok(set)
        })
    }

    /// Forget where a service is served.
    pub fn unset_backend(&self, service: &str) -> Result<(), Error> {
        known(service)?;
        self.write(None, |tx| {
            if tx.delete::<ServiceBackend>(service) {
                Ok(())
            } else {
                Err(AdminError::NoBackend(service.to_owned()).into())
            }
        })
    }

    /// Where services are served, by the services' names.
    pub fn backends(&self) -> Vec<ServiceBackend> {
        self.store.snapshot().all::<ServiceBackend>().map(|found| ServiceBackend::clone(found)).collect()
    }
}

fn known(service: &str) -> Result<(), Error> {
    match AwsService::find(service) {
        Some(_) => Ok(()),
        None => Err(AdminError::UnknownService(service.to_owned()).into()),
    }
}

fn read(backend: &str, ca: Option<String>) -> Result<Backend, Error> {
    let unusable = || Error::from(AdminError::UnusableBackend(backend.to_owned()));
    if let Some(rest) = backend.strip_prefix("https://") {
        let authority = authority(rest, 443).ok_or_else(unusable)?;
        ca.as_deref().map(check_ca).transpose()?;
        return Ok(Backend::Https { authority, ca });
    }
    let read = match backend.strip_prefix("http://") {
        Some(rest) => Backend::Http { authority: authority(rest, 80).ok_or_else(unusable)? },
        None if backend == "aws" => Backend::Aws,
        None => return Err(unusable()),
    };
    if ca.is_some() { Err(AdminError::CaWithoutHttps.into()) } else { Ok(read) }
}

/// A CA is one certificate or several.
pub(super) fn check_ca(pem: &str) -> Result<(), Error> {
    let mut found = CertificateDer::pem_slice_iter(pem.as_bytes()).peekable();
    let any = found.peek().is_some();
    if any && found.all(|certificate| certificate.is_ok()) {
        Ok(())
    } else {
        Err(AdminError::UnusableCa.into())
    }
}

/// Host and port of what comes after a URL's scheme: a path, a query or a user's name are no part of a backend.
pub(super) fn authority(rest: &str, default_port: u16) -> Option<String> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    // The address in brackets has colons of its own.
    let end = rest.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match rest[end..].split_once(':') {
        Some((more, port)) => (&rest[..end + more.len()], read_port(port)?),
        None => (rest, default_port),
    };
    let is_host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_name(host),
    };
    is_host.then(|| format!("{host}:{port}"))
}

fn read_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// A host's name, or an IPv4 address. Lengths: RFC 1035, section 2.3.4.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_urls_without_a_path_or_aws() {
        let http = |authority: &str| Backend::Http { authority: authority.into() };
        let https = |authority: &str| Backend::Https { authority: authority.into(), ca: None };
        for (text, backend) in [
            ("http://127.0.0.1:9000", http("127.0.0.1:9000")),
            ("http://minio.internal/", http("minio.internal:80")),
            ("https://minio", https("minio:443")),
            ("https://[::1]:8443", https("[::1]:8443")),
            ("http://[fd00::2]", http("[fd00::2]:80")),
            ("aws", Backend::Aws),
        ] {
            assert_eq!(read(text, None).unwrap(), backend, "{text}");
        }
        for bad in [
            "",
            "127.0.0.1:9000",
            "AWS",
            "ftp://host",
            "http://",
            "http://:80",
            "http://host:0",
            "http://host:+80",
            "http://host:65536",
            "http://host:",
            "http://host/path",
            "http://user@host",
            "http://host?x",
            "http://ho st",
            "http://a..b",
            "http://[::1",
            "http://::1",
            "http://[::1]x:80",
            "https://[host]:80",
        ] {
            assert!(read(bad, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_https_has_a_ca() {
        let ca = || Some("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n".to_owned());
        assert!(read("https://host", ca()).is_ok());
        assert!(matches!(read("http://host", ca()), Err(Error::Admin(AdminError::CaWithoutHttps))));
        assert!(matches!(read("aws", ca()), Err(Error::Admin(AdminError::CaWithoutHttps))));
        for bad in ["", "certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let read = read("https://host", Some(bad.to_owned()));
            assert!(matches!(read, Err(Error::Admin(AdminError::UnusableCa))), "{bad}");
        }
    }
}
