//! What a request asks for: the seam to the knowledge of AWS's services.

use hyper::HeaderMap;
use linkway_policy::ContextValue;

use crate::Service;

/// What knows AWS's services: which action a request is, on which resources.
pub trait Decider: Send + Sync {
    /// Whether the body must be read to know what a request asks for.
    fn reads_body(&self, service: &Service, head: &RequestHead<'_>) -> bool;

    /// What a request asks for; `None` if it is no operation of the service.
    fn call(&self, asked: &Asked<'_>) -> Option<Call>;
}

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// `GET`, `POST` and so on.
    pub method: &'a str,
    /// Without a port, in lower case.
    pub host: &'a str,
    /// The path, still percent-encoded.
    pub path: &'a str,
    /// What follows the question mark, still percent-encoded; empty where nothing does.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The service in the signature's scope; `None` if the request is not signed.
    pub signing_name: Option<&'a str>,
}

impl<'a> RequestHead<'a> {
    /// The first value of a header, where it is text.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// A request, and what its ARNs are made of.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The endpoint's service.
    pub service: &'a Service,
    /// The endpoint's region.
    pub region: &'a str,
    /// The caller's account, where it is known.
    pub account: Option<&'a str>,
    /// The request without its body.
    pub head: RequestHead<'a>,
    /// The body, if [`Decider::reads_body`] asked for it.
    pub body: Option<&'a [u8]>,
}

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The operation, such as `DescribeDBInstances`.
    pub operation: String,
    /// What it needs. All of it must be allowed.
    pub needs: Vec<Need>,
}

/// An action that must be allowed on each of some resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Such as `rds:DescribeDBInstances`.
    pub action: String,
    /// At least one.
    pub resources: Vec<Resource>,
    /// The condition keys that come from the request itself: the service's own, `aws:RequestTag/…` and so on.
    pub context: Vec<(String, ContextValue<'static>)>,
}

/// A resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its ARN; `*` for an action without permissions on single resources, and where the ARN is not known.
    pub arn: String,
    /// The ARN cannot be told from the request. So a statement that names resources does not allow it, and one that
    /// would deny it on some resource denies it.
    pub unknown: bool,
    /// The account that owns it, where it is known and not in the ARN.
    pub account: Option<String>,
    /// Its own condition keys, where they are known: `aws:ResourceTag/…` and its service's.
    pub keys: Vec<(String, String)>,
}
