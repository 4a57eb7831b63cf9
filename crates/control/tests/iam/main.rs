//! IAM and STS through their traits, and who may call what.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod groups;
mod policies;
mod roles;
mod sessions;
mod users;
mod world;
