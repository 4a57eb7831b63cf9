//! EC2: the registry of its operations.

pub(crate) mod network_interface;
pub(crate) mod security_group;
