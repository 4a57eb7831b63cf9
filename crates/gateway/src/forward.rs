//! A request that may pass, on its way to its backend, and the answer on its way back.

use std::pin::pin;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy;

use crate::backend::Failure;
use crate::exchange::{Arrived, Exchange, Passed};
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
    let authority = match &service.backend {
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
        Backend::Http { authority } | Backend::Https { authority, .. } => authority,
    };

    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let uri = Uri::builder().scheme("http").authority(authority.as_str()).path_and_query(target).build();
    parts.uri = uri.map_err(|error| unreachable(exchange, error.to_string()))?;
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    let response = send(exchange, Request::from_parts(parts, body), &progress).await?;
    if checked_late && !progress.whole().await {
        // Nothing of an answer is for one who may be somebody else.
        return Err(progress.fault().unwrap_or_else(|| broke_off(exchange)));
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let client = upgrade.ok_or_else(|| broke_off(exchange))?;
        return switch(exchange, response, client);
    }
    Ok(relayed(response))
}

/// Sends a request and waits for the answer's head.
async fn send(
    exchange: &Exchange,
    request: Request<Body>,
    progress: &Progress,
) -> Result<Response<Incoming>, Refusal> {
    let shared = &exchange.peer.shared;
    let timeouts = &shared.settings.timeouts;
    let backend = &exchange.endpoint.service.backend;
    let pool = shared.pools.get(backend, &shared.settings);
    let pool = pool.map_err(|error| unreachable(exchange, error.to_string()))?;
    let mut answering = pin!(pool.request(request));
    let too_slow = |step, limit| Refusal::BackendTooSlow {
        service: exchange.endpoint.service.name.clone(),
        step,
        limit,
    };
    loop {
        let deadline = progress.deadline(timeouts.stall, timeouts.response);
        tokio::select! {
            answer = &mut answering => {
                return answer.map_err(|error| failed(exchange, progress, &error, too_slow));
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
    error: &legacy::Error,
    too_slow: impl FnOnce(&'static str, std::time::Duration) -> Refusal,
) -> Refusal {
    // The client's fault, if it is one, is why the backend's connection ended.
    if let Some(fault) = progress.fault() {
        return fault;
    }
    tracing::debug!(service = exchange.endpoint.service.name, ?error, "a backend failed");
    match Failure::from(error) {
        Failure::ConnectTooSlow => {
            too_slow("take the connection", exchange.peer.shared.settings.timeouts.connect)
        }
        Failure::Unreachable(reason) => unreachable(exchange, reason),
        Failure::BrokeOff => broke_off(exchange),
    }
}

fn unreachable(exchange: &Exchange, reason: String) -> Refusal {
    Refusal::Unreachable { service: exchange.endpoint.service.name.clone(), reason }
}

fn broke_off(exchange: &Exchange) -> Refusal {
    Refusal::BackendBrokeOff { service: exchange.endpoint.service.name.clone() }
}

/// An answer as the client gets it.
fn relayed(response: Response<Incoming>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    head::strip(&mut parts.headers);
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    Response::from_parts(parts, body.map_err(Into::into).boxed_unsync())
}

/// An answer that changes the protocol: from here on, bytes are passed both ways.
fn switch(
    exchange: &Exchange,
    mut response: Response<Incoming>,
    client: OnUpgrade,
) -> Result<Response<Body>, Refusal> {
    let peer = &exchange.peer;
    let protocol = head::upgrade(response.headers()).ok_or_else(|| broke_off(exchange))?;
    let backend = hyper::upgrade::on(&mut response);
    let stall = peer.shared.settings.timeouts.stall;
    let place = Arc::clone(&peer.place);
    tokio::spawn(upgrade::relay(client, backend, stall, place));
    let mut response = relayed(response);
    head::set_upgrade(response.headers_mut(), protocol);
    *response.body_mut() = full("");
    Ok(response)
}
