//! AWS services that this daemon serves itself: their endpoints need no backend.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use linkway_control::Caller;
use linkway_gateway::{Body, BodyError, Endpoint, Identity, Local, LocalCall, full};
use linkway_model::aws_service::AwsService;
use linkway_wire::{ApiError, Service};

use crate::api::call::{self, Answer};
use crate::api::server::{carry_out, into_response, unread};
use crate::daemon::Daemon;
use crate::http;

/// The name under which this daemon serves a service, if it does.
pub(crate) fn name(service: &AwsService) -> Option<&'static str> {
    let name = *service.signing_names.first()?;
    // Some services share a signing name, and are told apart by their protocols.
    let spoken = match Service::from_signing_name(name)? {
        Service::Acm => "json-1.1",
        Service::Ec2 => "ec2",
        _ => "query",
    };
    (service.protocol == spoken).then_some(name)
}

/// Answers with the daemon's own operations, once there is a daemon.
#[derive(Clone, Default)]
pub(crate) struct OwnServices(Arc<RwLock<Weak<Daemon>>>);

impl OwnServices {
    /// From now on, this daemon answers.
    pub(crate) fn served_by(&self, daemon: &Arc<Daemon>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(daemon);
    }

    fn daemon(&self) -> Option<Arc<Daemon>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).upgrade()
    }
}

impl Local for OwnServices {
    fn answer(&self, call: LocalCall) -> BoxFuture<'static, Response<Body>> {
        let LocalCall { service, endpoint, identity, source, secure, request_id, request } = call;
        let (head, body) = request.into_parts();
        let asked = Asked {
            daemon: self.daemon(),
            service: Service::from_signing_name(&service),
            caller: caller(&identity, &endpoint, source, secure),
            head,
            body: body.map_err(in_io).boxed_unsync(),
            request_id,
        };
        Box::pin(async { into_response(asked.answer().await, full) })
    }
}

/// A request to one of the daemon's services.
struct Asked {
    daemon: Option<Arc<Daemon>>,
    service: Option<Service>,
    /// `None`: whose request it is, nobody knows.
    caller: Option<Caller>,
    head: Parts,
    body: UnsyncBoxBody<Bytes, io::Error>,
    request_id: String,
}

impl Asked {
    async fn answer(self) -> Answer {
        let Some(service) = self.service else { return call::refuse_unread(&ApiError::internal()) };
        let request_id = self.request_id.clone();
        match self.perform(service).await {
            Ok(answer) => answer,
            Err(error) => call::refuse(service.protocol(), &error, request_id),
        }
    }

    async fn perform(self, service: Service) -> Result<Answer, ApiError> {
        let Self { daemon, caller, head, body, request_id, .. } = self;
        let daemon = daemon.ok_or_else(|| {
            ApiError::new("ServiceUnavailable", "The service starts or stops").with_status(503)
        })?;
        // Operations act in the name of an account.
        let caller = caller.ok_or_else(|| {
            let message = "The security token included in the request is invalid.";
            ApiError::new("InvalidClientTokenId", message).with_status(403)
        })?;
        let body = http::whole(body).await.map_err(|error| unread(&error))?;
        carry_out(head, body, move |request| {
            call::perform(&daemon.control, service, caller, request, request_id)
        })
        .await
    }
}

/// A body's error in the one type of errors that both ends know.
fn in_io(error: BodyError) -> io::Error {
    io::Error::other(error)
}

/// Who calls, through which endpoint. `aws:SourceIp` is not known: AWS sees a private address through an endpoint.
fn caller(identity: &Identity, endpoint: &Endpoint, source: IpAddr, secure: bool) -> Option<Caller> {
    let principal = identity.principal()?;
    let circumstances = [
        ("aws:SecureTransport", if secure { "true" } else { "false" }),
        ("aws:SourceVpc", endpoint.vpc.as_str()),
        ("aws:SourceVpcArn", endpoint.vpc_arn.as_str()),
        ("aws:SourceVpce", endpoint.id.as_str()),
        ("aws:VpceAccount", endpoint.owner.as_str()),
        ("aws:VpcSourceIp", &source.to_string()),
    ];
    Some(Caller {
        account: principal.account.parse().ok()?,
        principal: principal.arn.clone(),
        user_id: principal.id.clone(),
        region: endpoint.region.clone(),
        access_key_id: identity.access_key_id().map(str::to_owned),
        circumstances: circumstances.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_services_are_known_by_their_signing_names() {
        let own = |service: &str| {
            let (service, _) = AwsService::find(&format!("com.amazonaws.us-east-1.{service}")).unwrap();
            name(service)
        };
        assert_eq!(own("ec2"), Some("ec2"));
        assert_eq!(own("sts"), Some("sts"));
        let (iam, _) = AwsService::find("com.amazonaws.iam").unwrap();
        assert_eq!(name(iam), Some("iam"));
        assert_eq!(own("elasticloadbalancing"), Some("elasticloadbalancing"));
        assert_eq!(own("acm"), Some("acm"));
        assert_eq!(own("s3"), None);
    }
}
