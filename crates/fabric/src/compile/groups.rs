//! Sets of security groups: what an interface has, under one number.

use linkway_model::index;
use linkway_model::network_interface::NetworkInterface;

use super::hash;

/// The number of the set that `interface` has; 0 where groups do not apply. Whatever else has none is let nothing in.
pub(super) fn set_of(interface: &NetworkInterface) -> u64 {
    if interface.is_without_groups() { 0 } else { number(&index::set(&interface.groups)) }
}

/// The number of a set, by its text in the index.
pub(super) fn number(set: &str) -> u64 {
    hash::text(&[set])
}
