//! Two VPCs with the same addresses, in tables of their own, and packets sent through the programs.
//!
//! ```text
//! VPC 1, the consumer's                        VPC 2, the provider's
//!   1 CLIENT    10.0.0.10  groups 101            4 TARGET    10.0.0.10  groups 104
//!   2 NEIGHBOUR 10.0.0.20  groups 102            5 SECOND    10.0.0.20  groups 104
//!   3 ENDPOINT  10.0.0.30  groups 103    ->      6 NODE      10.0.0.50  TCP 443, UDP 443 -> 8443
//!   8 AWS       10.0.0.40  groups 103    ->    the gateway, TCP 443 and 80
//! ```
//!
//! Each VPC has one subnet, 10.0.0.0/24, with the VPC's number, until a test moves somebody elsewhere.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use libbpf_rs::{MapCore, MapFlags, ProgramInput, RingBufferBuilder};
use linkway_fabric::layout::*;
use linkway_fabric::programs::types;
use nix::sched::{CloneFlags, unshare};

use crate::frame::{Arp, Frame, Mac};
pub use crate::loaded::Room;
use crate::loaded::{self, Loaded};

pub use types::{drop_reason as Drop, interface_kind as Kind, route_kind as RouteKind};

pub const CONSUMER: u32 = 1;
pub const PROVIDER: u32 = 2;

pub const CLIENT: u32 = 1;
pub const NEIGHBOUR: u32 = 2;
pub const ENDPOINT: u32 = 3;
pub const TARGET: u32 = 4;
pub const SECOND: u32 = 5;
pub const NODE: u32 = 6;
/// Stands for the service namespace, where a sender is meant.
pub const SERVICE: u32 = 0;
/// A device that no interface has.
pub const STRANGER: u32 = 7;
/// What is beyond the uplink, where a sender is meant; and the device that its packets come in by.
pub const BEYOND: u32 = u32::MAX;
const UPLINK_DEVICE: u32 = 29;
/// An AWS service's endpoint.
pub const AWS: u32 = 8;

pub const CLIENT_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
pub const NEIGHBOUR_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 20);
pub const ENDPOINT_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 30);
pub const AWS_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 40);
pub const TARGET_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
pub const SECOND_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 20);
pub const NODE_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 50);
pub const ROUTER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const RESOLVER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// Of the clients' subnet, a /24; nothing is there.
pub const NOWHERE_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 99);
/// Of another subnet; nothing is there.
pub const OTHER_SUBNET_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 99);

/// In the service namespace.
pub const SERVICE_RESOLVER_IP: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 2);
pub const METADATA_IP: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
pub const SERVICE_METADATA_IP: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 3);
pub const SERVICE_CLIENT_IP: Ipv4Addr = Ipv4Addr::new(11, 0, 0, 1);
pub const SERVICE_AWS_IP: Ipv4Addr = Ipv4Addr::new(240, 0, 0, 8);
pub const SERVICE_IP: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 1);
pub const PROBE_IP: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 9);
/// What all that leaves by the uplink comes from, and what answers come to.
pub const UPLINK_SOURCE: Ipv4Addr = Ipv4Addr::new(0, 0, 0, 5);
pub const UPLINK_IP: Ipv4Addr = Ipv4Addr::new(241, 0, 0, 5);

pub const ROUTER_MAC: Mac = [2, 0xff, 0, 0, 0, 0];
pub const ANY_ICMP: u16 = 0xffff;

const TC_ACT_SHOT: u32 = 2;
const TC_ACT_REDIRECT: u32 = 7;

/// The groups that sets 101 to 104 consist of are 1 to 4.
pub const CLIENT_GROUP: u32 = 1;

pub fn mac(interface: u32) -> Mac {
    [2, 0, 0, 0, 0, interface as u8]
}

pub fn device(interface: u32) -> u32 {
    if interface == BEYOND { UPLINK_DEVICE } else { 20 + interface }
}

/// What became of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Redirected: towards the receiver, or back as an answer.
    Sent(Vec<u8>),
    Dropped,
}

impl Outcome {
    #[track_caller]
    pub fn frame(&self) -> Frame {
        match self {
            Self::Sent(bytes) => Frame::read(bytes),
            Self::Dropped => panic!("the packet was dropped"),
        }
    }

    #[track_caller]
    pub fn arp(&self) -> Arp {
        match self {
            Self::Sent(bytes) => Arp::read(bytes),
            Self::Dropped => panic!("the packet was dropped"),
        }
    }
}

pub struct World {
    pub skeleton: Loaded,
    reusable: AtomicBool,
}

impl std::ops::Drop for World {
    fn drop(&mut self) {
        if self.reusable.load(Ordering::Relaxed) && !thread::panicking() {
            self.events();
            loaded::give_back(self.skeleton);
        }
    }
}

pub fn rule(id: u32, protocol: u8, ports: (u16, u16)) -> Rule {
    Rule { id, protocol, from: ports.0, to: ports.1, ..Rule::default() }
}

pub trait Peer {
    fn peer_cidr(self, network: Ipv4Addr, prefix: u32) -> Rule;
    fn peer_range(self, range: &str) -> Rule;
    fn peer_group(self, group: u32) -> Rule;
}

impl Peer for Rule {
    fn peer_cidr(mut self, network: Ipv4Addr, prefix: u32) -> Rule {
        self.peer = types::peer_kind::PEER_CIDR.0 as u8;
        self.address = address(network);
        self.prefix = 96 + prefix;
        self
    }

    fn peer_range(mut self, of: &str) -> Rule {
        self.peer = types::peer_kind::PEER_CIDR.0 as u8;
        (self.address, self.prefix) = range(of.parse::<ipnet::IpNet>().unwrap());
        self
    }

    fn peer_group(mut self, group: u32) -> Rule {
        self.peer = types::peer_kind::PEER_GROUP.0 as u8;
        self.group = group;
        self
    }
}

pub const INGRESS: u32 = types::rule_direction::RULE_INGRESS.0;
pub const EGRESS: u32 = types::rule_direction::RULE_EGRESS.0;

impl World {
    /// Loads the programs and fills the tables. The thread gets a network namespace of its own, as a packet
    /// that enters by a device needs one that exists.
    pub fn new() -> Self {
        Self::with(Room::Usual)
    }

    pub fn with(room: Room) -> Self {
        unshare(CloneFlags::CLONE_NEWNET).expect("the tests need root");
        let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut script = ip.stdin.take().unwrap();
        for interface in (SERVICE..=STRANGER).chain([BEYOND]) {
            let index = device(interface);
            writeln!(
                script,
                "link add name d{index} index {index} type veth peer name p{index} index {}",
                index + 100
            )
            .unwrap();
        }
        drop(script);
        assert!(ip.wait().unwrap().success());

        let skeleton = loaded::with(room);
        let world = Self { skeleton, reusable: AtomicBool::new(room == Room::Usual) };
        world.fill();
        world
    }

    /// Packets of real devices may come when the world is gone: then its tables are nobody else's.
    pub fn has_devices(&self) {
        self.reusable.store(false, Ordering::Relaxed);
    }

    fn fill(&self) {
        self.settings(|_| {});
        for vpc in [CONSUMER, PROVIDER] {
            self.subnet(vpc.into(), Ipv4Addr::new(10, 0, 0, 0), 24, [None, None]);
        }
        self.route(0, "10.0.0.0/16", RouteKind::ROUTE_LOCAL, 0);
        self.interface(CLIENT, CONSUMER, CLIENT_IP, 101, Kind::INTERFACE_WORKLOAD);
        self.interface(NEIGHBOUR, CONSUMER, NEIGHBOUR_IP, 102, Kind::INTERFACE_WORKLOAD);
        self.interface(ENDPOINT, CONSUMER, ENDPOINT_IP, 103, Kind::INTERFACE_ENDPOINT);
        self.interface(TARGET, PROVIDER, TARGET_IP, 104, Kind::INTERFACE_WORKLOAD);
        self.interface(SECOND, PROVIDER, SECOND_IP, 104, Kind::INTERFACE_WORKLOAD);
        self.interface(NODE, PROVIDER, NODE_IP, 0, Kind::INTERFACE_BALANCER);
        for vpc in [CONSUMER, PROVIDER] {
            self.place(vpc, ROUTER_IP, 0, types::place_kind::PLACE_ROUTER);
            self.place(vpc, RESOLVER_IP, 0, types::place_kind::PLACE_RESOLVER);
            self.place(vpc, METADATA_IP, 0, types::place_kind::PLACE_METADATA);
        }
        for group in 1..=4 {
            let key = MemberKey { groups: 100 + u64::from(group), group, pad: 0 };
            self.put(&self.skeleton.maps.members, &key, &1u32);
        }
        let anywhere = Ipv4Addr::UNSPECIFIED;
        self.rules(101, EGRESS, &[rule(1001, 0, (0, 0)).peer_cidr(anywhere, 0)]);
        self.rules(102, EGRESS, &[]);
        self.rules(
            102,
            INGRESS,
            &[
                rule(1021, 6, (80, 81)).peer_group(CLIENT_GROUP),
                rule(1022, 17, (5000, 5000)).peer_cidr(Ipv4Addr::new(10, 0, 0, 0), 24),
                rule(1023, 1, (8, ANY_ICMP)).peer_cidr(CLIENT_IP, 32),
            ],
        );
        self.rules(103, INGRESS, &[rule(1031, 0, (0, 0)).peer_group(CLIENT_GROUP)]);
        self.rules(
            104,
            INGRESS,
            &[
                rule(1041, 6, (8443, 8443)).peer_cidr(NODE_IP, 32),
                rule(1042, 17, (8443, 8443)).peer_cidr(NODE_IP, 32),
            ],
        );
        self.rules(104, EGRESS, &[rule(1043, 0, (0, 0)).peer_cidr(anywhere, 0)]);
        self.endpoint(NODE, true);
        for protocol in [6, 17] {
            self.listener(protocol, 443, &[(TARGET_IP, TARGET)], 0, 0);
        }
        self.interface(AWS, CONSUMER, AWS_IP, 103, Kind::INTERFACE_ENDPOINT);
        self.lead(AWS, AWS, true);
        for port in [443, 80] {
            self.gateway_listener(AWS, port, 0);
        }
        let probe = Probe { address: address(TARGET_IP), interface: TARGET, node: NODE, idle_seconds: 0 };
        self.put(&self.skeleton.maps.probes, &9u32, &probe);
    }

    /// Sends bytes from an interface's device.
    pub fn send_bytes(&self, interface: u32, bytes: &[u8]) -> Outcome {
        self.run(interface, bytes, 0, 1).0
    }

    /// Sends a frame that stands for `segments` packets (0: just itself), `repeat` times, which only tells how
    /// long one takes.
    pub fn run(&self, interface: u32, bytes: &[u8], segments: u32, repeat: u32) -> (Outcome, Duration) {
        // `struct __sk_buff`, as bytes, since the kernel refuses what is not zero in its padding.
        let mut context = [0; 192];
        context[40..44].copy_from_slice(&device(interface).to_ne_bytes());
        context[164..168].copy_from_slice(&segments.to_ne_bytes());
        let mut out = vec![0; bytes.len() + 256];
        let programs = &self.skeleton.progs;
        let program = match interface {
            SERVICE => &programs.from_service,
            BEYOND => &programs.from_uplink,
            _ => &programs.from_workload,
        };
        let input = ProgramInput {
            context_in: Some(&mut context),
            data_in: Some(bytes),
            data_out: Some(&mut out),
            repeat,
            ..Default::default()
        };
        let output = program.test_run(input).unwrap();
        let outcome = match output.return_value {
            TC_ACT_REDIRECT => Outcome::Sent(output.data.unwrap().to_vec()),
            TC_ACT_SHOT => Outcome::Dropped,
            other => panic!("verdict {other}"),
        };
        (outcome, output.duration)
    }

    /// Sends a frame from an interface, whose MAC it has.
    pub fn send(&self, interface: u32, frame: &Frame) -> Outcome {
        self.send_bytes(interface, &frame.clone().macs(mac(interface), ROUTER_MAC).bytes())
    }

    /// Everything that was dropped, by interface and reason: packets.
    pub fn drops(&self) -> BTreeMap<(u32, u32), u64> {
        let map = &self.skeleton.maps.drops;
        map.keys()
            .map(|key| {
                let values = map.lookup_percpu(&key, MapFlags::ANY).unwrap().unwrap();
                let key = DropKey::read(&key).unwrap();
                let packets = values.iter().map(|value| Count::read(value).unwrap().packets).sum();
                ((key.interface, key.reason), packets)
            })
            .collect()
    }

    /// Asserts that exactly this was dropped since the world began.
    #[track_caller]
    pub fn assert_drops(&self, expected: &[(u32, Drop, u64)]) {
        let expected: BTreeMap<_, _> =
            expected.iter().map(|&(who, why, count)| ((who, why.0), count)).collect();
        assert_eq!(self.drops(), expected, "drops by (interface, reason)");
    }

    /// What an endpoint sent, received (in packets), and flows opened through it.
    pub fn traffic(&self, interface: u32) -> (u64, u64, u64) {
        let values = self.skeleton.maps.traffic.lookup_percpu(interface.bytes(), MapFlags::ANY).unwrap();
        let mut sum = (0, 0, 0);
        for value in values.unwrap_or_default() {
            let traffic = Traffic::read(&value).unwrap();
            sum = (sum.0 + traffic.sent.packets, sum.1 + traffic.received.packets, sum.2 + traffic.flows);
        }
        sum
    }

    /// What an interface has of the flow table: flows, and half-open ones.
    pub fn share(&self, interface: u32) -> (i64, i64) {
        let share = self.skeleton.maps.shares.lookup(interface.bytes(), MapFlags::ANY).unwrap();
        let share = share.map_or_else(Share::default, |bytes| Share::read(&bytes).unwrap());
        (share.flows.in_use(), share.half_open.in_use())
    }

    /// All entries of the flow table.
    pub fn flows(&self) -> Vec<(FlowKey, Flow)> {
        let map = &self.skeleton.maps.flows;
        map.keys()
            .map(|key| {
                let value = map.lookup(&key, MapFlags::ANY).unwrap().unwrap();
                (FlowKey::read(&key).unwrap(), Flow::read(&value).unwrap())
            })
            .collect()
    }

    /// The one flow there is: its forward entry and its reverse one.
    #[track_caller]
    pub fn pair(&self) -> ((FlowKey, Flow), (FlowKey, Flow)) {
        let flows = self.flows();
        let [a, b] = flows[..] else { panic!("{} entries, not a pair: {flows:#?}", flows.len()) };
        assert_eq!(a.1.peer, b.0);
        assert_eq!(b.1.peer, a.0);
        if a.1.flags & 1 == 1 { (a, b) } else { (b, a) }
    }

    /// Removes all flows, and what is noted of fragments.
    pub fn forget_flows(&self) {
        let maps = &self.skeleton.maps;
        for map in [&maps.flows, &maps.shares, &maps.fragments] {
            loaded::clear(map);
        }
    }

    /// Lets time pass for all flows.
    pub fn age(&self, seconds: u64) {
        for (key, mut flow) in self.flows() {
            flow.seen = flow.seen.wrapping_sub(seconds * 1_000_000_000);
            self.put(&self.skeleton.maps.flows, &key, &flow);
        }
    }

    /// The events so far.
    pub fn events(&self) -> Vec<RawDropEvent> {
        let events = std::cell::RefCell::new(Vec::new());
        let mut builder = RingBufferBuilder::new();
        builder
            .add(&self.skeleton.maps.events, |bytes| {
                events.borrow_mut().push(RawDropEvent::read(bytes).unwrap());
                0
            })
            .unwrap();
        builder.build().unwrap().consume().unwrap();
        events.into_inner()
    }
}
