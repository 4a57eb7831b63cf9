//! Signatures, and bodies that are checked as they pass.

use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::Request;
use hyper::body::{Bytes, Frame};
use jiff::{SignedDuration, Timestamp};
use linkway_gateway::Backend;
use sha2::{Digest as _, Sha256};

use crate::backend::Server;
use crate::client::{Answer, ask, form, read, send};
use crate::signer::Signer;
use crate::world::{Draft, KEY, RDS, S3, World};

const BODY: &str = "Action=DescribeDBInstances&Version=2014-10-31";

async fn call(world: &World, signer: &Signer, alter: impl FnOnce(&mut Request<String>)) -> Answer {
    let mut request = form(RDS, BODY);
    signer.sign(&mut request, BODY.as_bytes());
    alter(&mut request);
    ask(world, RDS, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_are_not_right_are_refused() {
    let server = Server::start().await;
    let world = Draft::rds(server.backend()).start().await;
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    let rds = || Signer::of("rds");
    for (signer, code, words) in [
        (Signer { time: now - hour, ..rds() }, "SignatureDoesNotMatch", "Signature expired"),
        (Signer { time: now + hour, ..rds() }, "SignatureDoesNotMatch", "Signature not yet current"),
        (Signer { key: "AKIANOBODY", ..rds() }, "InvalidClientTokenId", "security token included"),
        (Signer { service: "sts", ..rds() }, "SignatureDoesNotMatch", "scoped to correct service: 'rds'"),
        (Signer { region: "eu-west-1", ..rds() }, "SignatureDoesNotMatch", "scoped to a valid region"),
    ] {
        let answer = call(&world, &signer, |_| {}).await;
        assert_eq!(answer.status, 403, "{words}");
        assert!(
            answer.body.contains(&format!("<Code>{code}</Code>")) && answer.body.contains(words),
            "{}",
            answer.body
        );
    }
    let answer = ask(&world, RDS, form(RDS, BODY)).await;
    assert!(answer.body.contains("<Code>MissingAuthenticationToken</Code>"), "{}", answer.body);
    for alter in [
        |request: &mut Request<String>| *request.body_mut() = BODY.replace("Describe", "Destroys"),
        |request: &mut Request<String>| *request.uri_mut() = "/?x=y".parse().unwrap(),
        |request: &mut Request<String>| *request.method_mut() = hyper::Method::PUT,
    ] {
        let answer = call(&world, &rds(), alter).await;
        assert!(answer.body.contains("<Code>SignatureDoesNotMatch</Code>"), "{}", answer.body);
    }
    assert_eq!(server.seen(), 0);
    assert_eq!(call(&world, &rds(), |_| {}).await.status, 200);
    assert_eq!(world.records.wait(10).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_may_ask_as_nobody() {
    let everyone = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
    let account = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*",
        "Resource": "*"}}"#;
    let unknown = || Signer { key: "AKIANOBODY", ..Signer::of("rds") };
    for (policy, status) in [(everyone, 200), (account, 403)] {
        let world = Draft::rds(Backend::Local("rds".to_owned())).policy(policy).unsigned().start().await;
        assert_eq!(call(&world, &unknown(), |_| {}).await.status, status);
        assert_eq!(world.records.only().await["userIdentity"]["accessKeyId"], "AKIANOBODY");
        // Under another service's name an action could pass for another.
        let other = call(&world, &Signer { service: "iam", ..unknown() }, |_| {}).await;
        assert!(other.body.contains("scoped to correct service: 'rds'"), "{}", other.body);
        // A known key is checked all the same.
        let altered =
            call(&world, &Signer::of("rds"), |request| *request.uri_mut() = "/?x".parse().unwrap()).await;
        assert!(altered.body.contains("SignatureDoesNotMatch"), "{}", altered.body);
        assert_eq!(call(&world, &Signer::of("rds"), |_| {}).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_signed_by_version_two_is_not_nobodys() {
    let target = format!("/bucket/key?AWSAccessKeyId={KEY}&Signature=c2lnbmVk&Expires=2000000000");
    let get = || Request::get(&target).header("host", S3).body(String::new()).unwrap();
    let server = Server::start().await;
    let mut draft = Draft::s3(server.backend());
    draft.service().anonymous = true;
    let answer = ask(&draft.start().await, S3, get()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("<Code>InvalidRequest</Code>"), "{}", answer.body);
    assert!(answer.body.contains("Please use AWS4-HMAC-SHA256"), "{}", answer.body);
    assert_eq!(server.seen(), 0);
    // Where keys need not be known, it passes as far as everyone does.
    let world = Draft::s3(server.backend()).unsigned().start().await;
    assert_eq!(ask(&world, S3, get()).await.status, 200);
    assert_eq!(world.records.only().await["userIdentity"]["accessKeyId"], KEY);
}

/// Uploads a body in pieces, so that the gateway cannot have it whole.
async fn put(world: &World, signer: &Signer, signed: &[u8], sent: Vec<Bytes>) -> Answer {
    let length: usize = sent.iter().map(Bytes::len).sum();
    let pieces =
        futures_util::stream::iter(sent.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(piece))));
    let request = Request::put("/key").header("host", S3).header("content-length", length);
    let mut request = request.body(StreamBody::new(pieces).boxed_unsync()).unwrap();
    signer.sign(&mut request, signed);
    read(send(world, S3, request).await.unwrap()).await
}

fn pieces(body: &[u8]) -> Vec<Bytes> {
    body.chunks(1 << 14).map(Bytes::copy_from_slice).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_held_against_the_hash_that_was_signed() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).start().await;
    let body: Vec<u8> = (0..1 << 20).map(|at: u32| (at / 7) as u8).collect();
    let signer = Signer { payload: Some(hex::encode(Sha256::digest(&body))), ..Signer::of("s3") };
    assert_eq!(put(&world, &signer, &body, pieces(&body)).await.body, "answer to /key");
    assert_eq!(server.requests.lock().unwrap()[0].1, body);

    let mut altered = body.clone();
    *altered.last_mut().unwrap() ^= 1;
    let answer = put(&world, &signer, &body, pieces(&altered)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("<Code>XAmzContentSHA256Mismatch</Code>"), "{}", answer.body);
    // The backend never had the whole of it.
    assert_eq!(server.seen(), 1);

    let unsigned = Signer { payload: Some("UNSIGNED-PAYLOAD".to_owned()), ..Signer::of("s3") };
    assert_eq!(put(&world, &unsigned, b"", pieces(&altered)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_too_large_to_read_is_checked_on_its_way() {
    let server = Server::start().await;
    let mut draft = Draft::s3(server.backend());
    draft.limits.read_body = 1000;
    let world = draft.start().await;
    let body = vec![7; 1 << 20];
    // Signers for services other than S3 do not send the hash that they sign.
    assert_eq!(put(&world, &Signer::of("s3"), &body, pieces(&body)).await.body, "answer to /key");
    let answer = put(&world, &Signer::of("s3"), b"another body", pieces(&body)).await;
    assert!(answer.body.contains("<Code>SignatureDoesNotMatch</Code>"), "{}", answer.body);
    assert_eq!(server.seen(), 1);
}

async fn put_chunked(
    world: &World,
    trailer: Option<(&str, &str)>,
    alter: impl FnOnce(&mut Vec<u8>),
) -> Answer {
    let payload = match trailer {
        None => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        Some(_) => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    };
    let signer = Signer { payload: Some(payload.to_owned()), ..Signer::of("s3") };
    let request = Request::put("/key").header("host", S3).header("x-amz-decoded-content-length", "70000");
    let mut request = request.body(Full::new(Bytes::new())).unwrap();
    let seed = signer.sign(&mut request, b"");
    let mut body = signer.chunked(&seed, &[&[1; 1 << 16], &[2; 70_000 - (1 << 16)]], trailer);
    alter(&mut body);
    // In pieces that begin and end anywhere.
    let pieces: Vec<_> = body
        .chunks(997)
        .map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let body = StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync();
    read(send(world, S3, request.map(|_| body)).await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_chunks_are_checked_as_they_pass() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).start().await;
    let trailer = Some(("x-amz-checksum-crc32c", "AAAAAA=="));
    for trailer in [None, trailer] {
        assert_eq!(put_chunked(&world, trailer, |_| {}).await.body, "answer to /key");
    }
    let seen = server.seen();
    let first: fn(&mut Vec<u8>) = |body| body[200] ^= 1;
    let second: fn(&mut Vec<u8>) = |body| body[68_000] ^= 1;
    let cut: fn(&mut Vec<u8>) = |body| body.truncate(66_000);
    let longer: fn(&mut Vec<u8>) = |body| body.extend_from_slice(b"5\r\nextra\r\n");
    for alter in [first, second, cut, longer] {
        for trailer in [None, trailer] {
            let answer = put_chunked(&world, trailer, alter).await;
            assert!(matches!(answer.status.as_u16(), 400 | 403), "{answer:?}");
        }
    }
    let checksum: fn(&mut Vec<u8>) = |body| {
        let at = body.windows(8).rposition(|window| window == b"AAAAAA==").unwrap();
        body[at] = b'B';
    };
    assert!(put_chunked(&world, trailer, checksum).await.body.contains("SignatureDoesNotMatch"));
    assert_eq!(server.seen(), seen);
}
