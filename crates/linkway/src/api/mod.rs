//! AWS's API: from an HTTP request to the operation that it asks for, and back.

pub(crate) mod call;
pub(crate) mod credentials;
pub(crate) mod server;
