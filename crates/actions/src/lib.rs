//! Which IAM actions, resources and condition keys an HTTP request to an AWS service means.
//!
//! [`identify()`] says which operation a request is, in any of AWS's protocols; [`Parameters::read`] reads what it
//! carries; [`authorize()`] says what must be allowed for it. All three follow tables made from botocore's models and
//! AWS's Service Authorization Reference (`cargo xtask actions`), with rules by hand where these do not tell.
//!
//! What cannot be told is never guessed: a request that may be two operations is none, and a resource whose ARN is
//! not in the request is `*`, marked as unknown. Whoever decides must then not let a statement that names resources
//! allow, and must let one that names resources deny.
#![forbid(unsafe_code)]

mod authorize;
mod catalog;
mod host;
mod identify;
mod parameters;
mod request;
mod tables;
#[cfg(test)]
mod tests;

pub use authorize::{Need, Resource, Scope, authorize};
pub use catalog::{ServiceName, complete, is_about, known_action, prefixes_of, services, sources};
pub use identify::{Operation, identify, wants_body};
pub use parameters::Parameters;
pub use request::RequestHead;
