//! A connection to a backend, and an answer that comes over it.
//!
//! Whoever asks over a connection drives it: it has no task of its own, so that a request wakes nobody on its way.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::http::response::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use crate::backend::Stream;
use crate::pool::Pool;
use crate::{Body, BodyError, full};

/// A connection that speaks HTTP/1.1.
pub(crate) struct Link {
    sender: SendRequest<Body>,
    /// `None` once it has ended.
    driver: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
}

impl Link {
    pub(crate) async fn open(stream: Stream) -> hyper::Result<Self> {
        let (sender, driver) = handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver: Some(Box::pin(driver.with_upgrades())) })
    }

    /// Does what can be done now.
    fn drive(&mut self, context: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && let Poll::Ready(ended) = driver.as_mut().poll(context)
        {
            // Whoever waits for something over it is told by what they wait for.
            tracing::debug!(?ended, "a backend's connection has ended");
            self.driver = None;
        }
    }

    /// Drives the connection until something else is ready.
    pub(crate) async fn until<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        poll_fn(|context| {
            self.drive(context);
            other.as_mut().poll(context)
        })
        .await
    }

    /// Whether it takes another request.
    pub(crate) fn is_ready(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Sends a request and waits for the answer's head.
    pub(crate) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        let sending = self.sender.try_send_request(request);
        self.until(sending).await
    }
}

/// An answer whose body may still be on its way.
pub(crate) struct Answer {
    pub(crate) head: Parts,
    body: Coming,
}

/// A body on its way from a backend. Dropped before its end, it takes its connection with it.
struct Coming {
    inner: Incoming,
    /// What came first, if it has been taken already.
    first: Option<Option<Result<Frame<Bytes>, BodyError>>>,
    /// `None` once it has been given back.
    link: Option<Link>,
    pool: Arc<Pool>,
}

impl Answer {
    pub(crate) fn new(response: Response<Incoming>, link: Link, pool: &Arc<Pool>) -> Self {
        let (head, inner) = response.into_parts();
        Self { head, body: Coming { inner, first: None, link: Some(link), pool: Arc::clone(pool) } }
    }

    /// Drives the connection, and so the request's body, until something else is ready.
    pub(crate) async fn until<T>(&mut self, other: impl Future<Output = T>) -> T {
        match &mut self.body.link {
            Some(link) => link.until(other).await,
            None => other.await,
        }
    }

    /// The whole answer. A body that has come with the head is taken at once, and its connection is free again.
    pub(crate) fn into_response(self) -> Response<Body> {
        let Self { head, mut body } = self;
        if body.inner.is_end_stream() {
            body.give_back();
            return Response::from_parts(head, full(""));
        }
        let first = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        let body = match first {
            Poll::Ready(Some(Ok(frame))) if frame.is_data() && body.link.is_none() => {
                full(frame.into_data().unwrap_or_default())
            }
            first => {
                body.first = match first {
                    Poll::Ready(first) => Some(first),
                    Poll::Pending => None,
                };
                body.boxed_unsync()
            }
        };
        Response::from_parts(head, body)
    }

    /// What the protocol changes to, at the backend's end.
    pub(crate) fn upgrade(self) -> OnUpgrade {
        let Coming { inner, link, .. } = self.body;
        if let Some(driver) = link.and_then(|link| link.driver) {
            // What it fails with, those who wait for the change are told.
            tokio::spawn(async { drop(driver.await) });
        }
        hyper::upgrade::on(Response::from_parts(self.head, inner))
    }
}

impl Coming {
    /// At the body's end, gives the connection back, if it can be used again.
    fn give_back(&mut self) {
        if let Some(mut link) = self.link.take()
            && link.is_ready()
        {
            self.pool.give(link);
        }
    }
}

impl hyper::body::Body for Coming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(first);
        }
        if let Some(link) = &mut self.link {
            link.drive(context);
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        if frame.is_none() || self.inner.is_end_stream() {
            self.give_back();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let taken = match &self.first {
            Some(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len) as u64,
            _ => 0,
        };
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(taken));
        }
        hint.set_lower(inner.lower().saturating_add(taken));
        hint
    }
}
