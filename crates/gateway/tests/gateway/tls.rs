//! Handshakes.

use std::time::Duration;

use linkway_gateway::Backend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::rustls::{AlertDescription, Error};

use crate::client::{ask, ask_http2, connect, form, tls};
use crate::world::{Draft, RDS, S3};

const DESCRIBE: &str = "Action=DescribeDBInstances&Version=2014-10-31";

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_has_a_certificate_for_each_of_its_names() {
    let world = Draft::s3(Backend::Local("s3".to_owned())).unsigned().start().await;
    for name in [S3, "bucket.s3.us-east-1.amazonaws.com", "a.bucket.s3.us-east-1.amazonaws.com"] {
        let request = hyper::Request::get("/key").header("host", name).body(String::new()).unwrap();
        assert_eq!(ask(&world, name, request).await.body, "s3 nobody 10.0.1.1 /key", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_is_not_recognized() {
    let world = Draft::rds(Backend::None).start().await;
    for name in [S3, "x.rds.us-east-1.amazonaws.com", "localhost"] {
        let error = tls(&world, name, "http/1.1").await.unwrap_err();
        let error = error.get_ref().unwrap().downcast_ref::<Error>().unwrap().clone();
        assert_eq!(error, Error::AlertReceived(AlertDescription::UnrecognisedName), "{name}");
    }
    // An address is no name, so none is sent.
    assert!(tls(&world, "127.100.0.1", "http/1.1").await.is_err());
    assert!(tls(&world, RDS, "http/1.1").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_spoken_with_those_who_can() {
    let world = Draft::rds(Backend::Local("rds".to_owned())).unsigned().start().await;
    let requests = (0..3).map(|_| {
        let mut request = form(RDS, DESCRIBE);
        *request.uri_mut() = format!("https://{RDS}/").parse().unwrap();
        request.headers_mut().remove("host");
        request
    });
    let answers = ask_http2(&world, RDS, requests.collect()).await;
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|answer| answer.body == "rds nobody 10.0.1.1 /"), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_nothing_is_left() {
    let mut draft = Draft::rds(Backend::None);
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
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_no_endpoint_or_of_no_client_are_closed() {
    let world = Draft::rds(Backend::Local("rds".to_owned())).unsigned().start().await;
    let mut stream = connect(&world, 2, 1).await;
    assert!(stream.read_u8().await.is_err());
    let mut stream = crate::client::connect_plain(&world, 1, 77).await;
    let request =
        format!("GET /?Action=DescribeDBInstances HTTP/1.1\r\nhost: {RDS}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("InvalidVpcEndpoint"), "{answer}");
}
