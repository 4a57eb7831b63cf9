//! Builds a state by hand, resource by resource.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test uses a part; its own texts parse"
)]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use linkway_model::aws_prefix_list::AwsPrefixList;
use linkway_model::aws_service::AwsService;
use linkway_model::elastic_address::{ElasticAddress, ElasticAssociation};
use linkway_model::endpoint_service::{EndpointService, ServiceState};
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::internet_gateway::InternetGateway;
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::*;
use linkway_model::nat_gateway::{NatGateway, NatGatewayState};
use linkway_model::network_acl::{NetworkAcl, NetworkAclEntry};
use linkway_model::network_interface::{InterfaceRole, Mac, NetworkInterface};
use linkway_model::prefix_list::{
    AddressFamily, PrefixList, PrefixListEntry, PrefixListState, PrefixListVersion,
};
use linkway_model::route_table::{Route, RouteTable, RouteTarget};
use linkway_model::security_group::{
    Direction, Peer, SecurityGroup, SecurityGroupRule, Traffic as RuleTraffic,
};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::{Vpc, VpcCidr};
use linkway_model::vpc_endpoint::{DnsRecordIpType, EndpointState, EndpointSubnet, Gateway, VpcEndpoint};
use linkway_model::*;

mod services;

pub const REGION: &str = "us-east-1";

/// A snapshot that grows.
#[derive(Default)]
pub struct State {
    pub snapshot: Snapshot,
    last_number: u32,
}

impl State {
    pub fn put<T: Resource>(&mut self, document: T) {
        self.snapshot.revision += 1;
        self.snapshot.put(Arc::new(document));
    }

    /// Change the document of this id.
    pub fn change<T: Resource>(&mut self, id: impl AsRef<str>, change: impl FnOnce(&mut T)) {
        let mut document = T::clone(self.snapshot.get::<T>(id).expect("the document is there"));
        change(&mut document);
        self.put(document);
    }

    /// Take the document of this id out.
    pub fn remove<T: Resource>(&mut self, id: impl AsRef<str>) {
        self.snapshot.revision += 1;
        self.snapshot.remove::<T>(id).expect("the document is there");
    }

    pub fn get<T: Resource>(&self, id: impl AsRef<str>) -> &T {
        self.snapshot.get::<T>(id).expect("the document is there")
    }

    /// The number of an interface.
    pub fn number(&self, interface: &NetworkInterfaceId) -> u32 {
        self.get::<NetworkInterface>(interface).number
    }

    /// A VPC, with the ACL and the route table that each has from the beginning.
    pub fn vpc(&mut self, cidr: &str) -> VpcId {
        let id = VpcId::random();
        let number = self.next_number();
        let main_route_table = self.route_table(&id, &[]);
        let default_network_acl = self.acl(&id, [true, false].map(|egress| entry(100, egress, true)).into());
        self.put(Vpc {
            id: id.clone(),
            number,
            owner: account(),
            region: REGION.to_owned(),
            cidrs: vec![VpcCidr { association: VpcCidrAssociationId::random(), cidr: net(cidr) }],
            ipv6_cidrs: Vec::new(),
            tenancy: "default".to_owned(),
            is_default: false,
            enable_dns_support: true,
            enable_dns_hostnames: false,
            enable_network_address_usage_metrics: false,
            dhcp_options: DhcpOptionsId::random(),
            default_security_group: SecurityGroupId::random(),
            main_route_table,
            default_network_acl,
            tags: Tags::new(),
        });
        id
    }

    /// A network ACL that no subnet has.
    pub fn acl(&mut self, vpc: &VpcId, entries: Vec<NetworkAclEntry>) -> NetworkAclId {
        let id = NetworkAclId::random();
        self.put(NetworkAcl {
            id: id.clone(),
            owner: account(),
            region: REGION.to_owned(),
            vpc: vpc.clone(),
            is_default: false,
            entries,
            tags: Tags::new(),
        });
        id
    }

    /// A route table with these routes, that no subnet is associated with.
    pub fn route_table(&mut self, vpc: &VpcId, routes: &[(&str, RouteTarget)]) -> RouteTableId {
        let id = RouteTableId::random();
        let route = |(to, target): &(&str, RouteTarget)| Route {
            destination: to.parse().unwrap(),
            target: target.clone(),
        };
        self.put(RouteTable {
            id: id.clone(),
            owner: account(),
            region: REGION.to_owned(),
            vpc: vpc.clone(),
            main_association: None,
            associations: Vec::new(),
            routes: routes.iter().map(route).collect(),
            tags: Tags::new(),
        });
        id
    }

    /// An internet gateway, attached to a VPC or to none.
    pub fn internet_gateway(&mut self, vpc: Option<&VpcId>) -> RouteTarget {
        let id = InternetGatewayId::random();
        let number = self.next_number();
        self.put(InternetGateway {
            id: id.clone(),
            number,
            owner: account(),
            region: REGION.to_owned(),
            vpc: vpc.cloned(),
            tags: Tags::new(),
        });
        RouteTarget::InternetGateway(id)
    }

    /// An available NAT gateway, with an interface at an address of a subnet.
    pub fn nat_gateway(&mut self, subnet: &SubnetId, address: &str) -> NatGatewayId {
        let id = NatGatewayId::random();
        let role = InterfaceRole::NatGateway { gateway: id.clone() };
        let interface = self.interface(subnet, address, &[], role);
        let vpc = self.get::<Subnet>(subnet).vpc.clone();
        self.put(NatGateway {
            id: id.clone(),
            owner: account(),
            region: REGION.to_owned(),
            vpc,
            subnet: subnet.clone(),
            interface: Some(interface),
            allocations: Vec::new(),
            state: NatGatewayState::Available,
            since: 0,
            failure: None,
            created: Timestamp::UNIX_EPOCH,
            deleted: None,
            tags: Tags::new(),
        });
        id
    }

    /// An elastic address that stands for an interface's primary one.
    pub fn elastic_address(&mut self, interface: &NetworkInterfaceId) -> AllocationId {
        let id = AllocationId::random();
        let association = ElasticAssociation {
            id: ElasticAddressAssociationId::random(),
            interface: interface.clone(),
            private_address: self.get::<NetworkInterface>(interface).address,
        };
        let address = Ipv4Addr::from(u32::from(ip("198.18.0.0")) + self.next_number());
        self.put(ElasticAddress {
            id: id.clone(),
            owner: account(),
            region: REGION.to_owned(),
            address,
            association: Some(association),
            tags: Tags::new(),
        });
        id
    }

    /// Have a subnet use a route table that is not its VPC's main one.
    pub fn associate(&mut self, table: &RouteTableId, subnet: &SubnetId) {
        let association = (RouteTableAssociationId::random(), subnet.clone());
        self.change::<RouteTable>(table, |table| table.associations.push(association));
    }

    /// A subnet in zone `us-east-1{zone}`.
    pub fn subnet(&mut self, vpc: &VpcId, cidr: &str, zone: char) -> SubnetId {
        let id = SubnetId::random();
        let acl = self.get::<Vpc>(vpc).default_network_acl.clone();
        self.put(Subnet {
            id: id.clone(),
            owner: account(),
            region: REGION.to_owned(),
            vpc: vpc.clone(),
            cidr: net(cidr),
            ipv6_cidr: None,
            assign_ipv6_address_on_creation: false,
            enable_dns64: false,
            resource_name_aaaa_record: false,
            zone: zone_name(zone),
            default_for_az: false,
            map_public_ip_on_launch: false,
            hostname_type: "ip-name".to_owned(),
            resource_name_a_record: false,
            network_acl: (NetworkAclAssociationId::random(), acl),
            tags: Tags::new(),
        });
        id
    }

    /// A security group without rules.
    pub fn group(&mut self, vpc: &VpcId) -> SecurityGroupId {
        let id = SecurityGroupId::random();
        let number = self.next_number();
        self.put(SecurityGroup {
            id: id.clone(),
            number,
            owner: account(),
            region: REGION.to_owned(),
            vpc: vpc.clone(),
            associations: Vec::new(),
            name: id.to_string(),
            description: "made by a test".to_owned(),
            tags: Tags::new(),
        });
        id
    }

    /// A group that lets everything out, as AWS makes them, and nothing in.
    pub fn group_with_egress(&mut self, vpc: &VpcId) -> SecurityGroupId {
        let group = self.group(vpc);
        self.rule(&group, Direction::Egress, anything(), Peer::Cidr(net("0.0.0.0/0").into()));
        group
    }

    pub fn rule(
        &mut self,
        group: &SecurityGroupId,
        direction: Direction,
        traffic: RuleTraffic,
        peer: Peer,
    ) -> SecurityGroupRuleId {
        let id = SecurityGroupRuleId::random();
        let number = self.next_number();
        self.put(SecurityGroupRule {
            id: id.clone(),
            number,
            owner: account(),
            region: REGION.to_owned(),
            group: group.clone(),
            direction,
            traffic,
            peer,
            description: None,
            tags: Tags::new(),
        });
        id
    }

    /// A prefix list with these ranges.
    pub fn prefix_list(&mut self, cidrs: &[&str]) -> PrefixListId {
        let id = PrefixListId::random();
        let entry = |cidr: &&str| PrefixListEntry { cidr: cidr.parse().unwrap(), description: None };
        self.put(PrefixList {
            id: id.clone(),
            owner: account(),
            region: REGION.to_owned(),
            name: "made by a test".to_owned(),
            family: AddressFamily::V4,
            max_entries: cidrs.len(),
            versions: vec![PrefixListVersion { number: 1, entries: cidrs.iter().map(entry).collect() }],
            state: PrefixListState::CreateComplete,
            state_message: None,
            since: 0,
            deleted: None,
            tags: Tags::new(),
        });
        id
    }

    pub fn interface(
        &mut self,
        subnet: &SubnetId,
        address: &str,
        groups: &[&SecurityGroupId],
        role: InterfaceRole,
    ) -> NetworkInterfaceId {
        let id = NetworkInterfaceId::random();
        let number = self.next_number();
        let vpc = self.get::<Subnet>(subnet).vpc.clone();
        self.put(NetworkInterface {
            id: id.clone(),
            number,
            owner: account(),
            region: REGION.to_owned(),
            vpc,
            subnet: subnet.clone(),
            description: String::new(),
            mac: Mac::of(number),
            address: ip(address),
            secondary_addresses: Vec::new(),
            ipv6_addresses: Vec::new(),
            primary_ipv6: false,
            groups: groups.iter().map(|group| (*group).clone()).collect(),
            source_dest_check: true,
            role,
            created: Timestamp::UNIX_EPOCH,
            tags: Tags::new(),
        });
        id
    }

    /// An instance that runs.
    pub fn instance(&mut self, subnet: &SubnetId, address: &str, groups: &[&SecurityGroupId]) -> InstanceId {
        let id = InstanceId::random();
        let role = InterfaceRole::Instance {
            instance: id.clone(),
            attachment: AttachmentId::random(),
            device_index: 0,
            attached: Timestamp::UNIX_EPOCH,
            delete_on_termination: true,
        };
        let interface = self.interface(subnet, address, groups, role);
        let placed = self.get::<Subnet>(subnet).clone();
        self.put(Instance {
            id: id.clone(),
            reservation: ReservationId::random(),
            owner: account(),
            region: REGION.to_owned(),
            vpc: placed.vpc,
            subnet: subnet.clone(),
            zone: placed.zone,
            interface,
            command: Vec::new(),
            launch: None,
            process: None,
            state: InstanceState::Running,
            cause: None,
            reason: String::new(),
            launched: Timestamp::UNIX_EPOCH,
            ended: None,
            tags: Tags::new(),
        });
        id
    }

    fn next_number(&mut self) -> u32 {
        self.last_number += 1;
        self.last_number
    }
}

pub fn account() -> AccountId {
    "123456789012".parse().unwrap()
}

pub fn zone_name(zone: char) -> String {
    format!("{REGION}{zone}")
}

pub fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

pub fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

pub fn cidr(text: &str) -> Peer {
    Peer::Cidr(text.parse().unwrap())
}

/// An ACL's entry about everything.
pub fn entry(number: i32, egress: bool, allow: bool) -> NetworkAclEntry {
    let cidr = net("0.0.0.0/0").into();
    NetworkAclEntry { number, egress, protocol: None, cidr, allow, ports: None, icmp: None }
}

/// Every packet.
pub fn anything() -> RuleTraffic {
    RuleTraffic { protocol: None, from: None, to: None }
}

/// TCP to these ports.
pub fn tcp(from: i32, to: i32) -> RuleTraffic {
    RuleTraffic { protocol: Some(6), from: Some(from), to: Some(to) }
}

/// A healthy target.
pub fn target(id: TargetId, port: u16) -> Target {
    Target { id, port, zone: None, health: TargetHealth::Healthy, draining_since: None }
}
