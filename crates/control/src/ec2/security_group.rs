//! Security groups.

mod membership;

pub(crate) use membership::{groups_of_vpc, identifiers};
