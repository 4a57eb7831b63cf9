//! Network Load Balancers.

mod attributes;
mod create;
mod delete;
mod describe;
mod nodes;
mod reconcile;
mod set;

pub(crate) use attributes::{describe as describe_attributes, modify as modify_attributes};
pub(crate) use create::{MAX_BALANCERS, create};
pub(crate) use delete::delete;
pub(crate) use describe::describe;
pub(crate) use reconcile::reconcile;
pub(crate) use set::{
    ip_address_type as set_ip_address_type, security_groups as set_security_groups, subnets as set_subnets,
};
