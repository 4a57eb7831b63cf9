//! Which part of a snapshot has to be compiled when it follows another: the documents that have changed, and those
//! whose rows depend on them. A change of one endpoint among thousands costs one endpoint.

use std::collections::BTreeSet;

use linkway_model::elastic_address::ElasticAddress;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::index::{self, Term};
use linkway_model::instance::Instance;
use linkway_model::internet_gateway::{EgressOnlyInternetGateway, InternetGateway};
use linkway_model::load_balancer::{Listener, LoadBalancer, TargetGroup};
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_acl::NetworkAcl;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::prefix_list::PrefixList;
use linkway_model::route_table::RouteTable;
use linkway_model::security_group::{SecurityGroup, SecurityGroupRule};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{
    InternetGatewayId, NatGatewayId, NetworkInterfaceId, Resource, RouteTableId, Snapshot, SubnetId,
    VpcEndpointId, VpcId,
};

use super::Devices;

/// Documents, by id, that may be there or not. Each has rows of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    pub(super) vpcs: BTreeSet<VpcId>,
    pub(super) subnets: BTreeSet<SubnetId>,
    pub(super) interfaces: BTreeSet<NetworkInterfaceId>,
    /// Sets of security groups, by their texts in the index.
    pub(super) sets: BTreeSet<String>,
    pub(super) route_tables: BTreeSet<RouteTableId>,
    pub(super) endpoints: BTreeSet<VpcEndpointId>,
    pub(super) balancers: BTreeSet<String>,
    pub(super) internet_gateways: BTreeSet<InternetGatewayId>,
    pub(super) nat_gateways: BTreeSet<NatGatewayId>,
    /// The probe range, whole: which address a target has depends on all others.
    pub(crate) probes: bool,
}

/// Whether an interface has this set.
pub(super) fn is_used(snapshot: &Snapshot, set: &str) -> bool {
    let group = set.split(',').next().unwrap_or_default();
    snapshot.found::<NetworkInterface>(Term::InterfaceGroups, &index::in_set(group, set)).next().is_some()
}

impl Part {
    /// All that has rows.
    pub fn whole(snapshot: &Snapshot) -> Self {
        let sets = snapshot.distinct_texts(Term::InterfaceGroups, "");
        Self {
            vpcs: snapshot.all::<Vpc>().map(|vpc| vpc.id.clone()).collect(),
            subnets: snapshot.all::<Subnet>().map(|subnet| subnet.id.clone()).collect(),
            interfaces: snapshot.all::<NetworkInterface>().map(|interface| interface.id.clone()).collect(),
            sets: sets.filter_map(|text| text.split_once('/')).map(|(_, set)| set.to_owned()).collect(),
            route_tables: snapshot.all::<RouteTable>().map(|table| table.id.clone()).collect(),
            endpoints: snapshot.all::<VpcEndpoint>().map(|endpoint| endpoint.id.clone()).collect(),
            balancers: snapshot.all::<LoadBalancer>().map(|balancer| balancer.arn.clone()).collect(),
            internet_gateways: snapshot.all::<InternetGateway>().map(|gateway| gateway.id.clone()).collect(),
            nat_gateways: snapshot.all::<NatGateway>().map(|gateway| gateway.id.clone()).collect(),
            probes: true,
        }
    }

    /// What may have other rows in `after` than in `before`.
    pub fn changed(before: (&Snapshot, &Devices), after: (&Snapshot, &Devices)) -> Self {
        let (devices, old_devices) = (after.1, before.1);
        let mut changes =
            Changes { before: before.0, after: after.0, part: Self::default(), vpcs: BTreeSet::new() };
        changes.networks();
        changes.ways();
        changes.interfaces();
        changes.gateways();
        if devices != old_devices {
            changes.devices(old_devices, devices);
        }
        changes.rules();
        changes.services();
        changes.balancers();
        changes.part.probes = !changes.part.balancers.is_empty();
        changes.part
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A part that grows.
struct Changes<'a> {
    before: &'a Snapshot,
    after: &'a Snapshot,
    part: Part,
    /// VPCs in which targets may be elsewhere than before.
    vpcs: BTreeSet<&'a VpcId>,
}

impl<'a> Changes<'a> {
    /// Documents that have changed: as they were, and as they are.
    fn of<T: Resource>(&self) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let changes = self.after.changes::<T>(self.before);
        changes.into_iter().flat_map(|(old, new)| old.into_iter().chain(new)).map(AsRef::as_ref)
    }

    /// Documents under a term, as it was and as it is.
    fn found<T: Resource>(&self, term: Term, text: &str) -> impl Iterator<Item = &'a T> + use<'a, T> {
        self.before.found(term, text).chain(self.after.found(term, text)).map(AsRef::as_ref)
    }

    fn networks(&mut self) {
        for (old, new) in self.after.changes::<Vpc>(self.before) {
            let Some(vpc) = old.or(new) else { continue };
            self.part.vpcs.insert(vpc.id.clone());
            self.vpcs.insert(&vpc.id);
            self.subnets_in(&vpc.id);
            self.route_tables_in(&vpc.id);
            // Rows have a VPC's number, which stays as long as the VPC does.
            if old.is_none() || new.is_none() {
                let endpoints = self.found::<VpcEndpoint>(Term::EndpointVpc, vpc.id.as_str());
                self.part.endpoints.extend(endpoints.map(|endpoint| endpoint.id.clone()));
                let interfaces = self.before.interfaces_in(&vpc.id).chain(self.after.interfaces_in(&vpc.id));
                self.part.interfaces.extend(interfaces.map(|interface| interface.id.clone()));
                let gateways = self.before.all::<InternetGateway>().chain(self.after.all());
                let its = gateways.filter(|gateway| gateway.vpc.as_ref() == Some(&vpc.id));
                self.part.internet_gateways.extend(its.map(|gateway| gateway.id.clone()));
            }
        }
        for (old, new) in self.after.changes::<Subnet>(self.before) {
            let Some(subnet) = old.or(new) else { continue };
            self.part.subnets.insert(subnet.id.clone());
            self.vpcs.insert(&subnet.vpc);
            // Devices have the length of their subnet's prefix.
            let devices = self.found::<NetworkInterface>(Term::InterfaceDevice, subnet.vpc.as_str());
            let its = devices.filter(|interface| interface.subnet == subnet.id);
            self.part.interfaces.extend(its.map(|interface| interface.id.clone()));
        }
    }

    fn subnets_in(&mut self, vpc: &VpcId) {
        let subnets = self.found::<Subnet>(Term::SubnetVpc, vpc.as_str());
        self.part.subnets.extend(subnets.map(|subnet| subnet.id.clone()));
    }

    fn route_tables_in(&mut self, vpc: &VpcId) {
        let tables = self.found::<RouteTable>(Term::RouteTableVpc, vpc.as_str());
        self.part.route_tables.extend(tables.map(|table| table.id.clone()));
    }

    /// What is asked where packets leave and enter subnets.
    fn ways(&mut self) {
        for acl in self.of::<NetworkAcl>() {
            self.subnets_in(&acl.vpc);
        }
        for table in self.of::<RouteTable>() {
            self.part.route_tables.insert(table.id.clone());
            self.subnets_in(&table.vpc);
        }
        // Routes lead to what is in their own VPC.
        let targets = self.of::<InternetGateway>().filter_map(|gateway| gateway.vpc.as_ref());
        let targets = targets.chain(self.of::<EgressOnlyInternetGateway>().map(|gateway| &gateway.vpc));
        let targets = targets.chain(self.of::<NatGateway>().map(|gateway| &gateway.vpc));
        for vpc in targets {
            self.route_tables_in(vpc);
        }
        for gateway in self.of::<VpcEndpoint>().filter_map(|endpoint| endpoint.gateway.as_ref()) {
            self.part.route_tables.extend(gateway.route_tables.iter().cloned());
        }
    }

    fn interfaces(&mut self) {
        for interface in self.of::<NetworkInterface>() {
            self.part.interfaces.insert(interface.id.clone());
            self.part.sets.insert(index::set(&interface.groups));
            self.vpcs.insert(&interface.vpc);
            match &interface.role {
                InterfaceRole::VpcEndpoint { endpoint } => {
                    self.part.endpoints.insert(endpoint.clone());
                }
                InterfaceRole::LoadBalancer { load_balancer } => self.balancer(load_balancer),
                InterfaceRole::NatGateway { gateway } => {
                    self.part.nat_gateways.insert(gateway.clone());
                    self.route_tables_in(&interface.vpc);
                }
                // Routes lead to those that callers may attach.
                _ => self.route_tables_in(&interface.vpc),
            }
        }
        self.vpcs.extend(self.of::<Instance>().map(|instance| &instance.vpc));
    }

    /// What leads out of VPCs, and who may go.
    fn gateways(&mut self) {
        self.part.internet_gateways.extend(self.of::<InternetGateway>().map(|gateway| gateway.id.clone()));
        self.part.nat_gateways.extend(self.of::<NatGateway>().map(|gateway| gateway.id.clone()));
        let associations = self.of::<ElasticAddress>().filter_map(|address| address.association.as_ref());
        self.part.interfaces.extend(associations.map(|association| association.interface.clone()));
    }

    fn devices(&mut self, before: &Devices, after: &Devices) {
        for state in [self.before, self.after] {
            for interface in state.all_under::<NetworkInterface>(Term::InterfaceDevice) {
                let device = |devices: &Devices| devices.interfaces.get(&interface.number).copied();
                if device(before) != device(after) {
                    self.part.interfaces.insert(interface.id.clone());
                }
            }
        }
    }

    fn rules(&mut self) {
        let groups: Vec<&SecurityGroup> = self.of().collect();
        let lists: Vec<&PrefixList> = self.of().collect();
        let peers =
            groups.iter().map(|group| group.id.as_str()).chain(lists.iter().map(|list| list.id.as_str()));
        let referring = peers.flat_map(|peer| self.found::<SecurityGroupRule>(Term::RulePeer, peer));
        let rules: BTreeSet<&str> =
            self.of::<SecurityGroupRule>().chain(referring).map(|rule| rule.group.as_str()).collect();
        for group in rules.into_iter().chain(groups.iter().map(|group| group.id.as_str())) {
            for state in [self.before, self.after] {
                let sets = state.distinct_texts(Term::InterfaceGroups, &index::in_set(group, ""));
                self.part.sets.extend(sets.filter_map(|text| Some(text.split_once('/')?.1.to_owned())));
            }
        }
    }

    fn services(&mut self) {
        let changed = self.of::<VpcEndpoint>().map(|endpoint| endpoint.id.clone());
        self.part.endpoints.extend(changed);
        for service in self.of::<EndpointService>() {
            self.service(service);
        }
    }

    fn service(&mut self, service: &EndpointService) {
        let endpoints = self.found::<VpcEndpoint>(Term::EndpointService, &service.name());
        self.part.endpoints.extend(endpoints.map(|endpoint| endpoint.id.clone()));
    }

    /// A balancer, and the endpoints that lead to it.
    fn balancer(&mut self, arn: &str) {
        if !self.part.balancers.insert(arn.to_owned()) {
            return;
        }
        for state in [self.before, self.after] {
            let services = state.all::<EndpointService>();
            for service in services.filter(|service| service.load_balancers.iter().any(|its| its == arn)) {
                self.service(service);
            }
        }
    }

    fn balancers(&mut self) {
        for balancer in self.of::<LoadBalancer>() {
            self.balancer(&balancer.arn);
        }
        let listeners: Vec<&Listener> = self.of().collect();
        let mut targets: BTreeSet<&str> = self.of::<TargetGroup>().map(|group| group.arn.as_str()).collect();
        for vpc in &self.vpcs {
            let groups = self.found::<TargetGroup>(Term::TargetGroupVpc, vpc.as_str());
            targets.extend(groups.map(|group| group.arn.as_str()));
        }
        let to_targets = targets.iter().flat_map(|arn| self.found::<Listener>(Term::ListenerTargets, arn));
        let balancers =
            listeners.into_iter().chain(to_targets).map(|listener| listener.load_balancer.clone());
        // What leads to a balancer does not depend on its listeners.
        let balancers: Vec<String> = balancers.collect();
        self.part.balancers.extend(balancers);
    }
}
