//! Which network interfaces have a device, and in which namespace: what follows from the state.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use linkway_model::database::DbInstance;
use linkway_model::index::Term;
use linkway_model::instance::Instance;
use linkway_model::network_interface::{InterfaceRole, Mac, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{InstanceId, Snapshot};

use crate::link::Both;
use crate::namespace;
use crate::ranges;
use crate::source_route;

/// A network interface that shall have a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// Path of the namespace.
    pub(crate) namespace: PathBuf,
    /// The device's name inside.
    pub(crate) device: String,
    pub(crate) mac: Mac,
    /// Its addresses with their subnets' prefixes, the primary one first.
    pub(crate) addresses: Vec<IpNet>,
    /// The subnet's router.
    pub(crate) router: Both,
    /// What it is the way to. In a namespace of somebody else's, whose own default route stays, the VPC's
    /// ranges besides.
    pub(crate) routes: Vec<IpNet>,
    /// The routing table of what leaves from its addresses, if it is not an instance's first device.
    pub(crate) table: Option<u32>,
}

/// The name of an instance's namespace.
pub fn instance_namespace(name: &str, instance: &InstanceId) -> String {
    format!("{name}-{instance}")
}

/// The instance whose namespace has this name.
pub(crate) fn instance_of(name: &str, namespace: &str) -> Option<InstanceId> {
    namespace.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
}

/// The instances that shall have a namespace: those that callers see, and those of databases.
pub(crate) fn instances(snapshot: &Snapshot) -> BTreeSet<InstanceId> {
    let launched = snapshot.all::<Instance>().filter(|instance| !instance.state.is_at_rest());
    let databases = snapshot.all::<DbInstance>().map(|database| database.instance.clone());
    launched.map(|instance| instance.id.clone()).chain(databases).collect()
}

/// The interfaces that shall have a device, by number.
pub(crate) fn attachments(snapshot: &Snapshot, name: &str) -> BTreeMap<u32, Attachment> {
    let running = instances(snapshot);
    snapshot
        .all_under::<NetworkInterface>(Term::InterfaceDevice)
        .filter_map(|interface| Some((interface.number, attachment(snapshot, name, &running, interface)?)))
        .collect()
}

fn attachment(
    snapshot: &Snapshot,
    name: &str,
    running: &BTreeSet<InstanceId>,
    interface: &NetworkInterface,
) -> Option<Attachment> {
    let subnet = snapshot.get::<Subnet>(&interface.subnet)?;
    let mut table = None;
    let (namespace, device, routes) = match &interface.role {
        InterfaceRole::Instance { instance, device_index, .. } => {
            let path = namespace::path(&instance_namespace(name, running.get(instance)?));
            table = source_route::table(*device_index);
            let routes = if *device_index == 0 { everywhere() } else { Vec::new() };
            (path, format!("eth{device_index}"), routes)
        }
        InterfaceRole::Database { database } => {
            let instance = &snapshot.get::<DbInstance>(database)?.instance;
            let path = namespace::path(&instance_namespace(name, instance));
            (path, "eth0".to_owned(), everywhere())
        }
        InterfaceRole::Namespace { path, device, .. } => {
            (PathBuf::from(path), device.clone(), routes_beside_others(snapshot.get::<Vpc>(&interface.vpc)?))
        }
        InterfaceRole::Available
        | InterfaceRole::VpcEndpoint { .. }
        | InterfaceRole::LoadBalancer { .. }
        | InterfaceRole::NatGateway { .. } => {
            return None;
        }
    };
    let has_ipv6 = !interface.ipv6_addresses.is_empty();
    Some(Attachment {
        namespace,
        device,
        mac: interface.mac,
        addresses: addresses(interface, subnet),
        router: Both { ipv4: subnet.router(), ipv6: ranges::ROUTER6 },
        routes: routes.into_iter().filter(|route| has_ipv6 || matches!(route, IpNet::V4(_))).collect(),
        table,
    })
}

fn addresses(interface: &NetworkInterface, subnet: &Subnet) -> Vec<IpNet> {
    let ipv4 = interface.addresses().map(|address| (IpAddr::V4(address), subnet.cidr.prefix_len()));
    let prefix = subnet.ipv6_cidr.as_ref().map_or(128, |range| range.cidr.prefix_len());
    let ipv6 = interface.ipv6_addresses.iter().map(|address| (IpAddr::V6(*address), prefix));
    ipv4.chain(ipv6).filter_map(|(address, prefix)| IpNet::new(address, prefix).ok()).collect()
}

fn everywhere() -> Vec<IpNet> {
    vec![Ipv4Net::default().into(), Ipv6Net::default().into()]
}

fn routes_beside_others(vpc: &Vpc) -> Vec<IpNet> {
    let mut routes: Vec<IpNet> = vpc.cidrs.iter().map(|range| range.cidr.into()).collect();
    routes.extend(vpc.ipv6_cidrs.iter().map(|range| IpNet::from(range.cidr)));
    routes.push(IpAddr::V4(ranges::RESOLVER_LINK_LOCAL).into());
    routes.push(IpAddr::V6(ranges::RESOLVER6).into());
    routes.extend(everywhere());
    routes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespaces_of_a_fabric_with_a_longer_name_are_not_ours() {
        let id = InstanceId::random();
        assert_eq!(instance_of("linkway", &instance_namespace("linkway", &id)), Some(id.clone()));
        assert_eq!(instance_of("linkway", &instance_namespace("linkway-demo", &id)), None);
        assert_eq!(instance_of("linkway", "linkway-svc"), None);
    }
}
