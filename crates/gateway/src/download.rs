//! An answer's body on its way to the client.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Bytes, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;

use crate::activity::Active;
use crate::{Body, BodyError};

/// What a request holds as long as it is in progress: its connection's attention, and one of the client's places.
pub(crate) type InProgress = (Active, Option<OwnedSemaphorePermit>);

/// The body. While it is under way, its connection is in use.
pub(crate) struct Download {
    inner: Body,
    stall: Duration,
    /// Runs while the backend is waited for, not while the client is.
    timer: Option<Pin<Box<Sleep>>>,
    _in_progress: InProgress,
}

impl Download {
    pub(crate) fn new(inner: Body, stall: Duration, in_progress: InProgress) -> Self {
        Self { inner, stall, timer: None, _in_progress: in_progress }
    }
}

impl hyper::body::Body for Download {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            this.timer = None;
            return Poll::Ready(frame);
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(this.stall)));
        timer.as_mut().poll(context).map(|()| Some(Err("the backend sent nothing for too long".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
