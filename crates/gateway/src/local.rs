//! Services that are served in this process.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use hyper::{Request, Response};

use crate::{Body, Endpoint, Identity};

/// What answers for services that are served in this process.
pub trait Local: Send + Sync {
    /// Answer a request that the endpoint's policy lets pass.
    fn answer(&self, call: LocalCall) -> BoxFuture<'static, Response<Body>>;
}

/// A request to a service in this process.
#[derive(Debug)]
pub struct LocalCall {
    /// The service's name, as [`Backend::Local`](crate::Backend::Local) has it.
    pub service: String,
    /// Through which endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Who asks.
    pub identity: Identity,
    /// From which private address.
    pub source: IpAddr,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The id that the request has in its audit record, to be answered with.
    pub request_id: String,
    /// The request. Reading its body to the end checks the signature over it.
    pub request: Request<Body>,
}
