//! Requests as AWS's own client library spells them.

mod doubtful;
mod every;
mod requests;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Need, Operation, Parameters, RequestHead, Scope, authorize, identify};

/// A request as `requests.py` prints it.
struct Request {
    json: Value,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(line: &str) -> Self {
        let json: Value = serde_json::from_str(line).unwrap();
        let headers = json["headers"].as_object().unwrap().iter();
        let headers =
            headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        let body = decode(json["body"].as_str().unwrap());
        Self { json, headers, body }
    }

    fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap()
    }

    /// The operation that the request was made for: `rds.DescribeDBInstances`.
    fn asked(&self) -> String {
        format!("{}.{}", self.text("service"), self.text("operation"))
    }

    /// Asks something of the request.
    fn with<T>(&self, ask: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        ask(&RequestHead {
            method: self.text("method"),
            host: self.text("host"),
            path: self.text("path"),
            query: self.text("query"),
            headers: &headers,
            signing_name: Some(self.text("signing_name")),
            body: Some(&self.body),
        })
    }

    /// What it is and what it needs. What it carries can be read.
    fn needs(&self, scope: &Scope<'_>) -> Option<(Operation, Vec<Need>)> {
        self.with(|head| {
            let operation = identify(head)?;
            let parameters = Parameters::read(&operation, head);
            assert!(parameters.is_complete(), "{} cannot be read", self.asked());
            let needs = authorize(&operation, &parameters, scope);
            Some((operation, needs))
        })
    }
}

/// Has botocore spell requests: of a list of lines, or of everything.
fn spell(list: Option<&Path>) -> Vec<Request> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = here.join("../../.venv/bin/python3");
    let mut client = Command::new(if own.exists() { own.as_path() } else { Path::new("python3") });
    client.arg(here.join("src/tests/requests.py")).args(list).stderr(Stdio::inherit());
    let output = client.output().expect("python3 with botocore: make setup");
    assert!(output.status.success(), "what botocore refused is above");
    String::from_utf8(output.stdout).unwrap().lines().map(Request::read).collect()
}

/// Base 64.
fn decode(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bytes: Vec<_> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let four = |chunk: &[u8]| {
        let bits =
            chunk.iter().fold(0u32, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    };
    bytes.chunks(4).flat_map(four).collect()
}
