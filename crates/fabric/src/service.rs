//! The service namespace: where the daemon's resolver, health checker and gateway have their sockets.
//!
//! It owns the service range and the endpoint range whole, and everything that leaves it goes to the packet program. Nothing in
//! it asks for neighbours: the one that it has is permanent.

use std::net::IpAddr;
use std::path::Path;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::error::FabricError;
use crate::link::{self, Both, End, LOOPBACK, Netlink};
use crate::namespace;
use crate::ranges;

/// The name of the pair's end in the fabric's namespace.
pub(crate) const HOST_END: &str = "svc";

/// The name of its end in the service namespace.
const INSIDE: &str = "eth0";

/// Connections that may wait there to be accepted, where the kernel's own limit is 4,096 for all endpoints
/// together: each program says how many at its socket may.
const WAITING_CONNECTIONS: &str = "16384";

/// Set up the namespace at `path` and the pair that joins it to the fabric's, whose `fabric` is. Returns the
/// interface index of the fabric's end.
pub(crate) fn set_up(path: &Path, fabric: &Netlink) -> Result<u32, FabricError> {
    namespace::create(path, || Netlink::here()?.up(LOOPBACK))?;
    let inside = Netlink::open(path)?;
    let device = match (fabric.link(HOST_END)?, inside.link(INSIDE)?) {
        (Some(here), Some(_)) => here.index,
        (left, _) => {
            // One end without the other here: its pair is with a namespace that somebody has removed.
            if let Some(left) = left {
                fabric.delete(left.index)?;
            }
            make_pair(path, fabric)?
        }
    };
    fabric.up(device)?;
    configure(path, &inside)?;
    fabric.wait_until_running(device)?;
    Ok(device)
}

fn make_pair(path: &Path, fabric: &Netlink) -> Result<u32, FabricError> {
    let here = End { name: HOST_END, mac: ranges::router_mac() };
    let there = End { name: INSIDE, mac: ranges::service_mac() };
    fabric.add_pair(&here, &there, path)?;
    let made = fabric.link(HOST_END)?;
    made.map(|link| link.index).ok_or_else(|| FabricError::NamespaceGone { path: path.to_owned() })
}

fn configure(path: &Path, inside: &Netlink) -> Result<(), FabricError> {
    namespace::enter(path, || {
        // Its address is the loopback device's, so that this one joins no multicast group, which it would report.
        link::set_option(&format!("ipv6/conf/{INSIDE}/addr_gen_mode"), "1")?;
        link::set_ipv6(INSIDE, true)?;
        // Sockets are bound to addresses of ranges that it answers for, without having each of them.
        link::set_option("ipv6/ip_nonlocal_bind", "1")?;
        // Clients come from a range that the namespace has no particular route to.
        for device in ["all", "default", INSIDE] {
            link::set_option(&format!("ipv4/conf/{device}/rp_filter"), "0")?;
        }
        // What the gateway has closed would keep a port towards its target for a minute.
        link::set_option("ipv4/tcp_tw_reuse", "1")?;
        link::set_option("core/somaxconn", WAITING_CONNECTIONS)?;
        link::set_option("ipv4/tcp_max_syn_backlog", WAITING_CONNECTIONS)
    })?;
    let device =
        inside.link(INSIDE)?.ok_or_else(|| FabricError::NamespaceGone { path: path.to_owned() })?.index;
    inside.set_addresses(device, &[IpAddr::V4(ranges::SERVICE_ADDRESS).into()])?;
    inside.up(device)?;
    let own = Both { ipv4: ranges::SERVICE_ADDRESS, ipv6: ranges::by_ipv6(ranges::SERVICE_ADDRESS) };
    let gateway = Both { ipv4: ranges::SERVICE_GATEWAY, ipv6: ranges::ROUTER6 };
    let owned = [ranges::SERVICE_RANGE, (ranges::ENDPOINT_BASE, ranges::ENDPOINT_PREFIX)];
    for (network, prefix) in owned {
        inside.add_local_range(IpNet::V4(Ipv4Net::new_assert(network, prefix)))?;
    }
    inside.set_neighbour(device, IpAddr::V4(gateway.ipv4), ranges::router_mac())?;
    inside.add_route(device, IpNet::V4(Ipv4Net::default()), gateway, Some(own))?;
    if !link::has_ipv6() {
        return Ok(());
    }
    inside.add_address(LOOPBACK, IpAddr::V6(own.ipv6).into())?;
    for (network, prefix) in owned {
        inside.add_local_range(IpNet::V6(Ipv6Net::new_assert(ranges::by_ipv6(network), 96 + prefix)))?;
    }
    inside.set_neighbour(device, IpAddr::V6(gateway.ipv6), ranges::router_mac())?;
    inside.add_route(device, IpNet::V6(Ipv6Net::default()), gateway, Some(own))
}
