//! A request that may pass, on its way to its backend, and the answer on its way back.

use std::pin::pin;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::http::response::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode, Version};

use crate::exchange::{Arrived, Exchange, Passed};
use crate::link::Answer;
use crate::pool::Failure;
use crate::refusal::Refusal;
use crate::upload::{Progress, Upload};
use crate::{Backend, Body, LocalCall, full, head, upgrade};

/// Has a request answered.
pub(crate) async fn forward(exchange: &Exchange, passed: Passed) -> Result<Response<Body>, Refusal> {
    let settings = &exchange.peer.shared.settings;
    let Passed { mut parts, body, identity, upgrade } = passed;
    let checked_late = matches!(&body, Arrived::Coming(_, check) if check.decides_identity());
    let progress = Progress::new(matches!(body, Arrived::Whole(..)));
    // The permit lasts until the backend answers.
    let (body, _permit) = match body {
        Arrived::Whole(bytes, permit) => (full(bytes), permit),
        Arrived::Coming(incoming, check) => {
            let upload = Upload::new(incoming, check, settings.timeouts.stall, progress.clone());
            (upload.boxed_unsync(), None)
        }
    };
    let service = &exchange.endpoint.service;
    match &service.backend {
        Backend::None => return Err(Refusal::NoBackend { service: service.name.clone() }),
        Backend::Local(name) => {
            let call = LocalCall {
                service: name.clone(),
                endpoint: Arc::clone(&exchange.endpoint),
                identity,
                source: exchange.source,
                secure: exchange.peer.secure,
                request_id: exchange.request_id.clone(),
                request: Request::from_parts(parts, body),
            };
            return Ok(settings.local.answer(call).await);
        }
        Backend::Http { .. } | Backend::Https { .. } => {}
    }

    // The name is in the head.
    let target = parts.uri.path_and_query().cloned();
    parts.uri = target.unwrap_or_else(|| PathAndQuery::from_static("/")).into();
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    let mut answer = send(exchange, Request::from_parts(parts, body), &progress).await?;
    if checked_late && !answer.until(progress.whole()).await {
        // Nothing of an answer is for one who may be somebody else.
        return Err(progress.fault().unwrap_or_else(|| broke_off(exchange)));
    }
    if answer.head.status == StatusCode::SWITCHING_PROTOCOLS {
        let client = upgrade.ok_or_else(|| broke_off(exchange))?;
        return switch(exchange, answer, client);
    }
    strip(&mut answer.head);
    Ok(answer.into_response())
}

/// Sends a request and waits for the answer's head.
async fn send(exchange: &Exchange, request: Request<Body>, progress: &Progress) -> Result<Answer, Refusal> {
    let peer = &exchange.peer;
    let settings = &peer.shared.settings;
    let timeouts = &settings.timeouts;
    let pool = peer.pools.get(&exchange.endpoint.service.backend, &exchange.view, settings);
    let pool = pool.map_err(|error| unreachable(exchange, error.to_string()))?;
    let mut answering = pin!(pool.send(request));
    let too_slow = |step, limit| Refusal::BackendTooSlow {
        service: exchange.endpoint.service.name.clone(),
        step,
        limit,
    };
    loop {
        let deadline = progress.deadline(timeouts.stall, timeouts.response);
        tokio::select! {
            answer = &mut answering => {
                return answer.map_err(|error| failed(exchange, progress, error, too_slow));
            }
            () = tokio::time::sleep_until(deadline) => {
                if progress.deadline(timeouts.stall, timeouts.response) <= deadline {
                    return Err(too_slow("answer", timeouts.response));
                }
            }
        }
    }
}

fn failed(
    exchange: &Exchange,
    progress: &Progress,
    failure: Failure,
    too_slow: impl FnOnce(&'static str, std::time::Duration) -> Refusal,
) -> Refusal {
    // The client's fault, if it is one, is why the backend's connection ended.
    if let Some(fault) = progress.fault() {
        return fault;
    }
    match failure {
        Failure::ConnectTooSlow => {
            too_slow("take the connection", exchange.peer.shared.settings.timeouts.connect)
        }
        Failure::Unreachable(error) => unreachable(exchange, reason(&error)),
        Failure::BrokeOff(error) => {
            tracing::debug!(service = exchange.endpoint.service.name, ?error, "a backend broke off");
            broke_off(exchange)
        }
    }
}

/// The deepest cause says it best.
fn reason(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), reason)
}

fn unreachable(exchange: &Exchange, reason: String) -> Refusal {
    Refusal::Unreachable { service: exchange.endpoint.service.name.clone(), reason }
}

fn broke_off(exchange: &Exchange) -> Refusal {
    Refusal::BackendBrokeOff { service: exchange.endpoint.service.name.clone() }
}

/// Leaves of an answer's head what is for the client.
fn strip(head: &mut Parts) {
    head::strip(&mut head.headers);
    head.version = Version::HTTP_11;
}

/// An answer that changes the protocol: from here on, bytes are passed both ways.
fn switch(exchange: &Exchange, answer: Answer, client: OnUpgrade) -> Result<Response<Body>, Refusal> {
    let peer = &exchange.peer;
    let mut response = Response::new(full(""));
    *response.status_mut() = answer.head.status;
    *response.headers_mut() = answer.head.headers.clone();
    let protocol = head::upgrade(response.headers()).ok_or_else(|| broke_off(exchange))?;
    head::strip(response.headers_mut());
    head::set_upgrade(response.headers_mut(), protocol);
    let stall = peer.shared.settings.timeouts.stall;
    tokio::spawn(upgrade::relay(client, answer.upgrade(), stall, Arc::clone(&peer.place)));
    Ok(response)
}
