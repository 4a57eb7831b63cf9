//! Connections to services whose own servers hold the certificates.

use std::sync::atomic::Ordering;
use std::time::Duration;

use linkway_gateway::{Backend, Tls};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{AlertDescription, ClientConnection, Error};

use crate::backend::Server;
use crate::client::{ask_over, client_config, connect, form, tls_trusting};
use crate::world::{Draft, RDS, S3, World};

const FULL: &str = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
const SOME: &str =
    r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "rds:*", "Resource": "*"}}"#;

fn draft(authority: &str) -> Draft {
    let backend = Backend::Https { authority: authority.to_owned(), ca: None };
    let mut draft = Draft::rds(backend).policy(FULL);
    draft.service().tls = Tls::Passthrough;
    draft
}

/// The alert with which a handshake fails.
async fn alert(world: &World, ca: &str, name: &str) -> AlertDescription {
    let error = tls_trusting(world, ca, name, "http/1.1").await.unwrap_err();
    match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(alert)) => *alert,
        _ => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_speaks_with_the_service_itself() {
    let (server, ca) = Server::start_tls_as(RDS).await;
    let world = draft(&server.authority).start().await;
    // Its certificate is of the server's own, not of the gateway's CA.
    let stream = tls_trusting(&world, &ca, RDS, "http/1.1").await.unwrap();
    let answer = ask_over(stream, form(RDS, "Action=DescribeDBInstances")).await;
    assert_eq!(answer.body, "answer to /");
    let record = world.records.only().await;
    assert_eq!(record["vpcEndpointId"], "vpce-0123456789abcdef0");
    assert_eq!(record["sourceIPAddress"], "10.0.1.1");
    assert_eq!(record["eventName"], "Unknown");
    assert_eq!(record["errorCode"], json!(null));
    assert_eq!(record["additionalEventData"]["tls"], json!({"mode": "passthrough", "serverName": RDS}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_the_endpoints_is_not_recognized() {
    let (server, ca) = Server::start_tls_as(S3).await;
    let world = draft(&server.authority).start().await;
    // An address is no name, so none is sent.
    for name in [S3, "x.rds.us-east-1.amazonaws.com", "localhost", "127.100.0.1"] {
        assert_eq!(alert(&world, &ca, name).await, AlertDescription::UnrecognisedName, "{name}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_policy_can_be_asked_about_passes_only_with_full_access() {
    let (server, ca) = Server::start_tls_as(RDS).await;
    let world = draft(&server.authority).policy(SOME).start().await;
    assert_eq!(alert(&world, &ca, RDS).await, AlertDescription::AccessDenied);
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
    let record = world.records.only().await;
    assert_eq!(record["errorCode"], "VpceAccessDenied");

    world.change(|endpoint| endpoint.audit_mode = true);
    assert!(tls_trusting(&world, &ca, RDS, "http/1.1").await.is_ok());
    let record = world.records.wait(2).await.remove(1);
    assert_eq!(record["errorCode"], json!(null));
    assert_eq!(record["additionalEventData"]["denied"]["passed"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_is_told_to_the_client() {
    let (closed, ca) = Server::start_tls_as(RDS).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = listener.local_addr().unwrap().to_string();
    drop((listener, closed));
    let world = draft(&dead).start().await;
    assert_eq!(alert(&world, &ca, RDS).await, AlertDescription::InternalError);
    let record = world.records.only().await;
    assert_eq!(record["errorCode"], "BadGateway");

    world.change(|endpoint| std::sync::Arc::make_mut(&mut endpoint.service).backend = Backend::None);
    assert_eq!(alert(&world, &ca, RDS).await, AlertDescription::InternalError);
    assert_eq!(world.records.wait(2).await[1]["errorCode"], "NotImplemented");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_may_come_in_pieces() {
    let (server, ca) = Server::start_tls_as(RDS).await;
    let world = draft(&server.authority).start().await;
    let name = ServerName::try_from(RDS).unwrap();
    let mut greeting = Vec::new();
    let mut tls = ClientConnection::new(client_config(&ca, "http/1.1"), name).unwrap();
    tls.write_tls(&mut greeting).unwrap();
    let mut stream = connect(&world, 1, 1).await;
    stream.set_nodelay(true).unwrap();
    for byte in greeting {
        stream.write_all(&[byte]).await.unwrap();
    }
    // The server's answer is a handshake's record.
    assert_eq!(stream.read_u8().await.unwrap(), 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_greet_is_left() {
    let (server, _) = Server::start_tls_as(RDS).await;
    let mut draft = draft(&server.authority);
    draft.timeouts.handshake = Duration::from_millis(200);
    let world = draft.start().await;
    for said in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = connect(&world, 1, 1).await;
        stream.write_all(said).await.unwrap();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_u8()).await;
        assert!(read.expect("the connection is closed").is_err());
    }
    let mut stream = connect(&world, 1, 1).await;
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    // A fatal alert: it cannot be decoded.
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 50]);
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}
