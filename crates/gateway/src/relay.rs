//! Connections that the packet path cannot bring to their targets: to listeners that end TLS, to hosts outside of any
//! VPC, to targets that want PROXY protocol, and to those of another family than the client's. They are carried.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linkway_model::id::VpcEndpointId;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::gateway::Shared;
use crate::places::Place;
use crate::splice::{Carried, reset};
use crate::{Addresses, ListenerTls, dial, proxy_header, upgrade};

/// Where connections to a listener are carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// The endpoint that connections come through; `None` for those from the balancer's own VPC.
    pub endpoint: Option<VpcEndpointId>,
    /// What clients connect to: the private addresses of the endpoint's or the balancer node's interface.
    pub addresses: Addresses,
    /// Healthy targets, one of which is chosen by a hash of the connection. If it cannot be reached, the next is tried.
    pub targets: Vec<RelayTarget>,
    /// How TLS ends here. `None`: bytes pass as they are.
    pub tls: Option<Arc<ListenerTls>>,
    /// Whether the target is told where a connection comes from, by PROXY protocol version 2.
    pub proxy_protocol: bool,
    /// For how long nothing may move either way.
    pub idle: Duration,
}

/// A target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayTarget {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it is reached where backends are ([`Settings::outbound`](crate::Settings::outbound)); otherwise where
    /// the gateway's own sockets are.
    pub outside: bool,
}

/// Why a connection is not carried.
#[derive(Debug, thiserror::Error)]
enum Unserved {
    #[error("nothing is relayed here")]
    NotRelayed,
    #[error("there is no room for another connection")]
    Crowded,
    #[error("the client is gone: {0}")]
    Gone(#[from] io::Error),
}

/// Carries a connection to a target of its listener. One that cannot be is reset, so that its client fails at once.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    port: u16,
    stopping: watch::Receiver<bool>,
) {
    match locate(&shared, &stream, peer, port) {
        Ok(found) => match found.relay.tls.clone() {
            Some(tls) => serve_tls(&shared, stream, found, &tls, stopping).await,
            None => splice(&shared, stream, found, stopping).await,
        },
        Err(error) => {
            tracing::debug!(%peer, port, %error, "a connection was not relayed");
            reset(&stream);
        }
    }
}

/// Carries bytes as they are.
async fn splice(shared: &Shared, stream: TcpStream, found: Found, stopping: watch::Receiver<bool>) {
    let Found { relay, listener, source, .. } = &found;
    match connect(shared, &found).await {
        Ok(server) => {
            let Carried { to_server, to_client, ended } =
                shared.pump.carry(stream, server, relay.idle, stopping).await;
            tracing::debug!(%listener, peer = %source, to_server, to_client, ?ended, "a connection was relayed");
        }
        Err(error) => {
            tracing::debug!(%listener, peer = %source, %error, "a connection was not relayed");
            reset(&stream);
        }
    }
}

/// Ends the client's TLS, and carries what is in it, in TLS of its own where the target wants that.
async fn serve_tls(
    shared: &Shared,
    stream: TcpStream,
    found: Found,
    tls: &ListenerTls,
    mut stopping: watch::Receiver<bool>,
) {
    let Found { relay, listener, source, .. } = &found;
    let carried = async {
        let client = tls.accept(stream, shared.settings.timeouts.handshake).await?;
        let server = match connect(shared, &found).await {
            Ok(server) => server,
            Err(error) => {
                reset(client.get_ref().0);
                return Err(error);
            }
        };
        if !tls.to_targets() {
            return upgrade::exchange(client, server, relay.idle).await;
        }
        let target = server.peer_addr()?.ip();
        let alpn = client.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        let limit = shared.settings.timeouts.handshake;
        match tls.connect(server, target, alpn.as_deref(), limit).await {
            Ok(server) => upgrade::exchange(client, server, relay.idle).await,
            Err(error) => {
                reset(client.get_ref().0);
                Err(error)
            }
        }
    };
    let ended = tokio::select! {
        ended = carried => ended,
        _ = stopping.wait_for(|stopping| *stopping) => Err(io::ErrorKind::ConnectionAborted.into()),
    };
    tracing::debug!(%listener, peer = %source, ?ended, "a TLS connection was relayed");
}

/// A client's connection to a listener.
struct Found {
    relay: Arc<Relay>,
    /// Where the client connects to.
    listener: SocketAddr,
    /// Where the client connects from.
    source: SocketAddr,
    _place: Place,
}

/// Which listener a connection is to, if there is room for it.
fn locate(shared: &Shared, stream: &TcpStream, peer: SocketAddr, port: u16) -> Result<Found, Unserved> {
    let located = shared.settings.ranges.locate(stream.local_addr()?, peer);
    let found = located.and_then(|ends| {
        let view = shared.view.load();
        let relay = Arc::clone(view.relays.get(&(ends.endpoint, port))?);
        let listener = SocketAddr::new(relay.addresses.of(ends.by_ipv6)?, port);
        let source = view.clients.get(&ends.client)?.of(ends.by_ipv6)?;
        Some((ends, relay, listener, SocketAddr::new(source, peer.port())))
    });
    let (ends, relay, listener, source) = found.ok_or(Unserved::NotRelayed)?;
    let place = shared.places.take(ends.endpoint, ends.client, &shared.settings.limits);
    let place = place.ok_or(Unserved::Crowded)?;
    dial::tune(stream)?;
    Ok(Found { relay, listener, source, _place: place })
}

/// Connects to a target and tells it who comes.
async fn connect(shared: &Shared, found: &Found) -> io::Result<TcpStream> {
    let Found { relay, listener, source, .. } = found;
    let mut hasher = DefaultHasher::new();
    (source, listener).hash(&mut hasher);
    let count = relay.targets.len();
    let first = usize::try_from(hasher.finish() % count.max(1) as u64).unwrap_or(0);
    let mut last = io::Error::other("there is no target");
    for target in relay.targets.iter().cycle().skip(first).take(count) {
        match reach(shared, target).await {
            Ok(mut server) => {
                if relay.proxy_protocol {
                    let header = proxy_header::encode(*source, *listener, relay.endpoint.as_ref());
                    server.write_all(&header).await?;
                }
                return Ok(server);
            }
            Err(error) => {
                tracing::debug!(%listener, target = %target.address, %error, "a target failed");
                last = error;
            }
        }
    }
    Err(last)
}

async fn reach(shared: &Shared, target: &RelayTarget) -> io::Result<TcpStream> {
    let settings = &shared.settings;
    let runtime = if target.outside { settings.outbound.clone() } else { Handle::current() };
    dial::from(&runtime, settings.timeouts.connect, target.address).await
}
