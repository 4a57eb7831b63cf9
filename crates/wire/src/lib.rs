//! AWS's protocols at the server's end: EC2 query, query, JSON, SigV4. Generated shapes, no behaviour.
//!
//! A request travels through here in this order: [`sigv4::verify`] says who signed it, [`Service`] which service
//! it is meant for, [`Params::parse`] takes its form apart, and the service's `dispatch` (in [`ec2`], [`elbv2`],
//! [`iam`], [`rds`], [`sts`]) decodes the input, calls the operation and spells the answer. [`acm`] speaks JSON: its
//! requests are taken apart by [`json`]. Whatever fails becomes an [`ApiError`],
//! which the service's [`Protocol`] spells.
#![forbid(unsafe_code)]

mod blob;
mod call;
mod decode;
mod encode;
mod error;
mod generated;
pub mod json;
mod params;
mod protocol;
mod service;
pub mod sigv4;
#[cfg(test)]
mod tests;
mod xml;

pub use blob::Blob;
pub use call::Call;
pub use error::ApiError;
pub use generated::{acm, ec2, elbv2, iam, rds, sts};
pub use jiff::Timestamp;
pub use params::{Params, ParamsError};
pub use protocol::{Dialect, FormProtocol, JsonProtocol, Protocol};
pub use service::Service;
