//! VPCs and what is in them, driven as the wire drives them: through the generated traits, on a state that is
//! kept nowhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod attachment;
mod database;
mod default_vpc;
mod describing;
mod dhcp_options;
mod elastic_address;
mod gateways;
mod group_association;
mod instance;
mod ipv6;
mod machine;
mod managed;
mod nat_gateway;
mod network_acl;
mod network_interface;
mod prefix_list;
mod requests;
mod route_table;
mod security_group;
mod subnet;
mod vpc;
mod vpc_cidr;
mod world;
