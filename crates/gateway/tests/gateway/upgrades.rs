//! Connections that change their protocol.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::backend::Server;
use crate::client::tls;
use crate::world::{Draft, S3};

#[tokio::test(flavor = "multi_thread")]
async fn an_upgraded_connection_passes_bytes_both_ways() {
    let server = Server::start().await;
    let world = Draft::s3(server.backend()).unsigned().start().await;
    let mut stream = tls(&world, S3, "http/1.1").await.unwrap();
    let request =
        format!("GET /upgrade HTTP/1.1\r\nhost: {S3}\r\nconnection: Upgrade\r\nupgrade: shout\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("upgrade: shout"), "{head}");
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
