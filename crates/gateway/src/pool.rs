//! Connections to one backend that wait for another request.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use hyper::Request;
use tokio::time::Instant;

use crate::Body;
use crate::backend::Connector;
use crate::link::{Answer, Link};

/// How long a connection is kept for another request: less than the five seconds after which many servers close
/// theirs, so that a request seldom meets a connection that is just being closed.
const KEEP: Duration = Duration::from_secs(4);

/// The connections to a backend that are in no use.
pub(crate) struct Pool {
    connector: Connector,
    /// The most that are kept.
    limit: usize,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// Since when each waits; the last has waited least.
    links: Vec<(Instant, Link)>,
    /// Whether somebody comes to close those that have waited for long enough.
    swept: bool,
}

/// Why there is no answer.
pub(crate) enum Failure {
    /// No connection was made in time.
    ConnectTooSlow,
    /// No connection was made.
    Unreachable(io::Error),
    /// The connection broke before there was an answer, or what came was none.
    BrokeOff(hyper::Error),
}

impl Pool {
    pub(crate) fn new(connector: Connector, limit: usize) -> Arc<Self> {
        Arc::new(Self { connector, limit, idle: Mutex::default() })
    }

    /// Sends a request, over a connection that waits or a new one, and waits for the answer's head.
    pub(crate) async fn send(self: &Arc<Self>, mut request: Request<Body>) -> Result<Answer, Failure> {
        while let Some(mut link) = self.take() {
            match link.send(request).await {
                Ok(response) => return Ok(Answer::new(response, link, self)),
                // The backend had closed it just before: nothing of the request has been sent.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::BrokeOff(error.into_error())),
                },
            }
        }
        let mut link = self.connect().await?;
        match link.send(request).await {
            Ok(response) => Ok(Answer::new(response, link, self)),
            Err(error) => Err(Failure::BrokeOff(error.into_error())),
        }
    }

    async fn connect(&self) -> Result<Link, Failure> {
        let stream = self.connector.connect().await.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Failure::ConnectTooSlow,
            _ => Failure::Unreachable(error),
        })?;
        Link::open(stream).await.map_err(Failure::BrokeOff)
    }

    /// A connection that still stands.
    fn take(&self) -> Option<Link> {
        loop {
            let (_, mut link) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).links.pop()?;
            if link.is_ready() {
                return Some(link);
            }
        }
    }

    /// Takes back a connection that can be used again.
    pub(crate) fn give(self: &Arc<Self>, link: Link) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.links.len() == self.limit {
            return;
        }
        idle.links.push((Instant::now(), link));
        if !idle.swept {
            idle.swept = true;
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes connections that have waited for long enough. Whether some are left.
    fn sweep(&self) -> bool {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let Idle { links, swept } = &mut *idle;
        links.retain(|(since, _)| since.elapsed() < KEEP);
        *swept = !links.is_empty();
        *swept
    }
}

/// Closes connections of a pool until none are left.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(KEEP / 4).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}
