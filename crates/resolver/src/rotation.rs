//! Addresses of one name, given out round robin.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A name's addresses. Each answer begins with the next one of its family.
#[derive(Debug)]
pub(crate) struct Rotation {
    ipv4: Turns<Ipv4Addr>,
    ipv6: Turns<Ipv6Addr>,
}

/// The addresses of one family.
#[derive(Debug)]
struct Turns<A> {
    addresses: Vec<A>,
    next: AtomicUsize,
}

impl Rotation {
    /// `start` says which address is first; give what differs from view to view, as a busy installation
    /// makes a view for every few answers.
    pub(crate) fn new(addresses: impl IntoIterator<Item = IpAddr>, start: u64) -> Self {
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                IpAddr::V4(address) => ipv4.push(address),
                IpAddr::V6(address) => ipv6.push(address),
            }
        }
        Self { ipv4: Turns::new(ipv4, start), ipv6: Turns::new(ipv6, start) }
    }

    /// All IPv4 addresses, in the next order.
    pub(crate) fn ipv4(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.ipv4.turn()
    }

    /// All IPv6 addresses, in the next order.
    pub(crate) fn ipv6(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.ipv6.turn()
    }
}

impl<A: Copy> Turns<A> {
    fn new(addresses: Vec<A>, start: u64) -> Self {
        let start = start.checked_rem(addresses.len() as u64).unwrap_or(0);
        Self { addresses, next: AtomicUsize::new(start as usize) }
    }

    fn turn(&self) -> impl Iterator<Item = A> + '_ {
        let count = self.addresses.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(count).unwrap_or(0);
        self.addresses.iter().cycle().skip(first).take(count).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_gets_its_turn_at_the_head() {
        let addresses: Vec<IpAddr> = (1..=3).map(|n| Ipv4Addr::new(10, 0, n, 5).into()).collect();
        let rotation = Rotation::new(addresses.clone(), 7);
        let heads: Vec<_> = (0..3).filter_map(|_| rotation.ipv4().next()).collect();
        assert_eq!(heads, [addresses[1], addresses[2], addresses[0]]);
        assert_eq!(rotation.ipv4().count(), 3);
        assert_eq!(Rotation::new([], 7).ipv4().count(), 0);
    }

    #[test]
    fn families_take_their_turns_apart() {
        let six: [Ipv6Addr; 2] = ["2001:db8::1", "2001:db8::2"].map(|address| address.parse().unwrap());
        let rotation = Rotation::new([Ipv4Addr::LOCALHOST.into(), six[0].into(), six[1].into()], 0);
        for turn in 0..4 {
            assert_eq!(rotation.ipv4().collect::<Vec<_>>(), [Ipv4Addr::LOCALHOST]);
            assert_eq!(rotation.ipv6().next(), Some(six[turn % 2]));
        }
    }
}
