//! Random small networks, and random first packets in them.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use linkway_fabric::reference::Transport;
use linkway_model::load_balancer::{HealthReason, Protocol, TargetHealth};
use linkway_model::network_acl::NetworkAclEntry;
use linkway_model::security_group::{Direction, Traffic};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::state::{self, entry};
use crate::{FIRST, INSTANCES, SERVICE, SOURCE_PORT, STRANGER, SUBNETS};

/// A network: two VPCs of the same range, three subnets, instances and groups in each; the second VPC's instances
/// behind a balancer, an endpoint to it in the first, and an interface and a gateway endpoint to AWS services.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    /// Of each instance, first VPC's first: its groups, and whether its source is checked.
    pub(crate) instances: Vec<(Vec<usize>, bool)>,
    /// Of each instance, and then of each NAT gateway: whether it has an elastic address.
    pub(crate) public: Vec<bool>,
    pub(crate) uplink: bool,
    pub(crate) rules: Vec<RulePlan>,
    /// Of each group: whether it lets everything out, and in from the subnet.
    pub(crate) open: Vec<(bool, bool)>,
    pub(crate) endpoint_groups: Vec<usize>,
    /// None or some: the balancer then has none, and lets everything in.
    pub(crate) balancer_groups: Vec<usize>,
    pub(crate) filters_private_link: bool,
    pub(crate) endpoint_available: bool,
    pub(crate) aws_available: bool,
    /// Whether the first VPC's route tables lead to S3 by a gateway endpoint, if there are any.
    pub(crate) to_gateway: bool,
    /// Whether the listener's connections take the gateway, if it is TCP's.
    pub(crate) carried: bool,
    pub(crate) protocol: Protocol,
    /// Of each subnet, the first VPC's first: its ACL, unless it is the VPC's default one.
    pub(crate) acls: Vec<Option<Vec<NetworkAclEntry>>>,
    /// Of each subnet, likewise: its route table.
    pub(crate) routes: Vec<Option<Vec<(&'static str, TargetPlan)>>>,
    /// Of each instance of the second VPC: whether it is a target, its health, and whether it has a device.
    pub(crate) targets: Vec<Option<(TargetHealth, bool)>>,
}

#[derive(Debug, Clone)]
pub(crate) struct RulePlan {
    pub(crate) vpc: usize,
    pub(crate) group: usize,
    pub(crate) direction: Direction,
    pub(crate) traffic: Traffic,
    pub(crate) peer: PeerPlan,
}

#[derive(Debug, Clone)]
pub(crate) enum PeerPlan {
    Cidr(&'static str),
    Group(usize),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum TargetPlan {
    /// A gateway that is attached, or not.
    Gateway(bool),
    /// A NAT gateway in one of the VPC's subnets.
    Nat(usize),
    /// An instance of the VPC.
    Instance(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct PacketPlan {
    pub(crate) device: u32,
    pub(crate) own_mac: bool,
    /// `None`: the sender's own.
    pub(crate) source: Option<Ipv4Addr>,
    pub(crate) destination: Ipv4Addr,
    /// The destination is a probe address, if there is one.
    pub(crate) probe: bool,
    /// Added to `SOURCE_PORT`.
    pub(crate) port: u16,
    pub(crate) transport: Transport,
}

pub(crate) fn network() -> impl Strategy<Value = Network> {
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

pub(crate) fn rule() -> impl Strategy<Value = RulePlan> {
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

/// Packets from so many ports of each sender's, beginning with `SOURCE_PORT`.
pub(crate) fn packet(ports: u16) -> impl Strategy<Value = PacketPlan> {
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
        0..ports,
        transport,
    )
        .prop_map(|(device, own_mac, source, destination, probe, port, transport)| PacketPlan {
            device,
            own_mac,
            source,
            destination,
            probe,
            port,
            transport,
        })
}
