//! Network interfaces.

mod allocate;

pub(crate) use allocate::{Allocation, addresses_in, allocate};
