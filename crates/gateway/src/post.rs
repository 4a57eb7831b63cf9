//! One POST to a receiver on the host's network.

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderName};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::runtime::Handle;

use crate::Backend;
use crate::backend::{BackendError, Connector};

/// Why a POST came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The receiver's address or its CA cannot be used.
    #[error("it cannot be used: {0}")]
    Unusable(String),
    /// It cannot be reached, or breaks off.
    #[error("it cannot be reached: {0}")]
    Unreachable(#[from] io::Error),
    /// It does not speak HTTP, or breaks off.
    #[error("it does not answer: {0}")]
    Broken(#[from] hyper::Error),
    /// It takes too long.
    #[error("it does not answer in time")]
    TooSlow,
    /// What was to be sent is no request.
    #[error("it is no request: {0}")]
    Request(#[from] hyper::http::Error),
}

impl From<BackendError> for PostError {
    fn from(error: BackendError) -> Self {
        Self::Unusable(error.to_string())
    }
}

/// What is sent.
#[derive(Debug)]
pub struct Post {
    /// To whom.
    pub receiver: Backend,
    /// Path and query.
    pub path: String,
    /// Headers beside `Host`.
    pub headers: Vec<(HeaderName, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a POST, on a connection of its own that `outbound`'s threads make, and returns the answer's status. All of it
/// takes no longer than `limit`; the answer's body is not read.
///
/// # Errors
///
/// If there was no answer.
pub async fn post(post: Post, outbound: Handle, limit: Duration) -> Result<StatusCode, PostError> {
    let sending = async move {
        let Post { receiver, path, headers, body } = post;
        let authority = match &receiver {
            Backend::Http { authority } | Backend::Https { authority, .. } => authority.clone(),
            Backend::None | Backend::Local(_) => return Err(PostError::Unusable("no receiver".to_owned())),
        };
        let link = Connector::to(&receiver, outbound, limit)?.connect().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(link)).await?;
        let mut request = Request::post(path).header(HOST, authority);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = sender.send_request(request.body(Full::new(Bytes::from(body)).boxed())?);
        let mut answer = std::pin::pin!(answer);
        let answer = tokio::select! {
            answer = &mut answer => answer,
            // A receiver may close as soon as it has answered.
            _ = connection => answer.await,
        };
        Ok(answer?.status())
    };
    tokio::time::timeout(limit, sending).await.map_err(|_| PostError::TooSlow)?
}
