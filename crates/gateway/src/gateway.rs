//! The gateway.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use linkway_wire::sigv4::SigningKeys;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::backend::Pools;
use crate::places::Places;
use crate::splice::Pump;
use crate::{Authority, Settings, View, connection, relay};

/// How long to wait when there are no descriptors left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The userspace end of interface endpoints to AWS services.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

/// What serves connections, with connections to backends of its own: one for each runtime, so that none waits for
/// another.
#[derive(Clone)]
pub struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pools: Arc<Pools>,
}

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) authority: Authority,
    pub(crate) view: ArcSwap<View>,
    pub(crate) places: Arc<Places>,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) pump: Pump,
}

/// What a listener's connections speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Gateway {
    /// A gateway whose certificates `authority` signs.
    pub fn new(settings: Settings, authority: Authority, view: View) -> Self {
        Self(Arc::new(Shared {
            settings,
            authority,
            view: ArcSwap::from_pointee(view),
            places: Arc::default(),
            signing_keys: SigningKeys::default(),
            pump: Pump::default(),
        }))
    }

    /// Somebody to serve connections.
    pub fn worker(&self) -> Worker {
        Worker { shared: Arc::clone(&self.0), pools: Arc::default() }
    }

    /// Goes on with another view of the world. Connections stay; requests that begin from now on see it.
    pub fn publish(&self, view: View) {
        self.0.view.store(Arc::new(view));
    }
}

impl Worker {
    /// Serves HTTPS, usually on port 443 of every address, until `stop` is ready; then lets requests in progress
    /// end.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        self.serve_scheme(listener, Scheme::Https, stop).await;
    }

    /// Serves HTTP without TLS, usually on port 80, until `stop` is ready; then lets requests in progress end.
    pub async fn serve_plain(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        self.serve_scheme(listener, Scheme::Http, stop).await;
    }

    /// Carries connections to what [`View::relays`] has for `port`, usually on that port of every address, until
    /// `stop` is ready; then those that are silent end, and after a while all.
    pub async fn serve_relay(&self, listener: TcpListener, port: u16, stop: impl Future<Output = ()>) {
        let shared = &self.shared;
        self.listen(listener, stop, |stream, peer, stopping| {
            relay::serve(Arc::clone(shared), stream, peer, port, stopping)
        })
        .await;
    }

    async fn serve_scheme(&self, listener: TcpListener, scheme: Scheme, stop: impl Future<Output = ()>) {
        self.listen(listener, stop, |stream, peer, stopping| {
            connection::serve(self.clone(), stream, peer, scheme, stopping)
        })
        .await;
    }

    async fn listen<F>(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
        serve: impl Fn(TcpStream, SocketAddr, watch::Receiver<bool>) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => break,
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve(stream, peer, stopped.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        stopping.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.shared.settings.timeouts.drain, drained).await.is_err() {
            tracing::warn!("requests were cut off, as they took too long");
        }
    }
}
