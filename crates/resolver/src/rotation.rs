//! Addresses of one name, given out round robin.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A name's addresses. Each answer begins with the next one.
#[derive(Debug)]
pub(crate) struct Rotation {
    addresses: Vec<Ipv4Addr>,
    next: AtomicUsize,
}

impl Rotation {
    /// `start` says which address is first; give what differs from view to view, as a busy installation
    /// makes a view for every few answers.
    pub(crate) fn new(addresses: Vec<Ipv4Addr>, start: u64) -> Self {
        let start = start.checked_rem(addresses.len() as u64).unwrap_or(0);
        Self { addresses, next: AtomicUsize::new(start as usize) }
    }

    /// All addresses, in the next order.
    pub(crate) fn turn(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
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
        let addresses: Vec<Ipv4Addr> = (1..=3).map(|n| Ipv4Addr::new(10, 0, n, 5)).collect();
        let rotation = Rotation::new(addresses.clone(), 7);
        let heads: Vec<_> = (0..3).filter_map(|_| rotation.turn().next()).collect();
        assert_eq!(heads, [addresses[1], addresses[2], addresses[0]]);
        assert_eq!(rotation.turn().count(), 3);
        assert_eq!(Rotation::new(Vec::new(), 7).turn().count(), 0);
    }
}
