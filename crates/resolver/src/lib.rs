//! DNS as a VPC sees it.
//!
//! One resolver serves every VPC: whoever asks is known by the address that the query comes from, as the
//! packet path gives each network interface one of its own in the client range. A query goes through a chain
//! of zones (private DNS names, endpoints, load balancers, databases, instances); what none of them knows goes to
//! the [`Upstream`].
//!
//! The resolver is handed snapshots of the state ([`Resolver::publish`]), compiles each into a view and
//! swaps it in at once: a query is answered from one view, whole.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod fuzzing;
mod public_names;
mod quota;
mod reply;
mod request;
mod rotation;
mod tcp;
mod udp;
mod upstream;
mod view;
mod zones;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use hickory_proto::op::ResponseCode;
use linkway_model::Snapshot;
use tokio::net::{TcpListener, UdpSocket};

use crate::public_names::PublicNames;
use crate::quota::{Permit, Quota};
use crate::request::{Received, Request, Transport};
use crate::view::View;
use crate::zones::Question;

pub use crate::upstream::{Upstream, UpstreamError};

/// Queries that may wait for the upstream at once: of all, and of one network interface.
const FORWARDS: (usize, usize) = (1024, 128);
/// TCP connections that may be open at once: of all, and of one network interface.
const CONNECTIONS: (usize, usize) = (512, 32);

/// What a resolver needs to know besides the state.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where names go that are not the installation's. `None`: they are refused.
    pub upstream: Option<Upstream>,
    /// First address of the client range: a query from this address plus `n` is of network interface `n`.
    pub client_base: Ipv4Addr,
    /// The IPv4 address that an address is, or stands for: a query by IPv6 comes from one that tells the same.
    pub as_ipv4: fn(IpAddr) -> Option<Ipv4Addr>,
}

/// The resolver of all VPCs. Clones are the same resolver.
#[derive(Clone)]
pub struct Resolver {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    view: ArcSwap<View>,
    forwards: Quota,
    connections: Quota,
    public_names: PublicNames,
}

/// What is to be done about a packet.
enum Step {
    /// Nothing.
    Ignore,
    /// Send this.
    Reply(Vec<u8>),
    /// Ask the upstream, for the interface of this number.
    Forward(Box<Request>, u32),
}

impl Resolver {
    /// A resolver that knows no one yet, so that it answers nobody until the first [`Self::publish`].
    pub fn new(settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                view: ArcSwap::from_pointee(View::default()),
                forwards: Quota::new(FORWARDS),
                connections: Quota::new(CONNECTIONS),
                public_names: PublicNames::default(),
            }),
        }
    }

    /// Answer from this snapshot from now on.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        let view = self.inner.view.load().follow(&snapshot);
        self.inner.view.store(Arc::new(view));
    }

    /// The names of services that were asked for and are not private in the VPC, with the VPC's number. Wildcards
    /// stand for what falls under them.
    pub fn public_names(&self) -> BTreeSet<(u32, String)> {
        self.inner.public_names.seen()
    }

    /// Answer queries on these sockets. Ends only by being dropped.
    pub async fn serve(&self, udp: UdpSocket, tcp: TcpListener) {
        tokio::join!(udp::serve(self.clone(), udp), tcp::serve(self.clone(), tcp));
    }

    /// The number of the network interface that has this address in the client range.
    fn interface_at(&self, address: IpAddr) -> Option<u32> {
        let address = (self.inner.settings.as_ipv4)(address)?;
        u32::from(address).checked_sub(u32::from(self.inner.settings.client_base))
    }

    /// Take a connection's place in the bound on them. `None`: there is none left, or the VPC that the client
    /// is in gets no answers.
    fn admit(&self, address: IpAddr) -> Option<Permit> {
        let client = self.interface_at(address)?;
        self.inner.view.load().vpc_of(client)?;
        self.inner.connections.take(client)
    }

    /// Decide about a packet: everything but asking the upstream.
    fn consider(&self, packet: &[u8], from: IpAddr, transport: Transport) -> Step {
        let view = self.inner.view.load();
        let Some(client) = self.interface_at(from) else { return Step::Ignore };
        let Some(vpc) = view.vpc_of(client) else { return Step::Ignore };
        let request = match Request::read(packet, transport) {
            Received::Ignore => return Step::Ignore,
            Received::Error(reply) => return Step::Reply(reply),
            Received::Request(request) => request,
        };
        let question = Question {
            name: &request.name,
            owner: &request.query.name,
            kind: request.query.query_type,
            vpc,
            client,
        };
        if let Some(answer) = view.answer(&question) {
            return Step::Reply(request.reply(answer, view.revision()));
        }
        self.inner.public_names.note(vpc, &request.name, view.service_names());
        if self.inner.settings.upstream.is_none() {
            return Step::Reply(request.error(ResponseCode::Refused));
        }
        Step::Forward(Box::new(request), client)
    }

    /// Ask the upstream, and make its answer the client's. What cannot be asked or is not answered is a
    /// `SERVFAIL`.
    async fn forward(&self, request: Request, client: u32) -> Vec<u8> {
        let Some(upstream) = &self.inner.settings.upstream else {
            return request.error(ResponseCode::Refused);
        };
        let Some(_permit) = self.inner.forwards.take(client) else {
            tracing::debug!(client, "too many queries wait for the upstream");
            return request.error(ResponseCode::ServFail);
        };
        match upstream.exchange(&request.packet, request.question_end, request.transport).await {
            Ok(answer) => request.relay(answer),
            Err(error) => {
                tracing::debug!(name = request.name, %error, "the upstream did not answer");
                request.error(ResponseCode::ServFail)
            }
        }
    }
}
