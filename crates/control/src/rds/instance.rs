//! DB instances.
//!
//! Operations say what shall be, by a DB instance's state; whoever runs the servers does it and then says so
//! (`admin/database.rs`).

mod create;
mod credentials;
mod delete;
mod describe;
mod groups;
mod modify;
mod place;
mod power;
mod settings;
mod unsupported;
mod window;

pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use describe::describe;
pub(crate) use modify::modify;
pub(crate) use power::{reboot, start, stop};
pub(super) use settings::license;
