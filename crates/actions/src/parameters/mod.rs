//! What a request carries, in whichever spelling.

mod cbor;
mod form;
mod json;
mod packed;
mod value;
mod xml;

use std::borrow::Cow;

use crate::identify::{Operation, Spelling};
use crate::request::{RequestHead, pairs};

pub(crate) use packed::is_packed;
pub(crate) use value::Value;

/// A request's members, by where they stand in it.
#[derive(Clone, Debug, Default)]
pub struct Parameters<'a> {
    labels: &'a [(&'static str, String)],
    query: Vec<(String, String)>,
    /// Names in any case.
    headers: Vec<(&'a str, Cow<'a, str>)>,
    /// `None` if it should have been read and was not, or cannot be read.
    body: Option<Value>,
    /// The spelling has names around the items of lists.
    is_wrapped: bool,
    pub(crate) method: &'a str,
    pub(crate) host: String,
    pub(crate) path: &'a str,
}

impl<'a> Parameters<'a> {
    /// Reads what an operation's request carries. A body that was not given, or is not what the protocol says,
    /// makes everything in it unknown.
    pub fn read(operation: &'a Operation, head: &RequestHead<'a>) -> Self {
        // Lossy conversion of what is text already takes several times as long.
        let text = |value: &'a [u8]| {
            std::str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value), Cow::Borrowed)
        };
        let headers = head.headers.iter().map(|(name, value)| (*name, text(value)));
        Self {
            labels: &operation.labels,
            query: head.query_pairs(),
            headers: headers.collect(),
            is_wrapped: matches!(operation.spelling, Spelling::Form | Spelling::RestXml),
            body: read_body(operation, head),
            method: head.method,
            host: head.host.to_ascii_lowercase(),
            path: head.path,
        }
    }

    /// Whether what the body says is known. If not, nobody knows what the request asks for: neither its resources
    /// nor its condition keys.
    pub fn is_complete(&self) -> bool {
        self.body.is_some()
    }

    /// The values at `l.Name`, `q.name`, `h.name` or `b.Path.To.Name`, through lists.
    pub fn values(&self, path: &str) -> Vec<&str> {
        match path.split_once('.') {
            Some(("l", name)) => self.label(name).into_iter().collect(),
            Some(("q", name)) => self.query_values(name).collect(),
            Some(("h", name)) => self.header_values(name).collect(),
            _ => self.nodes(path).into_iter().flat_map(Value::texts).collect(),
        }
    }

    /// The first value, where one is enough.
    pub(crate) fn value(&self, path: &str) -> Option<&str> {
        self.values(path).into_iter().next()
    }

    /// A part of the path that the pattern names; of one that it names twice the last.
    fn label(&self, name: &str) -> Option<&str> {
        let mut found = self.labels.iter().rev().filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The values of a name in the query string.
    pub(crate) fn query_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The values of a header. Those of AWS's own stand in the query string of a URL that was signed in advance.
    fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        let is_own = name.starts_with("x-amz-");
        let hoisted = self.query.iter().filter(move |(known, _)| is_own && known.eq_ignore_ascii_case(name));
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .chain(hoisted.map(|(_, value)| value.as_str()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header_values(name).next()
    }

    /// Whether a header is there whose name begins so.
    pub(crate) fn has_header_like(&self, start: &str) -> bool {
        let headers = self.headers.iter().map(|(name, _)| *name);
        let mut names = headers.chain(self.query.iter().map(|(name, _)| name.as_str()));
        names.any(|name| name.get(..start.len()).is_some_and(|first| first.eq_ignore_ascii_case(start)))
    }

    /// What stands at a path in the body, through lists; lists themselves come as their items.
    pub(crate) fn nodes(&self, path: &str) -> Vec<&Value> {
        let Some((_, path)) = path.split_once('.') else { return Vec::new() };
        self.body.as_ref().map(|body| body.at(path, self.is_wrapped)).unwrap_or_default()
    }
}

fn read_body(operation: &Operation, head: &RequestHead<'_>) -> Option<Value> {
    if !operation.reads_body() {
        return Some(Value::default());
    }
    match operation.spelling {
        // A request without a body has its form in the URL.
        Spelling::Form if is_packed(head) => None,
        Spelling::Form => {
            let mut all = head.query_pairs();
            all.extend(pairs(head.body.or_else(|| has_no_body(head).then_some(&[][..]))?));
            form::read(all)
        }
        _ => match head.body {
            None => has_no_body(head).then(Value::default),
            Some(body) => {
                let body = packed::unpack(head, body)?;
                match operation.spelling {
                    _ if body.iter().all(u8::is_ascii_whitespace) => Some(Value::default()),
                    Spelling::RestXml => xml::read(&body),
                    Spelling::Cbor => cbor::read(&body),
                    _ => json::read(&body),
                }
            }
        },
    }
}

fn has_no_body(head: &RequestHead<'_>) -> bool {
    matches!(head.method, "GET" | "HEAD")
}
