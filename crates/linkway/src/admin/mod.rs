//! Between the commands and the daemon: HTTP/1.1 with JSON over a Unix socket in the state directory.

pub(crate) mod client;
pub(crate) mod containers;
pub(crate) mod handlers;
pub(crate) mod launch;
pub(crate) mod protocol;
pub(crate) mod server;
pub(crate) mod status;
