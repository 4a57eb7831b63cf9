//! One request and its answer.

use std::net::IpAddr;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CONNECTION, EXPECT, HeaderValue, REFERER, UPGRADE, USER_AGENT};
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, Version};
use jiff::Timestamp;
use linkway_model::random_uuid;
use linkway_wire::sigv4;
use tokio::sync::OwnedSemaphorePermit;

use crate::activity::Activity;
use crate::authorize::{Circumstances, decide, unknown};
use crate::backend::Pools;
use crate::download::{Download, InProgress};
use crate::forward;
use crate::gateway::Shared;
use crate::identity::{Identified, identify};
use crate::places::Place;
use crate::refusal::Refusal;
use crate::settings::Ends;
use crate::upload::Check;
use crate::{Asked, AuditSink, Body, Endpoint, Identity, Protocol, Record, RequestHead, View, head};

/// Bytes of an unread body that are taken from a client that is refused, so that it gets to read why.
const DISCARDED: u64 = 1 << 20;

/// A client's connection, as its requests see it.
pub(crate) struct Peer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pools: Arc<Pools>,
    pub(crate) ends: Ends,
    /// How errors are spelled when the endpoint is gone.
    pub(crate) protocol: Protocol,
    /// Whether it came over TLS.
    pub(crate) secure: bool,
    pub(crate) place: Arc<Place>,
    pub(crate) activity: Activity,
}

/// A record that is written whatever becomes of the request.
struct Audited {
    /// Taken in the end only.
    record: Option<Record>,
    sink: Arc<dyn AuditSink>,
}

impl Audited {
    fn note(&mut self, note: impl FnOnce(&mut Record)) {
        if let Some(record) = &mut self.record {
            note(record);
        }
    }
}

impl Drop for Audited {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            self.sink.write(record);
        }
    }
}

/// A request on its way.
pub(crate) struct Exchange {
    pub(crate) peer: Arc<Peer>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) source: IpAddr,
    pub(crate) request_id: String,
    pub(crate) view: Arc<View>,
    now: Timestamp,
    audited: Audited,
}

/// A request that may pass.
pub(crate) struct Passed {
    pub(crate) parts: Parts,
    pub(crate) body: Arrived,
    pub(crate) identity: Identity,
    /// The client's end, if it asked for another protocol.
    pub(crate) upgrade: Option<OnUpgrade>,
}

/// A request's body.
pub(crate) enum Arrived {
    /// It is here, and checked. The permit is for the memory that it takes.
    Whole(Bytes, Option<OwnedSemaphorePermit>),
    /// It is still to come, and to be checked.
    Coming(Incoming, Check),
}

/// Answers a request.
pub(crate) async fn answer(peer: Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
    let stall = peer.shared.settings.timeouts.stall;
    let room = Arc::clone(&peer.place.requests).try_acquire_owned().ok();
    let has_room = room.is_some();
    let active = (peer.activity.begin(), room);
    let response = match Exchange::new(Arc::clone(&peer), &request) {
        Some(exchange) => exchange.run(request, has_room).await,
        None => peer.protocol.error(&Refusal::Gone.spell(peer.protocol), &random_uuid()),
    };
    guarded(response, stall, active)
}

/// While an answer's body is under way, its request is in progress.
fn guarded(response: Response<Body>, stall: std::time::Duration, active: InProgress) -> Response<Body> {
    if response.body().is_end_stream() {
        return response;
    }
    response.map(|body| Download::new(body, stall, active).boxed_unsync())
}

impl Exchange {
    fn new(peer: Arc<Peer>, request: &Request<Incoming>) -> Option<Self> {
        let view = peer.shared.view.load_full();
        let endpoint = Arc::clone(view.endpoints.get(&peer.ends.endpoint)?);
        let source = view.clients.get(&peer.ends.client)?.of(peer.ends.by_ipv6)?;
        let settings = &peer.shared.settings;
        let (now, request_id) = ((settings.clock)(), random_uuid());
        let user_agent = text(request.headers().get(USER_AGENT)).map(str::to_owned);
        let record = Record::new(now, request_id.clone(), Arc::clone(&endpoint), source, user_agent);
        let audited = Audited { record: Some(record), sink: Arc::clone(&settings.audit) };
        Some(Self { peer, endpoint, source, request_id, view, now, audited })
    }

    async fn run(mut self, mut request: Request<Incoming>, has_room: bool) -> Response<Body> {
        let protocol = Protocol::of_request(request.headers(), self.endpoint.service.protocol);
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let (mut unread, version) = (Some(body), parts.version);
        let admitted = match has_room {
            true => self.admit(parts, &mut unread, upgrade).await,
            false => Err(Refusal::TooMuchAtATime),
        };
        let answered = match admitted {
            Ok(passed) => forward::forward(&self, passed).await,
            Err(refusal) => Err(refusal),
        };
        let response = answered.unwrap_or_else(|refusal| {
            let error = refusal.spell(protocol);
            let refused = Some((error.code.clone(), error.message.clone()));
            self.audited.note(|record| record.refused = refused);
            let mut response = protocol.error(&error, &self.request_id);
            if matches!(refusal, Refusal::Malformed(_)) && version != Version::HTTP_2 {
                // Where one message is in doubt, so is where the next begins.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        });
        let status = Some(response.status().as_u16());
        self.audited.note(|record| record.status = status);
        if let Some(body) = unread {
            discard(body).await;
        }
        response
    }

    /// All that comes before the backend. The body is taken out of `unread` where the request may pass or the body
    /// was read.
    async fn admit(
        &mut self,
        mut parts: Parts,
        unread: &mut Option<Incoming>,
        upgrade: OnUpgrade,
    ) -> Result<Passed, Refusal> {
        let expects = parts.headers.contains_key(EXPECT);
        let admitted = self.admit_body(&mut parts, unread).await;
        if expects || parts.version == Version::HTTP_2 {
            // A client that asks first has not sent its body; a stream is simply reset.
            unread.take_if(|_| admitted.is_err());
        }
        let (identity, body) = admitted?;
        let upgrade = parts.headers.contains_key(UPGRADE).then_some(upgrade);
        Ok(Passed { parts, body, identity, upgrade })
    }

    async fn admit_body(
        &mut self,
        parts: &mut Parts,
        unread: &mut Option<Incoming>,
    ) -> Result<(Identity, Arrived), Refusal> {
        let endpoint = Arc::clone(&self.endpoint);
        let service = &*endpoint.service;
        let host = head::host(parts)?;
        if !endpoint.names.contains(&host) {
            return Err(Refusal::WrongHost { service: service.name.clone(), host });
        }

        let headers: Vec<(&str, &[u8])> =
            parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let signed = sigv4::Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &headers,
            body: &[],
        };
        let Identified { identity, pending, signing_name } =
            identify(&signed, &endpoint, &*self.view.keys, &self.peer.shared.signing_keys, self.now)
                .map_err(Refusal::Signature)?;
        let mut check = pending.map_or(Ok(Check::None), Check::of)?;
        self.audited.note(|record| record.identity = Some(identity.clone()));

        let upgrade = head::upgrade(&parts.headers);
        head::strip(&mut parts.headers);
        head::strip_expectation(&mut parts.headers);
        let decider = &*self.peer.shared.settings.decider;
        let reads = decider.reads_body(service, &request_head(parts, &host, signing_name.as_deref()));
        let body = match unread.take_if(|body| reads || self.is_read_for(&check, body)) {
            None => None,
            Some(body) => {
                let (bytes, permit) = self.read(body).await?;
                check.update(&bytes)?;
                check.finish()?;
                Some(Arrived::Whole(bytes, permit))
            }
        };

        let bytes = match &body {
            Some(Arrived::Whole(bytes, _)) if reads => Some(&**bytes),
            _ => None,
        };
        let head = request_head(parts, &host, signing_name.as_deref());
        self.authorize(head, &identity, bytes)?;
        if let Some(protocol) = upgrade {
            head::set_upgrade(&mut parts.headers, protocol);
        }
        let body = match (body, unread.take()) {
            (Some(body), _) => body,
            (None, Some(coming)) => Arrived::Coming(coming, check),
            (None, None) => Arrived::Whole(Bytes::new(), None),
        };
        Ok((identity, body))
    }

    /// Whether a body is to be read for the signature's sake, or because nothing comes.
    fn is_read_for(&self, check: &Check, body: &Incoming) -> bool {
        let limit = self.peer.shared.settings.limits.read_body as u64;
        body.is_end_stream()
            || check.decides_identity() && body.size_hint().upper().is_some_and(|size| size <= limit)
    }

    /// The whole of a body, in memory that the client has to itself.
    async fn read(&self, mut body: Incoming) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        if body.is_end_stream() {
            return Ok((Bytes::new(), None));
        }
        let settings = &self.peer.shared.settings;
        let (limit, patience) = (settings.limits.read_body, settings.timeouts.head);
        let size = body.size_hint().upper().map_or(limit, |size| usize::try_from(size).unwrap_or(usize::MAX));
        if size > limit {
            return Err(Refusal::BodyTooLarge { limit });
        }
        let permits = u32::try_from(size).unwrap_or(u32::MAX);
        let memory = Arc::clone(&self.peer.place.memory).acquire_many_owned(permits);
        let permit = match tokio::time::timeout(patience, memory).await {
            Ok(Ok(permit)) => permit,
            _ => return Err(Refusal::TooMuchAtATime),
        };
        let mut bytes = Vec::new();
        loop {
            match tokio::time::timeout(patience, body.frame()).await {
                Err(_) => return Err(Refusal::BodyTooSlow),
                Ok(Some(Err(_))) => return Err(Refusal::BodyBrokeOff),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        if bytes.len() + data.len() > limit {
                            return Err(Refusal::BodyTooLarge { limit });
                        }
                        bytes.extend_from_slice(&data);
                    }
                }
                Ok(None) => return Ok((bytes.into(), Some(permit))),
            }
        }
    }

    /// Asks the endpoint's policy.
    fn authorize(
        &mut self,
        head: RequestHead<'_>,
        identity: &Identity,
        body: Option<&[u8]>,
    ) -> Result<(), Refusal> {
        let endpoint = &*self.endpoint;
        let call = self.peer.shared.settings.decider.call(&Asked {
            service: &endpoint.service,
            region: &endpoint.region,
            account: identity.principal().map(|principal| principal.account.as_str()),
            head,
            body,
        });
        let circumstances = Circumstances {
            endpoint,
            identity,
            source: self.source,
            secure: self.peer.secure,
            now: self.now,
            user_agent: text(head.headers.get(USER_AGENT)),
            referer: text(head.headers.get(REFERER)),
        };
        let finding = call.as_ref().and_then(|call| decide(&circumstances, call));
        let finding = finding.or_else(|| unknown(endpoint, identity));
        let denied = finding.as_ref().and_then(|finding| finding.denied.clone());
        let denied = denied.filter(|_| !endpoint.audit_mode);
        self.audited.note(|record| {
            record.call = call;
            record.decided(finding);
        });
        match denied {
            Some(denied) => Err(Refusal::Denied { sentence: denied.sentence }),
            None => Ok(()),
        }
    }
}

fn request_head<'a>(parts: &'a Parts, host: &'a str, signing_name: Option<&'a str>) -> RequestHead<'a> {
    RequestHead {
        method: parts.method.as_str(),
        host,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        signing_name,
    }
}

fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value?.to_str().ok()
}

/// Takes what a client sends though nobody wants it: were the connection closed upon it, its answer would be lost.
async fn discard(mut body: Incoming) {
    let mut taken = 0;
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            taken += frame.data_ref().map_or(0, |data| data.len() as u64);
            if taken > DISCARDED {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), all).await;
}
