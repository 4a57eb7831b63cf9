//! Every operation against AWS's own client library: it spells and signs a request in which no member is absent,
//! and reads an answer in which none is.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use serde_json::Value;

use super::Sampler;
use crate::json::JsonCall;
use crate::sigv4::{Request, Secret, verify};
use crate::{ApiError, Call, Params, Protocol, Service, acm, ec2, elbv2, iam, rds, sts};

/// Answers a request as a server does: the signature tells the service, the form the operation. Returns what the
/// operation was asked, and the answer.
fn serve(request: &Value) -> (String, String) {
    let text = |name: &str| request[name].as_str().unwrap();
    let headers: Vec<_> = request["headers"].as_object().unwrap().iter().collect();
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap().as_bytes())).collect();
    let signed = Request {
        method: text("method"),
        path: text("path"),
        query: text("query"),
        headers: &headers,
        body: text("body").as_bytes(),
    };
    let secret = Secret {
        secret_access_key: text("secret_access_key").to_owned(),
        session_token: request["session_token"].as_str().map(str::to_owned),
        expires: None,
    };
    let verified = verify(&signed, Timestamp::now(), |_| Some(secret)).unwrap();

    let service = Service::from_signing_name(&verified.service).unwrap();
    let asked = RefCell::new(String::new());
    let answer = match service.protocol() {
        Protocol::Form(_) => answer_form(service, &signed, &asked),
        Protocol::Json(protocol) => {
            let target = headers.iter().find(|(name, _)| *name == "X-Amz-Target");
            let target = target.map(|(_, target)| str::from_utf8(target).unwrap());
            acm::dispatch(&Sampler, &asked, JsonCall::new(protocol, target, signed.body).unwrap())
        }
    };
    (asked.into_inner(), answer.unwrap_or_else(|error| service.protocol().error(&error, "request-id")))
}

fn answer_form(service: Service, signed: &Request<'_>, asked: &RefCell<String>) -> Result<String, ApiError> {
    let Protocol::Form(protocol) = service.protocol() else { unreachable!("asked with forms only") };
    let mut params = Params::parse(signed.query.as_bytes()).unwrap();
    params.extend(signed.body).unwrap();
    let call = Call::new(protocol, params, "request-id").unwrap();
    match service {
        Service::Acm => unreachable!("it speaks JSON"),
        Service::Ec2 => ec2::dispatch(&Sampler, asked, call),
        Service::Elbv2 => elbv2::dispatch(&Sampler, asked, call),
        Service::Iam => iam::dispatch(&Sampler, asked, call),
        Service::Rds => rds::dispatch(&Sampler, asked, call),
        Service::Sts => sts::dispatch(&Sampler, asked, call),
    }
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
    for line in BufReader::new(client.stdout.take().unwrap()).lines() {
        let answer = serve(&serde_json::from_str(&line.unwrap()).unwrap());
        writeln!(answers, "{}", serde_json::to_string(&answer).unwrap()).unwrap();
        calls += 1;
    }
    assert!(client.wait().unwrap().success(), "what botocore did not find is above");
    assert!(calls > 0);
}
