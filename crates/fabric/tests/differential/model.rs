//! What becomes of any packet, by the rules: [`decide`] for those that open a flow, and here for all that may come
//! after them. Where more than one thing may happen (the target, a port of the balancer's), it goes by what did.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use linkway_fabric::Reason;
use linkway_fabric::layout::{PlaceKey, Port, address};
use linkway_fabric::programs::types::drop_reason as Why;
use linkway_fabric::programs::types::{interface_flag, interface_kind, place_kind};
use linkway_fabric::reference::{Delivery, Packet, Transport, Verdict, decide};

use crate::built::Built;
use crate::frame::{FIN, RST, SYN};

/// How many flows an interface may have open, and half-open: few, so that it comes to that.
pub(crate) const SHARE: (usize, usize) = (2, 1);

pub(crate) const TCP: u8 = 6;
const UDP: u8 = 17;

/// An address and its port; of an echo, the identifier at who asks.
pub(crate) type End = (Ipv4Addr, u16);

/// What packets of a direction have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) vpc: u32,
    pub(crate) protocol: u8,
    /// Whether who sends them sends them on for somebody else.
    pub(crate) forwarded: bool,
    pub(crate) source: End,
    pub(crate) destination: End,
}

/// What is said of a direction's packets by ACLs and routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Known(Option<Reason>),
    /// It depends on a port of the balancer's: what happens first holds.
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) key: Key,
    pub(crate) device: u32,
    number: u32,
    /// The receiver's.
    mac: [u8; 6],
    pub(crate) fin: bool,
    seen: u64,
    refused: Refusal,
}

/// Both directions, first that of who opened it.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) ways: [Way; 2],
    pub(crate) answered: bool,
    pub(crate) closing: bool,
    /// Seconds, once it is answered.
    idle: u64,
    /// Its first packet, and where that came to.
    opened: Packet,
    delivery: Delivery,
    /// Under which rules it was judged last.
    epoch: u64,
}

/// A packet, or a first fragment, as it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) mac: [u8; 6],
    pub(crate) source: End,
    pub(crate) destination: End,
}

pub(crate) type Outcome = Result<Arrived, Reason>;

pub(crate) struct Model {
    /// What packets meet, and of which epoch that is.
    pub(crate) built: Rc<Built>,
    pub(crate) epoch: u64,
    pub(crate) conversations: Vec<Conversation>,
    /// How many have ended because something has changed.
    pub(crate) ended: usize,
    /// Seconds.
    now: u64,
}

fn dropped(why: Why) -> Outcome {
    Err(Reason(why.0))
}

fn ipv4(address: IpAddr) -> Ipv4Addr {
    let IpAddr::V4(address) = address else { panic!("{address} in an IPv4 network") };
    address
}

impl Conversation {
    fn expired(&self, now: u64) -> bool {
        let limit = match self.ways[0].key.protocol {
            TCP if !self.answered || self.closing => 30,
            _ => self.idle,
        };
        self.ways.iter().all(|way| now - way.seen > limit)
    }

    pub(crate) fn half_open(&self) -> bool {
        self.ways[0].key.protocol == TCP && !self.answered
    }

    pub(crate) fn opener(&self) -> u32 {
        self.ways[0].number
    }

    /// A packet that goes this way, as it arrives.
    pub(crate) fn arrival(&self, way: usize) -> Arrived {
        let back = &self.ways[1 - way].key;
        Arrived { mac: self.ways[way].mac, source: back.destination, destination: back.source }
    }
}

impl Model {
    pub(crate) fn new(built: Rc<Built>) -> Self {
        Self { built, epoch: 0, conversations: Vec::new(), ended: 0, now: 0 }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now += seconds;
    }

    /// Whoever collects finds what is expired.
    pub(crate) fn collect(&mut self) {
        let now = self.now;
        self.conversations.retain(|conversation| !conversation.expired(now));
    }

    fn find(&self, key: &Key) -> Option<(usize, usize)> {
        let places = self.conversations.iter().enumerate();
        places
            .flat_map(|(index, c)| [(index, 0, &c.ways[0]), (index, 1, &c.ways[1])])
            .find_map(|(index, way, found)| (found.key == *key).then_some((index, way)))
    }

    fn owns(&self, port: &Port, ip: Ipv4Addr) -> bool {
        let place = self.built.tables.places.get(&PlaceKey { vpc: port.vpc, address: address(ip) });
        place.is_some_and(|place| {
            place.kind == place_kind::PLACE_INTERFACE.0 && place.interface == port.interface
        })
    }

    fn checks(port: &Port) -> bool {
        u32::from(port.flags) & interface_flag::INTERFACE_SOURCE_CHECK.0 != 0
    }

    fn is_service(port: &Port) -> bool {
        u32::from(port.kind) == interface_kind::INTERFACE_SERVICE.0
    }

    fn forwards(&self, port: &Port, ip: Ipv4Addr) -> bool {
        !Self::checks(port) && !Self::is_service(port) && !self.owns(port, ip)
    }

    /// What becomes of a packet, of which `seen` became that; `flags` are TCP's.
    pub(crate) fn follow(&mut self, packet: &Packet, flags: u8, seen: Outcome) -> Result<(), String> {
        let Some(port) = self.built.tables.ports.get(&packet.device).copied() else {
            return agree(dropped(Why::DROP_UNKNOWN_PORT), seen);
        };
        if Self::checks(&port) && packet.source_mac != port.mac {
            return agree(dropped(Why::DROP_SPOOFED_SOURCE), seen);
        }
        let key = self.key_of(&port, packet);
        let opens = match packet.transport {
            Transport::Tcp { opens, .. } => opens,
            Transport::Udp { .. } => true,
            Transport::Echo { request } => request,
        };
        let Some((index, way)) = self.find(&key) else { return self.open(packet, &port, key, seen) };
        let conversation = &mut self.conversations[index];
        if conversation.ways[way].number != port.interface {
            if !key.forwarded && !self.owns(&port, key.source.0) {
                return agree(dropped(Why::DROP_SPOOFED_SOURCE), seen);
            }
            self.conversations.remove(index);
            return self.open(packet, &port, key, seen);
        }
        if conversation.expired(self.now) {
            self.conversations.remove(index);
            if key.protocol == TCP && !opens {
                return agree(dropped(Why::DROP_FLOW_EXPIRED), seen);
            }
            return self.open(packet, &port, key, seen);
        }
        if conversation.closing && opens {
            self.conversations.remove(index);
            return self.open(packet, &port, key, seen);
        }
        if !self.may_still_be(index, seen)? {
            return Ok(());
        }
        let conversation = &mut self.conversations[index];
        if !passes(&mut conversation.ways[way], seen)? {
            return Ok(());
        }
        conversation.answered |= way == 1;
        conversation.ways[way].fin |= flags & FIN != 0;
        conversation.closing |=
            flags & RST != 0 || flags & FIN != 0 && conversation.ways.iter().all(|way| way.fin);
        conversation.ways[way].seen = self.now;
        agree(Ok(conversation.arrival(way)), seen)
    }

    /// What becomes of an ICMP error that the sender of this way tells. `None`: it is dropped as it should be.
    pub(crate) fn tell(
        &mut self,
        index: usize,
        way: usize,
        seen: Result<(), Reason>,
    ) -> Result<bool, String> {
        let seen = seen.map(|()| self.conversations[index].arrival(way));
        if self.conversations[index].expired(self.now) {
            let gone = self.conversations.remove(index);
            let tcp = gone.ways[0].key.protocol == TCP;
            let why = if tcp { Why::DROP_FLOW_EXPIRED } else { Why::DROP_NO_FLOW };
            return agree(dropped(why), seen).map(|()| false);
        }
        if !self.may_still_be(index, seen)? {
            return Ok(false);
        }
        if !passes(&mut self.conversations[index].ways[way], seen)? {
            return Ok(false);
        }
        agree(Ok(self.conversations[index].arrival(way)), seen).map(|()| true)
    }

    /// After a change, a flow may be if its first packet would still come to where it is. Otherwise it has ended, and
    /// what became of this packet is what would become of the first one.
    fn may_still_be(&mut self, index: usize, seen: Outcome) -> Result<bool, String> {
        let conversation = &mut self.conversations[index];
        if conversation.epoch == self.epoch {
            return Ok(true);
        }
        let verdicts = decide(&self.built.tables, &conversation.opened);
        if verdicts.contains(&Verdict::Delivered(conversation.delivery)) {
            conversation.epoch = self.epoch;
            return Ok(true);
        }
        self.conversations.remove(index);
        self.ended += 1;
        match seen {
            Err(reason) if verdicts.contains(&Verdict::Dropped(reason)) => Ok(false),
            _ => Err(format!("{seen:?}, and the reference says of its flow now: {verdicts:?}")),
        }
    }

    fn key_of(&self, port: &Port, packet: &Packet) -> Key {
        let (source, destination) = (ipv4(packet.source), ipv4(packet.destination));
        let (protocol, from, to) = match packet.transport {
            Transport::Tcp { port, .. } => (TCP, packet.source_port, port),
            Transport::Udp { port } => (UDP, packet.source_port, port),
            Transport::Echo { request: true } => (1, 7, 0),
            Transport::Echo { request: false } => (1, 0, 7),
        };
        let forwarded = self.forwards(port, source);
        let vpc = port.vpc;
        Key { vpc, protocol, forwarded, source: (source, from), destination: (destination, to) }
    }

    fn idle(&self, packet: &Packet, key: &Key, delivery: &Delivery) -> u64 {
        if delivery.device == self.built.tables.settings.uplink_device && key.protocol == UDP {
            return 350;
        }
        let offset = u32::from(ipv4(packet.destination)).wrapping_sub(self.built.tables.settings.probe_base);
        let probe = self.built.tables.probes.get(&offset).filter(|_| key.vpc == 0);
        let said = probe.map_or(0, |probe| u64::from(probe.idle_seconds));
        if said == 0 { default_idle(key.protocol) } else { said }
    }

    /// A packet of no flow.
    fn open(&mut self, packet: &Packet, port: &Port, key: Key, seen: Outcome) -> Result<(), String> {
        let verdicts = decide(&self.built.tables, packet);
        if let Err(reason) = seen
            && verdicts.contains(&Verdict::Dropped(reason))
        {
            return Ok(());
        }
        let deliveries: Vec<Delivery> = verdicts
            .iter()
            .filter_map(|verdict| if let Verdict::Delivered(way) = verdict { Some(*way) } else { None })
            .collect();
        if deliveries.is_empty() {
            return Err(format!("the reference says {verdicts:?}"));
        }
        let own =
            || self.conversations.iter().filter(|c| port.interface != 0 && c.opener() == port.interface);
        if own().count() >= SHARE.0 {
            return agree(dropped(Why::DROP_FLOW_TABLE_SHARE), seen);
        }
        if key.protocol == TCP && own().filter(|c| c.half_open()).count() >= SHARE.1 {
            return agree(dropped(Why::DROP_HALF_OPEN_SHARE), seen);
        }
        let chosen = deliveries.iter().find(|delivery| match seen {
            Ok(arrived) => is_at(delivery, &arrived),
            // Whatever it was, its port was not to be had.
            Err(_) => true,
        });
        let delivery = chosen.ok_or_else(|| format!("the reference says {deliveries:?}"))?;
        self.deliver(packet, port, key, delivery, seen)
    }

    fn deliver(
        &mut self,
        packet: &Packet,
        port: &Port,
        key: Key,
        delivery: &Delivery,
        seen: Outcome,
    ) -> Result<(), String> {
        let there = self.built.tables.ports[&delivery.device];
        let (source, destination) = (ipv4(delivery.source), ipv4(delivery.destination));
        let forwarded = self.forwards(&there, destination);
        let answer = |at: u16| Key {
            vpc: there.vpc,
            protocol: key.protocol,
            forwarded,
            source: (destination, if key.protocol == 1 { key.destination.1 } else { delivery.port }),
            destination: (source, at),
        };
        let mut taken = self.find(&answer(key.source.1));
        if let Some((index, _)) = taken
            && self.conversations[index].expired(self.now)
        {
            self.conversations.remove(index);
            taken = None;
        }
        // What is translated comes from an address that others use, too; also where it says that it comes from there.
        let shared = there.vpc != key.vpc || destination != key.destination.0;
        if taken.is_some() && !shared {
            return agree(dropped(Why::DROP_FLOW_TABLE_BUSY), seen);
        }
        let arrived = seen.map_err(|reason| format!("{reason}, and the reference says {delivery:?}"))?;
        let reverse = answer(arrived.source.1);
        let own = arrived.source.1 == key.source.1;
        let free = (own || arrived.source.1 >= 1024) && self.find(&reverse).is_none();
        if own == taken.is_some() || !free {
            return Err(format!("port {} is not one to be taken", arrived.source.1));
        }
        let same_port = arrived.source.1 == packet.source_port || key.protocol == 1;
        let refused = if same_port { Refusal::Known(delivery.answer) } else { Refusal::Unknown };
        let way = |key, device, number, mac, refused| Way {
            key,
            device,
            number,
            mac,
            fin: false,
            seen: self.now,
            refused,
        };
        let sender_mac =
            if Self::is_service(port) { self.built.tables.settings.service_mac } else { port.mac };
        let forward = way(key, packet.device, port.interface, delivery.mac, Refusal::Known(None));
        let back = way(reverse, delivery.device, there.interface, sender_mac, refused);
        let idle = self.idle(packet, &key, delivery);
        self.conversations.push(Conversation {
            ways: [forward, back],
            answered: false,
            closing: false,
            idle,
            opened: *packet,
            delivery: *delivery,
            epoch: self.epoch,
        });
        Ok(())
    }
}

/// Time-outs are AWS's, but for what the gateway holds: as long as the listeners that it serves.
fn default_idle(protocol: u8) -> u64 {
    match protocol {
        TCP => 350,
        UDP => 120,
        _ => 30,
    }
}

fn is_at(delivery: &Delivery, arrived: &Arrived) -> bool {
    let port = if arrived.destination.1 == delivery.port { delivery.port } else { 0 };
    delivery.mac == arrived.mac
        && (delivery.source, delivery.destination) == (arrived.source.0.into(), arrived.destination.0.into())
        && delivery.port == port
}

/// Whether ACLs and routes let a packet go this way. Where they do not, it was dropped for their reason.
fn passes(way: &mut Way, seen: Outcome) -> Result<bool, String> {
    let stateless = [
        Why::DROP_ACL_EGRESS_DENIED,
        Why::DROP_ACL_INGRESS_DENIED,
        Why::DROP_NO_ROUTE,
        Why::DROP_BLACKHOLE_ROUTE,
        Why::DROP_NO_UPLINK,
        Why::DROP_NOT_FORWARDED,
    ];
    if way.refused == Refusal::Unknown {
        way.refused = match seen {
            Err(reason) if stateless.iter().any(|why| why.0 == reason.0) => Refusal::Known(Some(reason)),
            _ => Refusal::Known(None),
        };
    }
    match way.refused {
        Refusal::Known(Some(reason)) => agree(Err(reason), seen).map(|()| false),
        _ => Ok(true),
    }
}

fn agree(expected: Outcome, seen: Outcome) -> Result<(), String> {
    if expected == seen { Ok(()) } else { Err(format!("programs: {seen:?}\nmodel: {expected:?}")) }
}

/// TCP's flags of a packet that does nothing but open a connection, and of others.
pub(crate) fn opens(flags: u8) -> bool {
    flags & (SYN | crate::frame::ACK | RST | FIN) == SYN
}
