//! Every operation against AWS's own client library: it spells a request in which no member is absent and reads
//! an answer in which none is.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::Sampler;
use crate::{Call, Params, Service, ec2, elbv2, sts};

/// Calls the operation that a form asks for; what it was asked, and the answer.
fn call(version: &str, form: &str) -> (String, String) {
    let service = Service::from_version(version).unwrap();
    let protocol = service.protocol();
    let asked = RefCell::new(String::new());
    let call = Call::new(protocol, Params::parse(form.as_bytes()).unwrap(), "request-id").unwrap();
    let answer = match service {
        Service::Ec2 => ec2::dispatch(&Sampler, &asked, call),
        Service::Elbv2 => elbv2::dispatch(&Sampler, &asked, call),
        Service::Sts => sts::dispatch(&Sampler, &asked, call),
    };
    (asked.into_inner(), answer.unwrap_or_else(|error| protocol.error(&error, "request-id")))
}

#[test]
fn botocore_is_understood_and_understands() {
    let wire = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = wire.join("../../.venv/bin/python3");
    let mut client = Command::new(if own.exists() { own.as_path() } else { Path::new("python3") })
        .arg(wire.join("src/tests/client.py"))
        .arg(wire.join("operations.txt"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 with botocore: make setup");
    let mut answers = client.stdin.take().unwrap();
    let mut calls = 0;
    // A line is a version and a form; what goes back is a line of JSON.
    for line in BufReader::new(client.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let (version, form) = line.split_once(' ').unwrap();
        writeln!(answers, "{}", serde_json::to_string(&call(version, form)).unwrap()).unwrap();
        calls += 1;
    }
    assert!(client.wait().unwrap().success(), "what botocore did not find is above");
    assert!(calls > 0);
}
