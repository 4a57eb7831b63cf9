//! A network as tables.

use std::net::Ipv4Addr;

use linkway_fabric::compile::{Devices, Uplink, compile};
use linkway_fabric::ranges::{SERVICE_ADDRESS, UplinkAddresses, service_mac};
use linkway_fabric::tables::Tables;
use linkway_fabric::{as_ipv4, probe_addresses};
use linkway_model::instance::Instance;
use linkway_model::load_balancer::{LoadBalancer, PROXY_PROTOCOL, TargetGroup, TargetHealth, TargetId};
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_interface::{Mac, NetworkInterface};
use linkway_model::route_table::RouteTarget;
use linkway_model::security_group::{Direction, Peer};
use linkway_model::subnet::Subnet;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{InstanceId, SecurityGroupId};

use crate::plan::{Network, PeerPlan, TargetPlan};
use crate::state::{self, State, anything, cidr};
use crate::{FIRST, INSTANCES, NATS, RANGES, SERVICE, SUBNETS, UPLINK};

/// A network, built: its tables, and the MAC and address of who is behind each device.
pub(crate) struct Built {
    pub(crate) tables: Tables,
    pub(crate) senders: Vec<(u32, [u8; 6], Ipv4Addr)>,
    pub(crate) probes: Vec<Ipv4Addr>,
}

impl Built {
    /// Whether it is an instance's MAC.
    pub(crate) fn is_workload(&self, mac: [u8; 6]) -> bool {
        self.senders.iter().any(|(device, other, _)| *device != SERVICE && *other == mac)
    }
}

pub(crate) fn build(plan: &Network) -> Built {
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
