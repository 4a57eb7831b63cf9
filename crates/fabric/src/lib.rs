//! The model compiled into kernel tables; interfaces, namespaces, BPF programs and maps.
//!
//! [`compile::compile`] says what the tables shall hold; [`Fabric`] brings the machine there.

mod attach;
mod attachment;
pub mod compile;
mod counters;
mod devices;
mod doctor;
mod error;
mod fabric;
mod firewall;
pub mod flows;
pub mod inspect;
mod kernel;
pub mod layout;
mod link;
mod maps;
pub mod namespace;
mod privileges;
pub mod programs;
pub mod ranges;
mod read;
mod reason;
pub mod reference;
mod service;
mod shares;
mod source_route;
pub mod tables;
mod teardown;
mod uplink;

pub use attachment::instance_namespace;
pub use compile::probes::{ProbeKey, Probes, probe_addresses};
pub use compile::relays::{Relay, RelayTarget, relays};
pub use doctor::{Check, doctor};
pub use error::FabricError;
pub use fabric::{Fabric, Settings};
pub use link::has_ipv6;
pub use ranges::{
    METADATA, RESOLVER, as_ipv4, by_ipv6, client_address, client_interface, endpoint_address,
    endpoint_interface,
};
pub use read::{Amount, DropEvent, Events, Reader, ShareUse, TrafficCount};
pub use reason::Reason;
pub use teardown::teardown;
