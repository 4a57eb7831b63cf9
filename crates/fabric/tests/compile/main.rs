//! The state, compiled: what stands in the tables.

mod rules;
#[path = "../state/mod.rs"]
mod state;

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use linkway_fabric::compile::{Devices, compile};
use linkway_fabric::layout::{self, ListenerKey, MemberKey, PlaceKey, RuleKey, RulesetKey, TargetKey};
use linkway_fabric::programs::types::{
    endpoint_flag, endpoint_state, interface_kind, listener_flag, peer_kind, place_kind, rule_direction,
};
use linkway_fabric::tables::Tables;
use linkway_fabric::{layout::Rule, probe_addresses};
use linkway_model::load_balancer::{
    CROSS_ZONE, HealthReason, Listener, LoadBalancer, Protocol, TargetGroup, TargetHealth, TargetId,
};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::prefix_list::PrefixList;
use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule, Traffic};
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{InstanceId, NetworkInterfaceId, Timestamp, VpcId};
use proptest::prelude::*;

use state::{State, anything, cidr, ip, target, tcp};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Every interface that may have a device has one: its number and 1000.
fn compiled(state: &State) -> Tables {
    let interfaces = state
        .snapshot
        .all::<NetworkInterface>()
        .filter(|i| matches!(i.role, InterfaceRole::Instance { .. }))
        .map(|i| (i.number, i.number + 1000))
        .collect();
    compile(&state.snapshot, &Devices { service: 7, uplink: None, interfaces })
}

fn place(state: &State, tables: &Tables, vpc: &VpcId, address: &str) -> Option<(u32, place_kind)> {
    let key = PlaceKey { vpc: state.get::<Vpc>(vpc).number, address: layout::address(ip(address)) };
    tables.places.get(&key).map(|place| (place.interface, place_kind(place.kind)))
}

/// The rules of an interface, as the packet programs read them.
fn rules(
    state: &State,
    tables: &Tables,
    interface: &NetworkInterfaceId,
    direction: rule_direction,
) -> Vec<Rule> {
    let groups = tables.interfaces[&state.number(interface)].groups;
    let ruleset = tables.rulesets[&RulesetKey { groups, direction: direction.0, pad: 0 }];
    (0..ruleset.count)
        .map(|index| {
            let chunk = tables.rules[&RuleKey { rules: ruleset.rules, chunk: index / 8, pad: 0 }];
            chunk.rule[index as usize % 8]
        })
        .collect()
}

/// The targets of a listener at a node: addresses that new connections go to, and those that keep theirs.
fn targets(tables: &Tables, node: u32, protocol: u8, port: u16) -> (Vec<Ipv6Addr>, Vec<Ipv6Addr>) {
    let listener = tables.listeners[&ListenerKey { node, port: port.to_be(), protocol, pad: 0 }];
    let addresses: Vec<Ipv6Addr> = (0..listener.total)
        .map(|index| {
            layout::ip(&tables.targets[&TargetKey { targets: listener.targets, index, pad: 0 }].address)
        })
        .collect();
    let (new, kept) = addresses.split_at(listener.count as usize);
    (new.to_vec(), kept.to_vec())
}

fn mapped(addresses: &[&str]) -> Vec<Ipv6Addr> {
    addresses.iter().map(|address| ip(address).to_ipv6_mapped()).collect()
}

/// A balancer with a node in zones a and b, and an instance behind it in each.
struct Provider {
    state: State,
    balancer: String,
    group: String,
    listener: String,
    nodes: [u32; 2],
    instances: [InstanceId; 2],
}

const A: &str = "10.0.1.10";
const B: &str = "10.0.2.10";

fn provider() -> Provider {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let (a, b) = (state.subnet(&vpc, "10.0.1.0/24", 'a'), state.subnet(&vpc, "10.0.2.0/24", 'b'));
    let sg = state.group_with_egress(&vpc);
    let instances = [state.instance(&a, A, &[&sg]), state.instance(&b, B, &[&sg])];
    let balancer = state.balancer(&[(&a, "10.0.1.5"), (&b, "10.0.2.5")]);
    let group = state.target_group(&vpc, 5432, &instances.clone().map(TargetId::Instance));
    let listener = state.listener(&balancer, Protocol::Tcp, 5432, &group);
    let nodes = [0, 1].map(|index| {
        let id = &state.get::<LoadBalancer>(&balancer).nodes[index].interface;
        state.number(id)
    });
    Provider { state, balancer, group, listener, nodes, instances }
}

impl Provider {
    fn set_health(&mut self, healths: [TargetHealth; 2]) {
        self.state.change::<TargetGroup>(&self.group, |group| {
            for (target, health) in group.targets.iter_mut().zip(healths) {
                target.health = health;
            }
        });
    }

    fn targets(&self, node: usize) -> (Vec<Ipv6Addr>, Vec<Ipv6Addr>) {
        targets(&compiled(&self.state), self.nodes[node], TCP, 5432)
    }
}

#[test]
fn places_are_interfaces_with_something_behind_them_resolvers_and_routers() {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let other = state.vpc("10.0.0.0/16");
    let subnet = state.subnet(&vpc, "10.0.3.0/24", 'a');
    let sg = state.group(&vpc);
    let instance = state.instance(&subnet, "10.0.3.4", &[&sg]);
    let unused = state.interface(&subnet, "10.0.3.5", &[&sg], InterfaceRole::Available);
    let eni = state.get::<linkway_model::instance::Instance>(&instance).interface.clone();
    state.change::<NetworkInterface>(&eni, |i| i.secondary_addresses.push(ip("10.0.3.9")));

    let tables = compiled(&state);
    let here = Some((state.number(&eni), place_kind::PLACE_INTERFACE));
    assert_eq!(place(&state, &tables, &vpc, "10.0.3.4"), here);
    assert_eq!(place(&state, &tables, &vpc, "10.0.3.9"), here, "a secondary address");
    assert_eq!(place(&state, &tables, &vpc, "10.0.3.5"), None, "attached to nothing");
    assert_eq!(tables.interfaces[&state.number(&unused)].device, 0);
    assert_eq!(place(&state, &tables, &vpc, "10.0.3.1"), Some((0, place_kind::PLACE_ROUTER)));
    for resolver in ["10.0.0.2", "169.254.169.253"] {
        assert_eq!(place(&state, &tables, &vpc, resolver), Some((0, place_kind::PLACE_RESOLVER)));
        assert_eq!(place(&state, &tables, &other, resolver), Some((0, place_kind::PLACE_RESOLVER)));
    }
    assert_eq!(place(&state, &tables, &other, "10.0.3.4"), None, "another VPC with the same range");

    let metadata = Some((0, place_kind::PLACE_METADATA));
    assert_eq!(place(&state, &tables, &vpc, "169.254.169.254"), metadata);

    state.change::<Vpc>(&vpc, |vpc| vpc.enable_dns_support = false);
    let tables = compiled(&state);
    assert_eq!(place(&state, &tables, &vpc, "10.0.0.2"), None);
    assert_eq!(place(&state, &tables, &vpc, "169.254.169.254"), metadata, "which is no DNS");
    assert_eq!(place(&state, &tables, &vpc, "169.254.169.253"), None);
}

#[test]
fn every_device_is_a_port_with_its_interface() {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let subnet = state.subnet(&vpc, "10.0.3.0/24", 'a');
    let sg = state.group(&vpc);
    let instance = state.instance(&subnet, "10.0.3.4", &[&sg]);
    let eni = state.get::<linkway_model::instance::Instance>(&instance).interface.clone();

    let tables = compiled(&state);
    let number = state.number(&eni);
    let interface = tables.interfaces[&number];
    let port = tables.ports[&(number + 1000)];
    assert_eq!((port.interface, port.vpc, port.groups), (number, interface.vpc, interface.groups));
    assert_eq!((port.mac, port.flags), (interface.mac, 1));
    assert_eq!(tables.ports[&7].kind, interface_kind::INTERFACE_SERVICE.0 as u8);
    assert_eq!(tables.settings.service_device, 7);

    state.change::<NetworkInterface>(&eni, |i| i.source_dest_check = false);
    assert_eq!(compiled(&state).ports[&(number + 1000)].flags, 0);
}

#[test]
fn groups_apply_to_everything_but_a_balancer_that_has_none() {
    let mut provider = provider();
    let tables = compiled(&provider.state);
    assert_eq!(tables.interfaces[&provider.nodes[0]].groups, 0);

    // An interface whose groups are all gone is let nothing in, rather than everything.
    let groups: Vec<_> =
        provider.state.snapshot.all::<SecurityGroup>().map(|group| group.id.clone()).collect();
    for group in groups {
        provider.state.remove::<SecurityGroup>(&group);
    }
    let tables = compiled(&provider.state);
    let interface =
        provider.state.get::<linkway_model::instance::Instance>(&provider.instances[0]).interface.clone();
    assert_ne!(tables.interfaces[&provider.state.number(&interface)].groups, 0);
    assert!(rules(&provider.state, &tables, &interface, rule_direction::RULE_INGRESS).is_empty());
}

#[test]
fn an_endpoint_leads_to_the_node_of_its_zone_while_its_state_lets_it() {
    let Provider { mut state, balancer, nodes, .. } = provider();
    let vpc = state.vpc("10.0.0.0/16");
    let (a, c) = (state.subnet(&vpc, "10.0.1.0/24", 'a'), state.subnet(&vpc, "10.0.2.0/24", 'c'));
    let sg = state.group(&vpc);
    let service = state.service(&[&balancer]);
    let endpoint = state.endpoint(&service, &[(&a, "10.0.1.4"), (&c, "10.0.2.4")], &[&sg]);
    let subnets = state.get::<VpcEndpoint>(&endpoint).subnets.clone();
    let lead = |state: &State, index: usize| {
        let number = state.number(&subnets[index].interface);
        let endpoint = compiled(state).endpoints[&number];
        (endpoint.node, endpoint_state(endpoint.state))
    };

    assert_eq!(lead(&state, 0), (nodes[0], endpoint_state::ENDPOINT_AVAILABLE));
    assert_eq!(lead(&state, 1), (0, endpoint_state::ENDPOINT_UNAVAILABLE), "a zone without a node");
    for (filters, flags) in [(true, endpoint_flag::ENDPOINT_ASKS_BALANCER.0), (false, 0)] {
        state.change::<LoadBalancer>(&balancer, |balancer| balancer.filters_private_link = filters);
        assert_eq!(compiled(&state).endpoints[&state.number(&subnets[0].interface)].flags, flags);
    }
    for (now, carries) in [
        (EndpointState::PendingAcceptance, false),
        (EndpointState::Pending, true),
        (EndpointState::Available, true),
        (EndpointState::Rejected, false),
        (EndpointState::Failed, false),
        (EndpointState::Deleting, false),
        (EndpointState::Deleted, false),
    ] {
        state.change::<VpcEndpoint>(&endpoint, |endpoint| endpoint.state = now);
        assert_eq!(lead(&state, 0).1 == endpoint_state::ENDPOINT_AVAILABLE, carries, "{now:?}");
    }
}

#[test]
fn an_aws_services_endpoint_leads_to_the_gateway_on_its_ports_while_its_state_lets_it() {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let (a, b) = (state.subnet(&vpc, "10.0.1.0/24", 'a'), state.subnet(&vpc, "10.0.2.0/24", 'b'));
    let sg = state.group(&vpc);
    let endpoint = state.aws_endpoint("rds", &[(&a, "10.0.1.4"), (&b, "10.0.2.4")], &[&sg]);
    let numbers: BTreeSet<u32> = state
        .get::<VpcEndpoint>(&endpoint)
        .subnets
        .iter()
        .map(|subnet| state.number(&subnet.interface))
        .collect();

    let tables = compiled(&state);
    assert_eq!(tables.endpoints.keys().copied().collect::<BTreeSet<_>>(), numbers);
    let available = endpoint_state::ENDPOINT_AVAILABLE.0;
    for (number, endpoint) in &tables.endpoints {
        assert_eq!((endpoint.node, endpoint.state), (*number, available), "it has its own listeners");
    }
    let listeners: BTreeSet<_> =
        tables.listeners.keys().map(|key| (key.node, u16::from_be(key.port), key.protocol)).collect();
    let wanted = numbers.iter().flat_map(|number| [(*number, 80, TCP), (*number, 443, TCP)]).collect();
    assert_eq!(listeners, wanted);
    for listener in tables.listeners.values() {
        assert_eq!((listener.flags, listener.total), (listener_flag::LISTENER_GATEWAY.0, 0));
    }

    for (now, carries) in [
        (EndpointState::Pending, true),
        (EndpointState::Available, true),
        (EndpointState::Failed, false),
        (EndpointState::Deleting, false),
        (EndpointState::Deleted, false),
    ] {
        state.change::<VpcEndpoint>(&endpoint, |endpoint| endpoint.state = now);
        let all = compiled(&state).endpoints;
        assert!(all.values().all(|endpoint| (endpoint.state == available) == carries), "{now:?}");
    }
}

#[test]
fn a_node_sends_to_healthy_targets_of_its_zone_and_lets_the_others_keep_their_flows() {
    use TargetHealth::{Healthy, Initial, Unhealthy};
    let mut provider = provider();
    let none = mapped(&[]);
    let bad = Unhealthy(HealthReason::Timeout);

    assert_eq!(provider.targets(0), (mapped(&[A]), mapped(&[B])), "its own zone's");
    assert_eq!(provider.targets(1), (mapped(&[B]), mapped(&[A])));

    let (balancer, group) = (provider.balancer.clone(), provider.group.clone());
    provider.state.change::<TargetGroup>(&group, |group| {
        group.attributes.insert(CROSS_ZONE.to_owned(), "true".to_owned());
    });
    assert_eq!(provider.targets(0), (mapped(&[A, B]), none.clone()), "every zone's, as the group says");
    provider.state.change::<LoadBalancer>(&balancer, |balancer| {
        balancer.attributes.insert(CROSS_ZONE.to_owned(), "true".to_owned());
    });
    provider.state.change::<TargetGroup>(&group, |group| {
        group.attributes.insert(CROSS_ZONE.to_owned(), "false".to_owned());
    });
    assert_eq!(provider.targets(0), (mapped(&[A]), mapped(&[B])), "the group, not the balancer");
    provider.state.change::<TargetGroup>(&group, |group| {
        group.attributes.remove(CROSS_ZONE);
    });
    assert_eq!(provider.targets(0), (mapped(&[A, B]), none.clone()), "every zone's");
    provider.set_health([bad, Healthy]);
    assert_eq!(provider.targets(0), (mapped(&[B]), none.clone()), "AWS ends an unhealthy target's flows");
    provider.set_health([Initial, Healthy]);
    assert_eq!(provider.targets(0), (mapped(&[B]), mapped(&[A])));
    provider.set_health([bad, bad]);
    assert_eq!(provider.targets(0), (mapped(&[A, B]), none.clone()), "all unhealthy: all of them");

    provider.set_health([bad, Healthy]);
    let group = provider.group.clone();
    provider.state.change::<TargetGroup>(&group, |group| {
        let key = "target_health_state.unhealthy.connection_termination.enabled";
        group.attributes.insert(key.to_owned(), "false".to_owned());
    });
    assert_eq!(provider.targets(0), (mapped(&[B]), mapped(&[A])), "unless told otherwise");
}

#[test]
fn a_draining_target_keeps_its_flows_and_gets_no_new_ones() {
    let mut provider = provider();
    let group = provider.group.clone();
    provider.state.change::<TargetGroup>(&group, |group| {
        group.targets[0].draining_since = Some(Timestamp::UNIX_EPOCH);
    });
    assert_eq!(provider.targets(0), (mapped(&[B]), mapped(&[A])), "and its zone has no other: any zone's");
    provider.state.change::<TargetGroup>(&group, |group| {
        group.targets.remove(0);
    });
    assert_eq!(provider.targets(0), (mapped(&[B]), mapped(&[])));
}

#[test]
fn a_target_that_the_vpc_has_not_is_left_out() {
    let mut provider = provider();
    let group = provider.group.clone();
    provider.state.change::<TargetGroup>(&group, |group| {
        group.targets.clear();
        group.targets.push(target(TargetId::Ip(ip("10.0.1.77").into()), 5432));
        group.targets.push(target(TargetId::Instance(InstanceId::random()), 5432));
        group.targets.push(target(TargetId::Ip(ip(A).into()), 5432));
    });
    assert_eq!(provider.targets(0).0, mapped(&[A]));
    assert_eq!(compiled(&provider.state).probes.len(), 1);
}

#[test]
fn a_listener_of_both_protocols_stands_twice_and_the_time_out_is_tcps() {
    let mut provider = provider();
    let listener = provider.listener.clone();
    provider.state.change::<Listener>(&listener, |listener| {
        listener.protocol = Protocol::TcpUdp;
        listener.attributes.insert("tcp.idle_timeout.seconds".to_owned(), "120".to_owned());
    });
    let tables = compiled(&provider.state);
    let idle = |protocol| {
        let key = ListenerKey { node: provider.nodes[0], port: 5432u16.to_be(), protocol, pad: 0 };
        tables.listeners[&key].idle_seconds
    };
    assert_eq!((idle(TCP), idle(UDP)), (120, 0));
}

#[test]
fn a_check_comes_from_the_node_in_its_targets_zone() {
    let provider = provider();
    let tables = compiled(&provider.state);
    let addresses = probe_addresses(&provider.state.snapshot);
    for (index, address) in [A, B].into_iter().enumerate() {
        let id = TargetId::Instance(provider.instances[index].clone());
        let probe_at = addresses[&(provider.group.clone(), id, 5432)];
        let offset = u32::from(linkway_fabric::as_ipv4(probe_at).unwrap())
            - u32::from(linkway_fabric::ranges::PROBE_BASE);
        let probe = tables.probes[&offset];
        assert_eq!(layout::ip(&probe.address), ip(address).to_ipv6_mapped());
        assert_eq!(probe.node, provider.nodes[index]);
        assert_eq!(tables.interfaces[&probe.interface].address, probe.address);
    }
}

#[test]
fn nothing_is_compiled_from_nothing_but_the_settings() {
    let tables = compile(&linkway_model::Snapshot::default(), &Devices::default());
    assert_eq!(tables, Tables { settings: tables.settings, ..Tables::default() });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever targets come and go, every target has an address of its own, and the others keep theirs.
    #[test]
    fn checks_stay_at_their_addresses(hosts in prop::collection::btree_set(10u8..250, 2..40), gone in any::<prop::sample::Index>()) {
        let mut state = State::default();
        let vpc = state.vpc("10.0.0.0/16");
        let subnet = state.subnet(&vpc, "10.0.1.0/24", 'a');
        let balancer = state.balancer(&[(&subnet, "10.0.1.5")]);
        let ids: Vec<TargetId> = hosts.iter().map(|host| TargetId::Ip(ip(&format!("10.0.1.{host}")).into())).collect();
        let group = state.target_group(&vpc, 80, &ids);
        state.listener(&balancer, Protocol::Tcp, 80, &group);

        let before = probe_addresses(&state.snapshot);
        let distinct: BTreeSet<_> = before.values().collect();
        prop_assert_eq!(distinct.len(), ids.len());

        let gone = gone.index(ids.len());
        state.change::<TargetGroup>(&group, |group| { group.targets.remove(gone); });
        let after = probe_addresses(&state.snapshot);
        let moved = after.iter().filter(|(key, address)| before[*key] != **address).count();
        prop_assert_eq!(moved, 0);
        prop_assert_eq!(after.len(), before.len() - 1);
    }

    /// A rule list is found whole under its contents, however long it is.
    #[test]
    fn lists_are_whole(count in 0usize..40) {
        let mut state = State::default();
        let vpc = state.vpc("10.0.0.0/16");
        let subnet = state.subnet(&vpc, "10.0.1.0/24", 'a');
        let group = state.group(&vpc);
        let eni = state.interface(&subnet, "10.0.1.9", &[&group], InterfaceRole::Available);
        for port in 0..count {
            state.rule(&group, Direction::Ingress, tcp(port as i32, port as i32), cidr("10.0.0.0/8"));
        }
        let tables = compiled(&state);
        let ports: Vec<usize> = rules(&state, &tables, &eni, rule_direction::RULE_INGRESS).iter().map(|rule| usize::from(rule.from)).collect();
        prop_assert_eq!(ports, (0..count).collect::<Vec<_>>());
        prop_assert_eq!(tables.rules.len(), count.div_ceil(8));
    }
}
