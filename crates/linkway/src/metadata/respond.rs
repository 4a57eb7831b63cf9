//! Answering one request: who asks, with which token, for what.

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SERVER};
use hyper::{Method, Request, Response, StatusCode};
use linkway_control::role_of;
use linkway_model::Snapshot;
use linkway_model::instance::Instance;

use crate::http::{self, AnswerBody};
use crate::metadata::tree::{self, Node};
use crate::metadata::{Inner, token};

/// Where a session begins.
const TOKEN_PATH: &str = "/latest/api/token";

const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Versions that clients ask for. All show the same, as it is now.
/// Source: "Access instance metadata for an EC2 instance", "Get the available versions of the instance metadata".
const VERSIONS: [&str; 27] = [
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2011-05-01",
    "2012-01-12",
    "2014-02-25",
    "2014-11-05",
    "2015-10-20",
    "2016-04-19",
    "2016-06-30",
    "2016-09-02",
    "2018-03-28",
    "2018-08-17",
    "2018-09-24",
    "2019-10-01",
    "2020-10-27",
    "2021-01-03",
    "2021-03-23",
    "2021-07-15",
    "latest",
];

/// What is answered instead of what was asked for.
type Refused = StatusCode;

/// Answer `request` of `instance`, or of an interface that is no instance's.
pub(super) async fn answer<B>(
    inner: &Inner,
    state: &Snapshot,
    instance: Option<&Instance>,
    request: &Request<B>,
) -> Response<AnswerBody> {
    let answered = match instance {
        None => Err(StatusCode::NOT_FOUND),
        Some(instance) => respond(inner, state, instance, request).await,
    };
    let mut response = answered.unwrap_or_else(refusal);
    response.headers_mut().insert(SERVER, HeaderValue::from_static("EC2ws"));
    response
}

async fn respond<B>(
    inner: &Inner,
    state: &Snapshot,
    instance: &Instance,
    request: &Request<B>,
) -> Result<Response<AnswerBody>, Refused> {
    let options = tree::options(instance);
    let by_ipv6 = http::peer(request).is_some_and(|peer| peer.is_ipv6());
    if !options.enabled || by_ipv6 && !options.ipv6 {
        return Err(StatusCode::FORBIDDEN);
    }
    let (path, headers) = (request.uri().path(), request.headers());
    match *request.method() {
        Method::PUT if path == TOKEN_PATH => return new_token(inner, instance, headers),
        Method::GET | Method::HEAD => {}
        _ => return Err(StatusCode::METHOD_NOT_ALLOWED),
    }
    let token = headers.get(TOKEN);
    let left = token.map(|token| {
        let token = token.to_str().ok()?;
        inner.tokens.seconds_left(&instance.id, token)
    });
    let left = match left {
        Some(None) => return Err(StatusCode::UNAUTHORIZED),
        None if options.tokens_required => return Err(StatusCode::UNAUTHORIZED),
        None => None,
        Some(left) => left,
    };
    let mut response = read(inner, state, instance, path).await?;
    if let Some(left) = left {
        response.headers_mut().insert(TTL, HeaderValue::from(left));
    }
    Ok(response)
}

fn new_token(
    inner: &Inner,
    instance: &Instance,
    headers: &HeaderMap,
) -> Result<Response<AnswerBody>, Refused> {
    // Somebody's proxy: it may not know whom it asks for.
    if headers.contains_key(FORWARDED) {
        return Err(StatusCode::FORBIDDEN);
    }
    let seconds = headers.get(TTL).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let seconds =
        seconds.filter(|seconds| token::SECONDS.contains(seconds)).ok_or(StatusCode::BAD_REQUEST)?;
    let mut response = text("text/plain", inner.tokens.make(&instance.id, seconds));
    response.headers_mut().insert(TTL, HeaderValue::from(seconds));
    Ok(response)
}

async fn read(
    inner: &Inner,
    state: &Snapshot,
    instance: &Instance,
    path: &str,
) -> Result<Response<AnswerBody>, Refused> {
    let path = path.trim_start_matches('/');
    let (version, path) = path.split_once('/').unwrap_or((path, ""));
    if version.is_empty() {
        return Ok(text("text/plain", VERSIONS.join("\n")));
    }
    if !VERSIONS.contains(&version) {
        return Err(StatusCode::NOT_FOUND);
    }
    match tree::of(state, instance).find(path).ok_or(StatusCode::NOT_FOUND)? {
        Node::Directory(names) => Ok(text("text/plain", Node::listing(names))),
        Node::Text(value) => Ok(text("text/plain", value.clone())),
        Node::Data(data) => Ok(text("application/octet-stream", data.clone())),
        Node::Role => {
            let role = role_of(state, instance).ok_or(StatusCode::NOT_FOUND)?;
            let document = inner.roles.read(&instance.id, role).await;
            document.map(|document| text("text/plain", document)).map_err(|error| {
                tracing::error!(instance = %instance.id, "credentials could not be made: {error:#}");
                StatusCode::INTERNAL_SERVER_ERROR
            })
        }
    }
}

fn text(kind: &'static str, body: impl Into<hyper::body::Bytes>) -> Response<AnswerBody> {
    let mut response = Response::new(http::full(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A page, as AWS has it, for what is not answered.
fn refusal(status: StatusCode) -> Response<AnswerBody> {
    let title = format!("{} - {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let page = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n \
         <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n </body>\n</html>\n"
    );
    let mut response = text("text/html", page);
    *response.status_mut() = status;
    response
}
