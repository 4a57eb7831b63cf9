//! The way out of the fabric: a pair of devices between its namespace and the host's, made where the operator has named
//! an uplink. `bpf/uplink.h` says what goes through it, and what keeps it off the host itself.
//!
//! Like all else of the packet path it stays when the daemon ends. It goes with `linkway down`, and when the daemon is
//! started without an uplink.

use std::os::fd::AsFd;
use std::path::Path;

use ipnet::Ipv4Net;

use crate::attach::attach;
use crate::compile::{Uplink, hash};
use crate::error::FabricError;
use crate::firewall::{self, Firewall};
use crate::link::{self, End, Link, Netlink};
use crate::maps::Programs;
use crate::namespace;
use crate::ranges::{self, UplinkAddresses};

/// The name of the pair's end in the fabric's namespace.
pub(crate) const FABRIC_END: &str = "uplink";

/// What the names of all ends in the host's namespace begin with.
pub(crate) const HOST_ENDS: &str = "lkw-";

/// Set up the way out of the fabric `name`, whose namespace is at `path`, through the host's device `interface`. The
/// calling thread is in the host's namespace.
pub(crate) fn set_up(
    name: &str,
    interface: &str,
    path: &Path,
    fabric: &Netlink,
    programs: &Programs,
) -> Result<Uplink, FabricError> {
    check(interface)?;
    let host = Netlink::here()?;
    let gone = || FabricError::NoUplink { interface: interface.to_owned() };
    let out = host.link(interface)?.ok_or_else(gone)?;
    let host_end = host_end(name);
    let (here, there) = pair(&host_end, fabric, &host)?;
    let addresses = UplinkAddresses::of(there.index);

    namespace::enter(path, || attach(programs.from_uplink.as_fd(), here.index))?;
    link::set_ipv6(&host_end, false)?;
    link::set_option(&format!("ipv4/conf/{host_end}/forwarding"), "1")?;
    link::set_option(&format!("ipv4/conf/{host_end}/send_redirects"), "0")?;
    Firewall { name, pair: &host_end, uplink: interface, addresses }.set_up()?;

    // The segments that both sides of a connection agree on have to fit through the uplink.
    fabric.set_mtu(here.index, out.mtu)?;
    host.set_mtu(there.index, out.mtu)?;
    fabric.up(here.index)?;
    host.up(there.index)?;
    host.set_neighbour(there.index, addresses.answers.into(), ranges::router_mac())?;
    host.add_direct_route(there.index, Ipv4Net::from(addresses.answers))?;
    fabric.wait_until_running(here.index)?;
    Ok(Uplink { device: here.index, addresses })
}

/// Remove what there is in the host's namespace of the way out of the fabric `name`. No error if there is nothing.
pub(crate) fn remove(name: &str) -> Result<(), FabricError> {
    let host = Netlink::here()?;
    if let Some(found) = host.link(&host_end(name))?.filter(is_ours) {
        host.delete(found.index)?;
    }
    firewall::remove(name)
}

/// Both ends of the pair: here, and in the host's namespace.
fn pair(host_end: &str, fabric: &Netlink, host: &Netlink) -> Result<(Link, Link), FabricError> {
    let found =
        || -> Result<_, FabricError> { Ok((fabric.link(FABRIC_END)?, host.link(host_end)?.filter(is_ours))) };
    if let (Some(here), Some(there)) = found()? {
        return Ok((here, there));
    }
    // One without the other: its pair is with a namespace that somebody has removed.
    if let (Some(left), _) = found()? {
        fabric.delete(left.index)?;
    }
    if let (_, Some(left)) = found()? {
        host.delete(left.index)?;
    }
    let here = End { name: FABRIC_END, mac: ranges::router_mac() };
    let there = End { name: host_end, mac: ranges::uplink_mac() };
    let own = Path::new(namespace::OWN);
    fabric.add_pair(&here, &there, own)?;
    let (here, there) = found()?;
    here.zip(there).ok_or_else(|| FabricError::NamespaceGone { path: own.to_owned() })
}

fn is_ours(link: &Link) -> bool {
    link.mac == ranges::uplink_mac().0
}

/// The name of the end in the host's namespace: the fabric's own may be too long for a device.
fn host_end(name: &str) -> String {
    format!("{HOST_ENDS}{:08x}", hash::text(&[name]) as u32)
}

/// Names of devices become those of rules.
fn check(interface: &str) -> Result<(), FabricError> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if interface != "lo" && (1..16).contains(&interface.len()) && interface.bytes().all(letters) {
        Ok(())
    } else {
        Err(FabricError::NoUplink { interface: interface.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_are_short_and_of_one_fabric() {
        let long = host_end("a-name-of-as-many-letters-as-can-");
        assert!(long.len() < 16 && long.starts_with(HOST_ENDS), "{long}");
        assert_ne!(host_end("linkway"), host_end("linkway-2"));
    }

    #[test]
    fn what_is_no_uplink_is_refused() {
        for fine in ["eth0", "enp3s0.100", "wl_1", "br-lan"] {
            check(fine).unwrap_or_else(|error| panic!("{error}"));
        }
        for wrong in ["", "lo", "eth0; flush", "eth0\"", "a-name-too-long-"] {
            assert!(matches!(check(wrong), Err(FabricError::NoUplink { .. })), "{wrong:?}");
        }
    }
}
