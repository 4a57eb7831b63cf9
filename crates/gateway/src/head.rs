//! Whether a request's head is sound, and for whom it is.

use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap,
    HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{Method, Version};

use crate::refusal::Refusal;

/// What is between two neighbours only. Source: RFC 9110, section 7.6.1.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// Checks that a request can be read in one way only, and sees to its having one `Host`. Returns the host's name,
/// in lower case and without a port.
pub(crate) fn host(parts: &mut Parts) -> Result<String, Refusal> {
    if parts.method == Method::CONNECT {
        return Err(Refusal::Malformed("An endpoint is no proxy: CONNECT is not allowed."));
    }
    if !parts.uri.path().starts_with('/') {
        return Err(Refusal::Malformed("The request's target must be a path."));
    }
    if parts.uri.path().contains(['.', '%']) && has_dots(parts.uri.path()) {
        // One server resolves them, another takes them for names.
        return Err(Refusal::Malformed("The path has a segment of dots."));
    }
    if let Some(name) = repeated(&parts.headers) {
        tracing::debug!(%name, "a header came twice");
        return Err(Refusal::Malformed("A header that must be given once is given more often."));
    }
    if parts.headers.get_all(CONTENT_LENGTH).iter().count() > 1 {
        return Err(Refusal::Malformed("The request has more than one Content-Length."));
    }
    if !names_only_neighbours(&parts.headers) {
        return Err(Refusal::Malformed("Connection names headers that are not between neighbours only."));
    }
    let mut given = parts.headers.get_all(HOST).iter();
    let (header, more) = (given.next(), given.next());
    if more.is_some() {
        return Err(Refusal::Malformed("The request has more than one Host."));
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    let host = match (header.map(HeaderValue::to_str), authority) {
        (Some(Err(_)), _) => return Err(Refusal::Malformed("The Host is not text.")),
        (Some(Ok(host)), Some(authority)) if !host.eq_ignore_ascii_case(authority) => {
            return Err(Refusal::Malformed("The Host is another than the target's."));
        }
        (Some(Ok(host)), _) => host.to_owned(),
        (None, Some(authority)) if parts.version == Version::HTTP_2 => authority.to_owned(),
        (None, _) => return Err(Refusal::Malformed("The request has no Host.")),
    };
    if header.is_none() {
        let value = HeaderValue::from_str(&host).map_err(|_| Refusal::Malformed("The Host is not text."))?;
        parts.headers.insert(HOST, value);
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => &host,
    };
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        // What is before an `@`, say, one server takes for a part of the name and another not.
        return Err(Refusal::Malformed("The Host is no name."));
    }
    Ok(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
}

/// Whether a segment of a path is `.` or `..`, escaped or not.
fn has_dots(path: &str) -> bool {
    let path = path.replace("%2f", "/").replace("%2F", "/").replace("%2e", ".").replace("%2E", ".");
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// A header that decides what a request means and came more than once: the policy could be asked about one value,
/// and the backend follow the other. Users' own metadata and lists may be repeated.
fn repeated(headers: &HeaderMap) -> Option<&HeaderName> {
    const LISTS: [&str; 2] = ["x-amz-object-attributes", "x-amz-optional-object-attributes"];
    headers.keys().find(|name| {
        let text = name.as_str();
        let decides =
            text.starts_with("x-amz-") && !text.starts_with("x-amz-meta-") && !LISTS.contains(&text)
                || [AUTHORIZATION, CONTENT_TYPE, CONTENT_ENCODING].contains(name)
                || text == "smithy-protocol";
        decides && headers.get_all(*name).iter().count() > 1
    })
}

/// A client could have a header dropped on the way that the decision was made by: it may name but those that are
/// dropped anyway.
fn names_only_neighbours(headers: &HeaderMap) -> bool {
    tokens(headers, &CONNECTION).all(|token| {
        token.eq_ignore_ascii_case("close")
            || HOP_BY_HOP.iter().any(|name| name.as_str().eq_ignore_ascii_case(token))
    })
}

/// The elements of a header that is a list.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter();
    // What is not text is no name of a header either.
    let lists = values.map(|value| value.to_str().unwrap_or("\u{0}"));
    lists.flat_map(|list| list.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

/// The protocol that a message asks to change to, or has changed to, if it is WebSocket. Within others, such as
/// `h2c`, a client could make requests that nobody decides on.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
    headers.get(UPGRADE).filter(|value| asked && value.as_bytes().eq_ignore_ascii_case(b"websocket")).cloned()
}

/// Removes what is between two neighbours only.
pub(crate) fn strip(headers: &mut HeaderMap) {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes what the gateway answers itself.
pub(crate) fn strip_expectation(headers: &mut HeaderMap) -> bool {
    headers.remove(EXPECT).is_some()
}

/// Puts back what [`strip`] took away from a message that changes the protocol.
pub(crate) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}
