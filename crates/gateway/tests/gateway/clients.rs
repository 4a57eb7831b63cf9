//! Clients that are slow, many, or idle.

use std::time::Duration;

use linkway_gateway::Backend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{ask, connect, form, raw, tls};
use crate::world::{Draft, RDS};

const PATIENCE: Duration = Duration::from_secs(20);

fn local() -> Draft {
    Draft::rds(Backend::Local("rds".to_owned())).unsigned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_too_many_connections_costs_only_itself() {
    let mut draft = local();
    draft.limits.connections_per_client = 100;
    let world = draft.start().await;
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(connect(&world, 1, 2).await);
    }
    let mut closed = 0;
    for stream in &mut held[100..] {
        let read = tokio::time::timeout(PATIENCE, stream.read_u8()).await;
        closed += usize::from(read.expect("one too many is closed").is_err());
    }
    assert_eq!(closed, 200);
    // Client 1 is served all the while.
    assert_eq!(ask(&world, RDS, form(RDS, "Action=A")).await.status, 200);
    // When some go, there is room again.
    drop(held);
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
async fn idle_connections_end() {
    let mut draft = local();
    draft.timeouts.idle = Duration::from_millis(200);
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
