//! The state as DNS shows it: one snapshot, compiled.

use std::collections::{HashMap, HashSet};

use linkway_model::endpoint_service::EndpointService;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::routing::Routing;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, VpcId};

use crate::zones::{
    Answer, BalancerNames, DatabaseNames, EndpointNames, GatewayNames, InstanceNames, PrivateNames, Question,
};

/// A snapshot's VPCs, by id. Every interface looks its own up.
pub(crate) type Vpcs<'a> = HashMap<&'a VpcId, &'a Vpc>;

/// A snapshot, compiled: who may ask, and what each zone answers. VPCs are known by their numbers.
#[derive(Default)]
pub(crate) struct View {
    revision: u64,
    /// Number of an interface to that of its VPC.
    clients: HashMap<u32, u32>,
    private: PrivateNames,
    gateways: GatewayNames,
    endpoints: EndpointNames,
    balancers: BalancerNames,
    databases: DatabaseNames,
    instances: InstanceNames,
    /// The private names of endpoint services, wildcards and all, whether an endpoint answers for them or not.
    service_names: HashSet<String>,
}

impl View {
    /// Compile a snapshot.
    pub(crate) fn compile(snapshot: &Snapshot) -> Self {
        let vpcs: Vpcs = snapshot.all::<Vpc>().map(|vpc| (&vpc.id, vpc.as_ref())).collect();
        let client = |interface: &NetworkInterface| {
            let vpc = vpcs.get(&interface.vpc).filter(|vpc| vpc.enable_dns_support)?;
            Some((interface.number, vpc.number))
        };
        let routing = Routing::new(snapshot);
        let endpoints = EndpointNames::compile(snapshot, &routing);
        Self {
            revision: snapshot.revision,
            clients: snapshot.all::<NetworkInterface>().filter_map(|interface| client(interface)).collect(),
            private: PrivateNames::compile(snapshot, &vpcs, &endpoints),
            gateways: GatewayNames::compile(snapshot, &vpcs),
            endpoints,
            balancers: BalancerNames::compile(snapshot, &routing),
            databases: DatabaseNames::compile(snapshot),
            instances: InstanceNames::compile(snapshot, &vpcs),
            service_names: snapshot
                .all::<EndpointService>()
                .filter_map(|service| service.private_dns.as_ref())
                .map(|private| private.name.to_ascii_lowercase())
                .collect(),
        }
    }

    /// The snapshot's revision.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The number of the VPC of the network interface of this number, if the VPC has DNS support.
    pub(crate) fn vpc_of(&self, interface: u32) -> Option<u32> {
        self.clients.get(&interface).copied()
    }

    /// The private names of endpoint services.
    pub(crate) fn service_names(&self) -> &HashSet<String> {
        &self.service_names
    }

    /// The answer of the first zone that has one. `None`: the name is not ours.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        self.private
            .answer(question)
            .or_else(|| self.gateways.answer(question))
            .or_else(|| self.endpoints.answer(question))
            .or_else(|| self.balancers.answer(question))
            .or_else(|| self.databases.answer(question))
            .or_else(|| self.instances.answer(question))
    }
}
