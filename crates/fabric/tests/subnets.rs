//! Subnets, compiled: their network ACLs and route tables.

mod state;

use linkway_fabric::compile::{Devices, compile};
use linkway_fabric::layout::{self, Rule, RuleKey};
use linkway_fabric::programs::types::{route_kind, rule_direction};
use linkway_fabric::tables::Tables;
use linkway_model::instance::Instance;
use linkway_model::internet_gateway::InternetGateway;
use linkway_model::network_acl::{NetworkAcl, NetworkAclEntry};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::route_table::{Route, RouteTable, RouteTarget};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::{Vpc, VpcCidr};
use linkway_model::{SubnetId, VpcCidrAssociationId, VpcId};

use state::{State, entry};

const INGRESS: usize = rule_direction::RULE_INGRESS.0 as usize;
const EGRESS: usize = rule_direction::RULE_EGRESS.0 as usize;

struct World {
    state: State,
    vpc: VpcId,
    subnet: SubnetId,
    instance: linkway_model::InstanceId,
}

fn world() -> World {
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    let subnet = state.subnet(&vpc, "10.0.1.0/24", 'a');
    let group = state.group(&vpc);
    let instance = state.instance(&subnet, "10.0.1.10", &[&group]);
    World { state, vpc, subnet, instance }
}

impl World {
    fn tables(&self) -> Tables {
        let number = self.number();
        let devices = Devices { service: 7, uplink: None, interfaces: [(number, 1000)].into() };
        compile(&self.state.snapshot, &devices)
    }

    fn number(&self) -> u32 {
        self.state.number(&self.state.get::<Instance>(&self.instance).interface)
    }

    /// The subnet's row, as its interface finds it.
    fn row(&self, tables: &Tables) -> layout::Subnet {
        let key = tables.interfaces[&self.number()].subnet;
        assert_eq!(tables.ports[&1000].subnet, key);
        tables.subnets[&key]
    }

    fn use_acl(&mut self, entries: Vec<NetworkAclEntry>) {
        let acl = self.state.acl(&self.vpc, entries);
        self.state.change::<Subnet>(&self.subnet, |subnet| subnet.network_acl.1 = acl);
    }

    /// One direction of the subnet's ACL. `None`: nobody needs to ask.
    fn acl(&self, direction: usize) -> Option<Vec<Rule>> {
        let tables = self.tables();
        let list = self.row(&tables).acl[direction];
        let rule = |index: u32| {
            tables.rules[&RuleKey { rules: list.rules, chunk: index / 8, pad: 0 }].rule[index as usize % 8]
        };
        (list.rules != 0).then(|| (0..list.count).map(rule).collect())
    }
}

/// The routes of the subnet's table: destination, where it leads, and the interface there.
fn routes(world: &World) -> Vec<(String, route_kind, u32)> {
    let tables = world.tables();
    let table = world.row(&tables).routes;
    let of_table = tables.routes.iter().filter(|(key, _)| key.table == table);
    let mut routes: Vec<_> = of_table
        .map(|(key, route)| {
            let network = layout::ip(&key.destination).to_ipv4_mapped().expect("IPv4");
            (format!("{network}/{}", key.bits - 64 - 96), route_kind(route.kind), route.interface)
        })
        .collect();
    routes.sort_by(|one, other| one.0.cmp(&other.0));
    routes
}

/// The number of the internet gateway that is attached.
fn gateway_number(world: &World) -> u32 {
    let mut gateways = world.state.snapshot.all::<InternetGateway>();
    gateways.find(|gateway| gateway.vpc.is_some()).expect("one is attached").number
}

fn local(destination: &str) -> (String, route_kind, u32) {
    (destination.to_owned(), route_kind::ROUTE_LOCAL, 0)
}

#[test]
fn every_route_table_has_the_vpcs_ranges() {
    let mut world = world();
    assert_eq!(routes(&world), [local("10.0.0.0/16")]);
    let range = VpcCidr { association: VpcCidrAssociationId::random(), cidr: state::net("10.7.0.0/16") };
    world.state.change::<Vpc>(&world.vpc, |vpc| vpc.cidrs.push(range));
    assert_eq!(routes(&world), [local("10.0.0.0/16"), local("10.7.0.0/16")]);
    // Another VPC's table is another one.
    let other = world.state.vpc("10.0.0.0/16");
    let elsewhere = world.state.subnet(&other, "10.0.1.0/24", 'a');
    assert_ne!(elsewhere, world.subnet);
    assert_eq!(world.tables().routes.len(), 3);
}

#[test]
fn a_subnet_has_the_main_table_until_it_is_associated_with_another() {
    let mut world = world();
    let gateway = world.state.internet_gateway(Some(&world.vpc.clone()));
    let own = world.state.route_table(&world.vpc, &[("0.0.0.0/0", gateway)]);
    assert_eq!(routes(&world), [local("10.0.0.0/16")]);
    world.state.associate(&own, &world.subnet);
    let out = ("0.0.0.0/0".to_owned(), route_kind::ROUTE_UPLINK, gateway_number(&world));
    assert_eq!(routes(&world), [out.clone(), local("10.0.0.0/16")]);
    world.state.change::<RouteTable>(&own, |table| table.associations.clear());
    assert_eq!(routes(&world), [local("10.0.0.0/16")]);
    world.state.change::<Vpc>(&world.vpc, |vpc| vpc.main_route_table = own);
    assert_eq!(routes(&world), [out, local("10.0.0.0/16")]);
}

#[test]
fn routes_lead_out_to_an_interface_or_nowhere() {
    let mut world = world();
    let attached = world.state.internet_gateway(Some(&world.vpc.clone()));
    let detached = world.state.internet_gateway(None);
    let eni = world.state.get::<Instance>(&world.instance).interface.clone();
    let unused = world.state.interface(&world.subnet, "10.0.1.77", &[], InterfaceRole::Available);
    let table = world.state.route_table(
        &world.vpc,
        &[
            ("0.0.0.0/0", attached.clone()),
            ("192.0.2.0/24", detached),
            ("10.0.2.0/24", RouteTarget::NetworkInterface(eni.clone())),
            ("198.51.100.0/24", RouteTarget::NetworkInterface(unused)),
        ],
    );
    let v6 = Route { destination: "::/0".parse().unwrap(), target: attached };
    world.state.change::<RouteTable>(&table, |table| table.routes.push(v6));
    world.state.associate(&table, &world.subnet);
    let number = world.number();
    let to = |destination: &str, kind, interface| (destination.to_owned(), kind, interface);
    assert_eq!(
        routes(&world),
        [
            to("0.0.0.0/0", route_kind::ROUTE_UPLINK, gateway_number(&world)),
            local("10.0.0.0/16"),
            to("10.0.2.0/24", route_kind::ROUTE_INTERFACE, number),
            to("192.0.2.0/24", route_kind::ROUTE_BLACKHOLE, 0),
            to("198.51.100.0/24", route_kind::ROUTE_BLACKHOLE, 0),
        ]
    );
    world.state.remove::<NetworkInterface>(&eni);
    let gone = compile(&world.state.snapshot, &Devices::default());
    assert!(gone.routes.values().all(|route| route.kind != route_kind::ROUTE_INTERFACE.0));
}

#[test]
fn a_subnet_has_its_range_and_a_default_acl_costs_nothing() {
    let world = world();
    let row = world.row(&world.tables());
    assert_eq!((row.address, row.prefix), (layout::address(state::ip("10.0.1.0")), 96 + 24));
    assert_eq!((world.acl(INGRESS), world.acl(EGRESS)), (None, None));
}

#[test]
fn entries_are_in_the_order_of_their_numbers_each_way() {
    let mut world = world();
    let tcp = |number, egress, allow, ports| NetworkAclEntry {
        protocol: Some(6),
        ports: Some(ports),
        cidr: "10.1.0.0/16".parse().unwrap(),
        ..entry(number, egress, allow)
    };
    world.use_acl(vec![
        tcp(300, false, true, (80, 90)),
        tcp(20, true, true, (443, 443)),
        tcp(100, false, false, (22, 22)),
        entry(400, false, true),
    ]);
    let list = |direction| {
        let told = |rule: &Rule| (rule.id, rule.protocol, rule.from, rule.to, rule.prefix - 96, rule.denies);
        world.acl(direction).unwrap().iter().map(told).collect::<Vec<_>>()
    };
    let everything = (400, 0, 0, 65535, 0, 0);
    assert_eq!(list(INGRESS), [(100, 6, 22, 22, 16, 1), (300, 6, 80, 90, 16, 0), everything]);
    assert_eq!(list(EGRESS), [(20, 6, 443, 443, 16, 0)]);
}

#[test]
fn only_an_acl_that_allows_all_from_its_first_entry_needs_no_reading() {
    let mut world = world();
    let v6 = |number| NetworkAclEntry { cidr: "::/0".parse().unwrap(), ..entry(number, true, false) };
    world.use_acl(vec![v6(1), entry(2, true, true), entry(3, true, false)]);
    assert_eq!(world.acl(EGRESS), None, "entries about IPv6 are not evaluated");
    assert_eq!(world.acl(INGRESS), Some(vec![]), "no entry lets nothing in");
    world.use_acl(vec![entry(2, true, false), entry(3, true, true)]);
    assert_eq!(world.acl(EGRESS).unwrap().len(), 2);
    let half = NetworkAclEntry { cidr: "0.0.0.0/1".parse().unwrap(), ..entry(1, true, true) };
    world.use_acl(vec![half]);
    assert_eq!(world.acl(EGRESS).unwrap().len(), 1);
}

#[test]
fn icmp_is_by_type_and_code_and_other_protocols_by_number() {
    let mut world = world();
    let icmp = |number, kind, code| NetworkAclEntry {
        protocol: Some(1),
        icmp: Some((kind, code)),
        ..entry(number, false, true)
    };
    let other = |number, protocol| NetworkAclEntry { protocol: Some(protocol), ..entry(number, false, true) };
    world.use_acl(vec![icmp(1, 8, 0), icmp(2, 3, -1), icmp(3, -1, -1), other(4, 50), other(5, 0)]);
    let told: Vec<_> =
        world.acl(INGRESS).unwrap().iter().map(|rule| (rule.id, rule.protocol, rule.from, rule.to)).collect();
    let any = u16::MAX;
    assert_eq!(told, [(1, 1, 8, 0), (2, 1, 3, any), (3, 1, any, any), (4, 50, 0, any)]);
}

#[test]
fn a_subnet_whose_acl_is_not_there_lets_nothing_through() {
    let mut world = world();
    let acl = world.state.get::<Subnet>(&world.subnet).network_acl.1.clone();
    world.state.remove::<NetworkAcl>(&acl);
    assert_eq!((world.acl(INGRESS), world.acl(EGRESS)), (Some(vec![]), Some(vec![])));
}

#[test]
fn an_interface_without_a_device_has_a_subnet_too() {
    let world = world();
    let devices = Devices { service: 7, ..Devices::default() };
    let tables = compile(&world.state.snapshot, &devices);
    assert!(world.state.snapshot.all::<NetworkInterface>().count() > 0);
    for interface in tables.interfaces.values() {
        assert!(tables.subnets.contains_key(&interface.subnet));
    }
    assert_eq!(tables.ports[&7].subnet, 0, "the service namespace has none");
}
