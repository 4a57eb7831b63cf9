//! Listening where the gateway relays connections: a socket a port, for as long as some balancer's listener has it.

use std::collections::{BTreeMap, BTreeSet};

use linkway_gateway::Gateway;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::daemon::service::{GATEWAY_PORTS, listen};
use crate::stop::Stop;

/// Listen on the ports that `wanted` has, as it changes, until `stop`; then let connections end.
pub(crate) async fn run(gateway: Gateway, mut wanted: watch::Receiver<BTreeSet<u16>>, mut stop: Stop) {
    let mut open = BTreeMap::new();
    let mut serving = JoinSet::new();
    loop {
        let ports = wanted.borrow_and_update().clone();
        // A socket whose sender is gone stops listening.
        open.retain(|port, _| ports.contains(port));
        for port in ports {
            if GATEWAY_PORTS.contains(&port) || open.contains_key(&port) {
                continue;
            }
            match listen(port) {
                Ok(listener) => {
                    let (keep, kept) = oneshot::channel::<()>();
                    let gateway = gateway.clone();
                    serving.spawn(async move {
                        gateway.serve_relay(listener, port, async { drop(kept.await) }).await;
                    });
                    open.insert(port, keep);
                }
                Err(error) => tracing::error!(port, %error, "connections cannot be relayed"),
            }
        }
        while serving.try_join_next().is_some() {}
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { break },
            () = stop.wait() => break,
        }
    }
    drop(open);
    while serving.join_next().await.is_some() {}
}
