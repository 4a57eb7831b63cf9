//! Network Load Balancers.

mod attributes;
mod create;
mod delete;
mod describe;
mod nodes;
mod reconcile;

pub(crate) use attributes::{describe as describe_attributes, modify as modify_attributes};
pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use describe::describe;
pub(crate) use reconcile::reconcile;
