//! The packet programs, one packet at a time: what goes in, the verdict, what comes out, what is counted.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "a test is a crate of its own, and may panic")]

mod fragments;
mod frame;
mod frame6;
mod frames;
mod loaded;
mod parsed;
#[path = "../differential/seed.rs"]
mod seed;
mod site;
mod tables;
mod world;

mod acls;
mod arp;
mod checks;
mod clamping;
mod collector;
mod cost;
mod datagrams;
mod delivery;
mod endpoints;
mod epochs;
mod errors;
mod gateway;
mod gateway_endpoints;
mod ipv6;
mod neighbours;
mod noise;
mod reasons;
mod resets;
mod routes;
mod rules;
mod service;
mod shares;
mod time_outs;
mod uplink;
mod workloads;
