//! What clients and backends do to break things.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use linkway_gateway::{Backend, Limits};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::backend::Server;
use crate::botocore::python;
use crate::client::{ask, form, raw, send, tls, tls_from};
use crate::signer::Signer;
use crate::world::{ACCOUNT, Draft, FOREIGN_KEY, KEY, RDS, S3, World, client_address};

const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a request over HTTP/2 as it is. `None`: there is no answer.
async fn send_http2(world: &World, request: Request<String>) -> Option<StatusCode> {
    let stream = tls(world, RDS, "h2").await.unwrap();
    let http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let sent = sender.send_request(request.map(Full::<Bytes>::from));
    tokio::time::timeout(PATIENCE, sent).await.expect("it does not hang").ok().map(|answer| answer.status())
}

fn over_http2(headers: &[(&str, &str)]) -> Request<String> {
    let mut request = form(RDS, "Action=A");
    *request.uri_mut() = format!("https://{RDS}/").parse().unwrap();
    for (name, value) in headers {
        let name: hyper::header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_has_the_same_rules() {
    let server = Server::start().await;
    let world = Draft::rds(server.backend()).unsigned().start().await;
    let long = "y".repeat(1 << 20);
    for (headers, answers) in [
        // More than a head may have.
        (&[("x", long.as_str())][..], &[None, Some(431)][..]),
        // Another length than the body has.
        (&[("content-length", "4")], &[None, Some(400)]),
        (&[("content-length", "400")], &[None, Some(400)]),
        (&[("host", "other.example")], &[Some(400)]),
        (&[("x-amz-target", "A.B"), ("expect", "100-continue")], &[Some(200)]),
        (&[], &[Some(200)]),
    ] {
        let before = server.seen();
        let status = send_http2(&world, over_http2(headers)).await.map(|status| status.as_u16());
        assert!(answers.contains(&status), "{}: {status:?}", headers.first().map_or("", |(name, _)| name));
        assert_eq!(server.seen() - before, usize::from(status == Some(200)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_account_is_not_let_pass_by_a_policy_for_ones_own() {
    let policy = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{ACCOUNT}"}}, "Action": "*", "Resource": "*"}}}}"#
    );
    let world = Draft::rds(Backend::Local("rds".to_owned())).policy(&policy).start().await;
    for (key, status) in [(KEY, 200), (FOREIGN_KEY, 403)] {
        let mut request = form(RDS, "Action=DescribeDBInstances");
        Signer { key, ..Signer::of("rds") }.sign(&mut request, b"Action=DescribeDBInstances");
        assert_eq!(ask(&world, RDS, request).await.status, status, "{key}");
    }
}

/// A backend that answers every request with these bytes, one after the other with pauses between, and then does
/// nothing.
async fn saying(pieces: &'static [&'static [u8]], pause: Duration) -> Backend {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                for piece in pieces {
                    let _ = stream.write_all(piece).await;
                    tokio::time::sleep(pause).await;
                }
                let _ = stream.read(&mut request).await;
            });
        }
    });
    Backend::Http { authority }
}

fn get() -> Request<Full<Bytes>> {
    Request::get("/key").header("host", S3).body(Full::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_passes_and_one_that_stops_does_not_hang() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    let stall = Duration::from_millis(500);
    for (pieces, whole) in [
        (&[HEAD, b"s", b"l", b"o", b"w", b"!"][..], Some("slow!")),
        (&[b"HTTP/1.1 200", b" OK\r\ncontent-", b"length: 2\r\n", b"\r\nok"], Some("ok")),
        (&[HEAD, b"st"], None),
    ] {
        let mut draft = Draft::s3(saying(pieces, stall / 3).await).unsigned();
        draft.timeouts.stall = stall;
        let world = draft.start().await;
        let answer = send(&world, S3, get()).await.unwrap();
        let body = tokio::time::timeout(PATIENCE, answer.into_body().collect()).await.expect("it ends");
        assert_eq!(body.ok().map(|body| body.to_bytes()).as_deref(), whole.map(str::as_bytes));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_none_is_a_bad_gateway() {
    const ANSWERS: [&[&[u8]]; 3] = [
        &[b"SSH-2.0-OpenSSH_10.0\r\n"],
        &[b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc"],
        &[b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
    ];
    for pieces in ANSWERS {
        let world = Draft::s3(saying(pieces, Duration::ZERO).await).unsigned().start().await;
        let status = send(&world, S3, get()).await.unwrap().status();
        assert_eq!(status, 502, "{}", String::from_utf8_lossy(pieces[0]));
    }
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_connections_cost_little() {
    const SILENT: usize = 9_500;
    const SECURE: usize = 500;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let mut draft = Draft::rds(Backend::Local("rds".to_owned())).unsigned();
    draft.timeouts.handshake = PATIENCE * 10;
    draft.limits = Limits { connections_per_client: 4_000, ..Limits::default() };
    let world = draft.start().await;
    assert_eq!(ask(&world, RDS, form(RDS, "Action=A")).await.status, 200);

    let before = resident();
    // The other ends are in a process of their own, as a process has so many files open and no more.
    let mut crowd = Command::new(python());
    crowd.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/crowd.py"));
    crowd.args([world.address(1).ip().to_string(), world.port.to_string(), SILENT.to_string()]);
    crowd.args((2..5).map(|client| client_address(client).to_string()));
    let mut crowd = crowd.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut ready = [0; 6];
    crowd.stdout.as_mut().unwrap().read_exact(&mut ready).await.unwrap();
    let mut secure = Vec::new();
    for _ in 0..SECURE / 50 {
        secure.extend(join_all((0..50).map(|_| tls_from(&world, 5, RDS))).await);
    }
    assert!(secure.iter().all(Result::is_ok));
    // Another client is served as ever.
    let begun = Instant::now();
    assert_eq!(ask(&world, RDS, form(RDS, "Action=A")).await.status, 200);
    let request = format!("GET /?Action=A HTTP/1.1\r\nhost: {RDS}\r\nconnection: close\r\n\r\n");
    let answer = raw(&world, RDS, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let each = resident().saturating_sub(before) / (SILENT + SECURE);
    assert!(each < 64 << 10, "{each} bytes for each connection");
    println!("{each} bytes for each connection, with what other tests take meanwhile");
    // None was closed to make room.
    drop(crowd.stdin.take());
    assert!(crowd.wait().await.unwrap().success());
}
