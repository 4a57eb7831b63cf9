//! What stands at each address of each VPC.

use linkway_model::elastic_address::ElasticAddress;
use linkway_model::index::Term;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::layout::{self, Place, PlaceKey};
use crate::programs::types::{place_flag, place_kind};
use crate::ranges;
use crate::tables::Tables;

use super::Context;

/// A VPC's resolver, and where instances are told of themselves.
pub(super) fn resolver(tables: &mut Tables, vpc: &Vpc) {
    put(tables, vpc, ranges::METADATA_LINK_LOCAL, place_kind::PLACE_METADATA);
    put(tables, vpc, ranges::METADATA6, place_kind::PLACE_METADATA);
    if !vpc.enable_dns_support {
        return;
    }
    for range in &vpc.cidrs {
        let resolver = Ipv4Addr::from(u32::from(range.cidr.network()).saturating_add(2));
        put(tables, vpc, resolver, place_kind::PLACE_RESOLVER);
    }
    put(tables, vpc, ranges::RESOLVER_LINK_LOCAL, place_kind::PLACE_RESOLVER);
    put(tables, vpc, ranges::RESOLVER6, place_kind::PLACE_RESOLVER);
}

/// A subnet's router.
pub(super) fn router(context: &Context<'_>, tables: &mut Tables, subnet: &Subnet) {
    if let Some(vpc) = context.snapshot.get::<Vpc>(&subnet.vpc) {
        put(tables, vpc, subnet.router(), place_kind::PLACE_ROUTER);
    }
}

/// An interface.
pub(super) fn interface(context: &Context<'_>, tables: &mut Tables, interface: &NetworkInterface) {
    let Some(vpc) = context.snapshot.get::<Vpc>(&interface.vpc) else { return };
    if answers(context, interface) {
        let (public, kind) = (public_addresses(context, interface), place_kind::PLACE_INTERFACE.0);
        for address in interface.addresses() {
            let flags = if public.contains(&address) { place_flag::PLACE_PUBLIC.0 } else { 0 };
            tables.places.insert(key(vpc, address), Place { interface: interface.number, kind, flags });
        }
        for address in &interface.ipv6_addresses {
            let place = Place { interface: interface.number, kind, flags: 0 };
            tables.places.insert(key(vpc, *address), place);
        }
    }
}

/// Addresses of an interface that elastic ones stand for.
fn public_addresses(context: &Context<'_>, interface: &NetworkInterface) -> BTreeSet<Ipv4Addr> {
    let elastic = context.snapshot.found::<ElasticAddress>(Term::ElasticInterface, interface.id.as_str());
    elastic.filter_map(|address| Some(address.association.as_ref()?.private_address)).collect()
}

/// Whether anything answers at the interface's addresses: it has a device, or it is a service's.
fn answers(context: &Context<'_>, interface: &NetworkInterface) -> bool {
    match interface.role {
        InterfaceRole::VpcEndpoint { .. }
        | InterfaceRole::LoadBalancer { .. }
        | InterfaceRole::NatGateway { .. } => true,
        InterfaceRole::Available
        | InterfaceRole::Instance { .. }
        | InterfaceRole::Namespace { .. }
        | InterfaceRole::Database { .. } => context.devices.interfaces.contains_key(&interface.number),
    }
}

/// What is no interface.
fn put(tables: &mut Tables, vpc: &Vpc, ip: impl Into<IpAddr>, kind: place_kind) {
    tables.places.insert(key(vpc, ip), Place { kind: kind.0, ..Place::default() });
}

fn key(vpc: &Vpc, ip: impl Into<IpAddr>) -> PlaceKey {
    PlaceKey { vpc: vpc.number, address: layout::address(ip) }
}
