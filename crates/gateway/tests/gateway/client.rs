//! Clients of a world: TLS, HTTP/1.1 and HTTP/2, and bytes as they are.

use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::world::{World, client_address, endpoint_address};

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A connection from a client to an endpoint, without TLS.
pub(crate) async fn connect(world: &World, endpoint: u32, client: u32) -> TcpStream {
    from(client).connect(world.address(endpoint)).await.unwrap()
}

pub(crate) async fn connect_plain(world: &World, endpoint: u32, client: u32) -> TcpStream {
    from(client).connect(world.plain_address(endpoint)).await.unwrap()
}

/// A connection from a client to a listener that is relayed.
pub(crate) async fn connect_relayed(world: &World, interface: u32, client: u32) -> io::Result<TcpStream> {
    from(client).connect((endpoint_address(interface), world.relayed_port).into()).await
}

fn from(client: u32) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((client_address(client), 0).into()).unwrap();
    socket
}

/// A TLS connection of client 1 to endpoint 1.
pub(crate) async fn tls(world: &World, name: &str, alpn: &str) -> io::Result<TlsStream<TcpStream>> {
    tls_trusting(world, &world.ca, name, alpn).await
}

/// The same with trust in another CA than the gateway's.
pub(crate) async fn tls_trusting(
    world: &World,
    ca: &str,
    name: &str,
    alpn: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(client_config(ca, alpn)).connect(name, connect(world, 1, 1).await).await
}

/// The same of another client, with HTTP/1.1.
pub(crate) async fn tls_from(world: &World, client: u32, name: &str) -> io::Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(client_config(&world.ca, "http/1.1"));
    connector.connect(ServerName::try_from(name.to_owned()).unwrap(), connect(world, 1, client).await).await
}

/// A client that trusts a CA.
pub(crate) fn client_config(ca: &str, alpn: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    Arc::new(config)
}

/// Sends a request on a connection of its own, over HTTP/1.1.
pub(crate) async fn send<B>(
    world: &World,
    name: &str,
    request: Request<B>,
) -> hyper::Result<Response<Incoming>>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    send_over(tls(world, name, "http/1.1").await.unwrap(), request).await
}

async fn send_over<B>(stream: TlsStream<TcpStream>, request: Request<B>) -> hyper::Result<Response<Incoming>>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request).await
}

/// Sends a request on a connection that is there, and reads the answer.
pub(crate) async fn ask_over(stream: TlsStream<TcpStream>, request: Request<String>) -> Answer {
    read(send_over(stream, request.map(Full::<Bytes>::from)).await.unwrap()).await
}

/// Sends a request with a body that is there at once, and reads the answer.
pub(crate) async fn ask(world: &World, name: &str, request: Request<String>) -> Answer {
    let response = send(world, name, request.map(Full::<Bytes>::from)).await.unwrap();
    read(response).await
}

/// Sends requests one after the other on one HTTP/2 connection.
pub(crate) async fn ask_http2(world: &World, name: &str, requests: Vec<Request<String>>) -> Vec<Answer> {
    let stream = tls(world, name, "h2").await.unwrap();
    let http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for request in requests {
        let response = sender.send_request(request.map(Full::<Bytes>::from)).await.unwrap();
        answers.push(read(response).await);
    }
    answers
}

pub(crate) async fn read(response: Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// Sends bytes over TLS and reads all that comes until the gateway closes.
pub(crate) async fn raw(world: &World, name: &str, bytes: &[u8]) -> String {
    let mut stream = tls(world, name, "http/1.1").await.unwrap();
    // A gateway that has read enough may close before it has all.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    // A connection that is cut without TLS's farewell is closed all the same.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .expect("the gateway should have closed the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request of a form, not signed.
pub(crate) fn form(host: &str, body: &str) -> Request<String> {
    Request::post("/")
        .header("host", host)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(body.to_owned())
        .unwrap()
}
