//! Addresses inside the service namespace, and MAC addresses that mean something everywhere.
//!
//! The ranges are disjoint and seen by nobody but the daemon: tables translate between them and the
//! addresses of VPCs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use linkway_model::network_interface::Mac;

/// What the namespace owns whole: every address of it stands for one thing that it answers for.
pub const SERVICE_RANGE: (Ipv4Addr, u8) = (Ipv4Addr::new(172, 16, 0, 0), 12);

/// The namespace's own address: where health checks come from, before tables translate them.
pub const SERVICE_ADDRESS: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 1);

/// Where the resolver answers, for every VPC.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 2);

/// Where instance metadata is answered, for every VPC.
pub const METADATA: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 3);

/// First of the addresses that clients appear to come from, a /8: this and the interface's number.
pub const CLIENT_BASE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);

/// First of the addresses that health checks go to, a /10: this and the probe's offset.
pub const PROBE_BASE: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 0);

/// How many addresses the probe range has.
pub const PROBES: u32 = 1 << 22;

/// First of the addresses that stand for endpoints and balancers' nodes towards the gateway, a /8: this and the
/// number of the interface. The namespace owns it whole. Numbers are never used twice, so they outgrow what is
/// left of private ranges; this one is of class E (RFC 1112), which Linux takes as any other, and is on no wire.
pub const ENDPOINT_BASE: Ipv4Addr = Ipv4Addr::new(240, 0, 0, 0);

/// First of the addresses that answers to what leaves by the uplink come to, a /8: this and the interface index of the
/// host's end of the pair. So no two fabrics on a host have the same. Of class E, too.
pub const UPLINK_BASE: Ipv4Addr = Ipv4Addr::new(241, 0, 0, 0);

/// Addresses that are nobody's on the internet: of IANA's registry of special-purpose addresses (RFC 6890) those that
/// are not globally reachable, but for the three ranges that are for documentation; multicast; and what is reserved.
pub const PRIVATE: [(Ipv4Addr, u8); 10] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Bits that all addresses of the endpoint range share.
pub const ENDPOINT_PREFIX: u8 = 8;

/// Where everything goes that leaves the namespace. It is nowhere else: its neighbour entry is permanent.
pub const SERVICE_GATEWAY: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 1);

/// AWS's link-local address of every VPC's resolver.
pub const RESOLVER_LINK_LOCAL: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 253);

/// AWS's link-local address of instance metadata.
pub const METADATA_LINK_LOCAL: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// Where IPv6 has the addresses of the service namespace, a /96: this and what is the IPv4 address there. So all that
/// an IPv4 address there tells, such as an interface's number, an IPv6 address tells, too.
pub const SERVICE_PREFIX: Ipv6Addr = Ipv6Addr::new(0xfd6c, 0x7700, 0, 0, 0, 0, 0, 0);

/// AWS's IPv6 address of every VPC's resolver.
pub const RESOLVER6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0253);

/// AWS's IPv6 address of instance metadata.
pub const METADATA6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// Where workloads send what leaves their subnet by IPv6: the router's link-local address, the same on every link.
pub const ROUTER6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

/// Where `address` of the service namespace is by IPv6.
pub fn by_ipv6(address: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(SERVICE_PREFIX.to_bits() | u128::from(address.to_bits()))
}

/// The IPv4 address that `address` is, or stands for, in the service namespace; mapped ones are IPv4's.
pub fn as_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address.to_canonical() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => {
            let offset = address.to_bits().checked_sub(SERVICE_PREFIX.to_bits())?;
            u32::try_from(offset).ok().map(Ipv4Addr::from)
        }
    }
}

/// The MAC of every subnet's router: that of an interface whose number is never given out.
pub fn router_mac() -> Mac {
    Mac::of(u32::MAX)
}

/// The MAC of the service namespace.
pub fn service_mac() -> Mac {
    Mac::of(0)
}

/// The MAC of the uplink pair's end in the host's namespace: of a number that is never given out, either.
pub fn uplink_mac() -> Mac {
    Mac::of(u32::MAX - 1)
}

/// What stands for all that leaves by a fabric's uplink, in the host's namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UplinkAddresses {
    /// Where it comes from: of 0.0.0.0/8 (RFC 1122, "this network"), from which no kernel takes a packet. The host's
    /// nftables put the other one in its place.
    pub source: Ipv4Addr,
    /// Where answers come to.
    pub answers: Ipv4Addr,
}

impl UplinkAddresses {
    /// Those of the pair whose end in the host's namespace has this interface index.
    pub fn of(device: u32) -> Self {
        let number = device & 0x00ff_ffff;
        Self { source: number.into(), answers: (u32::from(UPLINK_BASE) | number).into() }
    }
}

/// The address that connections of interface `number` come from, in the service namespace.
pub fn client_address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(CLIENT_BASE).wrapping_add(number))
}

/// The interface that connects from `address`, in the service namespace.
pub fn client_interface(address: Ipv4Addr) -> Option<u32> {
    number_in(CLIENT_BASE, address)
}

/// The address that connections to the endpoint's interface, or the balancer's node, of this `number` go to, in
/// the service namespace.
pub fn endpoint_address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(ENDPOINT_BASE).wrapping_add(number))
}

/// The endpoint's interface, or the balancer's node, that `address` stands for, in the service namespace.
pub fn endpoint_interface(address: Ipv4Addr) -> Option<u32> {
    number_in(ENDPOINT_BASE, address)
}

/// An interface's number by its address in a /8.
fn number_in(base: Ipv4Addr, address: Ipv4Addr) -> Option<u32> {
    let offset = u32::from(address).checked_sub(u32::from(base))?;
    (offset > 0 && offset < 1 << 24).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_from_their_addresses() {
        for number in [1, 255, 1 << 20, (1 << 24) - 1] {
            assert_eq!(client_interface(client_address(number)), Some(number));
            assert_eq!(endpoint_interface(endpoint_address(number)), Some(number));
        }
        assert_eq!(endpoint_address(0x01_0203), Ipv4Addr::new(240, 1, 2, 3));
        for no in [ENDPOINT_BASE, RESOLVER, Ipv4Addr::new(241, 0, 0, 0), client_address(7)] {
            assert_eq!(endpoint_interface(no), None, "{no}");
        }
        assert_eq!(client_interface(endpoint_address(7)), None);
    }

    #[test]
    fn an_address_by_ipv6_tells_what_the_one_by_ipv4_does() {
        let client = client_address(77);
        assert_eq!(by_ipv6(client).to_string(), "fd6c:7700::a00:4d");
        for form in [IpAddr::V4(client), by_ipv6(client).into(), client.to_ipv6_mapped().into()] {
            assert_eq!(as_ipv4(form), Some(client), "{form}");
        }
        assert_eq!(as_ipv4(RESOLVER6.into()), None);
        assert_eq!(as_ipv4("fd6c:7700::1:a00:4d".parse().unwrap()), None);
    }
}
