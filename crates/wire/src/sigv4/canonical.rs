//! The canonical request: one spelling of all the ones that mean the same.

use super::Request;
use super::authorization::{Authorization, Form};

/// How a service canonicalises paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PathRules {
    /// Dot segments and empty ones are removed.
    pub(super) normalize: bool,
    /// The path is encoded once more than it is on the wire.
    pub(super) encode_twice: bool,
}

impl PathRules {
    /// S3 takes a path as it is, since its keys may have any spelling; everybody else does not.
    pub(super) fn of_service(service: &str) -> Self {
        let plain = service != "s3";
        Self { normalize: plain, encode_twice: plain }
    }
}

/// The bytes whose hash is signed.
pub(super) fn request(
    request: &Request<'_>,
    authorization: &Authorization,
    rules: PathRules,
    omit_token: bool,
    payload_hash: &str,
) -> Vec<u8> {
    let omitted: &[&[u8]] = match (authorization.form, omit_token) {
        (Form::Header, _) => &[],
        (Form::Query, false) => &[b"X-Amz-Signature"],
        (Form::Query, true) => &[b"X-Amz-Signature", b"X-Amz-Security-Token"],
    };
    let mut text = Vec::new();
    for line in [request.method, &path(request.path, rules), &query(request.query, omitted)] {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    for name in &authorization.signed_headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        header(request, name, &mut text);
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(authorization.signed_headers.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_hash.as_bytes());
    text
}

/// A header's values, joined by commas, with runs of white space made one space.
fn header(request: &Request<'_>, name: &str, text: &mut Vec<u8>) {
    let values = request.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
    for (at, (_, value)) in values.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for (at, word) in words.enumerate() {
            if at > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(word);
        }
    }
}

pub(super) fn path(path: &str, rules: PathRules) -> String {
    let normal = if rules.normalize { normalized(path) } else { path.to_owned() };
    let mut encoded = String::with_capacity(normal.len());
    for (at, segment) in normal.split('/').enumerate() {
        if at > 0 {
            encoded.push('/');
        }
        if rules.encode_twice {
            encode(segment.as_bytes(), &mut encoded);
        } else {
            encode(&decode(segment.as_bytes(), false), &mut encoded);
        }
    }
    if encoded.is_empty() { "/".to_owned() } else { encoded }
}

/// The path without empty and dot segments; a slash at its end stays.
fn normalized(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

/// The pairs of a query string, decoded.
pub(super) fn query_pairs(query: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name.as_bytes(), true), decode(value.as_bytes(), true))
    })
}

/// Every pair in one spelling, sorted by name and value as spelled.
fn query(query: &str, omitted: &[&[u8]]) -> String {
    let mut pairs: Vec<_> = query_pairs(query)
        .filter(|(name, _)| !omitted.contains(&name.as_slice()))
        .map(|(name, value)| {
            let mut pair = (String::new(), String::new());
            encode(&name, &mut pair.0);
            encode(&value, &mut pair.1);
            pair
        })
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Resolves escapes; in a query, `+` stands for a space. What is no escape stays as it is.
fn decode(text: &[u8], plus: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let mut byte = [*first];
        rest = tail;
        match first {
            b'+' if plus => byte = [b' '],
            b'%' if tail.len() >= 2 && hex::decode_to_slice(&tail[..2], &mut byte).is_ok() => {
                rest = &tail[2..]
            }
            _ => {}
        }
        bytes.extend_from_slice(&byte);
    }
    bytes
}

/// Escapes all but RFC 3986's unreserved characters.
fn encode(bytes: &[u8], text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}
