//! The daemon's side of the socket: from a path to the function that answers.

use std::future::Future;
use std::sync::Arc;

use anyhow::{Context, Result};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request as HttpRequest, Response, StatusCode};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use crate::admin::protocol::{FollowDrops, Refusal, Request};
use crate::admin::{containers, handlers, protocol};
use crate::daemon::Daemon;
use crate::http::{self, AnswerBody};

/// Drops that wait for one who follows them to read.
const DROPS_WAITING: usize = 256;

/// Answer one request.
pub(crate) async fn handle(daemon: Arc<Daemon>, request: HttpRequest<Incoming>) -> Response<AnswerBody> {
    if request.uri().path() == FollowDrops::PATH {
        return respond(StatusCode::OK, follow_drops(&daemon));
    }
    match dispatch(daemon, request).await {
        Ok(json) => respond(StatusCode::OK, http::full(json)),
        Err(error) => {
            let refusal = Refusal { error: format!("{error:#}") };
            let json = serde_json::to_vec(&refusal).expect("a refusal is plain text");
            respond(StatusCode::BAD_REQUEST, http::full(json))
        }
    }
}

async fn dispatch(daemon: Arc<Daemon>, request: HttpRequest<Incoming>) -> Result<Vec<u8>> {
    let (head, body) = request.into_parts();
    let body = http::whole(body).await?;
    let call = Call { daemon, path: head.uri.path(), body: &body };
    macro_rules! first_of {
        ($($request:ident => $handler:path,)*) => {
            match call.path {
                $(protocol::$request::PATH => call.answer::<protocol::$request, _>($handler).await,)*
                path => anyhow::bail!("this daemon does not know {path}; is it of another version?"),
            }
        };
    }
    first_of! {
        CreateAccount => handlers::create_account,
        SetQuotas => handlers::set_quotas,
        ListAccounts => handlers::list_accounts,
        CreateKey => handlers::create_key,
        ListKeys => handlers::list_keys,
        DeleteKey => handlers::delete_key,
        AddImage => handlers::add_image,
        ImageAvailable => handlers::image_available,
        RemoveImage => handlers::remove_image,
        ListImages => handlers::list_images,
        Launch => handlers::launch,
        Started => handlers::started,
        Ended => handlers::ended,
        FindEndpoint => handlers::find_endpoint,
        FindInstance => handlers::find_instance,
        Terminate => handlers::terminate,
        Attach => handlers::attach,
        Detach => handlers::detach,
        AttachContainer => containers::attach,
        FindContainer => containers::find,
        DetachContainer => containers::detach,
        CollectContainers => containers::collect,
        GetReadiness => containers::readiness,
        SetService => handlers::set_service,
        UnsetService => handlers::unset_service,
        ListServices => handlers::list_services,
        SetWebhook => handlers::set_webhook,
        UnsetWebhook => handlers::unset_webhook,
        ListWebhooks => handlers::list_webhooks,
        GetAdvice => handlers::get_advice,
        GetStatus => handlers::status,
        ListDrops => handlers::list_drops,
        Stop => handlers::stop,
    }
}

struct Call<'a> {
    daemon: Arc<Daemon>,
    path: &'a str,
    body: &'a [u8],
}

impl Call<'_> {
    async fn answer<R: Request, F: Future<Output = Result<R::Answer>>>(
        self,
        handler: impl FnOnce(Arc<Daemon>, R) -> F,
    ) -> Result<Vec<u8>> {
        let request = serde_json::from_slice(self.body)
            .context("the request does not read; is the command of another version than the daemon?")?;
        Ok(serde_json::to_vec(&handler(self.daemon, request).await?)?)
    }
}

fn respond(status: StatusCode, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Drops from now on, one a line, until the other side or the daemon goes.
fn follow_drops(daemon: &Daemon) -> AnswerBody {
    let (sender, receiver) = mpsc::channel(DROPS_WAITING);
    let mut drops = daemon.drops.subscribe();
    let mut stop = daemon.stop.subscribe();
    tokio::spawn(async move {
        let mut missed = 0;
        loop {
            let received = tokio::select! {
                received = drops.recv() => received,
                () = sender.closed() => return,
                () = stop.wait() => return,
            };
            let mut drop = match received {
                Ok(drop) => drop,
                Err(RecvError::Lagged(count)) => {
                    missed += u32::try_from(count).unwrap_or(u32::MAX);
                    continue;
                }
                Err(RecvError::Closed) => return,
            };
            drop.suppressed = drop.suppressed.saturating_add(std::mem::take(&mut missed));
            let mut line = serde_json::to_vec(&drop).expect("a drop is plain data");
            line.push(b'\n');
            if sender.send(Bytes::from(line)).await.is_err() {
                return;
            }
        }
    });
    http::streamed(receiver)
}
