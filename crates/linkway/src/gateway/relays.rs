//! What the gateway carries for balancers: as it sees it, and the ports that it listens on for that, in the service
//! namespace.
//!
//! A port that was opened stays open: the packet path leads nothing to it that the gateway does not carry, and
//! connections that it has carried go on.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, mpsc as sync};
use std::time::{Duration, Instant};

use linkway_gateway::{
    Addresses, ListenerTls, ListenerTlsSettings, Relay, RelayTarget, ServerCertificate, Worker,
};
use linkway_model::Snapshot;
use linkway_model::certificate::Certificate;
use linkway_model::load_balancer::{Listener, Protocol, TargetGroup};
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::ssl_policy::SslPolicy;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::gateway::threads::{PORTS, listen};
use crate::stop::Stop;

/// How long opening a port may take, before the packet path leads there all the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the gateway carries, by the number of the interface that connections come to, and the port.
pub(crate) type Relays = HashMap<(u32, u16), Arc<Relay>>;

/// What the gateway carries in this state. What is as it was in `before` is the same value.
pub(crate) fn relays(snapshot: &Snapshot, outside: &OutsideTargets, before: &Relays) -> Relays {
    let mut terminators = Terminators { snapshot, before, made: HashMap::new() };
    let made = linkway_fabric::relays(snapshot, outside).into_iter().filter_map(|(place, relay)| {
        let tls = match &relay.tls {
            // Without what it takes to end TLS, nothing is carried.
            Some(listener) => Some(terminators.of(listener)?),
            None => None,
        };
        let relay = Relay {
            tls,
            endpoint: relay.endpoint,
            addresses: Addresses { ipv4: relay.addresses.0, ipv6: relay.addresses.1 },
            targets: relay.targets.into_iter().map(target).collect(),
            proxy_protocol: relay.proxy_protocol,
            idle: relay.idle,
        };
        let kept = before.get(&place).filter(|kept| ***kept == relay).cloned();
        Some((place, kept.unwrap_or_else(|| Arc::new(relay))))
    });
    made.collect()
}

/// What ends TLS for listeners, made once for each, and again when something of it has changed.
struct Terminators<'a> {
    snapshot: &'a Snapshot,
    before: &'a Relays,
    made: HashMap<String, Option<Arc<ListenerTls>>>,
}

impl Terminators<'_> {
    fn of(&mut self, listener: &str) -> Option<Arc<ListenerTls>> {
        if let Some(made) = self.made.get(listener) {
            return made.clone();
        }
        let made = self.make(listener);
        self.made.insert(listener.to_owned(), made.clone());
        made
    }

    fn make(&self, listener: &str) -> Option<Arc<ListenerTls>> {
        let settings = settings(self.snapshot, listener)?;
        let mut kept = self.before.values().filter_map(|relay| relay.tls.as_ref());
        if let Some(kept) = kept.find(|kept| *kept.settings() == settings) {
            return Some(Arc::clone(kept));
        }
        ListenerTls::new(settings)
            .inspect_err(|error| tracing::error!(listener, %error, "the listener cannot end TLS"))
            .ok()
            .map(Arc::new)
    }
}

/// How a listener ends TLS. `None`: it does not, or something that it needs is not there.
fn settings(snapshot: &Snapshot, listener: &str) -> Option<ListenerTlsSettings> {
    let listener = snapshot.get::<Listener>(listener)?;
    let tls = listener.tls.as_ref()?;
    let policy = SslPolicy::find(&tls.policy)?;
    let certificate = |arn: &String| {
        let found = snapshot.get::<Certificate>(arn)?;
        Some(ServerCertificate {
            names: found.facts.names.clone(),
            chain: format!("{}\n{}", found.body, found.chain),
            key: found.key.0.clone(),
        })
    };
    Some(ListenerTlsSettings {
        listener: listener.arn.clone(),
        certificate: certificate(&tls.certificate)?,
        others: tls.others.iter().filter_map(certificate).collect(),
        protocols: policy.protocols.to_vec(),
        ciphers: policy.ciphers(),
        alpn: tls.alpn.protocols().to_vec(),
        to_targets: snapshot.get::<TargetGroup>(&listener.target_group)?.protocol == Protocol::Tls,
    })
}

fn target(target: linkway_fabric::RelayTarget) -> RelayTarget {
    RelayTarget { address: target.address, outside: target.outside }
}

/// A port to open, and whom to tell.
struct Wanted {
    port: u16,
    opened: sync::Sender<io::Result<()>>,
}

/// Has the gateway's threads listen.
pub(crate) struct Ports {
    threads: Vec<mpsc::UnboundedSender<Wanted>>,
    open: BTreeSet<u16>,
}

/// A thread's side of [`Ports`].
pub(crate) struct WantedPorts(mpsc::UnboundedReceiver<Wanted>);

/// Both sides, for so many threads.
pub(crate) fn ports(threads: usize) -> (Ports, Vec<WantedPorts>) {
    let (threads, asked) = (0..threads).map(|_| mpsc::unbounded_channel()).unzip::<_, _, Vec<_>, Vec<_>>();
    (Ports { threads, open: PORTS.into() }, asked.into_iter().map(WantedPorts).collect())
}

impl Ports {
    /// Have the gateway listen on all of these ports. Waits until it does, or cannot, which is tried again when this
    /// is called again.
    pub(crate) fn open(&mut self, relays: &Relays) {
        let missing: BTreeSet<u16> =
            relays.keys().map(|(_, port)| *port).filter(|port| !self.open.contains(port)).collect();
        for port in missing {
            match self.open_one(port) {
                Ok(()) => {
                    self.open.insert(port);
                }
                Err(error) => tracing::error!(port, %error, "the gateway does not listen"),
            }
        }
    }

    fn open_one(&self, port: u16) -> io::Result<()> {
        let (opened, outcomes) = sync::channel();
        for thread in &self.threads {
            let wanted = Wanted { port, opened: opened.clone() };
            // Nobody reads only when the daemon ends.
            thread.send(wanted).map_err(|_| io::Error::other("the daemon stops"))?;
        }
        let deadline = Instant::now() + PATIENCE;
        self.threads.iter().try_for_each(|_| {
            let patience = deadline.saturating_duration_since(Instant::now());
            outcomes.recv_timeout(patience).map_err(|_| io::ErrorKind::TimedOut)?
        })
    }
}

/// Listen as wanted, and carry what comes, until the word to stop; then connections in progress have a while to end.
pub(crate) async fn serve(worker: &Worker, mut wanted: WantedPorts, mut stop: Stop) {
    let (mut carrying, mut open) = (JoinSet::new(), BTreeSet::new());
    loop {
        let Wanted { port, opened } = tokio::select! {
            Some(wanted) = wanted.0.recv() => wanted,
            () = stop.wait() => break,
        };
        // It is asked for again when another thread could not.
        let outcome = if open.contains(&port) { Ok(None) } else { listen(port).map(Some) };
        let outcome = outcome.map(|listener| {
            let Some(listener) = listener else { return };
            open.insert(port);
            let (worker, mut stop) = (worker.clone(), stop.clone());
            carrying.spawn(async move { worker.serve_relay(listener, port, stop.wait()).await });
        });
        // Whoever asked may have waited long enough.
        drop(opened.send(outcome));
    }
    while carrying.join_next().await.is_some() {}
}
