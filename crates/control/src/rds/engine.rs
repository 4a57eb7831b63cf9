//! Database servers: which of them a caller may have.

mod describe;
mod orderable;
mod version;

pub(crate) use describe::describe;
pub(crate) use orderable::describe as describe_orderable;
pub(super) use version::{families, family, is_version, wanted};
