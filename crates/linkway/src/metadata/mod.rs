//! Instance metadata, at 169.254.169.254 and fd00:ec2::254 of every VPC: what an instance reads about itself, and the
//! credentials of its role. Sources: "Use instance metadata to manage your EC2 instance" and "Configure the Instance
//! Metadata Service options" in the EC2 user guide.
//!
//! The packet path leads there whoever asks, as an address that stands for the interface that it asks from
//! (`bpf/judge.h`). So nobody can ask in another's name, and security groups have no say.

mod credentials;
mod respond;
mod token;
mod tree;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use hyper::body::Incoming;
use hyper::{Request, Response};
use linkway_control::Control;
use linkway_model::instance::Instance;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::{NetworkInterfaceId, Snapshot};
use linkway_store::Store;
use tokio::net::TcpListener;

use crate::http::{self, AnswerBody};
use crate::metadata::credentials::Roles;
use crate::metadata::token::Tokens;
use crate::stop::Stop;

/// Connections that an interface may have by IPv4, and as many by IPv6: the others find places, whatever it does.
const CONNECTIONS: usize = 32;

/// What answers. Clones are the same.
#[derive(Clone)]
pub(crate) struct Metadata(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    tokens: Tokens,
    roles: Roles,
    numbers: Mutex<Numbers>,
}

/// Interfaces by their numbers, of a snapshot.
#[derive(Default)]
struct Numbers {
    of: Arc<Snapshot>,
    ids: Arc<HashMap<u32, NetworkInterfaceId>>,
}

impl Metadata {
    /// Of the instances in `store`.
    pub(crate) fn of(store: Arc<Store>, control: Arc<Control>) -> Self {
        Self(Arc::new(Inner {
            store,
            tokens: Tokens::default(),
            roles: Roles::of(control),
            numbers: Mutex::default(),
        }))
    }

    /// Answer at `listeners`, until `stop` turns true.
    pub(crate) async fn serve(&self, listeners: Vec<TcpListener>, stop: Stop) {
        let serve = |listener| {
            let metadata = self.clone();
            let answer = move |request| metadata.clone().answer(request);
            http::serve_shared(listener, CONNECTIONS, answer, stop.clone())
        };
        join_all(listeners.into_iter().map(serve)).await;
    }

    async fn answer(self, request: Request<Incoming>) -> Response<AnswerBody> {
        let state = self.0.store.snapshot();
        let peer = http::peer(&request);
        let number = peer.and_then(linkway_fabric::as_ipv4).and_then(linkway_fabric::client_interface);
        let instance = number.and_then(|number| self.instance(&state, number));
        respond::answer(&self.0, &state, instance.as_deref(), &request).await
    }

    /// The instance that has the interface of this number.
    fn instance(&self, state: &Arc<Snapshot>, number: u32) -> Option<Arc<Instance>> {
        let interface = state.get::<NetworkInterface>(self.numbers(state).get(&number)?)?;
        match &interface.role {
            InterfaceRole::Instance { instance, .. } => state.get::<Instance>(instance).cloned(),
            _ => None,
        }
    }

    fn numbers(&self, state: &Arc<Snapshot>) -> Arc<HashMap<u32, NetworkInterfaceId>> {
        let mut kept = self.0.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.of.network_interfaces.ptr_eq(&state.network_interfaces) {
            let numbers =
                state.all::<NetworkInterface>().map(|interface| (interface.number, interface.id.clone()));
            *kept = Numbers { of: Arc::clone(state), ids: Arc::new(numbers.collect()) };
        }
        Arc::clone(&kept.ids)
    }
}
