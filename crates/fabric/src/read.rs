//! What the packet path counts and tells.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use libbpf_rs::{MapCore, MapFlags, MapHandle, RingBuffer, RingBufferBuilder};

use crate::error::FabricError;
use crate::flows;
use crate::layout::{self, Address, Count, DropKey, Endpoint, Layout, RawDropEvent, Share, Tally, Traffic};
use crate::maps::Maps;
use crate::reason::Reason;

/// Reads the counters of a fabric, on whichever thread. Clones read the same ones.
#[derive(Debug, Clone)]
pub struct Reader(pub(crate) Arc<Maps>);

/// Packets and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Packets, as they would be on a wire.
    pub packets: u64,
    /// Bytes, Ethernet headers included.
    pub bytes: u64,
}

/// What went through an endpoint's interface or a gateway since it was first used. It has received what consumers sent
/// through it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrafficCount {
    /// What it sent.
    pub sent: Amount,
    /// What it received.
    pub received: Amount,
    /// Flows that were opened through it.
    pub flows: u64,
}

/// What an interface has of the flow table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShareUse {
    /// Flows that it has opened and that are open still.
    pub flows: u64,
    /// Those of them that are TCP and were never answered.
    pub half_open: u64,
}

impl Reader {
    /// What was dropped since the tables were made, by the number of the interface that had sent it (0: the
    /// service namespace, or a device of nobody's) and the reason.
    pub fn drops(&self) -> Result<BTreeMap<(u32, Reason), Amount>, FabricError> {
        let mut drops = BTreeMap::new();
        for key in self.0.drops.keys() {
            let Some(row) = DropKey::read(&key) else { continue };
            let sum = drops.entry((row.interface, Reason(row.reason))).or_insert_with(Amount::default);
            on_all_cpus("drops", &self.0.drops, &key, |count: Count| *sum += amount(count))?;
        }
        Ok(drops)
    }

    /// What went through each endpoint, by the number of its interface, and through each gateway, by its own.
    pub fn traffic(&self) -> Result<BTreeMap<u32, TrafficCount>, FabricError> {
        let mut traffic = BTreeMap::new();
        for key in self.0.endpoints.keys() {
            let endpoint = self.0.endpoints.lookup(&key, MapFlags::ANY).map_err(unread("endpoints", &key))?;
            // One that has gone meanwhile counts no more.
            let Some(endpoint) = endpoint.and_then(|value| Endpoint::read(&value)) else { continue };
            let (Some(number), true) = (u32::read(&key), endpoint.counter != 0) else { continue };
            let mut sum = TrafficCount::default();
            on_all_cpus("traffic", &self.0.traffic, endpoint.counter.bytes(), |count: Traffic| {
                sum.sent += amount(count.sent);
                sum.received += amount(count.received);
                sum.flows += count.flows;
            })?;
            traffic.insert(number, sum);
        }
        Ok(traffic)
    }

    /// What each interface has of the flow table, by its number (0: the service namespace), if it has opened any
    /// flow.
    pub fn shares(&self) -> Result<BTreeMap<u32, ShareUse>, FabricError> {
        let shares = flows::shares(&self.0.shares).map_err(FabricError::bpf("read the table shares"))?;
        let count = |tally: Tally| u64::try_from(tally.in_use()).unwrap_or(0);
        let used = |share: Share| ShareUse { flows: count(share.flows), half_open: count(share.half_open) };
        Ok(shares.into_iter().map(|(number, share)| (number, used(share))).collect())
    }

    /// The drops that the packet path tells of: those that nobody has read yet, then those to come. Each is
    /// told once, so one reader should read and pass them on.
    pub fn events(&self) -> Result<Events, FabricError> {
        let (sender, receiver) = channel();
        let mut builder = RingBufferBuilder::new();
        builder
            .add(&self.0.events, move |bytes| {
                // A receiver that is gone takes the ring with it.
                let _ = RawDropEvent::read(bytes).map(|event| sender.send(event));
                0
            })
            .map_err(FabricError::bpf("read the events of drops"))?;
        let ring = builder.build().map_err(FabricError::bpf("read the events of drops"))?;
        Ok(Events { ring, receiver })
    }
}

/// A stream of dropped packets: a sample, bounded a CPU.
pub struct Events {
    ring: RingBuffer<'static>,
    receiver: Receiver<RawDropEvent>,
}

impl Events {
    /// The next drop, or `None` if there is none for `patience`.
    pub fn next(&mut self, patience: Duration) -> Result<Option<DropEvent>, FabricError> {
        if let Ok(event) = self.receiver.try_recv() {
            return Ok(Some(event.into()));
        }
        match self.ring.poll(patience) {
            Err(error) if error.kind() != libbpf_rs::ErrorKind::Interrupted => {
                return Err(FabricError::bpf("read the events of drops")(error));
            }
            _ => {}
        }
        Ok(self.receiver.try_recv().ok().map(DropEvent::from))
    }
}

/// One dropped packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropEvent {
    /// Nanoseconds since the machine booted.
    pub time: u64,
    /// Why.
    pub reason: Reason,
    /// Number of the interface that sent it; 0: the service namespace, or a device of nobody's.
    pub interface: u32,
    /// Number of the interface on the other side, where that is known.
    pub other: Option<u32>,
    /// Number of the security-group rule concerned, if one is.
    pub rule: Option<u32>,
    /// Number of the sender's VPC.
    pub vpc: u32,
    /// IANA's number of the protocol.
    pub protocol: u8,
    /// Where it said it came from.
    pub source: IpAddr,
    /// Where it wanted to go.
    pub destination: IpAddr,
    /// Its port there; of an ICMP echo, the identifier.
    pub source_port: u16,
    /// Its port there.
    pub destination_port: u16,
    /// Bytes of the frame.
    pub length: u32,
    /// How many drops on this CPU were counted but not told since the one before.
    pub suppressed: u32,
}

impl From<RawDropEvent> for DropEvent {
    fn from(event: RawDropEvent) -> Self {
        Self {
            time: event.time,
            reason: Reason(event.reason),
            interface: event.interface,
            other: Some(event.other).filter(|number| *number != 0),
            rule: Some(event.rule).filter(|number| *number != 0),
            vpc: event.key.vpc,
            protocol: event.key.protocol,
            source: plain(&event.key.source),
            destination: plain(&event.key.destination),
            source_port: u16::from_be(event.key.source_port),
            destination_port: u16::from_be(event.key.destination_port),
            length: event.length,
            suppressed: event.suppressed,
        }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

fn amount(count: Count) -> Amount {
    Amount { packets: count.packets, bytes: count.bytes }
}

fn plain(address: &Address) -> IpAddr {
    layout::ip(address).to_canonical()
}

/// Visit what each CPU has in one row.
fn on_all_cpus<V: Layout>(
    table: &'static str,
    map: &MapHandle,
    key: &[u8],
    visit: impl FnMut(V),
) -> Result<(), FabricError> {
    let values = map.lookup_percpu(key, MapFlags::ANY).map_err(unread(table, key))?;
    values.into_iter().flatten().filter_map(|value| V::read(&value)).for_each(visit);
    Ok(())
}

fn unread(table: &'static str, key: &[u8]) -> impl Fn(libbpf_rs::Error) -> FabricError {
    let key = format!("{key:?}");
    move |source| FabricError::Table { action: "read", table, key: key.clone(), source }
}
