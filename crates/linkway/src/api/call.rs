//! One call: authenticated, dispatched, answered.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use linkway_actions::RequestHead;
use linkway_control::{Caller, Control, Error};
use linkway_model::{Snapshot, Timestamp, random_uuid};
use linkway_store::StoreError;
use linkway_wire::json::JsonCall;
use linkway_wire::sigv4::{Request, Scope};
use linkway_wire::{ApiError, Call, Params, ParamsError, Protocol, Service, acm, ec2, elbv2, iam, rds, sts};

use crate::api::credentials::authenticate;

/// An answer as it goes out.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The document.
    pub(crate) body: String,
    /// What kind of one.
    pub(crate) content_type: &'static str,
    /// The id that an XML document carries too.
    pub(crate) request_id: String,
    /// How the caller's service spells answers.
    protocol: Protocol,
}

impl Answer {
    /// The answer in place of this one, when what it tells of could not be kept.
    pub(crate) fn not_kept(self, error: StoreError) -> Self {
        refuse(self.protocol, &Error::from(error).into(), self.request_id)
    }
}

/// Answer a request that has arrived whole, from `peer`.
pub(crate) fn answer(
    control: &Control,
    state: &Snapshot,
    request: &Request<'_>,
    peer: Option<IpAddr>,
    now: Timestamp,
) -> Answer {
    let request_id = random_uuid();
    let (verified, caller) = match authenticate(request, now, state, peer) {
        Ok(authenticated) => authenticated,
        Err(error) => {
            let likely = likely_service(request).protocol();
            return refuse(likely, &likely.refusal(error), request_id);
        }
    };
    match Service::from_signing_name(&verified.service) {
        Some(service) => perform(control, service, caller, request, request_id),
        // Spelled as most services do.
        None => refuse(Service::Sts.protocol(), &unknown_service(&verified.service), request_id),
    }
}

/// Refuse a request that did not arrive whole. How its caller would have it spelled, nobody knows.
pub(crate) fn refuse_unread(error: &ApiError) -> Answer {
    refuse(Service::Ec2.protocol(), error, random_uuid())
}

/// Refuse a request, as its service spells it.
pub(crate) fn refuse(protocol: Protocol, error: &ApiError, request_id: String) -> Answer {
    let body = protocol.error(error, &request_id);
    Answer { status: error.status, body, content_type: protocol.content_type(), request_id, protocol }
}

/// Run the operation that a caller's request asks a service for, if the caller may.
pub(crate) fn perform(
    control: &Control,
    service: Service,
    mut caller: Caller,
    request: &Request<'_>,
    request_id: String,
) -> Answer {
    let protocol = service.protocol();
    for (key, header) in [("aws:UserAgent", "user-agent"), ("aws:referer", "referer")] {
        let value = self::header(request, header);
        caller.circumstances.extend(value.map(|value| (key.to_owned(), value.to_owned())));
    }
    let permitted = || control.authorize(&caller, &head(service, request)).map_err(ApiError::from);
    let called = match protocol {
        Protocol::Form(form) => params(request)
            .map_err(|error| unreadable(&error))
            .and_then(|params| Call::new(form, params, &request_id))
            .and_then(|call| permitted().and_then(|()| dispatch(control, service, &caller, call))),
        Protocol::Json(json) => JsonCall::new(json, header(request, "x-amz-target"), request.body)
            .and_then(|call| permitted().and_then(|()| acm::dispatch(control, &caller, call))),
    };
    match called {
        Ok(body) => Answer { status: 200, body, content_type: protocol.content_type(), request_id, protocol },
        Err(error) => refuse(protocol, &error, request_id),
    }
}

/// A header's text.
fn header<'a>(request: &Request<'a>, name: &str) -> Option<&'a str> {
    let (_, value) = request.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
    str::from_utf8(value).ok()
}

/// A request in the form that the tables of actions are asked with.
fn head<'a>(service: Service, request: &Request<'a>) -> RequestHead<'a> {
    RequestHead {
        method: request.method,
        host: header(request, "host").unwrap_or_default(),
        path: request.path,
        query: request.query,
        headers: request.headers,
        signing_name: Some(service.signing_name()),
        body: Some(request.body),
    }
}

fn dispatch(
    control: &Control,
    service: Service,
    caller: &Caller,
    call: Call<'_>,
) -> Result<String, ApiError> {
    let action = call.action().to_owned();
    tracing::debug!(?service, action, region = caller.region, account = %caller.account);
    match service {
        // It speaks JSON, and has no calls by forms.
        Service::Acm => Err(call.unknown_action()),
        Service::Ec2 => ec2::dispatch(control, caller, call),
        Service::Elbv2 => elbv2::dispatch(control, caller, call),
        Service::Iam => iam::dispatch(control, caller, call),
        Service::Rds => rds::dispatch(control, caller, call),
        Service::Sts => sts::dispatch(control, caller, call),
    }
    .inspect_err(|error| tracing::debug!(action, %error, "refused"))
}

/// Whether a request surely asks EC2 to change something: then it is answered without going through many
/// resources. What is not sure counts as no, and neither does the making of a key, which takes a while.
pub(crate) fn is_short(headers: &HeaderMap, body: &[u8]) -> bool {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let of_ec2 = authorization.is_some_and(|value| value.contains("/ec2/aws4_request"));
    let members = str::from_utf8(body).unwrap_or_default().split('&');
    let action = members.filter_map(|member| member.strip_prefix("Action=")).next();
    let changes = ["Create", "Modify", "Delete", "Authorize", "Revoke", "Associate", "Attach"];
    let is_change =
        |action: &str| action != "CreateKeyPair" && changes.iter().any(|verb| action.starts_with(verb));
    of_ec2 && action.is_some_and(is_change)
}

/// An action may be asked for in the URL, as presigned ones are, and in the body.
fn params(request: &Request<'_>) -> Result<Params, ParamsError> {
    let mut params = Params::parse(request.query.as_bytes())?;
    params.extend(request.body)?;
    Ok(params)
}

/// The service whose spelling the caller most likely understands: the one that the signature claims, or else
/// the one whose API has the version asked for.
fn likely_service(request: &Request<'_>) -> Service {
    let claimed = Scope::claimed(request).and_then(|scope| Service::from_signing_name(&scope.service));
    claimed.unwrap_or_else(|| {
        let params = params(request).unwrap_or_default();
        Service::from_version(params.get("Version").unwrap_or_default()).unwrap_or(Service::Ec2)
    })
}

fn unknown_service(name: &str) -> ApiError {
    ApiError::new(
        "UnsupportedOperation",
        format!(
            "Linkway does not answer for the service '{name}', only for acm, ec2, \
             elasticloadbalancing, iam, rds and sts"
        ),
    )
}

fn unreadable(error: &ParamsError) -> ApiError {
    match error {
        ParamsError::TooLarge => ApiError::new("RequestEntityTooLarge", error.to_string()).with_status(413),
        ParamsError::Encoding => ApiError::new("MalformedQueryString", error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(query: &'a str, headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
        Request { method: "POST", path: "/", query, headers, body: b"" }
    }

    #[test]
    fn errors_are_spelled_for_the_service_that_was_meant() {
        let of = |query: &str, headers: &[(&str, &[u8])]| likely_service(&request(query, headers));
        assert_eq!(of("Version=2011-06-15", &[]), Service::Sts);
        assert_eq!(of("Version=2015-12-01", &[]), Service::Elbv2);
        assert_eq!(of("Version=2010-05-08", &[]), Service::Iam);
        assert_eq!(of("Version=2014-10-31", &[]), Service::Rds);
        assert_eq!(of("Version=2016-11-15", &[]), Service::Ec2);
        assert_eq!(of("", &[]), Service::Ec2);
        let signed: &[u8] = b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request, \
            SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert_eq!(
            of("", &[("authorization", signed), ("host", b"h"), ("x-amz-date", b"20150830T123600Z")]),
            Service::Sts
        );
    }

    #[test]
    fn what_changes_something_is_told_from_what_looks_around() {
        let mut headers = HeaderMap::new();
        let short = |headers: &HeaderMap, body: &str| is_short(headers, body.as_bytes());
        assert!(!short(&headers, "Action=CreateVpc"));
        let signed =
            "AWS4-HMAC-SHA256 Credential=AKID/20261126/us-east-1/ec2/aws4_request, SignedHeaders=host";
        headers.insert(AUTHORIZATION, signed.parse().unwrap());
        assert!(short(&headers, "Version=2016-11-15&Action=CreateVpcEndpoint"));
        for other in
            ["Action=DescribeVpcs", "", "Actions=CreateVpc", "Name=CreateVpc", "Action=CreateKeyPair"]
        {
            assert!(!short(&headers, other), "{other}");
        }
    }
}
