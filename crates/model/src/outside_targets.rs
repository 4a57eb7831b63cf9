//! Which addresses outside of any VPC may be targets.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Blocks that no wider range stands for, because of what answers there: this host's own programs, and what a
/// cloud's metadata service tells of its machines.
const ONLY_BY_NAME: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
];

/// Ranges of addresses that the host reaches and that may be targets, as the operator says. Nothing, unless said:
/// whoever may register targets could reach the host's own ports otherwise, and what only the host can reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutsideTargets(Vec<Ipv4Net>);

impl OutsideTargets {
    /// Targets may be in these ranges.
    pub fn new(ranges: Vec<Ipv4Net>) -> Self {
        Self(ranges)
    }

    /// Whether this address may be a target. Loopback and link-local addresses may be only by ranges of their own:
    /// `0.0.0.0/0` does not name them. What is no host's address never may.
    pub fn allow(&self, address: Ipv4Addr) -> bool {
        let block = ONLY_BY_NAME.iter().find(|block| block.contains(&address));
        let is_named = |range: &Ipv4Net| {
            range.contains(&address) && block.is_none_or(|block| block.contains(&range.trunc()))
        };
        is_a_hosts(address) && self.0.iter().any(is_named)
    }
}

/// Not "this network", which means the host itself to a connection (RFC 1122), nor multicast, nor broadcast.
fn is_a_hosts(address: Ipv4Addr) -> bool {
    address.octets()[0] != 0 && !address.is_multicast() && !address.is_broadcast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(ranges: &[&str], address: &str) -> bool {
        let ranges = ranges.iter().map(|range| range.parse().unwrap()).collect();
        OutsideTargets::new(ranges).allow(address.parse().unwrap())
    }

    #[test]
    fn nothing_unless_said() {
        assert!(!allowed(&[], "192.0.2.1"));
        assert!(!allowed(&[], "127.0.0.1"));
    }

    #[test]
    fn what_is_in_one_of_the_ranges() {
        let ranges = ["192.0.2.0/24", "198.51.100.7/32"];
        assert!(allowed(&ranges, "192.0.2.9") && allowed(&ranges, "198.51.100.7"));
        assert!(!allowed(&ranges, "192.0.3.9") && !allowed(&ranges, "198.51.100.8"));
    }

    #[test]
    fn the_hosts_own_and_link_local_addresses_by_name_only() {
        for (address, own, wider) in [
            ("127.0.0.1", ["127.0.0.1/32", "127.0.0.0/8"], ["0.0.0.0/0", "126.0.0.0/7"]),
            ("169.254.169.254", ["169.254.169.254/32", "169.254.0.0/16"], ["0.0.0.0/0", "169.0.0.0/8"]),
        ] {
            assert!(own.iter().all(|range| allowed(&[range], address)), "{address}");
            assert!(!wider.iter().any(|range| allowed(&[range], address)), "{address}");
        }
        assert!(allowed(&["0.0.0.0/0"], "10.0.0.1"));
    }

    #[test]
    fn what_no_host_has() {
        for address in ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255"] {
            assert!(!allowed(&["0.0.0.0/0", &format!("{address}/32")], address), "{address}");
        }
    }
}
