//! The API's listener.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use linkway_model::Timestamp;
use linkway_store::deferred;
use linkway_wire::{ApiError, sigv4};

use crate::api::call::{self, Answer};
use crate::daemon::Daemon;
use crate::http::{self, AnswerBody, BodyError};

/// Where an ephemeral daemon's state is wiped.
const RESET: &str = "/_linkway/reset";

/// Answer one request.
pub(crate) async fn handle(daemon: Arc<Daemon>, request: Request<Incoming>) -> Response<AnswerBody> {
    if request.uri().path() == RESET {
        return reset(&daemon, &request).await;
    }
    let answer = match *request.method() {
        Method::GET | Method::POST => call(daemon, request).await,
        _ => call::refuse_unread(
            &ApiError::new("MethodNotAllowed", "The API is asked with GET and POST").with_status(405),
        ),
    };
    into_response(answer, http::full)
}

async fn call(daemon: Arc<Daemon>, request: Request<Incoming>) -> Answer {
    let peer = http::peer(&request);
    let (head, body) = request.into_parts();
    let body = match http::whole(body).await {
        Ok(body) => body,
        Err(error) => return call::refuse_unread(&unread(&error)),
    };
    let store = Arc::clone(&daemon.store);
    let work = move |request: &sigv4::Request<'_>| {
        call::answer(&daemon.control, &daemon.store.snapshot(), request, peer, Timestamp::now())
    };
    let answered = if call::is_short(&head.headers, &body) {
        // It takes no longer than handing it to another thread, and this task waits for the disk.
        let now = || deferred(|| read(&head, &body, work));
        match catch_unwind(AssertUnwindSafe(now)) {
            Ok((answer, None)) => Ok(answer),
            Ok((answer, Some(pending))) => match store.settled(pending).await {
                Ok(()) => Ok(answer),
                Err(error) => Ok(answer.not_kept(error)),
            },
            Err(_) => Err(ApiError::internal()),
        }
    } else {
        carry_out(head, body, work).await
    };
    answered.unwrap_or_else(|error| call::refuse_unread(&error))
}

/// Hand a request to `work` as it has to see it.
fn read<R>(head: &Parts, body: &Bytes, work: impl FnOnce(&sigv4::Request<'_>) -> R) -> R {
    let headers: Vec<(&str, &[u8])> =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    work(&sigv4::Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &headers,
        body,
    })
}

/// Carry out what a request that has arrived whole asks for. Operations read and write the state, on the disk too:
/// they are not for the threads that wait for sockets.
///
/// # Errors
///
/// If it panicked.
pub(crate) async fn carry_out(
    head: Parts,
    body: Bytes,
    work: impl FnOnce(&sigv4::Request<'_>) -> Answer + Send + 'static,
) -> Result<Answer, ApiError> {
    let carried_out = tokio::task::spawn_blocking(move || read(&head, &body, work));
    carried_out.await.map_err(|error| {
        tracing::error!(%error, "an operation failed");
        ApiError::internal()
    })
}

/// Why a body did not arrive whole.
pub(crate) fn unread(error: &BodyError) -> ApiError {
    match error {
        BodyError::TooLarge => ApiError::new("RequestEntityTooLarge", error.to_string()).with_status(413),
        BodyError::TooSlow => ApiError::new("RequestTimeout", error.to_string()).with_status(408),
        BodyError::BrokenOff => ApiError::new("IncompleteBody", error.to_string()),
    }
}

/// An answer as HTTP has it, in whichever type of body.
pub(crate) fn into_response<B>(answer: Answer, body: impl FnOnce(String) -> B) -> Response<B> {
    let mut response = Response::new(body(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Ok(id) = HeaderValue::from_str(&answer.request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// Wipe all state: for test suites, between two tests.
async fn reset(daemon: &Arc<Daemon>, request: &Request<Incoming>) -> Response<AnswerBody> {
    let (status, text) = if request.method() != Method::POST {
        (StatusCode::METHOD_NOT_ALLOWED, format!("POST {RESET} wipes all state\n"))
    } else if request.headers().contains_key(ORIGIN) {
        // It is not signed, so that any test suite can send it; but a web page that is open here must not.
        (StatusCode::FORBIDDEN, format!("{RESET} is not for web pages\n"))
    } else if !daemon.settings.ephemeral {
        (
            StatusCode::FORBIDDEN,
            "this daemon keeps its state; only one started with --ephemeral resets it\n".into(),
        )
    } else {
        match daemon.reset().await {
            Ok(()) => (StatusCode::OK, "reset\n".into()),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")),
        }
    };
    let mut response = Response::new(http::full(text));
    *response.status_mut() = status;
    response
}
