//! Connections to backends: pooled, HTTP/1.1, made where backends can be reached.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::{Backend, Body, Settings, dial};

/// How long a connection is kept for another request: less than the five seconds after which many servers close
/// theirs, so that a request seldom meets a connection that is just being closed.
const KEEP: Duration = Duration::from_secs(4);

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

/// The pool of a backend's connections.
pub(crate) type Pool = Client<Connector, Body>;

/// The pools of all backends in use.
#[derive(Default)]
pub(crate) struct Pools(Mutex<HashMap<Backend, Result<Pool, BackendError>>>);

impl Pools {
    /// The pool of a backend.
    pub(crate) fn get(&self, backend: &Backend, settings: &Settings) -> Result<Pool, BackendError> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(backend) {
            return pool.clone();
        }
        let pool =
            Connector::to(backend, settings.outbound.clone(), settings.timeouts.connect).map(|connector| {
                Client::builder(TokioExecutor::new())
                    .pool_timer(TokioTimer::new())
                    .pool_idle_timeout(KEEP)
                    .pool_max_idle_per_host(settings.limits.idle_backend_connections)
                    .set_host(false)
                    .build(connector)
            });
        pools.insert(backend.clone(), pool.clone());
        pool
    }

    /// Forgets the pools of other backends; what is under way in them ends as it would.
    pub(crate) fn retain(&self, used: &HashSet<Backend>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|backend, _| used.contains(backend));
    }
}

/// Makes connections to one backend.
#[derive(Clone)]
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
    pub(crate) async fn connect(self) -> io::Result<Link> {
        let Self { address, tls, outbound, limit } = self;
        let connecting = async move {
            let stream = dial::from(&outbound, limit, address).await?;
            Ok(match tls {
                None => Link(Box::new(stream)),
                Some((tls, name)) => Link(Box::new(tls.connect(name, stream).await?)),
            })
        };
        dial::within(limit, connecting).await
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

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Link>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Link>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connecting = self.clone().connect();
        Box::pin(async { connecting.await.map(TokioIo::new) })
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A connection to a backend, plain or with TLS.
pub(crate) struct Link(Box<dyn Duplex>);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }
}

/// What went wrong, for the one who asked: the deepest cause says it best.
pub(crate) enum Failure {
    /// No connection was made in time.
    ConnectTooSlow,
    /// No connection was made.
    Unreachable(String),
    /// The connection broke before there was an answer, or what came was none.
    BrokeOff,
}

impl From<&legacy::Error> for Failure {
    fn from(error: &legacy::Error) -> Self {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        if !error.is_connect() {
            return Self::BrokeOff;
        }
        match cause.downcast_ref::<io::Error>() {
            Some(error) if error.kind() == io::ErrorKind::TimedOut => Self::ConnectTooSlow,
            _ => Self::Unreachable(cause.to_string()),
        }
    }
}
