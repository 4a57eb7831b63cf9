//! Health checks of a load balancer's targets.
//!
//! Every target of a target group that a listener forwards to is checked, by a task of its own, at the
//! group's interval; groups that nothing forwards to are not, as on AWS. The checker is handed snapshots of
//! the state ([`Checker::publish`]) and reports a target's health when it changes; it keeps nothing itself.
#![forbid(unsafe_code)]

mod check;
mod checker;
mod matcher;
mod plan;
mod tally;
mod task;

pub use checker::{Checker, Outside};
