//! What stops a packet between two subnets: a network ACL's entry, or a route table. For whoever explains it: the
//! packet path decides by tables of its own, in the same order.
//!
//! Source: "Network ACL basics" and "Route table concepts" in AWS's VPC user guide. Neither is asked within a subnet.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::Snapshot;
use crate::aws_prefix_list::AwsPrefixList;
use crate::index::Term;
use crate::network_acl::{NetworkAcl, NetworkAclEntry};
use crate::network_interface::NetworkInterface;
use crate::route_table::{Route, RouteTable, RouteTarget};
use crate::subnet::Subnet;
use crate::vpc::Vpc;
use crate::vpc_endpoint::VpcEndpoint;

/// A packet's way from one interface of a VPC to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop<'a> {
    /// The subnet that it leaves; `None`: what is beyond a gateway endpoint.
    pub from: Option<&'a Subnet>,
    /// The subnet that it enters; `None`: nothing stands there, or it is beyond a gateway endpoint.
    pub to: Option<&'a Subnet>,
    /// Its source.
    pub source: IpAddr,
    /// Its destination.
    pub destination: IpAddr,
    /// IANA's number of its protocol.
    pub protocol: u8,
    /// The destination's port; of ICMP, the type.
    pub port: u16,
}

/// What stops a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle<'a> {
    /// A network ACL.
    Acl {
        /// Which.
        acl: &'a NetworkAcl,
        /// Whether it is asked about what leaves its subnet.
        egress: bool,
        /// The entry that decides; `None`: no entry matches, which denies. AWS shows that as entry `*`.
        entry: Option<&'a NetworkAclEntry>,
    },
    /// A route table.
    Route {
        /// Which.
        table: &'a RouteTable,
        /// The route that decides; `None`: none leads there.
        route: Option<&'a Route>,
        /// What is wrong with it.
        fault: RouteFault,
    },
}

/// Why a route table leads a packet nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteFault {
    /// It has no route there.
    Missing,
    /// The route's target is gone, or attached to nothing.
    Blackhole,
    /// The route leads out of the VPC.
    Uplink,
    /// The route leads to an interface that does not send on.
    NotForwarded,
}

impl<'a> Hop<'a> {
    /// What stops the packet, if something does.
    pub fn obstacle(&self, state: &'a Snapshot) -> Option<Obstacle<'a>> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from.id == to.id
        {
            return None;
        }
        let leaving = self.from.and_then(|from| self.leave(state, from));
        leaving.or_else(|| self.denied(state, self.to?, false))
    }

    fn leave(&self, state: &'a Snapshot, from: &'a Subnet) -> Option<Obstacle<'a>> {
        // What is sent to nobody in the subnet itself never leaves it.
        if self.to.is_none() && (from.has_address(self.destination) || stays_on_link(self.destination)) {
            return None;
        }
        self.denied(state, from, true).or_else(|| self.astray(state, RouteTable::of(state, from)?))
    }

    /// What the ACL of a subnet says, if it denies.
    fn denied(&self, state: &'a Snapshot, subnet: &Subnet, egress: bool) -> Option<Obstacle<'a>> {
        let acl = state.get::<NetworkAcl>(&subnet.network_acl.1)?;
        let other = if egress { self.destination } else { self.source };
        let entry = acl.deciding(egress, self.protocol, self.port, other);
        (!entry.is_some_and(|entry| entry.allow)).then_some(Obstacle::Acl { acl, egress, entry })
    }

    /// Where a route table leads, if that is nowhere.
    fn astray(&self, state: &'a Snapshot, table: &'a RouteTable) -> Option<Obstacle<'a>> {
        let vpc = state.get::<Vpc>(&table.vpc)?;
        let destination = self.destination;
        let others =
            vpc.ranges().chain(to_endpoints(state, table)).filter(|range| range.contains(&destination));
        let others = others.map(|range| range.prefix_len()).max();
        let made = table.routes.iter().filter(|route| route.destination.contains(&destination));
        let made = made.max_by_key(|route| route.destination.prefix_len());
        let prefix = made.map(|route| route.destination.prefix_len());
        // Routes that were made by hand come before others of the same length.
        if others > prefix {
            return None;
        }
        let fault = match made {
            None => Some(RouteFault::Missing),
            Some(route) => self.fault(state, table, &route.target),
        };
        fault.map(|fault| Obstacle::Route { table, route: made, fault })
    }

    fn fault(&self, state: &Snapshot, table: &RouteTable, target: &RouteTarget) -> Option<RouteFault> {
        if !target.is_usable(state, &table.vpc) {
            return Some(RouteFault::Blackhole);
        }
        let RouteTarget::NetworkInterface(id) = target else { return Some(RouteFault::Uplink) };
        let interface = state.get::<NetworkInterface>(id)?;
        let takes_it = !interface.source_dest_check
            || interface.all_addresses().any(|address| [self.source, self.destination].contains(&address));
        (!takes_it).then_some(RouteFault::NotForwarded)
    }
}

/// Whether no route leads there: it has a meaning on a link only, or is no single receiver's. `fd00:ec2::/32` is to IPv6
/// what 169.254.0.0/16 is to IPv4.
pub fn stays_on_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address.octets()[0] >= 224,
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address.is_multicast()
                || address.segments()[..2] == [0xfd00, 0x0ec2]
        }
    }
}

/// The ranges that a table leads to gateway endpoints.
fn to_endpoints<'a>(state: &'a Snapshot, table: &'a RouteTable) -> impl Iterator<Item = IpNet> + 'a {
    let endpoints = state.found::<VpcEndpoint>(Term::EndpointVpc, table.vpc.as_str());
    let leading = endpoints.filter(|found| found.state.carries_packets() && found.is_routed_from(&table.id));
    leading.flat_map(|endpoint| {
        let list = endpoint.gateway.as_ref();
        let list = list.and_then(|gateway| AwsPrefixList::find(&endpoint.region, &gateway.prefix_list));
        list.map(|list| list.ranges()).unwrap_or_default()
    })
}

impl NetworkAcl {
    /// The entry that decides on a packet: of those that match, the one with the lowest number. `port` is the
    /// destination's; of ICMP, the type. `other` is the address on the other side of the subnet.
    pub fn deciding(&self, egress: bool, protocol: u8, port: u16, other: IpAddr) -> Option<&NetworkAclEntry> {
        let matching = self.entries.iter().filter(|entry| {
            let kind = entry.icmp.map(|(kind, _)| kind);
            entry.egress == egress
                && entry.protocol.is_none_or(|own| own == protocol)
                && entry.cidr.contains(&other)
                && entry.ports.is_none_or(|(from, to)| (from..=to).contains(&port))
                && kind.is_none_or(|kind| kind == -1 || kind == i32::from(port))
        });
        matching.min_by_key(|entry| entry.number)
    }
}

impl RouteTable {
    /// A subnet's table: one that it is associated with, or its VPC's main one.
    pub fn of<'a>(state: &'a Snapshot, subnet: &Subnet) -> Option<&'a Self> {
        let mut tables = state.found::<Self>(Term::RouteTableVpc, subnet.vpc.as_str());
        let own = tables.find(|table| table.associations.iter().any(|(_, its)| *its == subnet.id));
        let main = || state.get::<Self>(&state.get::<Vpc>(&subnet.vpc)?.main_route_table);
        own.or_else(main).map(AsRef::as_ref)
    }
}
