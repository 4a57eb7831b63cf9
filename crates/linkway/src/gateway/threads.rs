//! The gateway's threads, in the service namespace: one for each CPU, with a runtime, listening sockets and
//! connections to backends of its own. A request is answered where it came in, and wakes no other thread on its way.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread::{Builder, JoinHandle, available_parallelism};

use anyhow::{Context, Result};
use linkway_fabric::has_ipv6;
use linkway_gateway::{Gateway, Worker};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime;
use tokio::sync::mpsc;

use crate::gateway::relays::{self, WantedPorts};
use crate::stop::{Stop, Stopper};

/// Where the gateway listens, at every address: HTTPS and HTTP.
pub(crate) const PORTS: [u16; 2] = [443, 80];

/// Connections that may wait to be accepted, at one port: as many as the namespace lets.
const BACKLOG: u32 = 16384;

/// The threads.
pub(crate) struct Threads {
    threads: Vec<JoinHandle<()>>,
    /// Closed when all have ended.
    running: mpsc::Receiver<()>,
}

/// How many there are to be: as many as CPUs that this process may run on.
pub(crate) fn count() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Starts a thread for each of `wanted`. They are in the caller's namespace and have its capabilities, and listen
/// when this returns. They end when the daemon stops, and the daemon with any of them.
pub(crate) fn start(gateway: &Gateway, wanted: Vec<WantedPorts>, stopper: &Stopper) -> Result<Threads> {
    let (run, running) = mpsc::channel(1);
    let begin = |wanted| {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start a runtime")?;
        let listeners = {
            let _inside = runtime.enter();
            let [https, http] = PORTS.map(|port| {
                listen(port).with_context(|| format!("the gateway cannot listen on port {port}"))
            });
            (https?, http?)
        };
        let (worker, run) = (gateway.worker(), run.clone());
        let (stop, vital) = (stopper.subscribe(), stopper.when_dropped());
        let thread = Builder::new().name("gateway".into()).spawn(move || {
            let _held = (vital, run);
            runtime.block_on(serve(worker, listeners, wanted, stop));
        });
        thread.context("cannot start a thread")
    };
    let threads = wanted.into_iter().map(begin).collect::<Result<_>>()?;
    Ok(Threads { threads, running })
}

impl Threads {
    /// Waits until all have ended.
    pub(crate) async fn ended(&mut self) {
        // Nothing is ever sent.
        while self.running.recv().await.is_some() {}
    }

    /// Waits for them.
    ///
    /// # Panics
    ///
    /// If one of them did.
    pub(crate) fn join(self) {
        for thread in self.threads {
            thread.join().expect("a thread of the gateway has failed; its words are above");
        }
    }
}

/// Returns after the word to stop, when requests in progress have had a while to end.
async fn serve(
    worker: Worker,
    (https, http): (TcpListener, TcpListener),
    wanted: WantedPorts,
    mut stop: Stop,
) {
    let (mut stop_plain, stop_relays) = (stop.clone(), stop.clone());
    tokio::join!(
        worker.serve(https, stop.wait()),
        worker.serve_plain(http, stop_plain.wait()),
        relays::serve(&worker, wanted, stop_relays)
    );
}

/// Listens on a port of every address, by IPv4 and IPv6; each thread does. Call it in a runtime.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    let (socket, every): (_, SocketAddr) = match has_ipv6() {
        true => (TcpSocket::new_v6()?, (Ipv6Addr::UNSPECIFIED, port).into()),
        false => (TcpSocket::new_v4()?, (Ipv4Addr::UNSPECIFIED, port).into()),
    };
    socket.set_reuseaddr(true)?;
    // The gateway may carry port 53, too: the resolver has it at its own address, which comes first.
    socket.set_reuseport(true)?;
    socket.bind(every)?;
    socket.listen(BACKLOG)
}
