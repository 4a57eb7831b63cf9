//! RDS, as callers see it: the service's trait is driven over a state in memory. Servers are said to be there, and
//! none runs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod creating;
mod engines;
mod life;
mod parameter_groups;
mod subnet_groups;
mod world;
