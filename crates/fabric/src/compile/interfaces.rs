//! Network interfaces, and the devices that they are behind.

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;

use crate::layout::{self, Interface, Port};
use crate::programs::types::{interface_flag, interface_kind};
use crate::ranges;
use crate::tables::Tables;

use super::{Context, groups, subnets};

/// The VPC number of the service namespace: `SERVICE_VPC` of `bpf/layout.h`.
const SERVICE_VPC: u32 = 0;

pub(super) fn compile(context: &Context<'_>, tables: &mut Tables, interface: &NetworkInterface) {
    let Some(vpc) = context.snapshot.get::<Vpc>(&interface.vpc) else { return };
    let kind = kind(&interface.role);
    let device = context.devices.interfaces.get(&interface.number).copied().unwrap_or(0);
    let groups = groups::set_of(interface);
    let subnet = context.snapshot.get::<Subnet>(&interface.subnet);
    let subnet_key = subnets::key(&interface.subnet);
    tables.interfaces.insert(
        interface.number,
        Interface {
            address: layout::address(interface.address),
            address6: interface.ipv6_addresses.first().map(|ip| layout::address(*ip)).unwrap_or_default(),
            groups,
            subnet: subnet_key,
            vpc: vpc.number,
            device,
            mac: interface.mac.0,
            kind,
            flags: flags(interface),
        },
    );
    if device != 0 {
        tables.ports.insert(
            device,
            Port {
                interface: interface.number,
                vpc: vpc.number,
                groups,
                subnet: subnet_key,
                mac: interface.mac.0,
                kind,
                flags: flags(interface),
                prefix: subnet.map_or(128, |subnet| 96 + u32::from(subnet.cidr.prefix_len())),
                pad: 0,
            },
        );
    }
}

/// The service namespace's port.
pub(super) fn service() -> Port {
    Port {
        interface: 0,
        vpc: SERVICE_VPC,
        groups: 0,
        subnet: 0,
        mac: ranges::service_mac().0,
        kind: interface_kind::INTERFACE_SERVICE.0 as u8,
        flags: 0,
        prefix: 0,
        pad: 0,
    }
}

fn kind(role: &InterfaceRole) -> u8 {
    let kind = match role {
        InterfaceRole::Available
        | InterfaceRole::Instance { .. }
        | InterfaceRole::Namespace { .. }
        | InterfaceRole::Database { .. } => interface_kind::INTERFACE_WORKLOAD,
        InterfaceRole::NatGateway { .. } => interface_kind::INTERFACE_NAT,
        InterfaceRole::VpcEndpoint { .. } => interface_kind::INTERFACE_ENDPOINT,
        InterfaceRole::LoadBalancer { .. } => interface_kind::INTERFACE_BALANCER,
    };
    kind.0 as u8
}

fn flags(interface: &NetworkInterface) -> u8 {
    if interface.source_dest_check { interface_flag::INTERFACE_SOURCE_CHECK.0 as u8 } else { 0 }
}
