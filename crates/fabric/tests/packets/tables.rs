//! What a test writes into the tables of a world.

use std::net::{IpAddr, Ipv4Addr};

use libbpf_rs::{MapCore, MapFlags};
use linkway_fabric::layout::*;
use linkway_fabric::programs::types;

use crate::world::*;

/// What the hashes of lists begin with.
const RULES: u64 = 5000;
const ACLS: u64 = 7000;
const TARGETS: u64 = 9000;

fn route_key(table: u32, destination: &str) -> RouteKey {
    let net: ipnet::IpNet = destination.parse().unwrap();
    let (destination, prefix) = range(net);
    RouteKey { bits: 64 + prefix, table: [table, u32::from(net.addr().is_ipv6())], destination }
}

impl World {
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
}
