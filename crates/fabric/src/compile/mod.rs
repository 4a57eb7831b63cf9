//! The state as the packet programs need it: a pure function from a [`Snapshot`] and the devices that are
//! there to [`Tables`]. One file a concern.

mod balancers;
mod endpoints;
mod groups;
pub(crate) mod hash;
mod interfaces;
mod places;
pub mod probes;
pub mod relays;
mod routes;
mod rules;
mod subnets;

use std::collections::BTreeMap;

use linkway_model::Snapshot;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::routing::Routing;

use crate::layout::KernelSettings;
use crate::ranges;
use crate::tables::Tables;

use groups::Groups;

/// Interface indices of host ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices {
    /// The service namespace's.
    pub service: u32,
    /// By the number of the network interface. One that is missing here has nothing behind it now.
    pub interfaces: BTreeMap<u32, u32>,
}

/// What the kernel's tables shall hold.
pub fn compile(snapshot: &Snapshot, devices: &Devices) -> Tables {
    let context = Context {
        snapshot,
        devices,
        groups: Groups::new(snapshot),
        routing: Routing::new(snapshot),
        addresses: addresses(snapshot),
    };
    let mut tables = Tables { settings: settings(devices), ..Tables::default() };
    interfaces::compile(&context, &mut tables);
    places::compile(&context, &mut tables);
    rules::compile(&context, &mut tables);
    subnets::compile(&context, &mut tables);
    routes::compile(&context, &mut tables);
    endpoints::compile(&context, &mut tables);
    balancers::compile(&context, &mut tables);
    probes::compile(&context, &mut tables);
    tables
}

/// What the files of this module work from.
pub(crate) struct Context<'a> {
    snapshot: &'a Snapshot,
    devices: &'a Devices,
    groups: Groups<'a>,
    routing: Routing<'a>,
    addresses: Addresses<'a>,
}

/// VPC's id and address to the interface that holds it.
type Addresses<'a> = BTreeMap<(&'a str, std::net::Ipv4Addr), &'a NetworkInterface>;

fn addresses(snapshot: &Snapshot) -> Addresses<'_> {
    snapshot
        .all::<NetworkInterface>()
        .flat_map(|interface| {
            interface.addresses().map(move |ip| ((interface.vpc.as_str(), ip), interface.as_ref()))
        })
        .collect()
}

fn settings(devices: &Devices) -> KernelSettings {
    KernelSettings {
        epoch: 0,
        service_device: devices.service,
        resolver: u32::from_ne_bytes(ranges::RESOLVER.octets()),
        client_base: ranges::CLIENT_BASE.into(),
        probe_base: ranges::PROBE_BASE.into(),
        router_mac: ranges::router_mac().0,
        service_mac: ranges::service_mac().0,
        endpoint_base: ranges::ENDPOINT_BASE.into(),
    }
}
