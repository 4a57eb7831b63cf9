//! Backends that answer, and those that do not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Request;
use hyper::body::{Bytes, Frame};
use linkway_gateway::Backend;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::backend::Server;
use crate::client::{Answer, ask, ask_http2, form, raw, read, send};
use crate::world::{Draft, RDS, S3};

const DESCRIBE: &str = "Action=DescribeDBInstances&Version=2014-10-31";

fn get(path: &str) -> Request<String> {
    Request::get(path).header("host", S3).body(String::new()).unwrap()
}

async fn failing(draft: Draft) -> Answer {
    let world = draft.unsigned().start().await;
    ask(&world, RDS, form(RDS, DESCRIBE)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_comes_as_it_was_sent() {
    let server = Server::start().await;
    let world = Draft::rds(server.backend()).unsigned().start().await;
    let mut request = form(RDS, DESCRIBE);
    *request.uri_mut() = "/a%2Fb/?x=%20y".parse().unwrap();
    let headers = request.headers_mut();
    headers.insert("x-amz-meta-a", "1".parse().unwrap());
    headers.append("x-amz-meta-a", "2".parse().unwrap());
    headers.insert("connection", "keep-alive".parse().unwrap());
    headers.insert("keep-alive", "timeout=5".parse().unwrap());
    headers.insert("te", "trailers".parse().unwrap());
    let answer = ask(&world, RDS, request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["x-amz-something"], "kept");
    assert_eq!(answer.body, "answer to /a%2Fb/");

    let requests = server.requests.lock().unwrap();
    let (head, body) = &requests[0];
    assert_eq!(body, DESCRIBE);
    assert_eq!(head.uri, "/a%2Fb/?x=%20y");
    assert_eq!(head.headers["host"], RDS);
    assert_eq!(head.headers.get_all("x-amz-meta-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    for gone in ["connection", "keep-alive", "te"] {
        assert!(!head.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_backend_are_kept() {
    let server = Server::start().await;
    let world = Draft::rds(server.backend()).unsigned().start().await;
    for _ in 0..5 {
        assert_eq!(ask(&world, RDS, form(RDS, DESCRIBE)).await.status, 200);
    }
    // A view that changes something else does not end them.
    world.change(|endpoint| endpoint.audit_mode = true);
    assert_eq!(ask(&world, RDS, form(RDS, DESCRIBE)).await.status, 200);
    assert_eq!(server.seen(), 6);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_both_ways() {
    const PIECE: usize = 1 << 16;
    const PIECES: usize = 1024;
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).unsigned().start().await;
    let pieces = futures_util::stream::iter(0..PIECES)
        .map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![piece as u8; PIECE]))));
    let request =
        Request::put("/hash").header("host", S3).body(StreamBody::new(pieces).boxed_unsync()).unwrap();
    let answer = read(send(&world, S3, request).await.unwrap()).await;
    let whole = (0..PIECES).fold(Sha256::new(), |hash, piece| hash.chain_update(vec![piece as u8; PIECE]));
    assert_eq!(answer.body, hex::encode(whole.finalize()));

    let mut response =
        send(&world, S3, get("/zeros?2048").map(http_body_util::Full::<Bytes>::from)).await.unwrap();
    let mut length = 0;
    while let Some(frame) = response.body_mut().frame().await {
        length += frame.unwrap().data_ref().unwrap().len();
    }
    assert_eq!(length, 2048 << 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_backend_the_answer_says_so() {
    let answer = failing(Draft::rds(Backend::None)).await;
    assert_eq!(answer.status, 501);
    assert!(
        answer.body.contains("<Code>NotImplemented</Code>")
            && answer.body.contains("linkway service set com.amazonaws.us-east-1.rds --backend"),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_backend_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    drop(listener);
    let answer = failing(Draft::rds(Backend::Http { authority })).await;
    assert_eq!(answer.status, 502);
    assert!(
        answer.body.contains("<Code>BadGateway</Code>") && answer.body.contains("refused"),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_closes_at_once_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let answer = failing(Draft::rds(Backend::Http { authority })).await;
    assert_eq!(answer.status, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_never_answers_is_a_gateway_timeout() {
    let server = Server::start().await;
    let mut draft = Draft::s3(server.backend()).unsigned();
    draft.timeouts.response = Duration::from_millis(200);
    let world = draft.start().await;
    let answer = ask(&world, S3, get("/never")).await;
    assert_eq!(answer.status, 504);
    assert!(answer.body.contains("<Code>GatewayTimeout</Code>"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_dies_in_its_answer_takes_the_clients_with_it() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).unsigned().start().await;
    let response = send(&world, S3, get("/die").map(http_body_util::Full::<Bytes>::from)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.is_err());
    // The gateway has lost nothing.
    assert_eq!(ask(&world, S3, get("/key")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_with_tls_must_be_who_it_says() {
    let (server, ca) = Server::start_tls().await;
    let (_, other) = Server::start_tls().await;
    let https =
        |authority: &str, ca: &str| Backend::Https { authority: authority.to_owned(), ca: Some(ca.into()) };

    let answer = failing(Draft::rds(https(&server.authority, &ca))).await;
    assert_eq!(answer.body, "answer to /");
    let answer = failing(Draft::rds(https(&server.authority, &other))).await;
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("certificate"), "{}", answer.body);
    let address = server.authority.replace("localhost", "127.0.0.1");
    assert_eq!(failing(Draft::rds(https(&address, &ca))).await.status, 502);
    let answer = failing(Draft::rds(https(&server.authority, ""))).await;
    assert!(answer.body.contains("no certificate"), "{}", answer.body);
    assert_eq!(server.seen(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_length_of_what_is_not_sent_is_told() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).unsigned().start().await;
    let head = |uri: &str| Request::head(uri).header("host", S3).body(String::new()).unwrap();
    let mut answers = vec![ask(&world, S3, head("/length")).await];
    answers.extend(ask_http2(&world, S3, vec![head(&format!("https://{S3}/length"))]).await);
    for answer in answers {
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
        assert_eq!(answer.headers["content-length"], "12");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_asked_for_only_if_the_request_may_pass() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).unsigned().start().await;
    let request = format!(
        "PUT /key HTTP/1.1\r\nhost: {S3}\r\ncontent-length: 4\r\nexpect: 100-continue\r\nconnection: close\r\n\r\nbody"
    );
    let answer = raw(&world, S3, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), "{answer}");
    assert_eq!(server.requests.lock().unwrap()[0].0.headers.get("expect"), None);

    let nothing = r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
    let world = Draft::s3(server.backend()).unsigned().policy(nothing).start().await;
    let answer = raw(&world, S3, request.strip_suffix("body").unwrap().as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_clients_have_http1_backends() {
    let server = Server::start().await;
    let world = Draft::rds(server.backend()).unsigned().start().await;
    let mut request = form(RDS, DESCRIBE);
    *request.uri_mut() = format!("https://{RDS}/").parse().unwrap();
    request.headers_mut().remove("host");
    assert_eq!(ask_http2(&world, RDS, vec![request]).await[0].body, "answer to /");
    assert_eq!(server.requests.lock().unwrap()[0].0.headers["host"], RDS);
}
