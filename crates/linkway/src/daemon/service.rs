//! The service thread: what answers inside of the service namespace, which is the resolver, instance metadata, the
//! gateway and health checks.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use linkway_fabric::METADATA;
use linkway_gateway::Gateway;
use linkway_health::Checker;
use linkway_resolver::Resolver;
use tokio::runtime;

use crate::daemon::privileges;
use crate::gateway::relays::{self, WantedPorts};
use crate::instance::namespaces;
use crate::metadata::Metadata;
use crate::stop::{Stop, Stopper};

/// Threads that answer queries and check targets.
const WORKERS: usize = 2;

/// Where the gateway listens, at every address: HTTPS and HTTP.
pub(crate) const GATEWAY_PORTS: [u16; 2] = [443, 80];

/// Where instance metadata is read: HTTP.
const METADATA_PORT: u16 = 80;

/// Connections that may wait to be accepted, at one port: as many as the namespace lets.
const BACKLOG: u32 = 16384;

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
    /// Where it is to listen for balancers.
    pub(crate) wanted_ports: WantedPorts,
}

/// What listens.
struct Sockets {
    udp: UdpSocket,
    tcp: tokio::net::TcpListener,
    metadata: tokio::net::TcpListener,
    https: tokio::net::TcpListener,
    http: tokio::net::TcpListener,
}

/// Start the thread. It has entered the namespace, listens, and has no capabilities when this returns. It ends
/// when the daemon stops, and the daemon with it.
pub(crate) fn start(service: Service, stopper: &Stopper) -> Result<JoinHandle<()>> {
    let (stop, vital) = (stopper.subscribe(), stopper.when_dropped());
    let (ready, outcome) = mpsc::channel();
    let thread = Builder::new()
        .name("service".into())
        .spawn(move || {
            let _vital = vital;
            match enter(&service) {
                Ok((runtime, sockets)) => {
                    if ready.send(Ok(())).is_ok() {
                        runtime.block_on(run(service, sockets, stop));
                    }
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
fn enter(service: &Service) -> Result<(runtime::Runtime, Sockets)> {
    namespaces::enter_network(&service.namespace)?;
    // In here, low ports are nobody's privilege: one capability less that the daemon needs.
    std::fs::write(UNPRIVILEGED_PORTS, "0").with_context(|| format!("cannot write {UNPRIVILEGED_PORTS}"))?;
    let address = SocketAddr::V4(service.address);
    let listening = || format!("the resolver cannot listen on {address} in {}", service.namespace.display());
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
    let tcp = listen_at(service.address).with_context(listening)?;
    let address = SocketAddrV4::new(METADATA, METADATA_PORT);
    let metadata = listen_at(address).with_context(|| format!("metadata cannot be answered at {address}"))?;
    let [https, http] = GATEWAY_PORTS
        .map(|port| listen(port).with_context(|| format!("the gateway cannot listen on port {port}")));
    drop(inside);
    Ok((runtime, Sockets { udp, tcp, metadata, https: https?, http: http? }))
}

/// Listen on a port of every address, for the gateway. Call it in the runtime.
pub(crate) fn listen(port: u16) -> std::io::Result<tokio::net::TcpListener> {
    listen_at(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))
}

fn listen_at(address: SocketAddrV4) -> std::io::Result<tokio::net::TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // The gateway has port 80 and may carry port 53, too: metadata and the resolver have them at their own addresses,
    // which come first.
    socket.set_reuseport(true)?;
    socket.bind(address.into())?;
    socket.listen(BACKLOG)
}

async fn run(service: Service, sockets: Sockets, mut stop: Stop) {
    let Sockets { udp, tcp, metadata, https, http } = sockets;
    let udp = match tokio::net::UdpSocket::from_std(udp) {
        Ok(udp) => udp,
        Err(error) => return tracing::error!(%error, "the resolver cannot listen"),
    };
    let gateway = &service.gateway;
    // Ends after the word to stop, when requests in progress have had a while to end.
    let (mut stop_plain, stop_relays, stop_metadata) = (stop.clone(), stop.clone(), stop.clone());
    let serving = async {
        tokio::join!(
            gateway.serve(https, stop.wait()),
            gateway.serve_plain(http, stop_plain.wait()),
            relays::serve(gateway, service.wanted_ports, stop_relays),
            service.metadata.serve(metadata, stop_metadata)
        )
    };
    tokio::select! {
        () = service.resolver.serve(udp, tcp) => {}
        () = service.checker.run() => {}
        _ = serving => {}
    }
}
