//! Serving HTTP/1.1: what the API's and the commands' listeners have in common.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::TcpUserTimeout;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::stop::Stop;

/// Connections that a listener has at a time; more wait to be accepted.
const CONNECTIONS: usize = 512;

/// How long a client may take for a request's head, also to begin one on a connection that it keeps open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take for a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client on the network may leave an answer unread, in milliseconds. It holds a place that others wait
/// for.
const READ_TIMEOUT_MS: u32 = 30_000;

/// Largest body.
const MAX_BODY: usize = 1 << 20;

/// How long requests have to end when the daemon does.
const DRAIN: Duration = Duration::from_secs(5);

/// How long to wait when the process has no descriptors left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An answer's body.
pub(crate) type AnswerBody = BoxBody<Bytes, Infallible>;

/// Where connections come from.
pub(crate) trait Listener {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next one.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// The address at a connection's other end, where there are addresses.
    fn peer(stream: &Self::Stream) -> Option<IpAddr>;
}

/// The address that a request came from.
#[derive(Clone, Copy)]
struct Peer(IpAddr);

/// The address that a request came from, on a listener that knows it.
pub(crate) fn peer<B>(request: &Request<B>) -> Option<IpAddr> {
    request.extensions().get::<Peer>().map(|peer| peer.0)
}

impl Listener for TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn accept(&self) -> io::Result<Self::Stream> {
        let (stream, _) = Self::accept(self).await?;
        stream.set_nodelay(true)?;
        setsockopt(&stream, TcpUserTimeout, &READ_TIMEOUT_MS)?;
        Ok(stream)
    }

    fn peer(stream: &Self::Stream) -> Option<IpAddr> {
        Some(stream.peer_addr().ok()?.ip())
    }
}

impl Listener for UnixListener {
    type Stream = tokio::net::UnixStream;

    async fn accept(&self) -> io::Result<Self::Stream> {
        Ok(Self::accept(self).await?.0)
    }

    fn peer(_: &Self::Stream) -> Option<IpAddr> {
        None
    }
}

/// Connections of each client's, where clients are to leave each other places.
#[derive(Clone, Default)]
struct Shares(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A client's connection, while it is there.
struct Share {
    shares: Shares,
    peer: IpAddr,
}

impl Shares {
    /// A place for one more connection, if the client has fewer than `most`.
    fn take(&self, peer: IpAddr, most: usize) -> Option<Share> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Share { shares: self.clone(), peer })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.peer)),
        }
    }
}

/// Answer every request with `handler`, until `stop` turns true; then let those that have begun end.
pub(crate) async fn serve<L, H, F>(listener: L, handler: H, stop: Stop)
where
    L: Listener,
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<AnswerBody>> + Send + 'static,
{
    serve_shared(listener, usize::MAX, handler, stop).await;
}

/// The same, where each client may have `most` connections: more are closed at once.
pub(crate) async fn serve_shared<L, H, F>(listener: L, most: usize, handler: H, mut stop: Stop)
where
    L: Listener,
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<AnswerBody>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let shares = Shares::default();
    let mut connections = JoinSet::new();
    loop {
        // Also when no place is free, the word to stop is heard.
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, stream) = tokio::select! {
            accepted = accepted => accepted,
            () = stop.wait() => break,
        };
        while connections.try_join_next().is_some() {}
        match stream {
            Ok(stream) => {
                let peer = L::peer(&stream);
                let share = peer.map(|peer| shares.take(peer, most));
                if matches!(share, Some(None)) {
                    continue;
                }
                let connection = connection(stream, peer, handler.clone(), stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop((permit, share));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("requests were cut off, as they took too long");
    }
}

async fn connection<S, H, F>(stream: S, peer: Option<IpAddr>, handler: H, mut stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F + Send + Sync,
    F: Future<Output = Response<AnswerBody>> + Send,
{
    let service = service_fn(|mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(Peer(peer));
        }
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Why a request's body could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// Larger than is taken.
    #[error("the request's body is larger than {MAX_BODY} bytes")]
    TooLarge,
    /// It did not come in time.
    #[error("the request's body did not arrive within {} seconds", BODY_TIMEOUT.as_secs())]
    TooSlow,
    /// The client went away, or it is no HTTP.
    #[error("the request's body broke off")]
    BrokenOff,
}

/// A request's whole body, within the bounds of size and time.
pub(crate) async fn whole<B>(body: B) -> Result<Bytes, BodyError>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::BrokenOff),
    }
}

/// A body that is there at once.
pub(crate) fn full(bytes: impl Into<Bytes>) -> AnswerBody {
    Full::new(bytes.into()).boxed()
}

/// A body that comes piece by piece, until the sender is dropped.
pub(crate) fn streamed(pieces: mpsc::Receiver<Bytes>) -> AnswerBody {
    Pieces(pieces).boxed()
}

struct Pieces(mpsc::Receiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_share() {
        let shares = Shares::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let held: Vec<Share> = (0..2).map_while(|_| shares.take(one, 2)).collect();
        assert_eq!(held.len(), 2);
        assert!(shares.take(one, 2).is_none());
        assert!(shares.take(other, 2).is_some());
        drop(held);
        assert!(shares.take(one, 2).is_some());
        assert!(shares.0.lock().unwrap().is_empty());
    }
}
