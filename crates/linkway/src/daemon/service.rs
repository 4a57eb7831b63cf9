//! The service threads: what answers inside of the service namespace, which is the resolver, instance metadata, health
//! checks and, on threads of its own, the gateway.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use futures_util::future::join_all;
use linkway_fabric::{METADATA, RESOLVER, by_ipv6, has_ipv6};
use linkway_gateway::Gateway;
use linkway_health::Checker;
use linkway_resolver::Resolver;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::runtime;

use crate::daemon::privileges;
use crate::gateway::relays::WantedPorts;
use crate::gateway::threads::{self, Threads};
use crate::instance::namespaces;
use crate::metadata::Metadata;
use crate::stop::{Stop, Stopper};

/// Threads that answer queries and check targets.
const WORKERS: usize = 2;

/// Where the resolver is asked.
const RESOLVER_PORT: u16 = 53;

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

/// What listens, by IPv4 and by IPv6.
struct Sockets {
    resolver: Vec<(UdpSocket, TcpListener)>,
    metadata: Vec<TcpListener>,
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
            let Service { namespace, resolver, metadata, checker, gateway, wanted_ports } = service;
            let entered = enter(&namespace).and_then(|(runtime, sockets)| {
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
fn enter(namespace: &Path) -> Result<(runtime::Runtime, Sockets)> {
    namespaces::enter_network(namespace)?;
    // In here, low ports are nobody's privilege: one capability less that the daemon needs.
    std::fs::write(UNPRIVILEGED_PORTS, "0").with_context(|| format!("cannot write {UNPRIVILEGED_PORTS}"))?;
    privileges::drop_all()?;
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("service")
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let inside = runtime.enter();
    let resolver = places(RESOLVER, RESOLVER_PORT).map(|place| Ok((datagrams(place)?, listen(place)?)));
    let resolver = resolver.collect::<Result<_>>()?;
    let metadata = places(METADATA, METADATA_PORT).map(listen).collect::<Result<_>>()?;
    drop(inside);
    Ok((runtime, Sockets { resolver, metadata }))
}

/// Where something is in the namespace, by IPv4 and, where the kernel has it, by IPv6.
fn places(address: Ipv4Addr, port: u16) -> impl Iterator<Item = SocketAddr> {
    let ipv6 = has_ipv6().then(|| IpAddr::V6(by_ipv6(address)));
    [IpAddr::V4(address)].into_iter().chain(ipv6).map(move |address| SocketAddr::new(address, port))
}

fn datagrams(address: SocketAddr) -> Result<UdpSocket> {
    let bind = || {
        let std = std::net::UdpSocket::bind(address)?;
        std.set_nonblocking(true)?;
        UdpSocket::from_std(std)
    };
    bind().with_context(|| format!("nothing can be received at {address}"))
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    open(address).with_context(|| format!("nothing can be answered at {address}"))
}

fn open(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // The gateway has port 80 and may carry port 53, too, at every other address.
    socket.set_reuseport(true)?;
    socket.bind(address)?;
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
    let Sockets { resolver: asked, metadata: listeners } = sockets;
    let resolving = asked.into_iter().map(|(udp, tcp)| resolver.serve(udp, tcp));
    tokio::select! {
        _ = join_all(resolving) => {}
        () = checker.run() => {}
        ((), ()) = async { tokio::join!(gateway.ended(), metadata.serve(listeners, stop)) } => {}
    }
}
