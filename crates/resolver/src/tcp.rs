//! Queries by TCP: each with its length before it, several a connection (RFC 7766).

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
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

/// Answer a connection's queries until it closes, is idle or says something that has no answer; then send what
/// the upstream still owes.
async fn converse(resolver: &Resolver, stream: TcpStream, client: IpAddr) -> io::Result<()> {
    let (reader, writer) = stream.into_split();
    let mut forwards = JoinSet::new();
    let ended = take_queries(resolver, reader, Arc::new(Mutex::new(writer)), client, &mut forwards).await;
    while forwards.join_next().await.is_some() {}
    ended
}

/// Read queries and answer them. What waits for the upstream does not hold up the queries behind it.
async fn take_queries(
    resolver: &Resolver,
    mut reader: OwnedReadHalf,
    writer: Arc<Mutex<OwnedWriteHalf>>,
    client: IpAddr,
    forwards: &mut JoinSet<io::Result<()>>,
) -> io::Result<()> {
    loop {
        let packet = timeout(IDLE, read(&mut reader)).await??;
        match resolver.consider(&packet, client, Transport::Tcp) {
            Step::Ignore => return Ok(()),
            Step::Reply(reply) => answer(&writer, &reply).await?,
            Step::Forward(request, number) => {
                let (resolver, writer) = (resolver.clone(), Arc::clone(&writer));
                forwards.spawn(async move {
                    let reply = resolver.forward(*request, number).await;
                    answer(&writer, &reply).await
                });
            }
        }
        while forwards.try_join_next().is_some() {}
    }
}

async fn answer(writer: &Mutex<OwnedWriteHalf>, reply: &[u8]) -> io::Result<()> {
    timeout(IDLE, write(&mut *writer.lock().await, reply)).await?
}

/// One message.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut packet).await?;
    Ok(packet)
}

/// Send one message, with its length in the same segment.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let framed: Vec<u8> = length.to_be_bytes().iter().chain(message).copied().collect();
    stream.write_all(&framed).await
}
