//! What stands at each address of each VPC.

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;

use std::net::{IpAddr, Ipv4Addr};

use crate::layout::{self, Place, PlaceKey};
use crate::programs::types::place_kind;
use crate::ranges;
use crate::tables::Tables;

use super::Context;

/// A VPC's resolver, and where instances are told of themselves.
pub(super) fn resolver(tables: &mut Tables, vpc: &Vpc) {
    put(tables, vpc, ranges::METADATA_LINK_LOCAL, place_kind::PLACE_METADATA, 0);
    put(tables, vpc, ranges::METADATA6, place_kind::PLACE_METADATA, 0);
    if !vpc.enable_dns_support {
        return;
    }
    for range in &vpc.cidrs {
        let resolver = Ipv4Addr::from(u32::from(range.cidr.network()).saturating_add(2));
        put(tables, vpc, resolver, place_kind::PLACE_RESOLVER, 0);
    }
    put(tables, vpc, ranges::RESOLVER_LINK_LOCAL, place_kind::PLACE_RESOLVER, 0);
    put(tables, vpc, ranges::RESOLVER6, place_kind::PLACE_RESOLVER, 0);
}

/// A subnet's router.
pub(super) fn router(context: &Context<'_>, tables: &mut Tables, subnet: &Subnet) {
    if let Some(vpc) = context.snapshot.get::<Vpc>(&subnet.vpc) {
        put(tables, vpc, subnet.router(), place_kind::PLACE_ROUTER, 0);
    }
}

/// An interface.
pub(super) fn interface(context: &Context<'_>, tables: &mut Tables, interface: &NetworkInterface) {
    let Some(vpc) = context.snapshot.get::<Vpc>(&interface.vpc) else { return };
    if answers(context, interface) {
        let ipv4 = interface.addresses().map(IpAddr::V4);
        for address in ipv4.chain(interface.ipv6_addresses.iter().copied().map(IpAddr::V6)) {
            put(tables, vpc, address, place_kind::PLACE_INTERFACE, interface.number);
        }
    }
}

/// Whether anything answers at the interface's addresses: it has a device, or it is a service's.
fn answers(context: &Context<'_>, interface: &NetworkInterface) -> bool {
    match interface.role {
        InterfaceRole::VpcEndpoint { .. } | InterfaceRole::LoadBalancer { .. } => true,
        InterfaceRole::Available
        | InterfaceRole::Instance { .. }
        | InterfaceRole::Namespace { .. }
        | InterfaceRole::NatGateway { .. }
        | InterfaceRole::Database { .. } => context.devices.interfaces.contains_key(&interface.number),
    }
}

fn put(tables: &mut Tables, vpc: &Vpc, ip: impl Into<IpAddr>, kind: place_kind, interface: u32) {
    let key = PlaceKey { vpc: vpc.number, address: layout::address(ip) };
    tables.places.insert(key, Place { interface, kind: kind.0 });
}
