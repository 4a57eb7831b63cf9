//! Keys and values of the kernel's tables, as `bpf/layout.h` defines them and the build generates them:
//! under Rust's names, comparable, and as bytes.

use std::mem::size_of;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use crate::programs::types;

/// A type that the kernel's tables hold.
///
/// # Safety
/// It is `repr(C)`, has no padding but fields named so, and every bit pattern is a value of it.
pub unsafe trait Layout: Copy + Default {
    /// Its bytes, as the kernel has them.
    fn bytes(&self) -> &[u8] {
        // SAFETY: the trait's contract: no padding, so every byte is initialised.
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(self).cast::<u8>(), size_of::<Self>()) }
    }

    /// The value that these bytes are; `None` if there are more or fewer than it has.
    fn read(bytes: &[u8]) -> Option<Self> {
        // SAFETY: the trait's contract: every bit pattern is a value; and the length is checked.
        (bytes.len() == size_of::<Self>()).then(|| unsafe { bytes.as_ptr().cast::<Self>().read_unaligned() })
    }
}

// SAFETY: integers have no padding and no forbidden values.
unsafe impl Layout for u32 {}

// SAFETY: as above.
unsafe impl Layout for u64 {}

macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident = $generated:ident;)*) => {$(
        $(#[$doc])*
        pub type $name = types::$generated;

        // SAFETY: `layout.h` says that all padding is explicit, and it holds integers only.
        unsafe impl Layout for $name {}

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.bytes() == other.bytes()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.bytes().cmp(other.bytes())
            }
        }
    )*};
}

layouts! {
    /// 16 bytes of an address; [`ip`] and [`address`] convert.
    Address = address;
    /// What every packet reads.
    KernelSettings = settings;
    /// Who is behind a device.
    Port = port;
    /// A network interface.
    Interface = interface;
    /// An address in a VPC.
    PlaceKey = place_key;
    /// What stands at an address.
    Place = place;
    /// A group in a set of groups.
    MemberKey = member_key;
    /// A set of groups and a direction.
    RulesetKey = ruleset_key;
    /// The rules of a set of groups.
    Ruleset = ruleset;
    /// Where eight rules are.
    RuleKey = rule_key;
    /// Eight rules.
    RuleChunk = rule_chunk;
    /// One rule.
    Rule = rule;
    /// What is asked where packets leave and enter a subnet.
    Subnet = subnet;
    /// A route table and a destination.
    RouteKey = route_key;
    /// Where a route leads.
    Route = route;
    /// Where an endpoint's interface leads.
    Endpoint = endpoint;
    /// A balancer's node, a port and a protocol.
    ListenerKey = listener_key;
    /// What listens there.
    Listener = listener;
    /// Where a target is.
    TargetKey = target_key;
    /// A target.
    Target = target;
    /// What a health check means.
    Probe = probe;
    /// One direction of a flow.
    FlowKey = flow_key;
    /// What is known of it.
    Flow = flow;
    /// A sender's slot for a first fragment.
    FragmentKey = fragment_key;
    /// What those that follow it need.
    Fragment = fragment;
    /// Places taken, and given back.
    Tally = tally;
    /// What an interface has of the flow table.
    Share = share;
    /// A flow to remove if its time is up.
    Collection = collection;
    /// By how much a share is off.
    Correction = correction;
    /// An interface and a reason.
    DropKey = drop_key;
    /// Packets and bytes.
    Count = count;
    /// What went through an endpoint.
    Traffic = traffic;
    /// One dropped packet.
    RawDropEvent = drop_event;
}

/// An address as the tables have it: IPv4 as `::ffff:a.b.c.d`.
pub fn address(ip: impl Into<IpAddr>) -> Address {
    let ip = match ip.into() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut word = [0; 4];
    for (word, bytes) in word.iter_mut().zip(ip.octets().as_chunks::<4>().0) {
        *word = u32::from_ne_bytes(*bytes);
    }
    Address { word }
}

/// A range as the tables have it: its first address, and how many of the 128 bits all of its addresses share.
pub fn range(range: impl Into<IpNet>) -> (Address, u32) {
    match range.into() {
        IpNet::V4(range) => (address(range.network()), 96 + u32::from(range.prefix_len())),
        IpNet::V6(range) => (address(range.network()), range.prefix_len().into()),
    }
}

/// The address that the tables mean.
pub fn ip(address: &Address) -> Ipv6Addr {
    let mut octets = [0; 16];
    for (bytes, word) in octets.as_chunks_mut::<4>().0.iter_mut().zip(address.word) {
        *bytes = word.to_ne_bytes();
    }
    Ipv6Addr::from(octets)
}

/// The same, of either family.
pub fn either_ip(address: &Address) -> IpAddr {
    IpAddr::V6(ip(address)).to_canonical()
}

/// The range of those that share so many of the 128 bits. `None`: there are no such ranges.
pub fn net(address: &Address, bits: u32) -> Option<IpNet> {
    let bits = u8::try_from(bits).ok()?;
    match either_ip(address) {
        IpAddr::V4(address) => IpNet::new(address.into(), bits.checked_sub(96)?).ok(),
        IpAddr::V6(address) => IpNet::new(address.into(), bits).ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_is_kept_in_the_order_of_the_packet() {
        let mapped = address(Ipv4Addr::new(10, 1, 2, 3));
        let key = PlaceKey { vpc: 0, address: mapped };
        assert_eq!(&key.bytes()[4..], &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3]);
        assert_eq!(ip(&mapped).to_ipv4_mapped(), Some(Ipv4Addr::new(10, 1, 2, 3)));
    }

    #[test]
    fn values_read_back_from_their_bytes() {
        let listener = Listener { targets: 7, count: 2, total: 3, idle_seconds: 350, flags: 0 };
        assert_eq!(Listener::read(listener.bytes()), Some(listener));
        assert_eq!(Listener::read(&[0; 3]), None);
    }
}
