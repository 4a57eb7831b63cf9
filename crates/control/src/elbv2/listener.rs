//! Listeners: where a balancer takes connections, and the group that it sends them to.

mod attributes;
mod change;
mod describe;
mod forward;
mod tls;

pub(crate) use attributes::{describe as describe_attributes, modify as modify_attributes};
pub(crate) use change::{MAX_LISTENERS, create, delete, modify};
pub(crate) use describe::describe;
pub(crate) use tls::{
    add as add_certificates, describe as describe_certificates, remove as remove_certificates,
};
