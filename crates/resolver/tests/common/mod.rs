//! What the tests share: a world of VPCs built by hand, and both ends of the wire.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used, reason = "it is all tests")]

pub mod net;
pub mod world;
