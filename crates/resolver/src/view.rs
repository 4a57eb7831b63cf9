//! The state as DNS shows it: one snapshot, compiled. A view that follows another shares with it what has not
//! changed, and costs what has.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use linkway_model::endpoint_service::EndpointService;
use linkway_model::index::Term;
use linkway_model::instance::Instance;
use linkway_model::load_balancer::{Listener, LoadBalancer, TargetGroup};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::routing::Routing;
use linkway_model::snapshot::Change;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Resource, Snapshot, VpcEndpointId, VpcId};

use crate::zones::{
    Answer, BalancerNames, DatabaseNames, EndpointNames, GatewayNames, InstanceNames, PrivateNames, Question,
};

/// A snapshot, compiled: who may ask, and what each zone answers. VPCs are known by their numbers.
#[derive(Clone, Default)]
pub(crate) struct View {
    snapshot: Arc<Snapshot>,
    /// Number of an interface to that of its VPC.
    clients: imbl::HashMap<u32, u32>,
    private: PrivateNames,
    gateways: GatewayNames,
    endpoints: EndpointNames,
    balancers: Arc<BalancerNames>,
    databases: Arc<DatabaseNames>,
    instances: InstanceNames,
    /// The private names of endpoint services, wildcards and all, whether an endpoint answers for them or not.
    service_names: Arc<HashSet<String>>,
}

/// What is not as it was.
#[derive(Default)]
struct Changes<'a> {
    endpoints: BTreeSet<&'a VpcEndpointId>,
    interfaces: Vec<Change<'a, NetworkInterface>>,
    /// VPCs of which anything may be other than before.
    vpcs: BTreeSet<&'a VpcId>,
    /// VPCs with other private names; also those above.
    private: BTreeSet<&'a VpcId>,
    /// VPCs with other gateway endpoints; also those above.
    gateways: BTreeSet<&'a VpcId>,
    /// VPCs with other instances and addresses; also those above.
    instances: BTreeSet<&'a VpcId>,
}

impl View {
    /// Compile a snapshot.
    pub(crate) fn compile(snapshot: &Arc<Snapshot>) -> Self {
        let routing = Routing::new(snapshot);
        let mut view = Self {
            snapshot: Arc::clone(snapshot),
            balancers: Arc::new(BalancerNames::compile(snapshot, &routing)),
            databases: Arc::new(DatabaseNames::compile(snapshot)),
            service_names: Arc::new(service_names(snapshot)),
            ..Self::default()
        };
        let mut changes = Changes {
            endpoints: snapshot.all::<VpcEndpoint>().map(|endpoint| &endpoint.id).collect(),
            ..Changes::default()
        };
        changes.vpcs(snapshot.all::<Vpc>().map(|vpc| &vpc.id));
        view.endpoints.know_services(snapshot);
        view.change(&Snapshot::default(), &changes);
        view
    }

    /// Compile a snapshot that follows this view's.
    pub(crate) fn follow(&self, snapshot: &Arc<Snapshot>) -> Self {
        let before = Arc::clone(&self.snapshot);
        let Some(changes) = Changes::between(&before, snapshot) else { return Self::compile(snapshot) };
        let mut view = Self { snapshot: Arc::clone(snapshot), ..self.clone() };
        view.change(&before, &changes);
        if !snapshot.same::<linkway_model::database::DbInstance>(&before) {
            view.databases = Arc::new(DatabaseNames::compile(snapshot));
        }
        view
    }

    fn change(&mut self, before: &Snapshot, changes: &Changes<'_>) {
        let snapshot = Arc::clone(&self.snapshot);
        self.endpoints.change(&snapshot, before, &changes.endpoints);
        for (old, new) in &changes.interfaces {
            if let Some(old) = old {
                self.clients.remove(&old.number);
            }
            if let Some(new) = new
                && let Some(vpc) = snapshot.get::<Vpc>(&new.vpc).filter(|vpc| vpc.enable_dns_support)
            {
                self.clients.insert(new.number, vpc.number);
            }
        }
        // A VPC's number, and the VPC if it is still there.
        let find = |id: &VpcId| {
            let vpc = snapshot.get::<Vpc>(id);
            let number = vpc.or_else(|| before.get::<Vpc>(id))?.number;
            Some((number, vpc.map(AsRef::as_ref)))
        };
        for id in &changes.vpcs {
            for interface in before.interfaces_in(id) {
                self.clients.remove(&interface.number);
            }
            if let Some((number, Some(vpc))) = find(id)
                && vpc.enable_dns_support
            {
                let interfaces = snapshot.interfaces_in(id);
                self.clients.extend(interfaces.map(|interface| (interface.number, number)));
            }
        }
        for (number, vpc) in changes.private.iter().filter_map(|id| find(id)) {
            self.private.change(&snapshot, number, vpc, &self.endpoints);
        }
        for (number, vpc) in changes.gateways.iter().filter_map(|id| find(id)) {
            self.gateways.change(&snapshot, number, vpc);
        }
        for (number, vpc) in changes.instances.iter().filter_map(|id| find(id)) {
            self.instances.change(&snapshot, number, vpc);
        }
    }

    /// The snapshot's revision.
    pub(crate) fn revision(&self) -> u64 {
        self.snapshot.revision
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
            .or_else(|| self.balancers.answer(question, &self.snapshot))
            .or_else(|| self.databases.answer(question))
            .or_else(|| self.instances.answer(question))
    }
}

fn service_names(snapshot: &Snapshot) -> HashSet<String> {
    let private = snapshot.all::<EndpointService>().filter_map(|service| service.private_dns.as_ref());
    private.map(|private| private.name.to_ascii_lowercase()).collect()
}

impl<'a> Changes<'a> {
    /// What is different. `None`: what very much depends on, so that all has to be compiled.
    fn between(before: &'a Snapshot, after: &'a Snapshot) -> Option<Self> {
        let same = after.same::<EndpointService>(before)
            && after.same::<LoadBalancer>(before)
            && after.same::<Listener>(before)
            && after.same::<TargetGroup>(before);
        if !same {
            return None;
        }
        let mut changes = Self { interfaces: after.changes(before), ..Self::default() };
        changes.vpcs(documents::<Vpc>(before, after).map(|vpc| &vpc.id));
        for interface in documents::<NetworkInterface>(before, after) {
            changes.instances.insert(&interface.vpc);
            if let InterfaceRole::VpcEndpoint { endpoint } = &interface.role {
                changes.endpoints.insert(endpoint);
            }
        }
        changes.instances.extend(documents::<Subnet>(before, after).map(|subnet| &subnet.vpc));
        changes.instances.extend(documents::<Instance>(before, after).map(|instance| &instance.vpc));
        // Where targets are may have changed with these.
        let has_targets =
            |vpc: &&VpcId| after.found::<TargetGroup>(Term::TargetGroupVpc, vpc.as_str()).next().is_some();
        if changes.instances.iter().any(has_targets) {
            return None;
        }
        changes.endpoints.extend(documents::<VpcEndpoint>(before, after).map(|endpoint| &endpoint.id));
        for id in &changes.endpoints {
            for endpoint in [before, after].into_iter().filter_map(|state| state.get::<VpcEndpoint>(id)) {
                if endpoint.private_dns_enabled {
                    changes.private.insert(&endpoint.vpc);
                }
                if endpoint.gateway.is_some() {
                    changes.gateways.insert(&endpoint.vpc);
                }
            }
        }
        Some(changes)
    }

    /// Anything may be other in these.
    fn vpcs(&mut self, ids: impl Iterator<Item = &'a VpcId>) {
        self.vpcs.extend(ids);
        for kind in [&mut self.private, &mut self.gateways, &mut self.instances] {
            kind.extend(&self.vpcs);
        }
    }
}

/// Documents that have changed: as they were, and as they are.
fn documents<'a, T: Resource>(before: &'a Snapshot, after: &'a Snapshot) -> impl Iterator<Item = &'a T> {
    let changes = after.changes::<T>(before);
    changes.into_iter().flat_map(|(old, new)| old.into_iter().chain(new)).map(AsRef::as_ref)
}
