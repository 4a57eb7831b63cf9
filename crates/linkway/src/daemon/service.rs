//! The service thread: what answers inside of the service namespace, which is the resolver and health checks.

use std::net::{SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use linkway_health::Checker;
use linkway_resolver::Resolver;
use tokio::runtime;

use crate::daemon::privileges;
use crate::instance::namespaces;
use crate::stop::{Stop, Stopper};

/// Threads that answer queries and check targets.
const WORKERS: usize = 2;

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
    /// The health checker.
    pub(crate) checker: Arc<Checker>,
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
                Ok((runtime, udp, tcp)) => {
                    if ready.send(Ok(())).is_ok() {
                        runtime.block_on(run(service, udp, tcp, stop));
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
fn enter(service: &Service) -> Result<(runtime::Runtime, UdpSocket, TcpListener)> {
    namespaces::enter_network(&service.namespace)?;
    // In here, the resolver's port is nobody's privilege: one capability less that the daemon needs.
    std::fs::write(UNPRIVILEGED_PORTS, "0").with_context(|| format!("cannot write {UNPRIVILEGED_PORTS}"))?;
    let address = SocketAddr::V4(service.address);
    let listening = || format!("the resolver cannot listen on {address} in {}", service.namespace.display());
    let udp = UdpSocket::bind(address).with_context(listening)?;
    let tcp = TcpListener::bind(address).with_context(listening)?;
    udp.set_nonblocking(true).with_context(listening)?;
    tcp.set_nonblocking(true).with_context(listening)?;
    privileges::drop_all()?;
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("service")
        .enable_all()
        .build()
        .context("cannot start threads")?;
    Ok((runtime, udp, tcp))
}

async fn run(service: Service, udp: UdpSocket, tcp: TcpListener, mut stop: Stop) {
    let sockets = (|| {
        Ok::<_, std::io::Error>((
            tokio::net::UdpSocket::from_std(udp)?,
            tokio::net::TcpListener::from_std(tcp)?,
        ))
    })();
    let (udp, tcp) = match sockets {
        Ok(sockets) => sockets,
        Err(error) => return tracing::error!(%error, "the resolver cannot listen"),
    };
    tokio::select! {
        () = service.resolver.serve(udp, tcp) => {}
        () = service.checker.run() => {}
        () = stop.wait() => {}
    }
}
