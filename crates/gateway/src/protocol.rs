//! AWS's protocols, as far as errors go: each has its own spelling.

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::{Body, full};

/// How a service spells its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// EC2's query.
    Ec2,
    /// Query: forms in, XML out.
    Query,
    /// JSON 1.0, with `X-Amz-Target`.
    Json10,
    /// JSON 1.1, with `X-Amz-Target`.
    Json11,
    /// REST with JSON.
    RestJson,
    /// REST with XML.
    RestXml,
    /// S3's REST with XML.
    S3,
    /// Smithy's RPC with CBOR, version 2.
    Cbor,
}

/// An error as a protocol is to spell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Protocol {
    /// The protocol that a request to a service shows: services that speak several are asked in any of them.
    pub(crate) fn of_request(headers: &HeaderMap, service: Self) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if text("smithy-protocol") == "rpc-v2-cbor" {
            return Self::Cbor;
        }
        match text("content-type").split(';').next().unwrap_or_default().trim() {
            "application/x-amz-json-1.0" => Self::Json10,
            "application/x-amz-json-1.1" => Self::Json11,
            "application/x-www-form-urlencoded" if service.is_rpc() && service != Self::Ec2 => Self::Query,
            _ => service,
        }
    }

    /// Whether the operation is in the body or the query, and not in the path.
    pub(crate) fn is_rpc(self) -> bool {
        !matches!(self, Self::RestJson | Self::RestXml | Self::S3)
    }

    /// Whether errors are named as exceptions.
    pub(crate) fn has_exceptions(self) -> bool {
        matches!(self, Self::Json10 | Self::Json11 | Self::RestJson | Self::Cbor)
    }

    /// The answer to a request that failed.
    pub(crate) fn error(self, error: &ServiceError, request_id: &str) -> Response<Body> {
        let ServiceError { status, code, message } = error;
        let (content_type, body) = match self {
            Self::Ec2 => ("text/xml;charset=UTF-8", ec2(code, message, request_id).into_bytes()),
            Self::Query | Self::RestXml => {
                ("text/xml", query(*status, code, message, request_id).into_bytes())
            }
            Self::S3 => ("application/xml", s3(code, message, request_id).into_bytes()),
            Self::Json10 => ("application/x-amz-json-1.0", json(Some(code), message)),
            Self::Json11 => ("application/x-amz-json-1.1", json(Some(code), message)),
            Self::RestJson => ("application/json", json(None, message)),
            Self::Cbor => ("application/cbor", cbor(code, message)),
        };
        let mut response = Response::new(full(body));
        *response.status_mut() = *status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let id_header = if self == Self::S3 { "x-amz-request-id" } else { "x-amzn-requestid" };
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(HeaderName::from_static(id_header), id);
        }
        match self {
            Self::RestJson => {
                if let Ok(code) = HeaderValue::from_str(code) {
                    headers.insert(HeaderName::from_static("x-amzn-errortype"), code);
                }
            }
            Self::Cbor => {
                headers.insert(
                    HeaderName::from_static("smithy-protocol"),
                    HeaderValue::from_static("rpc-v2-cbor"),
                );
            }
            _ => {}
        }
        response
    }
}

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;

fn ec2(code: &str, message: &str, request_id: &str) -> String {
    format!(
        "{DECLARATION}\n<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors>\
         <RequestID>{request_id}</RequestID></Response>",
        escape(code),
        escape(message)
    )
}

fn query(status: StatusCode, code: &str, message: &str, request_id: &str) -> String {
    format!(
        "{DECLARATION}\n<ErrorResponse><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        if status.is_server_error() { "Receiver" } else { "Sender" },
        escape(code),
        escape(message)
    )
}

fn s3(code: &str, message: &str, request_id: &str) -> String {
    format!(
        "{DECLARATION}\n<Error><Code>{}</Code><Message>{}</Message><RequestId>{request_id}</RequestId></Error>",
        escape(code),
        escape(message)
    )
}

/// Text for an XML element. Characters that XML cannot carry become question marks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                escaped.push(character)
            }
            _ => escaped.push('?'),
        }
    }
    escaped
}

fn json(code: Option<&str>, message: &str) -> Vec<u8> {
    let mut object = serde_json::Map::new();
    if let Some(code) = code {
        object.insert("__type".to_owned(), code.into());
    }
    object.insert("message".to_owned(), message.into());
    serde_json::Value::Object(object).to_string().into_bytes()
}

/// A map of two texts. Source: RFC 8949, section 3.1.
fn cbor(code: &str, message: &str) -> Vec<u8> {
    const MAP: u8 = 5 << 5;
    const TEXT: u8 = 3 << 5;
    let mut bytes = vec![MAP | 2];
    for text in ["__type", code, "message", message] {
        // A length of four bytes will do for any message.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        bytes.push(TEXT | 26);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}
