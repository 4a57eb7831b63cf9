//! The packet programs against the reference: random small networks, random first packets, one verdict.
//!
//! It needs root, for the programs to be loaded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "packets/frame.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with the programs' own tests, which use all of it")]
mod frame;
mod state;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{MapCore, MapFlags, ProgramInput};
use linkway_fabric::compile::{Devices, Uplink, compile};
use linkway_fabric::layout::{Count, DropKey, Layout, address};
use linkway_fabric::programs::{LinkwaySkel, LinkwaySkelBuilder};
use linkway_fabric::ranges::{SERVICE_ADDRESS, UplinkAddresses, router_mac, service_mac};
use linkway_fabric::reference::{Packet, Transport, Verdict, decide};
use linkway_fabric::tables::Tables;
use linkway_fabric::{Reason, as_ipv4, endpoint_interface, probe_addresses};
use linkway_model::instance::Instance;
use linkway_model::load_balancer::{
    HealthReason, LoadBalancer, PROXY_PROTOCOL, Protocol, TargetGroup, TargetHealth, TargetId,
};
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_acl::NetworkAclEntry;
use linkway_model::network_interface::{Mac, NetworkInterface};
use linkway_model::route_table::RouteTarget;
use linkway_model::security_group::{Direction, Peer, Traffic};
use linkway_model::subnet::Subnet;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{InstanceId, SecurityGroupId};
use nix::sched::{CloneFlags, unshare};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};

use frame::{ACK, Frame, SYN};
use state::{State, anything, cidr, entry};

const NETWORKS: u32 = 300;
const UPLINK: u32 = 19;
const SERVICE: u32 = 20;
const FIRST: u32 = 21;
const INSTANCES: usize = 3;
const SUBNETS: usize = 3;

/// Of each VPC: where instances are, where endpoints and the last instance are, where the balancer is.
const RANGES: [&str; SUBNETS] = ["10.0.0.0/28", "10.0.0.16/28", "10.0.0.48/28"];

/// Where the NAT gateways of each subnet are.
const NATS: [&str; SUBNETS] = ["10.0.0.14", "10.0.0.29", "10.0.0.62"];

/// The port that first packets come from.
const SOURCE_PORT: u16 = 40_000;
const STRANGER: u32 = FIRST + 2 * INSTANCES as u32;

/// A network: two VPCs of the same range, three subnets, instances and groups in each; the second VPC's instances
/// behind a balancer, an endpoint to it in the first, and an interface and a gateway endpoint to AWS services.
#[derive(Debug, Clone)]
struct Network {
    /// Of each instance, first VPC's first: its groups, and whether its source is checked.
    instances: Vec<(Vec<usize>, bool)>,
    /// Of each instance, and then of each NAT gateway: whether it has an elastic address.
    public: Vec<bool>,
    uplink: bool,
    rules: Vec<RulePlan>,
    /// Of each group: whether it lets everything out, and in from the subnet.
    open: Vec<(bool, bool)>,
    endpoint_groups: Vec<usize>,
    /// None or some: the balancer then has none, and lets everything in.
    balancer_groups: Vec<usize>,
    filters_private_link: bool,
    endpoint_available: bool,
    aws_available: bool,
    /// Whether the first VPC's route tables lead to S3 by a gateway endpoint, if there are any.
    to_gateway: bool,
    /// Whether the listener's connections take the gateway, if it is TCP's.
    carried: bool,
    protocol: Protocol,
    /// Of each subnet, the first VPC's first: its ACL, unless it is the VPC's default one.
    acls: Vec<Option<Vec<NetworkAclEntry>>>,
    /// Of each subnet, likewise: its route table.
    routes: Vec<Option<Vec<(&'static str, TargetPlan)>>>,
    /// Of each instance of the second VPC: whether it is a target, its health, and whether it has a device.
    targets: Vec<Option<(TargetHealth, bool)>>,
}

#[derive(Debug, Clone)]
struct RulePlan {
    vpc: usize,
    group: usize,
    direction: Direction,
    traffic: Traffic,
    peer: PeerPlan,
}

#[derive(Debug, Clone)]
enum PeerPlan {
    Cidr(&'static str),
    Group(usize),
}

#[derive(Debug, Clone, Copy)]
enum TargetPlan {
    /// A gateway that is attached, or not.
    Gateway(bool),
    /// A NAT gateway in one of the VPC's subnets.
    Nat(usize),
    /// An instance of the VPC.
    Instance(usize),
}

#[derive(Debug, Clone)]
struct PacketPlan {
    device: u32,
    own_mac: bool,
    /// `None`: the sender's own.
    source: Option<Ipv4Addr>,
    destination: Ipv4Addr,
    /// The destination is a probe address, if there is one.
    probe: bool,
    transport: Transport,
}

fn network() -> impl Strategy<Value = Network> {
    let groups = || subsequence(vec![0, 1, 2], 1..=2);
    let health = prop_oneof![
        Just(TargetHealth::Healthy),
        Just(TargetHealth::Initial),
        Just(TargetHealth::Unhealthy(HealthReason::Timeout)),
    ];
    (
        prop::collection::vec((groups(), prop::bool::weighted(0.8)), 2 * INSTANCES),
        prop::collection::vec(rule(), 0..24),
        prop::collection::vec((prop::bool::weighted(0.7), prop::bool::weighted(0.4)), 6),
        (groups(), subsequence(vec![0, 1, 2], 0..=2)),
        (
            prop::bool::weighted(0.85),
            prop::bool::weighted(0.85),
            prop::bool::weighted(0.3),
            prop::bool::weighted(0.7),
            prop::bool::weighted(0.8),
        ),
        select(vec![Protocol::Tcp, Protocol::Udp, Protocol::TcpUdp]),
        prop::collection::vec(prop::option::weighted(0.7, (health, prop::bool::weighted(0.8))), INSTANCES),
        (
            prop::collection::vec(prop::option::weighted(0.3, acl()), 2 * SUBNETS),
            prop::collection::vec(prop::option::weighted(0.5, routes()), 2 * SUBNETS),
            prop::collection::vec(prop::bool::weighted(0.7), 2 * (INSTANCES + SUBNETS)),
            prop::bool::weighted(0.8),
        ),
    )
        .prop_map(
            |(
                instances,
                rules,
                open,
                (endpoint_groups, balancer_groups),
                flags,
                protocol,
                targets,
                (acls, routes, public, uplink),
            )| {
                Network {
                    instances,
                    public,
                    uplink,
                    rules,
                    open,
                    endpoint_groups,
                    balancer_groups,
                    filters_private_link: flags.3,
                    endpoint_available: flags.0,
                    aws_available: flags.1,
                    to_gateway: flags.4,
                    carried: flags.2,
                    protocol,
                    acls,
                    routes,
                    targets,
                }
            },
        )
}

fn rule() -> impl Strategy<Value = RulePlan> {
    let traffic = |protocol, from, to| Traffic { protocol, from, to };
    let traffics = vec![
        traffic(None, None, None),
        traffic(Some(6), Some(443), Some(443)),
        traffic(Some(6), Some(0), Some(65535)),
        traffic(Some(6), Some(8000), Some(8443)),
        traffic(Some(17), Some(53), Some(443)),
        traffic(Some(17), Some(8443), Some(8443)),
        traffic(Some(1), Some(-1), Some(-1)),
        traffic(Some(1), Some(8), Some(0)),
        traffic(Some(1), Some(8), Some(4)),
        traffic(Some(1), Some(3), Some(4)),
    ];
    let peers = prop_oneof![
        select(vec!["0.0.0.0/0", "10.0.0.0/24", "10.0.0.10/31", "10.0.0.50/32", "192.0.2.0/24", "::/0"])
            .prop_map(PeerPlan::Cidr),
        (0usize..3).prop_map(PeerPlan::Group),
    ];
    let direction = select(vec![Direction::Ingress, Direction::Egress]);
    (0usize..2, 0usize..3, direction, select(traffics), peers)
        .prop_map(|(vpc, group, direction, traffic, peer)| RulePlan { vpc, group, direction, traffic, peer })
}

/// Entries that allow or deny something, over those that allow everything, perhaps.
fn acl() -> impl Strategy<Value = Vec<NetworkAclEntry>> {
    let ranges =
        select(vec!["0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/28", "10.0.0.16/28", "10.0.0.48/28", "::/0"]);
    let traffics = select(vec![
        (None, None, None),
        (Some(6), Some((443, 443)), None),
        (Some(6), Some((8443, 8443)), None),
        (Some(6), Some((1024, 65535)), None),
        (Some(6), Some((SOURCE_PORT, SOURCE_PORT)), None),
        (Some(17), Some((53, 443)), None),
        (Some(17), Some((SOURCE_PORT, SOURCE_PORT)), None),
        (Some(1), None, Some((-1, -1))),
        (Some(1), None, Some((8, -1))),
        (Some(1), None, Some((0, 0))),
        (Some(50), None, None),
    ]);
    let entries = (1..100, any::<bool>(), any::<bool>(), ranges, traffics);
    (prop::collection::vec(entries, 0..12), prop::bool::weighted(0.7), prop::bool::weighted(0.7)).prop_map(
        |(entries, all_out, all_in)| {
            let of_range = |(number, egress, allow, range, (protocol, ports, icmp)): (_, _, _, &str, _)| {
                let cidr = range.parse().unwrap();
                NetworkAclEntry { protocol, ports, icmp, cidr, ..entry(number, egress, allow) }
            };
            let mut list: Vec<_> = entries.into_iter().map(of_range).collect();
            let mut numbers = BTreeSet::new();
            list.retain(|entry| numbers.insert((entry.number, entry.egress)));
            list.extend(all_out.then(|| entry(100, true, true)));
            list.extend(all_in.then(|| entry(100, false, true)));
            list
        },
    )
}

/// A route table's routes, beside the local ones.
fn routes() -> impl Strategy<Value = Vec<(&'static str, TargetPlan)>> {
    let inside = ["10.0.0.0/28", "10.0.0.16/28", "10.0.0.20/32", "10.0.0.48/28", "10.0.0.0/26"];
    let outside = ["0.0.0.0/0", "192.0.2.0/24", "100.64.0.0/10"];
    let interface = || (0..INSTANCES).prop_map(TargetPlan::Instance);
    let gateway = prop_oneof![
        any::<bool>().prop_map(TargetPlan::Gateway),
        Just(TargetPlan::Gateway(true)),
        (0..SUBNETS).prop_map(TargetPlan::Nat),
    ];
    let target = prop_oneof![2 => gateway, 1 => interface()];
    let route = prop_oneof![
        (select(outside.to_vec()), target),
        (select(inside.to_vec()), prop_oneof![interface(), Just(TargetPlan::Gateway(false))]),
    ];
    prop::collection::vec(route, 0..4)
}

fn packet() -> impl Strategy<Value = PacketPlan> {
    let addresses = || {
        select(
            ["10.0.0.10", "10.0.0.11", "10.0.0.20", "10.0.0.30", "10.0.0.50", "10.0.0.1", "10.0.0.2"]
                .into_iter()
                .chain(["169.254.169.253", "10.0.0.99", "192.0.2.9", "100.64.0.1", "172.16.0.2"])
                .chain(["10.0.0.31", "240.0.0.9", "52.216.0.9", "169.254.169.254"])
                .map(state::ip)
                .collect::<Vec<_>>(),
        )
    };
    let port = || select(vec![53u16, 443, 443, 443, 444, 8443, 80]);
    let transport = prop_oneof![
        4 => (port(), prop::bool::weighted(0.9)).prop_map(|(port, opens)| Transport::Tcp { port, opens }),
        3 => port().prop_map(|port| Transport::Udp { port }),
        1 => any::<bool>().prop_map(|request| Transport::Echo { request }),
    ];
    (
        prop_oneof![
            8 => FIRST..FIRST + INSTANCES as u32,
            6 => FIRST + INSTANCES as u32..STRANGER,
            4 => Just(SERVICE),
            1 => Just(STRANGER),
        ],
        prop::bool::weighted(0.97),
        prop::option::weighted(0.05, addresses()),
        prop_oneof![4 => Just(state::ip("10.0.0.30")), 3 => Just(state::ip("10.0.0.31")), 6 => addresses()],
        any::<bool>(),
        transport,
    )
        .prop_map(|(device, own_mac, source, destination, probe, transport)| PacketPlan {
            device,
            own_mac,
            source,
            destination,
            probe,
            transport,
        })
}

/// A network, built: its tables, and the MAC and address of who is behind each device.
struct Built {
    tables: Tables,
    senders: Vec<(u32, [u8; 6], Ipv4Addr)>,
    probes: Vec<Ipv4Addr>,
}

impl Built {
    /// Whether it is an instance's MAC.
    fn is_workload(&self, mac: [u8; 6]) -> bool {
        self.senders.iter().any(|(device, other, _)| *device != SERVICE && *other == mac)
    }
}

fn build(plan: &Network) -> Built {
    let mut state = State::default();
    let vpcs = [state.vpc("10.0.0.0/16"), state.vpc("10.0.0.0/16")];
    let subnets = vpcs.each_ref().map(|vpc| RANGES.map(|range| state.subnet(vpc, range, 'a')));
    for (index, entries) in plan.acls.iter().enumerate() {
        let (vpc, subnet) = (index / SUBNETS, index % SUBNETS);
        if let Some(entries) = entries {
            let acl = state.acl(&vpcs[vpc], entries.clone());
            state.change::<Subnet>(&subnets[vpc][subnet], |subnet| subnet.network_acl.1 = acl);
        }
    }
    let groups: Vec<Vec<SecurityGroupId>> =
        vpcs.iter().map(|vpc| (0..3).map(|_| state.group(vpc)).collect()).collect();
    for rule in &plan.rules {
        let peer = match rule.peer {
            PeerPlan::Cidr(range) => cidr(range),
            PeerPlan::Group(group) => Peer::Group(groups[rule.vpc][group].clone()),
        };
        state.rule(&groups[rule.vpc][rule.group], rule.direction, rule.traffic.clone(), peer);
    }
    for (index, (egress, ingress)) in plan.open.iter().enumerate() {
        let group = &groups[index / 3][index % 3];
        if *egress {
            state.rule(group, Direction::Egress, anything(), cidr("0.0.0.0/0"));
        }
        if *ingress {
            state.rule(group, Direction::Ingress, anything(), cidr("10.0.0.0/24"));
        }
    }
    let mut devices = Devices { service: SERVICE, ..Devices::default() };
    let mut senders = vec![(SERVICE, service_mac().0, SERVICE_ADDRESS)];
    let mut instances: Vec<InstanceId> = Vec::new();
    for (index, (of, checked)) in plan.instances.iter().enumerate() {
        let vpc = index / INSTANCES;
        let of: Vec<_> = of.iter().map(|group| &groups[vpc][*group]).collect();
        let (own, subnet) = [("10.0.0.10", 0), ("10.0.0.11", 0), ("10.0.0.20", 1)][index % INSTANCES];
        let instance = state.instance(&subnets[vpc][subnet], own, &of);
        let interface = state.get::<Instance>(&instance).interface.clone();
        state.change::<NetworkInterface>(&interface, |interface| interface.source_dest_check = *checked);
        let number = state.number(&interface);
        let present = vpc == 0 || plan.targets[index - INSTANCES].is_none_or(|(_, present)| present);
        if present {
            let device = FIRST + index as u32;
            devices.interfaces.insert(number, device);
            senders.push((device, Mac::of(number).0, state::ip(own)));
        }
        instances.push(instance);
    }
    for (instance, _) in instances.iter().zip(&plan.public).filter(|(_, public)| **public) {
        let interface = state.get::<Instance>(instance).interface.clone();
        state.elastic_address(&interface);
    }
    let mut nats = Vec::new();
    for (index, public) in plan.public[2 * INSTANCES..].iter().enumerate() {
        let (vpc, subnet) = (index / SUBNETS, index % SUBNETS);
        let nat = state.nat_gateway(&subnets[vpc][subnet], NATS[subnet]);
        let interface = state.get::<NatGateway>(&nat).interface.clone().unwrap();
        if *public {
            state.elastic_address(&interface);
        }
        nats.push(nat);
    }
    if plan.uplink {
        devices.uplink = Some(Uplink { device: UPLINK, addresses: UplinkAddresses::of(77) });
    }
    let mut lead_to_gateway = Vec::new();
    for (index, routes) in plan.routes.iter().enumerate() {
        let (vpc, subnet) = (index / SUBNETS, index % SUBNETS);
        let Some(routes) = routes else { continue };
        let mut list = Vec::new();
        for (destination, target) in routes {
            let target = match target {
                TargetPlan::Gateway(attached) => state.internet_gateway(attached.then_some(&vpcs[vpc])),
                TargetPlan::Nat(index) => RouteTarget::NatGateway(nats[vpc * SUBNETS + index].clone()),
                TargetPlan::Instance(index) => {
                    let instance = &instances[vpc * INSTANCES + index];
                    RouteTarget::NetworkInterface(state.get::<Instance>(instance).interface.clone())
                }
            };
            list.push((*destination, target));
        }
        let table = state.route_table(&vpcs[vpc], &list);
        state.associate(&table, &subnets[vpc][subnet]);
        if vpc == 0 {
            lead_to_gateway.push(table);
        }
    }
    let balancer = state.balancer(&[(&subnets[1][2], "10.0.0.50")]);
    let of: Vec<SecurityGroupId> =
        plan.balancer_groups.iter().map(|group| groups[1][*group].clone()).collect();
    let node = state.get::<LoadBalancer>(&balancer).nodes[0].interface.clone();
    state.change::<NetworkInterface>(&node, |interface| interface.groups.clone_from(&of));
    state.change::<LoadBalancer>(&balancer, |balancer| {
        balancer.groups = of;
        balancer.filters_private_link = plan.filters_private_link;
    });
    let chosen: Vec<(TargetId, TargetHealth)> = plan
        .targets
        .iter()
        .zip(&instances[INSTANCES..])
        .filter_map(|(plan, instance)| plan.map(|(health, _)| (TargetId::Instance(instance.clone()), health)))
        .collect();
    let ids: Vec<TargetId> = chosen.iter().map(|(id, _)| id.clone()).collect();
    let group = state.target_group(&vpcs[1], 8443, &ids);
    state.change::<TargetGroup>(&group, |group| {
        for (target, (_, health)) in group.targets.iter_mut().zip(&chosen) {
            target.health = *health;
        }
        group.protocol = plan.protocol;
        if plan.carried {
            group.attributes.insert(PROXY_PROTOCOL.to_owned(), "true".to_owned());
        }
    });
    state.listener(&balancer, plan.protocol, 443, &group);
    let service = state.service(&[&balancer]);
    let of: Vec<_> = plan.endpoint_groups.iter().map(|group| &groups[0][*group]).collect();
    let endpoint = state.endpoint(&service, &[(&subnets[0][1], "10.0.0.30")], &of);
    if !plan.endpoint_available {
        state.change::<VpcEndpoint>(&endpoint, |endpoint| endpoint.state = EndpointState::Rejected);
    }
    let aws = state.aws_endpoint("rds", &[(&subnets[0][1], "10.0.0.31")], &of);
    if !plan.aws_available {
        state.change::<VpcEndpoint>(&aws, |endpoint| endpoint.state = EndpointState::Deleting);
    }
    if plan.to_gateway && !lead_to_gateway.is_empty() {
        state.gateway_endpoint("s3", &lead_to_gateway.iter().collect::<Vec<_>>());
    }
    Built {
        tables: compile(&state.snapshot, &devices),
        senders,
        probes: probe_addresses(&state.snapshot).into_values().filter_map(as_ipv4).collect(),
    }
}

/// The programs, loaded with tables of their own, in a namespace that has the devices.
struct Kernel(LinkwaySkel<'static>);

impl Kernel {
    fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNET).expect("the tests need root");
        let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut script = ip.stdin.take().unwrap();
        for index in UPLINK..=STRANGER {
            writeln!(script, "link add name d{index} index {index} type veth peer name p{index}").unwrap();
        }
        drop(script);
        assert!(ip.wait().unwrap().success());
        let object = Box::leak(Box::new(MaybeUninit::uninit()));
        Self(LinkwaySkelBuilder::default().open(object).unwrap().load().unwrap())
    }

    fn hold(&self, tables: &Tables) {
        let maps = &self.0.maps;
        put(&maps.settings, [(&0u32, &tables.settings)]);
        replace(&maps.ports, &tables.ports);
        replace(&maps.interfaces, &tables.interfaces);
        replace(&maps.places, &tables.places);
        replace(&maps.members, &tables.members);
        replace(&maps.rulesets, &tables.rulesets);
        replace(&maps.rules, &tables.rules);
        replace(&maps.subnets, &tables.subnets);
        replace(&maps.routes, &tables.routes);
        replace(&maps.endpoints, &tables.endpoints);
        replace(&maps.listeners, &tables.listeners);
        replace(&maps.targets, &tables.targets);
        replace(&maps.probes, &tables.probes);
    }

    /// Send a packet by the device of an interface.
    fn send(&self, device: u32, interface: u32, bytes: &[u8]) -> Seen {
        let before = self.drops(interface);
        // `struct __sk_buff`, as bytes, since the kernel refuses what is not zero in its padding.
        let mut context = [0; 192];
        context[40..44].copy_from_slice(&device.to_ne_bytes());
        let mut out = vec![0; bytes.len() + 256];
        let progs = &self.0.progs;
        let program = match device {
            SERVICE => &progs.from_service,
            UPLINK => &progs.from_uplink,
            _ => &progs.from_workload,
        };
        let input = ProgramInput {
            context_in: Some(&mut context),
            data_in: Some(bytes),
            data_out: Some(&mut out),
            ..Default::default()
        };
        let output = program.test_run(input).unwrap();
        // A drop may be answered, by RST: it is counted all the same.
        let dropped = self.drops(interface).into_iter().zip(before).find(|(after, before)| after != before);
        if let Some(((reason, _), _)) = dropped {
            return Seen::Dropped(reason);
        }
        Seen::Delivered(Frame::read(output.data.unwrap()))
    }

    /// What an interface has sent in vain, for each reason.
    fn drops(&self, interface: u32) -> Vec<(Reason, u64)> {
        let count = |reason: Reason| {
            let key = DropKey { interface, reason: reason.0 };
            let values = self.0.maps.drops.lookup_percpu(key.bytes(), MapFlags::ANY).unwrap();
            values.into_iter().flatten().map(|value| Count::read(&value).unwrap().packets).sum()
        };
        Reason::all().map(|reason| (reason, count(reason))).collect()
    }
}

#[derive(Debug)]
enum Seen {
    Dropped(Reason),
    Delivered(Frame),
}

impl Seen {
    fn name(&self) -> &'static str {
        match self {
            Self::Dropped(reason) => reason.name(),
            Self::Delivered(_) => "Delivered",
        }
    }

    fn is(&self, verdict: &Verdict) -> bool {
        match (self, verdict) {
            (Self::Dropped(seen), Verdict::Dropped(reason)) => seen == reason,
            (Self::Delivered(frame), Verdict::Delivered(delivery)) => {
                let port = match frame.transport {
                    frame::Transport::Tcp { destination, .. } | frame::Transport::Udp { destination, .. } => {
                        destination
                    }
                    _ => 0,
                };
                frame.destination_mac == delivery.mac
                    && (IpAddr::V4(frame.source), IpAddr::V4(frame.destination), port)
                        == (delivery.source, delivery.destination, delivery.port)
            }
            _ => false,
        }
    }
}

fn put<'a, K: Layout + 'a, V: Layout + 'a>(
    map: &impl MapCore,
    rows: impl IntoIterator<Item = (&'a K, &'a V)>,
) {
    for (key, value) in rows {
        map.update(key.bytes(), value.bytes(), MapFlags::ANY).unwrap();
    }
}

fn replace<'a, K: Layout + 'a, V: Layout + 'a>(
    map: &impl MapCore,
    rows: impl IntoIterator<Item = (&'a K, &'a V)>,
) {
    clear(map);
    put(map, rows);
}

fn clear(map: &impl MapCore) {
    for key in map.keys().collect::<Vec<_>>() {
        map.delete(&key).unwrap();
    }
}

fn compose(built: &Built, plan: &PacketPlan) -> (Packet, Frame) {
    let nobody = (plan.device, [2, 0, 0, 0, 0, 1], state::ip("10.0.0.10"));
    let sender = built.senders.iter().find(|(device, ..)| *device == plan.device).unwrap_or(&nobody);
    let (_, mac, own) = *sender;
    let source = plan.source.unwrap_or(own);
    let source_mac = if plan.own_mac { mac } else { [2, 0, 0, 0, 0, 2] };
    let to_probe = built.probes.first().copied().filter(|_| plan.probe && plan.device == SERVICE);
    let destination = to_probe.unwrap_or(plan.destination);
    let from = (source, SOURCE_PORT);
    let frame = match plan.transport {
        Transport::Tcp { port, opens } => {
            Frame::tcp(from, (destination, port), if opens { SYN } else { ACK })
        }
        Transport::Udp { port } => Frame::udp(from, (destination, port)),
        Transport::Echo { request } => Frame::echo(source, destination, !request, 7),
    };
    let packet = Packet {
        device: plan.device,
        source_mac,
        source: source.into(),
        source_port: SOURCE_PORT,
        destination: destination.into(),
        transport: plan.transport,
    };
    (packet, frame.macs(source_mac, router_mac().0))
}

/// What the receiver of a frame answers.
fn answered(frame: &Frame) -> Frame {
    let (source, destination) = (frame.destination, frame.source);
    let answer = match &frame.transport {
        frame::Transport::Tcp { source: to, destination: from, .. } => {
            Frame::tcp((source, *from), (destination, *to), SYN | ACK)
        }
        frame::Transport::Udp { source: to, destination: from, .. } => {
            Frame::udp((source, *from), (destination, *to))
        }
        _ => Frame::echo(source, destination, true, 7),
    };
    answer.macs(frame.destination_mac, router_mac().0)
}

#[test]
fn the_programs_decide_as_the_reference_does() {
    let kernel = Kernel::new();
    let mut runner =
        TestRunner::new(Config { cases: NETWORKS, failure_persistence: None, ..Config::default() });
    let cases = (network(), prop::collection::vec(packet(), 40));
    let verdicts = RefCell::new(BTreeSet::new());
    let outcome = runner.run(&cases, |(network, packets)| {
        let built = build(&network);
        kernel.hold(&built.tables);
        for plan in &packets {
            let (packet, frame) = compose(&built, plan);
            let expected = decide(&built.tables, &packet);
            let sender = built.tables.ports.get(&plan.device).map_or(0, |port| port.interface);
            let seen = kernel.send(plan.device, sender, &frame.bytes());
            verdicts.borrow_mut().insert(seen.name());
            if matches!(&seen, Seen::Delivered(frame) if endpoint_interface(frame.destination).is_some()) {
                verdicts.borrow_mut().insert("DeliveredToGateway");
            }
            if matches!(&seen, Seen::Delivered(frame) if !built.tables.places.keys().any(|key| {
                address(frame.destination) == key.address
            }) && built.is_workload(frame.destination_mac))
            {
                verdicts.borrow_mut().insert("DeliveredToForwarder");
            }
            prop_assert!(
                expected.iter().any(|verdict| seen.is(verdict)),
                "{:?}\nprograms: {:?}\nreference: {:?}",
                packet,
                seen,
                expected
            );
            let Seen::Delivered(frame) = &seen else { continue };
            let ways = expected.iter().filter(|verdict| seen.is(verdict));
            let Some(Verdict::Delivered(delivery)) = ways.into_iter().next() else { continue };
            let receiver = match delivery.device {
                UPLINK => u32::MAX,
                device => built.tables.ports.get(&device).map_or(0, |port| port.interface),
            };
            let mut answer = answered(frame);
            if delivery.device == UPLINK {
                // The host puts the one address in the place of the other, both ways.
                verdicts.borrow_mut().insert("DeliveredOutside");
                answer.destination = UplinkAddresses::of(77).answers;
            }
            let answer = kernel.send(delivery.device, receiver, &answer.bytes());
            verdicts.borrow_mut().insert(match answer {
                Seen::Dropped(_) => "AnswerDropped",
                Seen::Delivered(_) => "Answered",
            });
            let came_to = if let Seen::Dropped(reason) = answer { Some(reason) } else { None };
            prop_assert_eq!(came_to, delivery.answer, "an answer to {:?}", packet);
            clear(&kernel.0.maps.flows);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // All kinds of packets were among them, so that agreeing means something.
    for common in [
        "AclEgressDenied",
        "AclIngressDenied",
        "AnswerDropped",
        "Answered",
        "BalancerDenied",
        "BlackholeRoute",
        "Delivered",
        "DeliveredOutside",
        "DeliveredToForwarder",
        "DeliveredToGateway",
        "EgressDenied",
        "EndpointUnavailable",
        "IngressDenied",
        "NoFlow",
        "NoListener",
        "NoPublicAddress",
        "NoRoute",
        "NoUplink",
        "NotDelivered",
        "NotForwarded",
        "PrivateDestination",
        "SpoofedSource",
        "TargetDenied",
        "UnknownPort",
    ] {
        assert!(verdicts.borrow().contains(common), "no packet was {common}");
    }
}
