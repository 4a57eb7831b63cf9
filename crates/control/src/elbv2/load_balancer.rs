//! Network Load Balancers.

mod address_type;
mod attributes;
mod create;
mod delete;
mod describe;
mod groups;
mod nodes;
mod reconcile;
mod subnets;

pub(crate) use address_type::set as set_ip_address_type;
pub(crate) use attributes::{describe as describe_attributes, modify as modify_attributes};
pub(crate) use create::{MAX_BALANCERS, create};
pub(crate) use delete::delete;
pub(crate) use describe::describe;
pub(crate) use groups::set as set_security_groups;
pub(crate) use reconcile::reconcile;
pub(crate) use subnets::set as set_subnets;
