//! Connections that the gateway makes.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::TcpUserTimeout;
use tokio::net::{TcpSocket, TcpStream, ToSocketAddrs, lookup_host};
use tokio::runtime::Handle;

/// How long the other end may leave what was sent to it unread, in milliseconds.
const UNREAD_MS: u32 = 60_000;

/// Connects by TCP, ready to carry what people wait for.
pub(crate) async fn tcp(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host(address).await? {
        match connect(address).await {
            Ok(stream) => {
                tune(&stream)?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The port that the connection gets may be one that the gateway listens on later: without the option, it could not.
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.connect(address).await
}

/// Sends small pieces at once, and does not wait for ever for an end that has vanished.
pub(crate) fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    Ok(setsockopt(stream, TcpUserTimeout, &UNREAD_MS)?)
}

/// Connects on the threads of a runtime, which may live in another network namespace, within a time. The connection
/// is the caller's runtime's from then on: what moves on it wakes no thread of the other one.
pub(crate) async fn from(
    runtime: &Handle,
    limit: Duration,
    address: impl ToSocketAddrs + Send + 'static,
) -> io::Result<TcpStream> {
    let connecting = runtime.spawn(async { tcp(address).await?.into_std() });
    TcpStream::from_std(within(limit, async { connecting.await.map_err(io::Error::other)? }).await?)
}

/// Waits so long for something, and no longer.
pub(crate) async fn within<T>(
    limit: Duration,
    connecting: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match tokio::time::timeout(limit, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_port_of_a_connection_can_be_listened_on() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let stream = tcp(server.local_addr().unwrap()).await.unwrap();
        let _accepted = server.accept().await.unwrap();
        let port = stream.local_addr().unwrap().port();
        // As a listener of the gateway's: the standard library sets the option, too.
        std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
    }

    #[tokio::test]
    async fn the_next_address_is_tried() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        let addresses = [closed, server.local_addr().unwrap()];
        assert_eq!(tcp(&addresses[..]).await.unwrap().peer_addr().unwrap(), addresses[1]);
        assert_eq!(tcp(closed).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
