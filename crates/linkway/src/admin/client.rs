//! The commands' side of the socket.
//!
//! Commands that fork and enter namespaces must have one thread only, so this runs on the caller's and leaves
//! none behind.

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Response, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};

use crate::admin::protocol::{Refusal, Request};
use crate::state_dir::StateDir;

/// Longest line of a stream, and longest answer that is believed.
const MAX_LINE: usize = 1 << 20;

/// A way to ask the daemon.
pub(crate) struct Client {
    state: StateDir,
}

impl Client {
    /// Of the daemon that uses this state directory.
    pub(crate) fn new(state: &StateDir) -> Self {
        Self { state: state.clone() }
    }

    /// Ask, and wait for the answer. An error is a [`Refusal`] if it is the daemon's.
    pub(crate) fn call<R: Request>(&self, request: &R) -> Result<R::Answer> {
        runtime()?.block_on(async {
            let response = self.send(request).await?;
            let body = response.into_body().collect().await.context("the daemon broke off")?.to_bytes();
            serde_json::from_slice(&body)
                .context("the daemon's answer does not read: is it of another version?")
        })
    }

    /// Ask for a stream, and call `each` with every line's object until it ends or `each` returns an error.
    pub(crate) fn follow<R: Request>(
        &self,
        request: &R,
        mut each: impl FnMut(R::Answer) -> Result<()>,
    ) -> Result<()> {
        runtime()?.block_on(async {
            let mut body = self.send(request).await?.into_body();
            let mut pending = Vec::new();
            while let Some(frame) = body.frame().await {
                let Ok(data) = frame.context("the daemon broke off")?.into_data() else { continue };
                pending.extend_from_slice(&data);
                while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = pending.drain(..=end).collect();
                    each(parse_line(&line)?)?;
                }
                if pending.len() > MAX_LINE {
                    bail!("the daemon sent a line of more than {MAX_LINE} bytes");
                }
            }
            Ok(())
        })
    }

    async fn send<R: Request>(&self, request: &R) -> Result<Response<Incoming>> {
        let stream =
            UnixStream::connect(self.state.socket()).await.map_err(|error| self.state.explain(error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.context("the daemon does not answer")?;
        tokio::spawn(connection);
        let body = Full::new(Bytes::from(serde_json::to_vec(request)?));
        let request = hyper::Request::post(R::PATH)
            .header("host", "linkway")
            .header("content-type", "application/json")
            .body(body)?;
        let response = sender.send_request(request).await.context("the daemon does not answer")?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        let body = response.into_body().collect().await.context("the daemon broke off")?.to_bytes();
        let refusal: Refusal = serde_json::from_slice(&body)
            .context("the daemon's answer does not read: is it of another version?")?;
        Err(refusal.into())
    }
}

fn runtime() -> Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("cannot start")
}

fn parse_line<T: DeserializeOwned>(line: &[u8]) -> Result<T> {
    serde_json::from_slice(line).context("the daemon's answer does not read: is it of another version?")
}
