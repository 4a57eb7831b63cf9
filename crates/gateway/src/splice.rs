//! Connections that are only carried: bytes go from one socket to the other inside the kernel.
//!
//! `splice` moves pages from a socket into a pipe, and from the pipe into the other socket, and no byte of them is
//! read here. A pipe is taken when a socket has bytes and given back when there are none left, so that a silent
//! connection costs its two sockets and no more. Where there is no pipe, or the kernel has no `splice` for us, a
//! buffer does the same.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{OFlag, SpliceFFlags, splice};
use nix::sys::socket::{MsgFlags, Shutdown, recv, send, shutdown};
use nix::unistd::pipe2;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::pulse::Pulse;

/// The most bytes that are moved at once: a pipe's capacity, as Linux makes them.
const PIECE: usize = 64 << 10;

/// Pipes that are kept for the next bytes.
const SPARE: usize = 64;

/// How long a connection must be silent to be ended when the gateway stops.
const QUIET: Duration = Duration::from_millis(250);

/// Carries connections.
#[derive(Debug, Default)]
pub(crate) struct Pump {
    spare: Mutex<Vec<Pipe>>,
    /// The kernel does not do it for us.
    refused: AtomicBool,
}

/// What went through a connection that was carried, and how it ended.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) to_server: u64,
    pub(crate) to_client: u64,
    /// An error if an end broke it off, or it was silent for too long, or the gateway stops: both ends were reset.
    pub(crate) ended: io::Result<()>,
}

/// One direction.
struct Way<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    moved: AtomicU64,
}

impl Pump {
    /// Carries bytes both ways until both ends have closed, one breaks off, or nothing moved for `idle`. An end that
    /// closes its direction may still be sent to.
    pub(crate) async fn carry(
        &self,
        client: TcpStream,
        server: TcpStream,
        idle: Duration,
        mut stopping: watch::Receiver<bool>,
    ) -> Carried {
        let pulse = Pulse::new();
        let up = Way { from: &client, to: &server, moved: AtomicU64::new(0) };
        let down = Way { from: &server, to: &client, moved: AtomicU64::new(0) };
        let both = async { tokio::try_join!(self.one_way(&up, &pulse), self.one_way(&down, &pulse)) };
        let stopped = async {
            let _ = stopping.wait_for(|stopping| *stopping).await;
            pulse.silence(QUIET).await;
        };
        let ended = tokio::select! {
            ended = both => ended.map(drop),
            () = pulse.silence(idle) => Err(io::ErrorKind::TimedOut.into()),
            () = stopped => Err(io::ErrorKind::ConnectionAborted.into()),
        };
        let (to_server, to_client) = (up.moved.into_inner(), down.moved.into_inner());
        if ended.is_err() {
            reset(&client);
            reset(&server);
        }
        Carried { to_server, to_client, ended }
    }

    async fn one_way(&self, way: &Way<'_>, pulse: &Pulse) -> io::Result<()> {
        loop {
            way.from.readable().await?;
            let mut vessel = self.take();
            loop {
                match way.from.try_io(Interest::READABLE, || Ok(vessel.fill(way.from)?)) {
                    Ok(0) => return Ok(shutdown(way.to.as_raw_fd(), Shutdown::Write)?),
                    Ok(filled) => {
                        pulse.beat();
                        let mut left = filled;
                        while left > 0 {
                            let drained =
                                way.to.async_io(Interest::WRITABLE, || Ok(vessel.drain(way.to, left)?));
                            let drained = drained.await?;
                            pulse.beat();
                            way.moved.fetch_add(drained as u64, Ordering::Relaxed);
                            left -= drained;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if vessel.is_pipe() && is_refusal(&error) => {
                        tracing::info!(%error, "the kernel does not splice: bytes are copied");
                        self.refused.store(true, Ordering::Relaxed);
                        vessel = Vessel::buffer();
                    }
                    Err(error) => return Err(error),
                }
            }
            // Whatever ends in between leaves a pipe with bytes in it, which is dropped.
            self.give(vessel);
        }
    }

    fn take(&self) -> Vessel {
        if self.refused.load(Ordering::Relaxed) {
            return Vessel::buffer();
        }
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.map_or_else(|| Pipe::new().map(Vessel::Pipe).unwrap_or_else(|_| Vessel::buffer()), Vessel::Pipe)
    }

    fn give(&self, vessel: Vessel) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if let Vessel::Pipe(pipe) = vessel
            && spare.len() < SPARE
        {
            spare.push(pipe);
        }
    }
}

/// Ends a connection by a reset, so that the other end knows at once that it did not end well.
pub(crate) fn reset(stream: &TcpStream) {
    // A socket that takes no options is gone.
    let _ = stream.set_zero_linger();
}

fn is_refusal(error: &io::Error) -> bool {
    let refusals = [Errno::EINVAL, Errno::ENOSYS, Errno::EPERM];
    error.raw_os_error().is_some_and(|code| refusals.contains(&Errno::from_raw(code)))
}

#[derive(Debug)]
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Pipe {
    fn new() -> nix::Result<Self> {
        let (read, write) = pipe2(OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)?;
        Ok(Self { read, write })
    }
}

/// What bytes are between the sockets in. It is filled when empty only.
#[derive(Debug)]
enum Vessel {
    Pipe(Pipe),
    Buffer { bytes: Vec<u8>, begin: usize },
}

impl Vessel {
    fn buffer() -> Self {
        Self::Buffer { bytes: vec![0; PIECE], begin: 0 }
    }

    fn is_pipe(&self) -> bool {
        matches!(self, Self::Pipe(_))
    }

    fn fill(&mut self, from: &TcpStream) -> nix::Result<usize> {
        let flags = SpliceFFlags::SPLICE_F_MOVE | SpliceFFlags::SPLICE_F_NONBLOCK;
        match self {
            Self::Pipe(pipe) => splice(from, None, &pipe.write, None, PIECE, flags),
            Self::Buffer { bytes, begin } => {
                *begin = 0;
                recv(from.as_raw_fd(), bytes, MsgFlags::empty())
            }
        }
    }

    fn drain(&mut self, to: &TcpStream, left: usize) -> nix::Result<usize> {
        let flags = SpliceFFlags::SPLICE_F_MOVE | SpliceFFlags::SPLICE_F_NONBLOCK;
        match self {
            Self::Pipe(pipe) => splice(&pipe.read, None, to, None, left, flags),
            Self::Buffer { bytes, begin } => {
                let sent = send(to.as_raw_fd(), &bytes[*begin..*begin + left], MsgFlags::MSG_NOSIGNAL)?;
                *begin += sent;
                Ok(sent)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    /// Carries a megabyte there and a word back.
    async fn carry(pump: Pump) {
        let (mut client, client_end) = pair().await;
        let (server_end, mut server) = pair().await;
        let (stop, stopping) = watch::channel(false);
        let carrying = tokio::spawn(async move {
            let carried = pump.carry(client_end, server_end, Duration::from_secs(20), stopping).await;
            (carried, pump)
        });
        let sent: Vec<u8> = (0..1_000_003).map(|at| (at / 7) as u8).collect();
        let sending = tokio::spawn({
            let sent = sent.clone();
            async move {
                client.write_all(&sent).await.unwrap();
                client.shutdown().await.unwrap();
                let mut heard = String::new();
                client.read_to_string(&mut heard).await.unwrap();
                heard
            }
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert!(received == sent);
        server.write_all(b"enough").await.unwrap();
        drop(server);
        assert_eq!(sending.await.unwrap(), "enough");
        let (Carried { to_server, to_client, ended }, pump) = carrying.await.unwrap();
        ended.unwrap();
        assert_eq!((to_server, to_client), (1_000_003, 6));
        // A pipe that is kept is empty.
        for pipe in pump.spare.lock().unwrap().iter() {
            assert_eq!(nix::unistd::read(&pipe.read, &mut [0]), Err(Errno::EAGAIN));
        }
        drop(stop);
    }

    #[tokio::test]
    async fn bytes_are_carried_by_the_kernel() {
        let pump = Pump::default();
        carry(pump).await;
    }

    #[tokio::test]
    async fn bytes_are_carried_where_the_kernel_does_not() {
        carry(Pump { refused: AtomicBool::new(true), ..Pump::default() }).await;
    }
}
