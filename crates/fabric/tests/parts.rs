//! What changes in the tables when one snapshot follows another: the parts that are compiled anew bring the tables to
//! where compiling all would.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use linkway_fabric::compile::{Devices, Part, compile, compile_part};
use linkway_fabric::tables::Tables;
use linkway_model::elastic_address::ElasticAddress;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::index::Term;
use linkway_model::instance::Instance;
use linkway_model::internet_gateway::InternetGateway;
use linkway_model::load_balancer::{Listener, LoadBalancer, PROXY_PROTOCOL, Protocol, TargetGroup, TargetId};
use linkway_model::nat_gateway::{NatGateway, NatGatewayState};
use linkway_model::network_acl::{NetworkAcl, NetworkAclEntry};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::prefix_list::PrefixList;
use linkway_model::route_table::{RouteTable, RouteTarget};
use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{NetworkAclAssociationId, Resource, Snapshot, Timestamp};
use proptest::prelude::*;

use state::{State, anything, ip, net, tcp};

/// Something that is done to a snapshot.
type Step = Box<dyn Fn(&mut Snapshot)>;

/// Two VPCs of one range. In the first, instances behind a balancer, and a target by address; in the second,
/// endpoints to its service and to one of AWS's.
fn site() -> State {
    let mut state = State::default();
    let (provider, consumer) = (state.vpc("10.0.0.0/16"), state.vpc("10.0.0.0/16"));
    let a = state.subnet(&provider, "10.0.1.0/24", 'a');
    let b = state.subnet(&provider, "10.0.2.0/24", 'b');
    let open = state.group_with_egress(&provider);
    let list = state.prefix_list(&["10.0.1.0/24", "10.0.9.0/24"]);
    state.rule(&open, Direction::Ingress, tcp(5432, 5432), Peer::PrefixList(list));
    let first = state.instance(&a, "10.0.1.10", &[&open]);
    let second = state.instance(&b, "10.0.2.10", &[&open]);
    let balancer = state.balancer(&[(&a, "10.0.1.5"), (&b, "10.0.2.5")]);
    let other = state.balancer(&[(&b, "10.0.2.6")]);
    let by_instance = [TargetId::Instance(first), TargetId::Instance(second)];
    let instances = state.target_group(&provider, 5432, &by_instance);
    let addresses = state.target_group(&provider, 80, &[TargetId::Ip(ip("10.0.2.10").into())]);
    state.listener(&balancer, Protocol::Tcp, 443, &instances);
    state.listener(&balancer, Protocol::Udp, 53, &addresses);
    state.listener(&other, Protocol::Tcp, 80, &addresses);
    let service = state.service(&[&balancer]);
    let another = state.service(&[&other, &balancer]);

    let subnets = [state.subnet(&consumer, "10.0.7.0/24", 'a'), state.subnet(&consumer, "10.0.8.0/24", 'b')];
    let clients = state.group_with_egress(&consumer);
    let admitting = state.group(&consumer);
    state.rule(&admitting, Direction::Ingress, anything(), Peer::Group(clients.clone()));
    let client = state.instance(&subnets[0], "10.0.7.10", &[&clients]);
    state.endpoint(&service, &[(&subnets[0], "10.0.7.20"), (&subnets[1], "10.0.8.20")], &[&admitting]);
    state.endpoint(&another, &[(&subnets[1], "10.0.8.21")], &[&admitting, &clients]);
    state.aws_endpoint("rds", &[(&subnets[0], "10.0.7.22")], &[&clients]);

    let middle = state.snapshot.interfaces_in(&consumer).next().unwrap().id.clone();
    let outwards = state.internet_gateway(Some(&consumer));
    let nat = state.nat_gateway(&subnets[1], "10.0.8.9");
    let of_nat = state.get::<NatGateway>(&nat).interface.clone().unwrap();
    state.elastic_address(&of_nat);
    let of_client = state.get::<Instance>(&client).interface.clone();
    state.elastic_address(&of_client);
    let routes = [
        ("10.0.8.0/24", RouteTarget::NetworkInterface(middle)),
        ("192.0.2.0/24", RouteTarget::NatGateway(nat)),
        ("0.0.0.0/0", outwards),
    ];
    let table = state.route_table(&consumer, &routes);
    state.associate(&table, &subnets[0]);
    let main = state.get::<Vpc>(&consumer).main_route_table.clone();
    state.gateway_endpoint("s3", &[&table, &main]);
    state.gateway_endpoint("dynamodb", &[&table]);
    let refused = NetworkAclEntry { allow: false, ..entry(100) };
    let acl = state.acl(&consumer, vec![refused, entry(200)]);
    let association = NetworkAclAssociationId::random();
    state.change::<Subnet>(&subnets[1], |subnet| subnet.network_acl = (association, acl));
    state
}

/// An entry of a network ACL that lets TCP in from everywhere.
fn entry(number: i32) -> NetworkAclEntry {
    NetworkAclEntry {
        number,
        egress: false,
        protocol: Some(6),
        allow: true,
        cidr: net("0.0.0.0/0").into(),
        icmp: None,
        ports: Some((1, 1000)),
    }
}

/// For each document of a kind: put it as it is, put it otherwise, remove it.
fn steps<T: Resource>(state: &State, steps: &mut Vec<Step>, otherwise: impl Fn(&mut T)) {
    for document in state.snapshot.all::<T>() {
        let mut other = T::clone(document);
        otherwise(&mut other);
        for document in [Arc::clone(document), Arc::new(other)] {
            steps.push(Box::new(move |snapshot| snapshot.put(Arc::clone(&document))));
        }
        let id = document.id().to_owned();
        steps.push(Box::new(move |snapshot| drop(snapshot.remove::<T>(&id))));
    }
}

fn all_steps(state: &State) -> Vec<Step> {
    let mut all = Vec::new();
    steps::<Vpc>(state, &mut all, |vpc| vpc.enable_dns_support = false);
    steps::<Subnet>(state, &mut all, |subnet| subnet.zone = "us-east-1c".to_owned());
    steps::<SecurityGroup>(state, &mut all, |group| group.name.push('x'));
    steps::<SecurityGroupRule>(state, &mut all, |rule| rule.traffic = tcp(1, 2));
    steps::<PrefixList>(state, &mut all, |list| {
        list.versions.iter_mut().for_each(|version| drop(version.entries.pop()));
    });
    steps::<NetworkAcl>(state, &mut all, |acl| acl.entries.truncate(acl.entries.len().saturating_sub(1)));
    steps::<RouteTable>(state, &mut all, |table| {
        table.associations.clear();
        table.routes.pop();
    });
    steps::<InternetGateway>(state, &mut all, |gateway| gateway.vpc = None);
    steps::<NatGateway>(state, &mut all, |gateway| gateway.state = NatGatewayState::Pending);
    steps::<ElasticAddress>(state, &mut all, |address| address.association = None);
    steps::<NetworkInterface>(state, &mut all, |interface| {
        interface.groups.pop();
        let number = interface.number as u8;
        interface.secondary_addresses.push([10, 0, 99, number].into());
    });
    steps::<Instance>(state, &mut all, |instance| instance.zone = "us-east-1c".to_owned());
    steps::<LoadBalancer>(state, &mut all, |balancer| {
        balancer.filters_private_link ^= true;
        balancer.nodes.pop();
    });
    steps::<Listener>(state, &mut all, |listener| listener.port += 1);
    steps::<TargetGroup>(state, &mut all, |group| {
        group.attributes.insert(PROXY_PROTOCOL.to_owned(), "true".to_owned());
        group.targets[0].draining_since = Some(Timestamp::UNIX_EPOCH);
    });
    steps::<EndpointService>(state, &mut all, |service| service.load_balancers.reverse());
    steps::<VpcEndpoint>(state, &mut all, |endpoint| endpoint.state = EndpointState::Rejected);
    all
}

/// Host ends for the workloads whose interface has a number that leaves this remainder by three.
fn devices(snapshot: &Snapshot, remainder: u32) -> Devices {
    let workloads = snapshot.all_under::<NetworkInterface>(Term::InterfaceDevice);
    let interfaces = workloads.map(|interface| interface.number);
    let interfaces = interfaces.filter(|number| number % 3 == remainder);
    Devices {
        service: 7,
        uplink: None,
        interfaces: interfaces.map(|number| (number, 1000 + number)).collect(),
    }
}

/// Rows of `after` in place of those of `before`, as the kernel's tables are changed.
fn change(tables: &mut Tables, before: &Tables, after: &Tables) {
    fn rows<K: Ord + Copy, V: Copy>(
        rows: &mut BTreeMap<K, V>,
        before: &BTreeMap<K, V>,
        after: &BTreeMap<K, V>,
    ) {
        rows.retain(|key, _| !before.contains_key(key));
        rows.extend(after.iter().map(|(key, value)| (*key, *value)));
    }
    rows(&mut tables.ports, &before.ports, &after.ports);
    rows(&mut tables.interfaces, &before.interfaces, &after.interfaces);
    rows(&mut tables.places, &before.places, &after.places);
    rows(&mut tables.members, &before.members, &after.members);
    rows(&mut tables.rulesets, &before.rulesets, &after.rulesets);
    rows(&mut tables.rules, &before.rules, &after.rules);
    rows(&mut tables.subnets, &before.subnets, &after.subnets);
    rows(&mut tables.routes, &before.routes, &after.routes);
    rows(&mut tables.endpoints, &before.endpoints, &after.endpoints);
    rows(&mut tables.listeners, &before.listeners, &after.listeners);
    rows(&mut tables.targets, &before.targets, &after.targets);
    rows(&mut tables.probes, &before.probes, &after.probes);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn parts_bring_tables_to_where_compiling_all_does(
        changes in proptest::collection::vec((proptest::collection::vec(any::<usize>(), 1..4), 0..3u32), 1..40),
    ) {
        let site = site();
        let steps = all_steps(&site);
        let mut snapshot = site.snapshot.clone();
        let mut devices_now = devices(&snapshot, 0);
        let mut tables = compile(&snapshot, &devices_now);
        for (chosen, remainder) in changes {
            let (before, devices_before) = (snapshot.clone(), devices_now.clone());
            for step in chosen {
                steps[step % steps.len()](&mut snapshot);
            }
            devices_now = devices(&snapshot, remainder);
            let part = Part::changed((&before, &devices_before), (&snapshot, &devices_now));
            let old = compile_part(&before, &devices_before, &part);
            change(&mut tables, &old, &compile_part(&snapshot, &devices_now, &part));
            prop_assert!(tables == compile(&snapshot, &devices_now));
        }
    }
}

#[test]
fn a_change_costs_what_has_changed() {
    let mut state = site();
    let subnet = state.snapshot.all::<Subnet>().next().unwrap().id.clone();
    let group = state.snapshot.all::<SecurityGroup>().next().unwrap().id.clone();
    let before = state.snapshot.clone();
    state.aws_endpoint("sts", &[(&subnet, "10.0.1.200")], &[&group]);
    let devices = Devices { service: 7, ..Devices::default() };
    let part = Part::changed((&before, &devices), (&state.snapshot, &devices));
    let rows = compile_part(&state.snapshot, &devices, &part);
    assert_eq!((rows.interfaces.len(), rows.endpoints.len(), rows.rulesets.len()), (1, 1, 2));

    let before = state.snapshot.clone();
    state.rule(&group, Direction::Ingress, tcp(443, 443), Peer::Cidr(net("10.0.0.0/8").into()));
    let part = Part::changed((&before, &devices), (&state.snapshot, &devices));
    let rows = compile_part(&state.snapshot, &devices, &part);
    assert_eq!((rows.interfaces.len(), rows.endpoints.len(), rows.places.len()), (0, 0, 0));
    assert!(!rows.rules.is_empty());
    assert!(Part::changed((&before, &devices), (&before, &devices)).is_empty());
}
