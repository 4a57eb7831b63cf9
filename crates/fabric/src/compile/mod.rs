//! The state as the packet programs need it: a pure function from a [`Snapshot`] and the devices that are
//! there to [`Tables`]. One file a concern.

mod balancers;
mod endpoints;
mod gateways;
mod groups;
pub(crate) mod hash;
mod interfaces;
mod part;
mod places;
pub mod probes;
pub mod relays;
mod routes;
mod rules;
mod subnets;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use linkway_model::index::{self, Term};
use linkway_model::internet_gateway::InternetGateway;
use linkway_model::load_balancer::LoadBalancer;
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::route_table::RouteTable;
use linkway_model::routing::Routing;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Snapshot, VpcId};

use crate::layout::{self, KernelSettings};
use crate::ranges::{self, UplinkAddresses};
use crate::tables::Tables;

pub use part::Part;

/// Interface indices of host ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices {
    /// The service namespace's.
    pub service: u32,
    /// The way out, if there is one.
    pub uplink: Option<Uplink>,
    /// By the number of the network interface. One that is missing here has nothing behind it now.
    pub interfaces: BTreeMap<u32, u32>,
}

/// The pair of devices that leads out of the fabric, and what is beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uplink {
    /// Interface index of the pair's end in the fabric's namespace.
    pub device: u32,
    /// What all that leaves comes from, and what answers come to.
    pub addresses: UplinkAddresses,
}

/// What the kernel's tables shall hold.
pub fn compile(snapshot: &Snapshot, devices: &Devices) -> Tables {
    compile_part(snapshot, devices, &Part::whole(snapshot))
}

/// The rows that follow from a part of the snapshot. No row follows from two documents of a part, so the rows of a
/// part before a change and after it say what has changed.
pub fn compile_part(snapshot: &Snapshot, devices: &Devices, part: &Part) -> Tables {
    let context = Context { snapshot, devices, routing: Routing::new(snapshot) };
    let mut tables = Tables { settings: settings(devices), ..Tables::default() };
    if devices.service != 0 {
        tables.ports.insert(devices.service, interfaces::service());
    }
    for vpc in part.vpcs.iter().filter_map(|id| snapshot.get::<Vpc>(id)) {
        places::resolver(&mut tables, vpc);
    }
    for subnet in part.subnets.iter().filter_map(|id| snapshot.get::<Subnet>(id)) {
        places::router(&context, &mut tables, subnet);
        subnets::compile(&context, &mut tables, subnet);
    }
    for interface in part.interfaces.iter().filter_map(|id| snapshot.get::<NetworkInterface>(id)) {
        interfaces::compile(&context, &mut tables, interface);
        places::interface(&context, &mut tables, interface);
    }
    for set in part.sets.iter().filter(|set| part::is_used(snapshot, set)) {
        rules::compile(&context, &mut tables, set);
    }
    for table in part.route_tables.iter().filter_map(|id| snapshot.get::<RouteTable>(id)) {
        routes::compile(&context, &mut tables, table);
    }
    for endpoint in part.endpoints.iter().filter_map(|id| snapshot.get::<VpcEndpoint>(id)) {
        endpoints::compile(&context, &mut tables, endpoint);
    }
    for balancer in part.balancers.iter().filter_map(|arn| snapshot.get::<LoadBalancer>(arn)) {
        balancers::compile(&context, &mut tables, balancer);
    }
    for gateway in part.internet_gateways.iter().filter_map(|id| snapshot.get::<InternetGateway>(id)) {
        gateways::internet(&context, &mut tables, gateway);
    }
    for gateway in part.nat_gateways.iter().filter_map(|id| snapshot.get::<NatGateway>(id)) {
        gateways::nat(&context, &mut tables, gateway);
    }
    if part.probes {
        probes::compile(&context, &mut tables);
    }
    tables
}

/// What the files of this module work from.
pub(crate) struct Context<'a> {
    snapshot: &'a Snapshot,
    devices: &'a Devices,
    routing: Routing<'a>,
}

/// The interface that holds an address of a VPC.
fn holder<'a>(snapshot: &'a Snapshot, vpc: &VpcId, address: IpAddr) -> Option<&'a Arc<NetworkInterface>> {
    snapshot.found(Term::InterfaceAddress, &index::address(vpc, address)).next()
}

/// Flows that an interface may have open: an eighth of what the table has room for. A client has fewer ports towards
/// one endpoint.
const FLOW_SHARE: u32 = 131_072;

/// How many of them may be TCP that was never answered. They go after 30 seconds: so 273 a second, for ever.
const HALF_OPEN_SHARE: u32 = 8_192;

fn settings(devices: &Devices) -> KernelSettings {
    let uplink = |address: fn(Uplink) -> Ipv4Addr| {
        devices.uplink.map_or(0, |uplink| u32::from_ne_bytes(address(uplink).octets()))
    };
    KernelSettings {
        epoch: 0,
        service_device: devices.service,
        resolver: u32::from_ne_bytes(ranges::RESOLVER.octets()),
        client_base: ranges::CLIENT_BASE.into(),
        probe_base: ranges::PROBE_BASE.into(),
        router_mac: ranges::router_mac().0,
        service_mac: ranges::service_mac().0,
        endpoint_base: ranges::ENDPOINT_BASE.into(),
        metadata: u32::from_ne_bytes(ranges::METADATA.octets()),
        flow_share: FLOW_SHARE,
        half_open_share: HALF_OPEN_SHARE,
        service_prefix: layout::address(ranges::SERVICE_PREFIX).word[..3].try_into().unwrap_or_default(),
        uplink_device: devices.uplink.map_or(0, |uplink| uplink.device),
        uplink_source: uplink(|uplink| uplink.addresses.source),
        uplink_address: uplink(|uplink| uplink.addresses.answers),
        uplink_mac: ranges::uplink_mac().0,
        pad: [0; 6],
    }
}
