//! Requests that two servers could read in two ways.

use crate::backend::Server;
use crate::client::raw;
use crate::world::{Draft, RDS};

/// Sends bytes; returns the answer and how many requests came to the backend, and their bodies.
async fn send(request: &str) -> (String, Vec<String>) {
    let server = Server::start().await;
    let world = Draft::rds(server.backend()).unsigned().start().await;
    let answer = raw(&world, RDS, request.as_bytes()).await;
    let requests = server.requests.lock().unwrap();
    (answer, requests.iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect())
}

fn post(headers: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: {RDS}\r\ncontent-type: application/x-www-form-urlencoded\r\n{headers}\r\n\r\n{body}"
    )
}

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: rds.us-east-1.amazonaws.com\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn two_lengths_are_refused() {
    let (answer, requests) = send(&post("content-length: 8\r\ncontent-length: 9", "Action=AB")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(requests.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_chunks_does_not_count_and_ends_the_connection() {
    for headers in
        ["content-length: 4\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 4"]
    {
        let body = format!("8\r\nAction=A\r\n0\r\n\r\n{SMUGGLED}");
        let (answer, requests) = send(&post(headers, &body)).await;
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert!(requests.is_empty() || requests == ["Action=A"], "{requests:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_chunks_are_refused() {
    for chunks in [
        "zz\r\nAction=A\r\n0\r\n\r\n",
        "-8\r\nAction=A\r\n0\r\n\r\n",
        "8\r\nAction=ABC\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\nAction=A\r\n0\r\n\r\n",
        "8\nAction=A\n0\n\n",
    ] {
        let (answer, requests) =
            send(&post("transfer-encoding: chunked", &format!("{chunks}{SMUGGLED}"))).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{chunks:?}: {answer}");
        assert!(!answer.contains("smuggled"), "{chunks:?}: {answer}");
        assert!(requests.is_empty(), "{chunks:?}: {requests:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_encodings_and_spellings_are_refused() {
    for headers in [
        "transfer-encoding: identity",
        "transfer-encoding: chunked, gzip",
        "transfer-encoding : chunked",
        "content-length: +8",
        "content-length: 0x8",
        "content-length : 8",
        "content-length: 8\r\nhost: other.example",
        "content-length: 8\r\nconnection: close, authorization",
        "content-length: 8\r\n folded: header",
        "content-length: 8\r\nx-amz-target: A.Allowed\r\nX-Amz-Target: A.Denied",
        "content-length: 8\r\ncontent-type: application/x-amz-json-1.0",
    ] {
        let (answer, requests) = send(&post(headers, &format!("Action=A{SMUGGLED}"))).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{headers:?}: {answer}");
        assert!(requests.is_empty(), "{headers:?}: {requests:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_must_be_the_endpoints_service() {
    let get = |target: &str, host: &str| format!("GET {target} HTTP/1.1\r\n{host}connection: close\r\n\r\n");
    for (request, status) in [
        (get("/?Action=A", "host: sts.us-east-1.amazonaws.com\r\n"), 421),
        (get("/?Action=A", ""), 400),
        (get("http://other.example/?Action=A", "host: rds.us-east-1.amazonaws.com\r\n"), 400),
        (get("http://other.example/?Action=A", "host: other.example\r\n"), 421),
        (get("/a/../?Action=A", "host: rds.us-east-1.amazonaws.com\r\n"), 400),
        (get("/a/.%2E/?Action=A", "host: rds.us-east-1.amazonaws.com\r\n"), 400),
        (get("/a/..%2Fb?Action=A", "host: rds.us-east-1.amazonaws.com\r\n"), 400),
        (get("/?Action=A", "host: a@rds.us-east-1.amazonaws.com\r\n"), 400),
        (get("/?Action=A", "host: a/rds.us-east-1.amazonaws.com\r\n"), 400),
        (get("/a/...?Action=A", "host: rds.us-east-1.amazonaws.com\r\n"), 200),
        (get("*", "host: rds.us-east-1.amazonaws.com\r\n"), 400),
        (get("/?Action=A", "host: rds.us-east-1.amazonaws.com\r\nhost: other.example\r\n"), 400),
        (get("/?Action=A", "host: RDS.us-east-1.amazonaws.com:443\r\n"), 200),
    ] {
        let (answer, requests) = send(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request:?}: {answer}");
        assert_eq!(requests.len(), usize::from(status == 200), "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_bounded() {
    let long = format!("x: {}", "y".repeat(1 << 20));
    let (answer, requests) = send(&post(&long, "")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(requests.is_empty());
    let many: Vec<String> = (0..1000).map(|n| format!("x-{n}: y")).collect();
    let (answer, requests) = send(&post(&many.join("\r\n"), "")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(requests.is_empty());
}
