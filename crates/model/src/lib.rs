//! What exists in Linkway: identifiers, addresses, resources and the rules they keep. No I/O, no async.
//!
//! Every resource is a [`Resource`]: a document with an id, kept in one [`Table`] of the [`Snapshot`].
//! The list of them all is in [`snapshot`]; whoever adds a resource adds a file here and a line there.
#![forbid(unsafe_code)]

pub mod account;
pub mod account_region;
pub mod aws_policy;
pub mod aws_prefix_list;
pub mod aws_service;
pub mod base64_text;
pub mod certificate;
pub mod connection_notification;
pub mod crossing;
pub mod database;
pub mod database_parameter;
pub mod dhcp_options;
pub mod elastic_address;
pub mod endpoint_service;
pub mod flow_log;
mod hash;
pub mod iam;
pub mod id;
pub mod idempotency;
pub mod image;
pub mod index;
pub mod instance;
pub mod instance_type;
pub mod interface_permission;
pub mod internet_gateway;
pub mod ip_address_type;
pub mod key_pair;
pub mod launch;
pub mod launch_template;
pub mod load_balancer;
pub mod nat_gateway;
pub mod network_acl;
pub mod network_interface;
pub mod notice;
pub mod outside_targets;
pub mod own_region;
pub mod prefix_list;
pub mod region;
pub mod route_table;
pub mod routing;
pub mod security_group;
pub mod service_backend;
pub mod session;
pub mod snapshot;
pub mod ssl_policy;
pub mod subnet;
pub mod tag;
mod uuid;
pub mod vpc;
pub mod vpc_endpoint;

pub use id::*;
pub use snapshot::{Resource, Snapshot, Table};
pub use tag::Tags;
pub use uuid::random_uuid;

/// A moment, as resources record their creation.
pub use jiff::Timestamp;
