//! What the gateway carries for balancers, and what the tables have of it.

mod state;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use linkway_fabric::compile::{Devices, compile};
use linkway_fabric::layout::{self, Listener as Row, ListenerKey};
use linkway_fabric::programs::types::listener_flag;
use linkway_fabric::{Relay, RelayTarget, probe_addresses, relays};
use linkway_model::instance::Instance;
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::{
    Listener, LoadBalancer, PROXY_PROTOCOL, Protocol, TargetGroup, TargetHealth, TargetId, TargetType,
};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{InstanceId, Timestamp, VpcEndpointId};

use state::{State, ip, net, target};

const TCP: u8 = 6;
const INSIDE: &str = "10.0.1.10";
const OUTSIDE: &str = "192.0.2.9";

/// A balancer with a node in zones a and b, an instance behind it in zone a, and an endpoint in zone a.
struct Site {
    state: State,
    balancer: String,
    group: String,
    listener: String,
    instance: InstanceId,
    endpoint: VpcEndpointId,
    nodes: Vec<u32>,
    interface: u32,
}

fn site() -> Site {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let (a, b) = (state.subnet(&vpc, "10.0.1.0/24", 'a'), state.subnet(&vpc, "10.0.2.0/24", 'b'));
    let open = state.group_with_egress(&vpc);
    let instance = state.instance(&a, INSIDE, &[&open]);
    let balancer = state.balancer(&[(&a, "10.0.1.5"), (&b, "10.0.2.5")]);
    let group = state.target_group(&vpc, 5432, &[TargetId::Instance(instance.clone())]);
    let listener = state.listener(&balancer, Protocol::Tcp, 443, &group);
    let service = state.service(&[&balancer]);
    let consumer = state.vpc("10.0.0.0/16");
    let subnet = state.subnet(&consumer, "10.0.7.0/24", 'a');
    let admitting = state.group(&consumer);
    let endpoint = state.endpoint(&service, &[(&subnet, "10.0.7.20")], &[&admitting]);
    let nodes = state.get::<LoadBalancer>(&balancer).nodes.clone();
    let nodes = nodes.iter().map(|node| state.number(&node.interface)).collect();
    let interface = state.number(&state.get::<VpcEndpoint>(&endpoint).subnets[0].interface);
    Site { state, balancer, group, listener, instance, endpoint, nodes, interface }
}

impl Site {
    fn with_proxy_protocol(mut self) -> Self {
        self.state.change::<TargetGroup>(&self.group, |group| {
            group.attributes.insert(PROXY_PROTOCOL.to_owned(), "true".to_owned());
        });
        self
    }

    fn with_outside_target(mut self) -> Self {
        self.state.change::<TargetGroup>(&self.group, |group| {
            group.target_type = TargetType::Ip;
            let mut outside = target(TargetId::Ip(ip(OUTSIDE).into()), 8080);
            outside.zone = Some("all".to_owned());
            group.targets.push(outside);
        });
        self
    }

    fn relays(&self) -> BTreeMap<(u32, u16), Relay> {
        relays(&self.state.snapshot, &OutsideTargets::new(vec![net("192.0.2.0/24")]))
    }

    /// The instance, as the service namespace reaches it.
    fn inside(&self) -> RelayTarget {
        let key = (self.group.clone(), TargetId::Instance(self.instance.clone()), 5432);
        let address = probe_addresses(&self.state.snapshot)[&key];
        RelayTarget { address: SocketAddr::new(address, 5432), outside: false }
    }

    /// The endpoint's interface and the nodes, with the listener's port.
    fn places(&self) -> Vec<(u32, u16)> {
        let mut places: Vec<_> =
            self.nodes.iter().chain([&self.interface]).map(|number| (*number, 443)).collect();
        places.sort_unstable();
        places
    }

    /// The listener's row at a node.
    fn row(&self, node: usize) -> Row {
        let tables = compile(&self.state.snapshot, &Devices::default());
        let key = ListenerKey { node: self.nodes[node], port: 443u16.to_be(), protocol: TCP, pad: 0 };
        tables.listeners[&key]
    }
}

/// A balancer of both families, with an endpoint of both.
fn dualstack() -> Site {
    let mut site = site();
    site.state.change::<LoadBalancer>(&site.balancer, |balancer| {
        balancer.ip_address_type = IpAddressType::Dualstack;
    });
    let nodes = site.state.get::<LoadBalancer>(&site.balancer).nodes.clone();
    let place = site.state.get::<VpcEndpoint>(&site.endpoint).subnets[0].interface.clone();
    for (id, host) in nodes.iter().map(|node| &node.interface).chain([&place]).zip(1..) {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host);
        site.state.change::<NetworkInterface>(id, |interface| interface.ipv6_addresses = vec![address]);
    }
    site
}

fn outside() -> RelayTarget {
    RelayTarget { address: SocketAddr::new(ip(OUTSIDE).into(), 8080), outside: true }
}

fn targets(relays: &BTreeMap<(u32, u16), Relay>, number: u32) -> Vec<RelayTarget> {
    relays[&(number, 443)].targets.clone()
}

#[test]
fn nothing_is_carried_that_the_packet_path_can_bring() {
    let site = site();
    assert_eq!(site.relays(), BTreeMap::new());
    assert_eq!((site.row(0).flags, site.row(0).count), (0, 1));
}

#[test]
fn streams_of_one_family_are_carried_to_targets_of_the_other() {
    let mut site = dualstack();
    let relays = site.relays();
    assert_eq!(relays.keys().copied().collect::<Vec<_>>(), site.places(), "clients by IPv6, targets by IPv4");
    let relay = &relays[&(site.interface, 443)];
    assert_eq!(relay.addresses, (ip("10.0.7.20"), Some("2001:db8::3".parse().unwrap())));
    assert_eq!(relay.targets, [site.inside()]);
    // Those of its own family it brings there itself.
    assert_eq!((site.row(0).flags, site.row(0).count), (0, 1));

    // The other way round, an endpoint without IPv6 addresses leads to the gateway, too.
    let interface = site.state.get::<VpcEndpoint>(&site.endpoint).subnets[0].interface.clone();
    site.state.change::<NetworkInterface>(&interface, |interface| interface.ipv6_addresses.clear());
    assert!(!site.relays().contains_key(&(site.interface, 443)));
    site.state.change::<TargetGroup>(&site.group, |group| group.ip_address_type = IpAddressType::Ipv6);
    let target = site.state.get::<Instance>(&site.instance).interface.clone();
    site.state.change::<NetworkInterface>(&target, |interface| {
        interface.ipv6_addresses = vec!["2001:db8::9".parse().unwrap()];
        interface.primary_ipv6 = true;
    });
    let relays = site.relays();
    assert_eq!(relays.keys().copied().collect::<Vec<_>>(), site.places());
    let SocketAddr::V6(reached) = relays[&(site.interface, 443)].targets[0].address else {
        panic!("a target with an IPv6 address is reached by IPv4");
    };
    let probe = linkway_fabric::as_ipv4((*reached.ip()).into()).unwrap();
    let offset = u32::from(probe) - u32::from(linkway_fabric::ranges::PROBE_BASE);
    let tables = compile(&site.state.snapshot, &Devices::default());
    assert_eq!(layout::ip(&tables.probes[&offset].address), "2001:db8::9".parse::<Ipv6Addr>().unwrap());

    // Datagrams find no way between the two.
    site.state.change::<TargetGroup>(&site.group, |group| group.protocol = Protocol::Udp);
    site.state.change::<Listener>(&site.listener, |listener| listener.protocol = Protocol::Udp);
    assert_eq!(site.relays(), BTreeMap::new());
}

#[test]
fn a_group_with_proxy_protocol_is_carried_from_endpoints_and_nodes() {
    let site = site().with_proxy_protocol();
    let relay = |endpoint: Option<&VpcEndpointId>, address: &str| Relay {
        tls: None,
        endpoint: endpoint.cloned(),
        addresses: (ip(address), None),
        targets: vec![site.inside()],
        proxy_protocol: true,
        idle: Duration::from_secs(350),
    };
    let wanted = BTreeMap::from([
        ((site.interface, 443), relay(Some(&site.endpoint), "10.0.7.20")),
        ((site.nodes[0], 443), relay(None, "10.0.1.5")),
        // The only target there is, though of another zone.
        ((site.nodes[1], 443), relay(None, "10.0.2.5")),
    ]);
    assert_eq!(site.relays(), wanted);
    for node in [0, 1] {
        let row = site.row(node);
        assert_eq!(row.flags, listener_flag::LISTENER_GATEWAY.0);
        assert_eq!((row.count, row.total), (0, 1), "the target keeps the flows that it has");
    }
}

#[test]
fn a_group_with_a_target_outside_is_carried_to_all_of_its_targets() {
    let site = site().with_outside_target();
    let relays = site.relays();
    assert_eq!(targets(&relays, site.interface), [site.inside(), outside()]);
    assert_eq!(targets(&relays, site.nodes[1]), [outside()], "in every zone, so in this one, too");
    assert!(relays.values().all(|relay| !relay.proxy_protocol));
    assert_eq!(site.row(1).flags, listener_flag::LISTENER_GATEWAY.0);
    let places = compile(&site.state.snapshot, &Devices::default()).probes;
    assert_eq!(places.len(), 1, "the packet path has no way to it");
}

#[test]
fn only_healthy_targets_get_connections_and_none_that_drains() {
    let mut site = site().with_outside_target();
    let mut set = |change: fn(&mut TargetGroup)| {
        site.state.change::<TargetGroup>(&site.group, change);
        targets(&relays(&site.state.snapshot, &OutsideTargets::new(vec![net("0.0.0.0/0")])), site.interface)
    };
    assert_eq!(set(|group| group.targets[0].health = TargetHealth::Initial), [outside()]);
    assert_eq!(set(|group| group.targets[1].health = TargetHealth::Initial).len(), 2, "none: all of them");
    let drains = set(|group| group.targets[1].draining_since = Some(Timestamp::UNIX_EPOCH));
    assert_eq!(drains, [site.inside()]);
}

#[test]
fn an_address_outside_is_reached_only_while_the_operator_lets_it() {
    let site = site().with_outside_target();
    for ranges in [vec![], vec![net("198.51.100.0/24")]] {
        let relays = relays(&site.state.snapshot, &OutsideTargets::new(ranges));
        assert_eq!(targets(&relays, site.interface), [site.inside()]);
        assert_eq!(targets(&relays, site.nodes[1]), [], "a relay that leads nowhere");
    }
}

#[test]
fn a_target_that_the_vpc_has_not_is_left_out() {
    let mut site = site().with_proxy_protocol();
    site.state.change::<TargetGroup>(&site.group, |group| {
        group.targets = vec![target(TargetId::Ip(Ipv4Addr::new(10, 0, 1, 77).into()), 5432)];
    });
    assert_eq!(targets(&site.relays(), site.interface), []);
}

#[test]
fn a_draining_target_keeps_its_way_from_the_gateway() {
    let mut site = site().with_proxy_protocol();
    let before = site.inside();
    site.state.change::<TargetGroup>(&site.group, |group| {
        group.targets[0].draining_since = Some(Timestamp::UNIX_EPOCH);
    });
    assert_eq!(site.inside(), before);
    assert_eq!(compile(&site.state.snapshot, &Devices::default()).probes.len(), 1);
}

#[test]
fn the_listeners_time_out_is_that_of_both_connections() {
    let mut site = site().with_proxy_protocol();
    let other = site.state.listener(&site.balancer, Protocol::Tcp, 444, &site.group);
    for (listener, seconds) in [(&site.listener, "60"), (&other, "4000")] {
        site.state.change::<Listener>(listener, |listener| {
            listener.attributes.insert("tcp.idle_timeout.seconds".to_owned(), seconds.to_owned());
        });
    }
    let relays = site.relays();
    assert_eq!(relays[&(site.interface, 443)].idle, Duration::from_secs(60));
    assert_eq!(relays[&(site.interface, 444)].idle, Duration::from_secs(4000));
    let probes = compile(&site.state.snapshot, &Devices::default()).probes;
    assert_eq!(probes.values().map(|probe| probe.idle_seconds).collect::<Vec<_>>(), [4000]);
}

/// An address can come to be outside when its range is taken from the VPC.
#[test]
fn datagrams_are_never_carried() {
    let mut site = site().with_outside_target();
    site.state.change::<TargetGroup>(&site.group, |group| group.protocol = Protocol::TcpUdp);
    assert_eq!(site.relays(), BTreeMap::new());
    assert_eq!((site.row(0).flags, site.row(0).count), (0, 1));
}

#[test]
fn an_endpoint_that_carries_nothing_is_no_relay() {
    let mut site = site().with_proxy_protocol();
    site.state.change::<VpcEndpoint>(&site.endpoint, |endpoint| endpoint.state = EndpointState::Rejected);
    assert_eq!(
        site.relays().into_keys().collect::<Vec<_>>(),
        site.nodes.iter().map(|n| (*n, 443)).collect::<Vec<_>>()
    );
}
