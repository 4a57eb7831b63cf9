//! A backend that the tests run.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use linkway_gateway::Backend;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

type Answer = UnsyncBoxBody<Bytes, std::io::Error>;

/// A server and what it saw.
#[derive(Clone, Default)]
pub(crate) struct Server {
    pub(crate) authority: String,
    pub(crate) connections: Arc<AtomicUsize>,
    /// Requests whose bodies arrived whole.
    pub(crate) requests: Arc<Mutex<Vec<(hyper::http::request::Parts, Bytes)>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { authority: listener.local_addr().unwrap().to_string(), ..Self::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let serving = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| serving.clone().answer(request));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                });
            }
        });
        server
    }

    /// The same behind TLS, under the name `localhost`. The second value is the CA's certificate.
    pub(crate) async fn start_tls() -> (Self, String) {
        Self::start_tls_as("localhost").await
    }

    /// The same under another name.
    pub(crate) async fn start_tls_as(name: &str) -> (Self, String) {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], signing_key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { authority: format!("localhost:{port}"), ..Self::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let serving = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| serving.clone().answer(request));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        (server, cert.pem())
    }

    pub(crate) fn backend(&self) -> Backend {
        Backend::Http { authority: self.authority.clone() }
    }

    pub(crate) fn seen(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    async fn answer(self, mut request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        match path.as_str() {
            "/hash" => {
                let (mut hash, mut body) = (Sha256::new(), body);
                while let Some(frame) = body.frame().await {
                    let Ok(frame) = frame else { return Ok(say("broken")) };
                    hash.update(frame.data_ref().unwrap());
                }
                return Ok(say(hex::encode(hash.finalize())));
            }
            "/zeros" => {
                let count: usize = parts.uri.query().unwrap().parse().unwrap();
                let pieces = futures_util::stream::iter(0..count)
                    .map(|_| Ok(Frame::data(Bytes::from_static(&[0; 1 << 16]))));
                return Ok(Response::new(StreamBody::new(pieces).boxed_unsync()));
            }
            "/die" => {
                let pieces = futures_util::stream::iter([
                    Ok(Frame::data(Bytes::from_static(b"the beginning"))),
                    Err(std::io::Error::other("died")),
                ]);
                let pieces = pieces.then(|piece| async {
                    if piece.is_err() {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    piece
                });
                let mut response = Response::new(StreamBody::new(pieces).boxed_unsync());
                response.headers_mut().insert("content-length", 100.into());
                return Ok(response);
            }
            "/length" => {
                let body = Full::new(Bytes::from_static(b"twelve bytes"));
                return Ok(Response::new(body.map_err(|never| match never {}).boxed_unsync()));
            }
            "/never" => std::future::pending().await,
            "/upgrade" => {
                tokio::spawn(async move {
                    let mut stream = TokioIo::new(upgrade.await.unwrap());
                    let mut buffer = [0; 64];
                    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                        stream.write_all(&buffer[..length].to_ascii_uppercase()).await.unwrap();
                    }
                });
                let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                response.headers_mut().insert("connection", "upgrade".parse().unwrap());
                response.headers_mut().insert("upgrade", "websocket".parse().unwrap());
                return Ok(response);
            }
            _ => {}
        }
        let Ok(body) = body.collect().await else { return Ok(say("broken")) };
        let text = match parts.headers.get("user-agent") {
            // Which reads XML or nothing.
            Some(agent) if agent.as_bytes().starts_with(b"Botocore") => String::new(),
            _ => format!("answer to {path}"),
        };
        self.requests.lock().unwrap().push((parts, body.to_bytes()));
        let mut response = say(text);
        response.headers_mut().insert("x-amz-something", "kept".parse().unwrap());
        Ok(response)
    }
}

fn say(text: impl Into<Bytes>) -> Response<Answer> {
    Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync())
}
