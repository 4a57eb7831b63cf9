//! DB subnet groups: the subnets that DB instances may be in.

mod change;
mod default;
mod describe;

pub(crate) use change::{create, delete, modify};
pub(super) use default::default;
pub(crate) use describe::describe;
pub(super) use describe::shape;
