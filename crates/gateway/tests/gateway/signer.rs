//! Signature Version 4, the client's side.

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::Request;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::world::{KEY, SECRET};

/// How a request is signed.
pub(crate) struct Signer {
    pub(crate) key: &'static str,
    pub(crate) time: Timestamp,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    /// What `x-amz-content-sha256` says; `None`: it is not sent.
    pub(crate) payload: Option<String>,
}

impl Signer {
    pub(crate) fn of(service: &'static str) -> Self {
        Self { key: KEY, time: Timestamp::now(), region: "us-east-1", service, payload: None }
    }

    fn date(&self) -> String {
        self.time.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", &self.date()[..8], self.region, self.service)
    }

    fn signing_key(&self) -> Vec<u8> {
        let start = format!("AWS4{SECRET}").into_bytes();
        self.scope().split('/').fold(start, |key, part| mac(&key, part))
    }

    /// Adds the headers, and returns the signature. The request has a host, and a path that needs no escapes.
    pub(crate) fn sign<B>(&self, request: &mut Request<B>, body: &[u8]) -> String {
        let set = |request: &mut Request<B>, name: &'static str, value: &str| {
            request.headers_mut().insert(name, value.parse().unwrap());
        };
        set(request, "x-amz-date", &self.date());
        if let Some(payload) = &self.payload {
            set(request, "x-amz-content-sha256", payload);
        }
        let mut names: Vec<_> = request
            .headers()
            .keys()
            .map(|name| name.as_str().to_owned())
            .filter(|name| name == "host" || name.starts_with("x-amz"))
            .collect();
        names.sort();
        let lines: String = names
            .iter()
            .map(|name| format!("{name}:{}\n", request.headers()[name].to_str().unwrap()))
            .collect();
        let payload = self.payload.clone().unwrap_or_else(|| hex::encode(Sha256::digest(body)));
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{}\n{payload}",
            request.method(),
            request.uri().path(),
            request.uri().query().unwrap_or_default(),
            names.join(";")
        );
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            self.date(),
            self.scope(),
            hex::encode(Sha256::digest(canonical))
        );
        let signature = hex::encode(mac(&self.signing_key(), &text));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={signature}",
            self.key,
            self.scope(),
            names.join(";")
        );
        set(request, "authorization", &authorization);
        signature
    }

    /// A body in the encoding aws-chunked, with a chunk's signature each, and a trailer.
    pub(crate) fn chunked(&self, seed: &str, chunks: &[&[u8]], trailer: Option<(&str, &str)>) -> Vec<u8> {
        let (mut body, mut previous) = (Vec::new(), seed.to_owned());
        let empty = hex::encode(Sha256::digest(b""));
        for chunk in chunks.iter().copied().chain([&b""[..]]) {
            let text = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{empty}\n{}",
                self.date(),
                self.scope(),
                hex::encode(Sha256::digest(chunk))
            );
            previous = hex::encode(mac(&self.signing_key(), &text));
            body.extend_from_slice(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).as_bytes());
            if !chunk.is_empty() {
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
        }
        if let Some((name, value)) = trailer {
            let lines = hex::encode(Sha256::digest(format!("{name}:{value}\n")));
            let text =
                format!("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{previous}\n{lines}", self.date(), self.scope());
            let signature = hex::encode(mac(&self.signing_key(), &text));
            let trailer = format!("{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n");
            body.extend_from_slice(trailer.as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
