//! DB subnet groups: the subnets that DB instances may be in.

mod change;
mod describe;

pub(crate) use change::{create, delete, modify};
pub(crate) use describe::describe;
pub(super) use describe::shape;
