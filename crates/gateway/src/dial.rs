//! Connections that the gateway makes.

use std::future::Future;
use std::io;
use std::time::Duration;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::TcpUserTimeout;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::runtime::Handle;

/// How long the other end may leave what was sent to it unread, in milliseconds.
const UNREAD_MS: u32 = 60_000;

/// Connects by TCP, ready to carry what people wait for.
pub(crate) async fn tcp(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    tune(&stream)?;
    Ok(stream)
}

/// Sends small pieces at once, and does not wait for ever for an end that has vanished.
pub(crate) fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    Ok(setsockopt(stream, TcpUserTimeout, &UNREAD_MS)?)
}

/// Connects on the threads of a runtime, which may live in another network namespace, within a time.
pub(crate) async fn within<T: Send + 'static>(
    runtime: &Handle,
    limit: Duration,
    connecting: impl Future<Output = io::Result<T>> + Send + 'static,
) -> io::Result<T> {
    let connecting = runtime.spawn(tokio::time::timeout(limit, connecting));
    match connecting.await.map_err(io::Error::other)? {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
