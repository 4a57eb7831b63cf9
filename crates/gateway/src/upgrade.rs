//! Connections that change their protocol, as WebSocket does: bytes are passed both ways.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split};

use crate::places::Place;
use crate::pulse::Pulse;

const BUFFER: usize = 16 << 10;

/// Passes bytes between the two ends of an upgraded connection, until one closes or both are silent for `stall`.
pub(crate) async fn relay(client: OnUpgrade, backend: OnUpgrade, stall: Duration, _place: Arc<Place>) {
    let (client, backend) = match tokio::try_join!(client, backend) {
        Ok(ends) => ends,
        Err(error) => {
            tracing::debug!(%error, "an upgrade did not come about");
            return;
        }
    };
    let _ = exchange(TokioIo::new(client), TokioIo::new(backend), stall).await;
}

/// Passes bytes both ways between two ends, until both have closed, one breaks off, or nothing moves for `idle`. An
/// end that closes its direction may still be sent to.
pub(crate) async fn exchange<A, B>(one: A, other: B, idle: Duration) -> io::Result<()>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let ((one_read, one_write), (other_read, other_write)) = (split(one), split(other));
    let pulse = Pulse::new();
    let both =
        async { tokio::try_join!(copy(one_read, other_write, &pulse), copy(other_read, one_write, &pulse)) };
    tokio::select! {
        ended = both => ended.map(drop),
        () = pulse.silence(idle) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn copy<R, W>(mut from: ReadHalf<R>, mut to: WriteHalf<W>, pulse: &Pulse) -> io::Result<()>
where
    R: AsyncRead,
    W: AsyncWrite,
{
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        pulse.beat();
        to.write_all(&buffer[..length]).await?;
        to.flush().await?;
    }
}
