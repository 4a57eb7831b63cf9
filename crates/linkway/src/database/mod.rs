//! Database servers: their programs, files and sandboxes. What is in here runs in the keeper's workers, with rights;
//! but for [`installed`], which the daemon asks.
//!
//! A server is an instance of its own: a network namespace that the fabric makes, and a PID, mount, UTS and IPC
//! namespace around its [`init`], in which it runs as its package's unprivileged user. It sees the host's programs,
//! read-only, its own directory, and of the host's other data nothing.

pub(crate) mod certificate;
pub(crate) mod console;
pub(crate) mod directory;
pub(crate) mod engine;
pub(crate) mod init;
pub(crate) mod inside;
pub(crate) mod installed;
pub(crate) mod mariadb;
pub(crate) mod postgres;
pub(crate) mod sandbox;
