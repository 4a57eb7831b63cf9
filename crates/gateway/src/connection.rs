//! One connection of a client to an endpoint.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::activity::Activity;
use crate::exchange::{Peer, answer};
use crate::gateway::{Scheme, Worker};
use crate::{Tls, dial, passthrough, relay, tls};

/// Serves a connection until it ends, or `stopping` turns true and its last request is answered.
pub(crate) async fn serve(
    worker: Worker,
    stream: TcpStream,
    peer_address: SocketAddr,
    scheme: Scheme,
    stopping: watch::Receiver<bool>,
) {
    let Ok(local) = stream.local_addr() else { return };
    let Worker { shared, pools } = worker;
    let settings = &shared.settings;
    let located = settings.ranges.locate(local, peer_address);
    let found = located.and_then(|ends| {
        let view = shared.view.load();
        Some((ends, Arc::clone(view.endpoints.get(&ends.endpoint)?)))
    });
    let Some((ends, opened)) = found else {
        // A balancer may listen on the gateway's own ports.
        let place = located.map(|ends| (ends.endpoint, local.port()));
        if place.is_some_and(|place| shared.view.load().relays.contains_key(&place)) {
            return relay::serve(shared, stream, peer_address, local.port(), stopping).await;
        }
        tracing::debug!(%local, peer = %peer_address, "a connection to no endpoint");
        return;
    };
    let client = ends.client;
    let Some(place) = shared.places.take(ends.endpoint, client, &settings.limits) else {
        tracing::debug!(endpoint = %opened.id, client, "no room for another connection");
        return;
    };
    if dial::tune(&stream).is_err() {
        // The client is gone already.
        return;
    }
    if scheme == Scheme::Https && opened.service.tls == Tls::Passthrough {
        return passthrough::serve(&shared, stream, opened, ends, place, stopping).await;
    }
    let activity = Activity::new();
    let peer = Arc::new(Peer {
        shared: Arc::clone(&shared),
        pools,
        ends,
        protocol: opened.service.protocol,
        secure: scheme == Scheme::Https,
        place: Arc::new(place),
        activity,
    });
    match scheme {
        Scheme::Http => http1(stream, peer, stopping).await,
        Scheme::Https => {
            let now = (settings.clock)();
            let limit = settings.timeouts.handshake;
            match tls::accept(stream, &opened.names, &shared.authority, now, limit).await {
                Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                    http2(stream, peer, stopping).await;
                }
                Ok(stream) => http1(stream, peer, stopping).await,
                Err(error) => tracing::debug!(endpoint = %opened.id, client, %error, "no TLS connection"),
            }
        }
    }
}

async fn http1<S>(stream: S, peer: Arc<Peer>, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let settings = &peer.shared.settings;
    let service = service_fn(|request| {
        let peer = Arc::clone(&peer);
        async { Ok::<_, Infallible>(answer(peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.timeouts.head)
        .max_buf_size(settings.limits.head)
        .max_headers(settings.limits.headers)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = unwanted(&peer, &mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    log(&peer, ended);
}

async fn http2<S>(stream: S, peer: Arc<Peer>, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let settings = &peer.shared.settings;
    let service = service_fn(|request| {
        let peer = Arc::clone(&peer);
        async { Ok::<_, Infallible>(answer(peer, request).await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.limits.streams_per_connection)
        .max_header_list_size(u32::try_from(settings.limits.head).unwrap_or(u32::MAX))
        .adaptive_window(true)
        .keep_alive_interval(settings.timeouts.head)
        .keep_alive_timeout(settings.timeouts.handshake)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = unwanted(&peer, &mut stopping) => {
            connection.as_mut().graceful_shutdown();
            // A client that is told to go and does not is left.
            match tokio::time::timeout(settings.timeouts.drain, connection).await {
                Ok(ended) => ended,
                Err(_) => Ok(()),
            }
        }
    };
    log(&peer, ended);
}

/// Returns when a connection should end: it was idle for long, or the gateway stops.
async fn unwanted(peer: &Peer, stopping: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = peer.activity.idle(peer.shared.settings.timeouts.idle) => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

fn log(peer: &Peer, ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(endpoint = peer.ends.endpoint, client = peer.ends.client, %error, "a connection ended early");
    }
}
