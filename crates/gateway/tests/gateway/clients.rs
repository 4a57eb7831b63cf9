//! Clients that are slow, many, or idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use linkway_gateway::Backend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::backend::Server;
use crate::client::{ask, connect, form, raw, tls};
use crate::world::{Draft, RDS, S3, client_address, endpoint_address};

const PATIENCE: Duration = Duration::from_secs(20);

fn local() -> Draft {
    Draft::rds(Backend::Local("rds".to_owned())).unsigned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_too_many_connections_costs_only_itself() {
    let mut draft = local();
    draft.limits.connections_per_client = 100;
    let world = draft.start().await;
    let closed = Arc::new(AtomicUsize::new(0));
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let (mut stream, closed) = (connect(&world, 1, 2).await, Arc::clone(&closed));
        held.spawn(async move {
            let _ = stream.read_u8().await;
            closed.fetch_add(1, Ordering::SeqCst);
        });
    }
    for _ in 0..500 {
        if closed.load(Ordering::SeqCst) == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(closed.load(Ordering::SeqCst), 200);
    // Client 1 is served all the while.
    assert_eq!(ask(&world, RDS, form(RDS, "Action=A")).await.status, 200);
    // When some go, there is room again.
    held.shutdown().await;
    for _ in 0..500 {
        let mut stream = connect(&world, 1, 2).await;
        let mut byte = [0];
        if tokio::time::timeout(Duration::from_millis(100), stream.read(&mut byte)).await.is_err() {
            return;
        }
    }
    panic!("there is no room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_progress_are_bounded() {
    let server = Server::start().await;
    let mut draft = Draft::s3(server.backend()).unsigned();
    draft.limits.requests_per_client = 2;
    let world = draft.start().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: {S3}\r\nconnection: close\r\n\r\n");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = tls(&world, S3, "http/1.1").await.unwrap();
        stream.write_all(get("/never").as_bytes()).await.unwrap();
        held.push(stream);
    }
    while server.connections.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let answer = raw(&world, S3, get("/key").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("<Code>SlowDown</Code>"), "{answer}");
    drop(held);
    for _ in 0..500 {
        if raw(&world, S3, get("/key").as_bytes()).await.starts_with("HTTP/1.1 200") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there is no room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_end() {
    let mut draft = local();
    draft.timeouts.idle = Duration::from_millis(200);
    // A client that does not answer is left.
    draft.timeouts.drain = Duration::from_millis(200);
    let world = draft.start().await;
    for alpn in ["http/1.1", "h2"] {
        let mut stream = tls(&world, RDS, alpn).await.unwrap();
        if alpn == "h2" {
            // The preface, and empty settings.
            stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        }
        let mut rest = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "{alpn}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_answers_what_it_was_asked() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).unsigned().start().await;
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let address = (endpoint_address(1), listener.local_addr().unwrap().port());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let gateway = world.gateway.worker();
    let serving = tokio::spawn(async move {
        gateway.serve_plain(listener, async { drop(stopped.await) }).await;
    });
    let connect = || async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((client_address(1), 0).into()).unwrap();
        socket.connect(address.into()).await.unwrap()
    };
    let (mut idle, mut busy) = (connect().await, connect().await);
    busy.write_all(format!("PUT /hash HTTP/1.1\r\nhost: {S3}\r\ncontent-length: 4\r\n\r\nbo").as_bytes())
        .await
        .unwrap();
    for _ in 0..500 {
        if server.connections.load(Ordering::SeqCst) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(()).unwrap();
    assert!(idle.read_u8().await.is_err());
    busy.write_all(b"dy").await.unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_head_is_not_waited_for() {
    let mut draft = local();
    draft.timeouts.head = Duration::from_millis(300);
    let world = draft.start().await;
    let answer = raw(&world, RDS, b"POST / HTTP/1.1\r\nhost: rds.us").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_not_waited_for() {
    let mut draft = local();
    draft.timeouts.head = Duration::from_millis(300);
    let world = draft.start().await;
    let answer = raw(
        &world,
        RDS,
        format!(
            "POST / HTTP/1.1\r\nhost: {RDS}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: 100\r\n\r\nAction"
        )
        .as_bytes(),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("RequestTimeout"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_must_be_read_is_bounded() {
    let mut draft = local();
    draft.limits.read_body = 100;
    let world = draft.start().await;
    assert_eq!(ask(&world, RDS, form(RDS, "Action=A")).await.status, 200);
    let answer = ask(&world, RDS, form(RDS, &format!("Action=A&x={}", "y".repeat(100)))).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("larger than 100 bytes"), "{}", answer.body);
    let chunked = format!(
        "POST / HTTP/1.1\r\nhost: {RDS}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\nc8\r\n{}\r\n0\r\n\r\n",
        "y".repeat(200)
    );
    assert!(raw(&world, RDS, chunked.as_bytes()).await.starts_with("HTTP/1.1 413"));
}
