//! VPCs and what is in them, driven as the wire drives them: through the generated traits, on a state that is
//! kept nowhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod database;
mod describing;
mod instance;
mod managed;
mod network_interface;
mod requests;
mod security_group;
mod subnet;
mod vpc;
mod world;
