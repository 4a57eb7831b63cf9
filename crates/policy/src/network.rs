//! Addresses and networks, as `IpAddress` compares them.

use std::net::IpAddr;

/// A network: the bits that its addresses have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    V4 { bits: u32, mask: u32 },
    V6 { bits: u128, mask: u128 },
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or an address, which is a network of one. Bits after the prefix
    /// are ignored.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) if prefix.bytes().all(|b| b.is_ascii_digit()) => {
                (address, Some(prefix.parse::<u32>().ok()?))
            }
            Some(_) => return None,
            None => (text, None),
        };
        Some(match address.parse().ok()? {
            IpAddr::V4(address) => {
                let host = 32_u32.checked_sub(prefix.unwrap_or(32))?;
                let mask = u32::MAX.checked_shl(host).unwrap_or(0);
                Self::V4 { bits: address.to_bits() & mask, mask }
            }
            IpAddr::V6(address) => {
                let host = 128_u32.checked_sub(prefix.unwrap_or(128))?;
                let mask = u128::MAX.checked_shl(host).unwrap_or(0);
                Self::V6 { bits: address.to_bits() & mask, mask }
            }
        })
    }

    /// Whether all addresses of the other network are in this one.
    pub(crate) fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::V4 { bits, mask }, Self::V4 { bits: other, mask: narrow }) => {
                narrow & mask == mask && other & mask == bits
            }
            (Self::V6 { bits, mask }, Self::V6 { bits: other, mask: narrow }) => {
                narrow & mask == mask && other & mask == bits
            }
            _ => false,
        }
    }

    /// Whether the address is in the network. An IPv4 address mapped into IPv6 is an IPv6 address.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { bits, mask }, IpAddr::V4(address)) => address.to_bits() & mask == bits,
            (Self::V6 { bits, mask }, IpAddr::V6(address)) => address.to_bits() & mask == bits,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network).expect(network).contains(address.parse().expect(address))
    }

    #[test]
    fn edges() {
        assert!(contains("10.0.0.0/31", "10.0.0.1") && !contains("10.0.0.0/31", "10.0.0.2"));
        assert!(contains("0.0.0.0/0", "198.51.100.9") && contains("::/0", "2001:db8::1"));
        assert!(contains("10.0.0.5/24", "10.0.0.77"));
        assert!(contains("203.0.113.5", "203.0.113.5") && !contains("203.0.113.5", "203.0.113.4"));
        assert!(contains("2001:DB8:1::/48", "2001:db8:1:ffff::1"));
    }

    #[test]
    fn families_do_not_mix() {
        assert!(!contains("10.0.0.0/8", "::ffff:10.1.2.3") && !contains("::/0", "10.1.2.3"));
    }

    #[test]
    fn other_text_is_no_network() {
        for text in
            ["", "garbage", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "10.0.0.0/+8", "10.0.0.0/8/8"]
        {
            assert_eq!(Network::parse(text), None, "{text:?}");
        }
    }
}
