//! Connections that change their protocol.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::backend::Server;
use crate::client::{raw, tls};
use crate::world::{Draft, S3};

#[tokio::test(flavor = "multi_thread")]
async fn an_upgraded_connection_passes_bytes_both_ways() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).unsigned().start().await;
    let mut stream = tls(&world, S3, "http/1.1").await.unwrap();
    let request =
        format!("GET /upgrade HTTP/1.1\r\nhost: {S3}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("upgrade: websocket"), "{head}");
    for (said, heard) in [(b"hello", b"HELLO"), (b"again", b"AGAIN")] {
        stream.write_all(said).await.unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, heard);
    }
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    assert_eq!(world.records.only().await["additionalEventData"]["httpStatusCode"], 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_protocol_is_changed_to_in_which_requests_could_be_made() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).unsigned().start().await;
    for protocol in ["h2c", "TLS/1.2", "websocket, h2c"] {
        let request = format!(
            "GET /key HTTP/1.1\r\nhost: {S3}\r\nconnection: upgrade, http2-settings\r\nupgrade: {protocol}\r\n\
             http2-settings: AAMAAABkAAQAAP__\r\n\r\nGET /other HTTP/1.1\r\nhost: {S3}\r\nconnection: close\r\n\r\n"
        );
        let answer = raw(&world, S3, request.as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
    }
    {
        let requests = server.requests.lock().unwrap();
        assert_eq!(requests.len(), 6);
        for (head, _) in requests.iter() {
            assert!(!head.headers.contains_key("upgrade") && !head.headers.contains_key("http2-settings"));
        }
    }
    assert_eq!(world.records.wait(6).await.len(), 6);
}
