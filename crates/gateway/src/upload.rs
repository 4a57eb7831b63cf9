//! A request's body on its way to the backend, checked as it passes.
//!
//! What a signature says about a body is known to be true only at the body's end. So the last piece is held back
//! until then: a backend never sees the whole of a body that is not the signed one, and as it acts on whole
//! requests only, it does not act on it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use linkway_wire::sigv4::{Payload, Pending, hexadecimal};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use crate::BodyError;
use crate::aws_chunked::AwsChunked;
use crate::refusal::Refusal;

/// What a body is held against.
pub(crate) enum Check {
    /// Nothing.
    None,
    /// Its hash, as the head says.
    Hash { expected: String, hash: Sha256 },
    /// The signature, which covers the body's hash.
    Signature { pending: Box<Pending>, hash: Sha256 },
    /// The signatures of its chunks.
    Chunks(Box<AwsChunked>),
}

impl Check {
    /// Whether it is not known before the body's end who asks.
    pub(crate) fn decides_identity(&self) -> bool {
        matches!(self, Self::Signature { .. })
    }

    /// What a signature's promise about the body asks for. The head's signature is checked, unless it says nothing
    /// about the body.
    pub(crate) fn of(pending: Pending) -> Result<Self, Refusal> {
        if *pending.payload() != Payload::Unstated {
            pending.finish_head().map_err(Refusal::Signature)?;
        }
        Ok(match pending.payload() {
            Payload::Unsigned => Self::None,
            Payload::Hash(expected) => Self::Hash { expected: expected.clone(), hash: Sha256::new() },
            Payload::Chunks { trailer } => {
                Self::Chunks(Box::new(AwsChunked::new(pending.chunks(), *trailer)))
            }
            Payload::Unstated => Self::Signature { pending: Box::new(pending), hash: Sha256::new() },
        })
    }

    /// Takes the next piece of the body.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        match self {
            Self::None => {}
            Self::Hash { hash, .. } | Self::Signature { hash, .. } => hash.update(bytes),
            Self::Chunks(chunks) => chunks.update(bytes)?,
        }
        Ok(())
    }

    /// Whether the body, which ends here, is the signed one.
    pub(crate) fn finish(&self) -> Result<(), Refusal> {
        match self {
            Self::None => Ok(()),
            Self::Hash { expected, hash } => {
                let same = hexadecimal(&hash.clone().finalize().into()) == *expected;
                if same { Ok(()) } else { Err(Refusal::BodyHash) }
            }
            Self::Signature { pending, hash } => {
                let hash = hexadecimal(&hash.clone().finalize().into());
                pending.check(&hash).map_err(Refusal::Signature)
            }
            Self::Chunks(chunks) => chunks.finish(),
        }
    }
}

/// How an upload goes, for those who wait for the answer.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<watch::Sender<State>>);

#[derive(Debug)]
struct State {
    /// When the last piece went through.
    at: Instant,
    /// Whether it was the last of all.
    finished: bool,
    /// Why the body broke off.
    fault: Option<Refusal>,
    /// Whether the backend wants no more of it.
    dropped: bool,
}

impl Progress {
    pub(crate) fn new(finished: bool) -> Self {
        Self(Arc::new(watch::Sender::new(State {
            at: Instant::now(),
            finished,
            fault: None,
            dropped: false,
        })))
    }

    /// Until when to wait for the answer. While the body is under way, its own limit comes first.
    pub(crate) fn deadline(&self, stall: Duration, response: Duration) -> Instant {
        let state = self.0.borrow();
        state.at + response + if state.finished { Duration::ZERO } else { stall }
    }

    /// Why the body broke off, if it did.
    pub(crate) fn fault(&self) -> Option<Refusal> {
        self.0.borrow().fault.clone()
    }

    /// Waits for the body's end. Whether it was reached, and was the right one.
    pub(crate) async fn whole(&self) -> bool {
        let mut states = self.0.subscribe();
        let ended = states.wait_for(|state| state.finished || state.dropped).await;
        ended.is_ok_and(|state| state.finished)
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        self.0.send_modify(change);
    }
}

/// The body.
pub(crate) struct Upload {
    inner: Incoming,
    check: Check,
    /// The piece held back.
    held: Option<Bytes>,
    ended: bool,
    stall: Duration,
    /// Runs while the client is waited for, not while the backend is.
    timer: Option<Pin<Box<Sleep>>>,
    progress: Progress,
}

impl Upload {
    pub(crate) fn new(inner: Incoming, check: Check, stall: Duration, progress: Progress) -> Self {
        Self { inner, check, held: None, ended: false, stall, timer: None, progress }
    }

    /// The next piece, checked; `None` at the end, which is checked, too.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Refusal>> {
        loop {
            if self.ended {
                return Poll::Ready(Ok(self.held.take()));
            }
            let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) else {
                let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.stall)));
                ready!(timer.as_mut().poll(context));
                return Poll::Ready(Err(Refusal::BodyTooSlow));
            };
            self.timer = None;
            self.progress.set(|state| state.at = Instant::now());
            match frame {
                None => {
                    self.check.finish()?;
                    self.ended = true;
                    self.progress.set(|state| state.finished = true);
                }
                Some(Err(_)) => return Poll::Ready(Err(Refusal::BodyBrokeOff)),
                Some(Ok(frame)) => {
                    // A trailer is no part of what was signed: it ends here.
                    let Ok(data) = frame.into_data() else { continue };
                    self.check.update(&data)?;
                    let piece = match self.check {
                        Check::None => Some(data),
                        _ => self.held.replace(data),
                    };
                    if piece.is_some() {
                        return Poll::Ready(Ok(piece));
                    }
                }
            }
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.progress.set(|state| state.dropped = true);
    }
}

impl hyper::body::Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Poll::Ready(match ready!(self.poll_piece(context)) {
            Ok(piece) => piece.map(|piece| Ok(Frame::data(piece))),
            Err(fault) => {
                self.progress.set(|state| state.fault = Some(fault.clone()));
                Some(Err(fault.into()))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.held.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, held) = (self.inner.size_hint(), self.held.as_ref().map_or(0, Bytes::len) as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint.set_lower(inner.lower().saturating_add(held));
        hint
    }
}
