//! Signatures checked a second, on one core: `cargo bench -p linkway-wire`.
//!
//! The request is a call to RDS as botocore signs it, its key's signing key derived before, as all but the first of a
//! day's requests find it.

#[path = "../../../bench/rate.rs"]
mod rate;

use std::hint::black_box;

use jiff::Timestamp;
use linkway_wire::sigv4::{Request, Secret, SigningKeys};
use rate::report;

fn main() {
    let now: Timestamp = "2026-06-01T12:00:01Z".parse().expect("a time");
    let secret = || Secret {
        secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: None,
        expires: None,
    };
    let body_hash = "e6281fe3d540e3e1ccd6bf0cca945a0e0af993d4dd5a6b31ca021f6fc7982b0b";
    let headers: &[(&str, &[u8])] = &[
        ("host", b"rds.us-east-1.amazonaws.com"),
        ("content-type", b"application/x-www-form-urlencoded; charset=utf-8"),
        ("user-agent", b"Boto3/1.43.0 md/Botocore#1.43.0 ua/2.1 os/linux#6.18.44 md/arch#x86_64 lang/python#3.13.5"),
        ("x-amz-date", b"20260601T120000Z"),
        ("authorization", b"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260601/us-east-1/rds/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=205d7103e1d4696b3b14616f126273ac76fcd049c6781764df5f7d2783ee16fc"),
        ("amz-sdk-invocation-id", b"8a9b5c1d-4f0e-4a34-8d8b-0a1b2c3d4e5f"),
        ("amz-sdk-request", b"attempt=1"),
        ("content-length", b"48"),
    ];
    let request = Request { method: "POST", path: "/", query: "", headers, body: b"" };
    let keys = SigningKeys::default();
    let verify = || {
        let pending = keys.begin(black_box(&request), now, |_| Some(secret())).expect("a signature");
        pending.finish(black_box(body_hash))
    };
    assert!(verify().is_ok(), "the signature is right");

    report("verify a signature", verify);
}
