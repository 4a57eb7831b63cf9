//! Managed prefix lists, callers' and AWS's own.

mod associations;
mod change;
mod describe;
mod entries;
mod listed;
mod reconcile;

pub(crate) use associations::associations;
pub(crate) use change::{create, delete, modify, restore};
pub(crate) use describe::{describe, describe_managed, get_entries};
pub(crate) use listed::{find, weight};
pub(crate) use reconcile::reconcile;
