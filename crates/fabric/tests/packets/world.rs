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
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};
use std::time::Duration;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{MapCore, MapFlags, ProgramInput, RingBufferBuilder};
use linkway_fabric::layout::*;
use linkway_fabric::programs::{LinkwaySkel, LinkwaySkelBuilder, types};
use nix::sched::{CloneFlags, unshare};

use crate::frame::{Arp, Frame, Mac};

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

const RULES: u64 = 5000;
const ACLS: u64 = 7000;
const TARGETS: u64 = 9000;

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
    pub skeleton: LinkwaySkel<'static>,
}

fn route_key(table: u32, destination: &str) -> RouteKey {
    let net: ipnet::IpNet = destination.parse().unwrap();
    let (destination, prefix) = range(net);
    RouteKey { bits: 64 + prefix, table: [table, u32::from(net.addr().is_ipv6())], destination }
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

/// What the tables of a world have room for, at most; but those for flows and for events.
const ROOM: u32 = 4096;

pub const INGRESS: u32 = types::rule_direction::RULE_INGRESS.0;
pub const EGRESS: u32 = types::rule_direction::RULE_EGRESS.0;

impl World {
    /// Loads the programs and fills the tables. The thread gets a network namespace of its own, as a packet
    /// that enters by a device needs one that exists.
    pub fn new() -> Self {
        Self::with_flow_entries(None)
    }

    /// A world whose flow table has room for so many entries only.
    pub fn with_flow_entries(limit: Option<u32>) -> Self {
        Self::with_room(ROOM, limit)
    }

    /// A world whose tables have the room that they have in a fabric, as far as speed depends on it.
    pub fn of_full_size() -> Self {
        Self::with_room(u32::MAX, None)
    }

    fn with_room(room: u32, flow_entries: Option<u32>) -> Self {
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

        let object = Box::leak(Box::new(MaybeUninit::uninit()));
        let mut opened = LinkwaySkelBuilder::default().open(object).unwrap();
        // The kernel makes room for a table of full size at once, which takes longer than a test.
        for mut table in opened.open_object_mut().maps_mut() {
            if table.name() != "flows" && table.name() != "events" {
                let entries = table.max_entries().min(room);
                table.set_max_entries(entries).unwrap();
            }
        }
        if let Some(limit) = flow_entries {
            opened.maps.flows.set_max_entries(limit).unwrap();
        }
        let skeleton = opened.load().unwrap();
        let world = Self { skeleton };
        world.fill();
        world
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

    pub fn put<K: Layout, V: Layout>(&self, map: &impl MapCore, key: &K, value: &V) {
        map.update(key.bytes(), value.bytes(), MapFlags::ANY).unwrap();
    }

    /// Writes the settings, changed.
    pub fn settings(&self, change: impl FnOnce(&mut KernelSettings)) {
        let mut settings = KernelSettings {
            epoch: 1,
            service_device: device(SERVICE),
            resolver: u32::from_ne_bytes(SERVICE_RESOLVER_IP.octets()),
            client_base: u32::from(Ipv4Addr::new(11, 0, 0, 0)),
            probe_base: u32::from(Ipv4Addr::new(100, 64, 0, 0)),
            router_mac: ROUTER_MAC,
            service_mac: mac(SERVICE),
            endpoint_base: u32::from(Ipv4Addr::new(240, 0, 0, 0)),
            metadata: u32::from_ne_bytes(SERVICE_METADATA_IP.octets()),
            flow_share: 131_072,
            half_open_share: 131_072,
            service_prefix: [0xfd6c_7700u32.to_be(), 0, 0],
            uplink_device: device(BEYOND),
            uplink_source: u32::from_ne_bytes(UPLINK_SOURCE.octets()),
            uplink_address: u32::from_ne_bytes(UPLINK_IP.octets()),
            uplink_mac: mac(BEYOND),
            pad: [0; 6],
        };
        change(&mut settings);
        self.put(&self.skeleton.maps.settings, &0u32, &settings);
    }

    /// As every change of rules, endpoints, listeners and targets does.
    pub fn raise_epoch(&self) {
        self.settings(|settings| settings.epoch = 2);
    }

    pub fn place(&self, vpc: u32, ip: impl Into<IpAddr>, interface: u32, kind: types::place_kind) {
        self.put(
            &self.skeleton.maps.places,
            &PlaceKey { vpc, address: address(ip) },
            &Place { interface, kind: kind.0, flags: 0 },
        );
    }

    /// Whether an elastic address stands for an address.
    pub fn public(&self, vpc: u32, ip: Ipv4Addr, public: bool) {
        let flags = if public { types::place_flag::PLACE_PUBLIC.0 } else { 0 };
        let key = PlaceKey { vpc, address: address(ip) };
        self.alter(&self.skeleton.maps.places, &key, |place: &mut Place| place.flags = flags);
    }

    /// A subnet, with its ACL's entries for what enters and for what leaves. `None`: it allows everything.
    pub fn subnet(&self, number: u64, network: Ipv4Addr, prefix: u32, acl: [Option<&[Rule]>; 2]) {
        let mut row = Subnet { address: address(network), prefix: 96 + prefix, ..Subnet::default() };
        for (direction, entries) in acl.into_iter().enumerate() {
            if let Some(entries) = entries {
                row.acl[direction] = self.list(ACLS + number * 2 + direction as u64, entries);
            }
        }
        self.put(&self.skeleton.maps.subnets, &number, &row);
    }

    /// Has a subnet use another route table than 0, which leads to 10.0.0.0/16 only.
    pub fn use_routes(&self, subnet: u64, table: u32) {
        self.alter(&self.skeleton.maps.subnets, &subnet, |row: &mut Subnet| row.routes = [table, 0]);
    }

    /// A route of a route table.
    pub fn route(&self, table: u32, destination: &str, kind: RouteKind, interface: u32) {
        let value = Route { kind: kind.0, interface };
        self.put(&self.skeleton.maps.routes, &route_key(table, destination), &value);
    }

    pub fn remove_route(&self, table: u32, destination: &str) {
        self.skeleton.maps.routes.delete(route_key(table, destination).bytes()).unwrap();
    }

    /// Whether an interface's packets must come from its own addresses, and those to it go there.
    pub fn check_source(&self, number: u32, checked: bool) {
        let flags = if checked { types::interface_flag::INTERFACE_SOURCE_CHECK.0 as u8 } else { 0 };
        self.alter(&self.skeleton.maps.interfaces, &number, |interface: &mut Interface| {
            interface.flags = flags;
        });
        self.alter(&self.skeleton.maps.ports, &device(number), |port: &mut Port| port.flags = flags);
    }

    /// Moves an interface to another subnet. Its address stays.
    pub fn move_to(&self, number: u32, subnet: u64) {
        self.alter(&self.skeleton.maps.interfaces, &number, |interface: &mut Interface| {
            interface.subnet = subnet;
        });
        self.alter(&self.skeleton.maps.ports, &device(number), |port: &mut Port| port.subnet = subnet);
    }

    /// Changes a row, if it is there.
    pub fn alter<K: Layout, V: Layout>(&self, map: &impl MapCore, key: &K, change: impl FnOnce(&mut V)) {
        if let Some(value) = map.lookup(key.bytes(), MapFlags::ANY).unwrap() {
            let mut value = V::read(&value).unwrap();
            change(&mut value);
            self.put(map, key, &value);
        }
    }

    /// In the subnet that has the VPC's number.
    pub fn interface(&self, number: u32, vpc: u32, ip: Ipv4Addr, groups: u64, kind: Kind) {
        let workload = kind == Kind::INTERFACE_WORKLOAD;
        let device = if workload { device(number) } else { 0 };
        let flags = types::interface_flag::INTERFACE_SOURCE_CHECK.0 as u8;
        let interface = Interface {
            address: address(ip),
            address6: Address::default(),
            groups,
            subnet: vpc.into(),
            vpc,
            device,
            mac: mac(number),
            kind: kind.0 as u8,
            flags,
        };
        self.put(&self.skeleton.maps.interfaces, &number, &interface);
        self.place(vpc, ip, number, types::place_kind::PLACE_INTERFACE);
        if workload {
            let port = Port {
                interface: number,
                vpc,
                groups,
                subnet: vpc.into(),
                mac: mac(number),
                kind: kind.0 as u8,
                flags,
                prefix: 96 + 24,
                pad: 0,
            };
            self.put(&self.skeleton.maps.ports, &device, &port);
        }
    }

    /// A gateway that leads out of the consumer's VPC, in a subnet and at an address if it is a NAT gateway's. Its
    /// counter is the row of its number.
    pub fn gateway(&self, number: u32, subnet: u64, ip: Ipv4Addr, kind: Kind) {
        self.interface(number, CONSUMER, ip, 0, kind);
        self.alter(&self.skeleton.maps.interfaces, &number, |row: &mut Interface| row.subnet = subnet);
        self.lead(number, 0, true);
    }

    /// The list of a set's rules in a direction.
    pub fn rules(&self, groups: u64, direction: u32, rules: &[Rule]) {
        let ruleset = self.list(RULES + groups * 2 + u64::from(direction), rules);
        let key = RulesetKey { groups, direction, pad: 0 };
        self.put(&self.skeleton.maps.rulesets, &key, &ruleset);
    }

    fn list(&self, hash: u64, rules: &[Rule]) -> Ruleset {
        for (chunk, some) in rules.chunks(8).enumerate() {
            let mut value = RuleChunk::default();
            value.rule[..some.len()].copy_from_slice(some);
            self.put(
                &self.skeleton.maps.rules,
                &RuleKey { rules: hash, chunk: chunk as u32, pad: 0 },
                &value,
            );
        }
        Ruleset { rules: hash, count: rules.len() as u32, pad: 0 }
    }

    /// Where `ENDPOINT` leads.
    pub fn endpoint(&self, node: u32, available: bool) {
        self.lead(ENDPOINT, node, available);
    }

    /// Where an endpoint's interface leads. Its counter is the row of its number.
    pub fn lead(&self, endpoint: u32, node: u32, available: bool) {
        self.put(
            &self.skeleton.maps.endpoints,
            &endpoint,
            &Endpoint { node, state: available.into(), counter: endpoint, flags: 0 },
        );
    }

    /// Let `ENDPOINT` ask its node's security groups, which are this set.
    pub fn ask_balancer(&self, groups: u64) {
        self.interface(NODE, PROVIDER, NODE_IP, groups, Kind::INTERFACE_BALANCER);
        let flags = types::endpoint_flag::ENDPOINT_ASKS_BALANCER.0;
        let state = types::endpoint_state::ENDPOINT_AVAILABLE.0;
        let endpoint = Endpoint { node: NODE, state, counter: ENDPOINT, flags };
        self.put(&self.skeleton.maps.endpoints, &ENDPOINT, &endpoint);
    }

    /// A TCP listener that leads to the gateway.
    pub fn gateway_listener(&self, node: u32, port: u16, idle_seconds: u32) {
        let key = ListenerKey { node, port: port.to_be(), protocol: 6, pad: 0 };
        let flags = types::listener_flag::LISTENER_GATEWAY.0;
        let listener = Listener { flags, idle_seconds, ..Listener::default() };
        self.put(&self.skeleton.maps.listeners, &key, &listener);
    }

    /// A listener of the node, its targets at port 8443, of which the last `draining` get no new flows.
    pub fn listener(
        &self,
        protocol: u8,
        port: u16,
        targets: &[(impl Into<IpAddr> + Copy, u32)],
        draining: u32,
        idle_seconds: u32,
    ) {
        let hash = TARGETS + u64::from(port) * 1000 + targets.len() as u64;
        for (index, &(ip, interface)) in targets.iter().enumerate() {
            let key = TargetKey { targets: hash, index: index as u32, pad: 0 };
            let target = Target { address: address(ip), interface, port: 8443u16.to_be(), pad: 0 };
            self.put(&self.skeleton.maps.targets, &key, &target);
        }
        let key = ListenerKey { node: NODE, port: port.to_be(), protocol, pad: 0 };
        let total = targets.len() as u32;
        let listener = Listener { targets: hash, count: total - draining, total, idle_seconds, flags: 0 };
        self.put(&self.skeleton.maps.listeners, &key, &listener);
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
