//! The TLS handshake of a connection to an endpoint.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;

use crate::{Authority, AuthorityError, Names};

/// Why a client is sent away. Source: RFC 8446, section 6; RFC 6066, section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alert {
    AccessDenied = 49,
    DecodeError = 50,
    InternalError = 80,
    UnrecognizedName = 112,
}

impl Alert {
    /// Tells a client that said hello, and closes. The alert is a record of its own, and fatal.
    pub(crate) async fn send(self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(&[21, 3, 3, 0, 2, 2, self as u8]).await?;
        stream.shutdown().await
    }
}

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("the handshake took too long")]
    TooSlow,
    #[error("the client asked for {0:?}, which the endpoint does not answer for")]
    UnrecognizedName(String),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Take the server's part in a handshake, as the name that the client asks for.
pub(crate) async fn accept(
    stream: TcpStream,
    names: &Names,
    authority: &Authority,
    now: Timestamp,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, HandshakeError> {
    let handshake = handshake(stream, names, authority, now);
    tokio::time::timeout(limit, handshake).await.map_err(|_| HandshakeError::TooSlow)?
}

async fn handshake(
    stream: TcpStream,
    names: &Names,
    authority: &Authority,
    now: Timestamp,
) -> Result<TlsStream<TcpStream>, HandshakeError> {
    let mut start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let asked = start.client_hello().server_name().unwrap_or_default().to_owned();
    let Some(certified) = names.certified(&asked) else {
        Alert::UnrecognizedName.send(&mut start.io).await?;
        return Err(HandshakeError::UnrecognizedName(asked));
    };
    let config = authority.config(&certified, now)?;
    Ok(start.into_stream(config).await?)
}
