//! Queries by TCP: each with its length before it, several a connection (RFC 7766).

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::request::Transport;
use crate::{Resolver, Step};

/// How long a connection may take to send its next query, and to take its answer.
const IDLE: Duration = Duration::from_secs(10);
/// How long to wait when connections cannot be taken, as when there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serve every connection that comes to `listener`, for ever.
pub(crate) async fn serve(resolver: Resolver, listener: TcpListener) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "taking a DNS connection failed");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(permit) = resolver.admit(peer.ip()) else { continue };
        let resolver = resolver.clone();
        tokio::spawn(async move {
            if let Err(error) = converse(&resolver, stream, peer.ip()).await {
                tracing::debug!(%peer, %error, "a DNS connection ended");
            }
            drop(permit);
        });
    }
}

/// Answer a connection's queries, in order, until it closes, is idle or says something that has no answer.
async fn converse(resolver: &Resolver, mut stream: TcpStream, client: IpAddr) -> io::Result<()> {
    loop {
        let packet = timeout(IDLE, read(&mut stream)).await??;
        let reply = match resolver.consider(&packet, client, Transport::Tcp) {
            Step::Ignore => return Ok(()),
            Step::Reply(reply) => reply,
            Step::Forward(request, number) => resolver.forward(*request, number).await,
        };
        timeout(IDLE, write(&mut stream, &reply)).await??;
    }
}

/// One message.
pub(crate) async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut packet).await?;
    Ok(packet)
}

/// Send one message, with its length in the same segment.
pub(crate) async fn write(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let framed: Vec<u8> = length.to_be_bytes().iter().chain(message).copied().collect();
    stream.write_all(&framed).await
}
