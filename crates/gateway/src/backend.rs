//! Backends: how each is connected to, where backends can be reached.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use tokio_util::either::Either;

use crate::pool::Pool;
use crate::{Backend, Settings, View, dial};

/// Why a backend cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum BackendError {
    #[error("{0:?} is no host and port")]
    Authority(String),
    #[error("its CA cannot be read: {0}")]
    Ca(String),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// The pools of all backends in use, of one worker.
#[derive(Default)]
pub(crate) struct Pools(Mutex<State>);

#[derive(Default)]
struct State {
    /// The view whose backends are here.
    view: Weak<View>,
    pools: HashMap<Backend, Result<Arc<Pool>, BackendError>>,
}

impl Pools {
    /// The pool of a backend of a view.
    pub(crate) fn get(
        &self,
        backend: &Backend,
        view: &Arc<View>,
        settings: &Settings,
    ) -> Result<Arc<Pool>, BackendError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::ptr::eq(state.view.as_ptr(), Arc::as_ptr(view)) {
            let used: HashSet<&Backend> =
                view.endpoints.values().map(|endpoint| &endpoint.service.backend).collect();
            // What is under way in others ends as it would.
            state.pools.retain(|backend, _| used.contains(backend));
            state.view = Arc::downgrade(view);
        }
        if let Some(pool) = state.pools.get(backend) {
            return pool.clone();
        }
        let pool = Connector::to(backend, settings.outbound.clone(), settings.timeouts.connect);
        let pool = pool.map(|connector| Pool::new(connector, settings.limits.idle_backend_connections));
        state.pools.insert(backend.clone(), pool.clone());
        pool
    }
}

/// A connection to a backend, plain or with TLS.
pub(crate) type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// Makes connections to one backend.
pub(crate) struct Connector {
    address: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    outbound: Handle,
    limit: Duration,
}

impl Connector {
    /// Connections to a backend, made on `outbound`'s threads, each within `limit`.
    pub(crate) fn to(backend: &Backend, outbound: Handle, limit: Duration) -> Result<Self, BackendError> {
        let (authority, ca, default_port) = match backend {
            Backend::Http { authority } => (authority, None, 80),
            Backend::Https { authority, ca } => (authority, Some(ca), 443),
            Backend::None | Backend::Local(_) => return Err(BackendError::Authority(String::new())),
        };
        let (host, address) = address(authority, default_port)?;
        let tls = match ca {
            None => None,
            Some(ca) => {
                let name =
                    ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned());
                let name = name.map_err(|_| BackendError::Authority(authority.clone()))?;
                Some((TlsConnector::from(Arc::new(client_config(ca.as_deref())?)), name))
            }
        };
        Ok(Self { address, tls, outbound, limit })
    }

    /// Makes one.
    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        let connecting = async {
            let stream = dial::from(&self.outbound, self.limit, self.address.clone()).await?;
            Ok(match &self.tls {
                None => Either::Left(stream),
                Some((tls, name)) => Either::Right(tls.connect(name.clone(), stream).await?),
            })
        };
        dial::within(self.limit, connecting).await
    }
}

/// The host of a backend, and the address to connect to, with its port.
pub(crate) fn address(authority: &str, default_port: u16) -> Result<(String, String), BackendError> {
    let parsed: hyper::http::uri::Authority =
        authority.parse().map_err(|_| BackendError::Authority(authority.to_owned()))?;
    let (host, port) = (parsed.host(), parsed.port_u16().unwrap_or(default_port));
    Ok((host.to_owned(), format!("{host}:{port}")))
}

fn client_config(ca: Option<&str>) -> Result<ClientConfig, BackendError> {
    let mut roots = RootCertStore::empty();
    let unreadable = |error: &dyn std::fmt::Display| BackendError::Ca(error.to_string());
    match ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                roots.add(certificate.map_err(|error| unreadable(&error))?)?;
            }
            if roots.is_empty() {
                return Err(unreadable(&"there is no certificate in it"));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
