//! The service threads: what answers inside of the service namespace, which is the resolver, instance metadata, health
//! checks and, on threads of its own, the gateway.

use std::net::{SocketAddrV4, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use linkway_fabric::METADATA;
use linkway_gateway::Gateway;
use linkway_health::Checker;
use linkway_resolver::Resolver;
use tokio::runtime;

use crate::daemon::privileges;
use crate::gateway::relays::WantedPorts;
use crate::gateway::threads::{self, Threads};
use crate::instance::namespaces;
use crate::metadata::Metadata;
use crate::stop::{Stop, Stopper};

/// Threads that answer queries and check targets.
const WORKERS: usize = 2;

/// Where instance metadata is read: HTTP.
const METADATA_PORT: u16 = 80;

/// TCP connections to the resolver, and to instance metadata, that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// First port that takes no capability, of the network namespace that the thread is in.
const UNPRIVILEGED_PORTS: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

/// What runs in the service namespace.
pub(crate) struct Service {
    /// The namespace.
    pub(crate) namespace: PathBuf,
    /// Where the resolver listens.
    pub(crate) address: SocketAddrV4,
    /// The resolver.
    pub(crate) resolver: Resolver,
    /// Instance metadata.
    pub(crate) metadata: Metadata,
    /// The health checker.
    pub(crate) checker: Arc<Checker>,
    /// The gateway.
    pub(crate) gateway: Gateway,
    /// Where each of its threads is to listen for balancers.
    pub(crate) wanted_ports: Vec<WantedPorts>,
}

/// What listens.
struct Sockets {
    udp: UdpSocket,
    tcp: tokio::net::TcpListener,
    metadata: tokio::net::TcpListener,
}

/// Start the thread. It has entered the namespace, listens, and has no capabilities when this returns. It ends
/// when the daemon stops, and the daemon with it.
pub(crate) fn start(service: Service, stopper: &Stopper) -> Result<JoinHandle<()>> {
    let (stopper, vital) = (stopper.clone(), stopper.when_dropped());
    let (ready, outcome) = mpsc::channel();
    let thread = Builder::new()
        .name("service".into())
        .spawn(move || {
            let _vital = vital;
            let Service { namespace, address, resolver, metadata, checker, gateway, wanted_ports } = service;
            let entered = enter(&namespace, address).and_then(|(runtime, sockets)| {
                let threads = threads::start(&gateway, wanted_ports, &stopper)?;
                Ok((runtime, sockets, threads))
            });
            match entered {
                Ok((runtime, sockets, mut threads)) => {
                    if ready.send(Ok(())).is_ok() {
                        let stop = stopper.subscribe();
                        runtime.block_on(run(&resolver, &metadata, &checker, sockets, &mut threads, stop));
                    }
                    // However it came to this, the gateway's threads are not left alone.
                    stopper.stop();
                    threads.join();
                }
                // Nobody to tell it to has gone away before: the caller waits.
                Err(error) => drop(ready.send(Err(error))),
            }
        })
        .context("cannot start a thread")?;
    outcome.recv().context("the service thread has ended")??;
    Ok(thread)
}

/// Threads of the runtime are in the namespace and without capabilities, as the thread that starts them is.
fn enter(namespace: &Path, address: SocketAddrV4) -> Result<(runtime::Runtime, Sockets)> {
    namespaces::enter_network(namespace)?;
    // In here, low ports are nobody's privilege: one capability less that the daemon needs.
    std::fs::write(UNPRIVILEGED_PORTS, "0").with_context(|| format!("cannot write {UNPRIVILEGED_PORTS}"))?;
    let listening = || format!("the resolver cannot listen on {address} in {}", namespace.display());
    let udp = UdpSocket::bind(address).with_context(listening)?;
    udp.set_nonblocking(true).with_context(listening)?;
    privileges::drop_all()?;
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("service")
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let inside = runtime.enter();
    let tcp = listen(address).with_context(listening)?;
    let address = SocketAddrV4::new(METADATA, METADATA_PORT);
    let metadata = listen(address).with_context(|| format!("metadata cannot be answered at {address}"))?;
    drop(inside);
    Ok((runtime, Sockets { udp, tcp, metadata }))
}

fn listen(address: SocketAddrV4) -> std::io::Result<tokio::net::TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // The gateway has port 80 and may carry port 53, too, at every other address.
    socket.set_reuseport(true)?;
    socket.bind(address.into())?;
    socket.listen(BACKLOG)
}

/// Returns when the gateway has ended, which it does after the word to stop.
async fn run(
    resolver: &Resolver,
    metadata: &Metadata,
    checker: &Checker,
    sockets: Sockets,
    gateway: &mut Threads,
    stop: Stop,
) {
    let Sockets { udp, tcp, metadata: listener } = sockets;
    let udp = match tokio::net::UdpSocket::from_std(udp) {
        Ok(udp) => udp,
        Err(error) => return tracing::error!(%error, "the resolver cannot listen"),
    };
    tokio::select! {
        () = resolver.serve(udp, tcp) => {}
        () = checker.run() => {}
        ((), ()) = async { tokio::join!(gateway.ended(), metadata.serve(listener, stop)) } => {}
    }
}
