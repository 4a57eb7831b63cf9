//! The state as DNS shows it: one snapshot, compiled.

use std::collections::HashMap;

use linkway_model::network_interface::NetworkInterface;
use linkway_model::routing::Routing;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, VpcId};

use crate::zones::{Answer, BalancerNames, EndpointNames, InstanceNames, PrivateNames, Question};

/// A snapshot, compiled: who may ask, and what each zone answers.
#[derive(Default)]
pub(crate) struct View {
    revision: u64,
    clients: HashMap<u32, VpcId>,
    private: PrivateNames,
    endpoints: EndpointNames,
    balancers: BalancerNames,
    instances: InstanceNames,
}

impl View {
    /// Compile a snapshot.
    pub(crate) fn compile(snapshot: &Snapshot) -> Self {
        let clients = snapshot
            .all::<NetworkInterface>()
            .filter(|interface| snapshot.get::<Vpc>(&interface.vpc).is_some_and(|vpc| vpc.enable_dns_support))
            .map(|interface| (interface.number, interface.vpc.clone()))
            .collect();
        let routing = Routing::new(snapshot);
        let endpoints = EndpointNames::compile(snapshot, &routing);
        Self {
            revision: snapshot.revision,
            clients,
            private: PrivateNames::compile(snapshot, &endpoints),
            endpoints,
            balancers: BalancerNames::compile(snapshot, &routing),
            instances: InstanceNames::compile(snapshot),
        }
    }

    /// The snapshot's revision.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The VPC of the network interface of this number, if it has DNS support.
    pub(crate) fn vpc_of(&self, interface: u32) -> Option<&VpcId> {
        self.clients.get(&interface)
    }

    /// The answer of the first zone that has one. `None`: the name is not ours.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        self.private
            .answer(question)
            .or_else(|| self.endpoints.answer(question))
            .or_else(|| self.balancers.answer(question))
            .or_else(|| self.instances.answer(question))
    }
}
