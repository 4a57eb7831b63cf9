//! IAM and STS through their traits, and who may call what.

mod access;
mod groups;
mod policies;
mod roles;
mod sessions;
mod users;
mod world;
