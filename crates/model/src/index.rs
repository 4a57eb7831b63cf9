//! What documents are found by besides their ids: so that nobody goes through a hundred thousand of them for one.
//!
//! A document stands in the index under *terms*: a kind of term and a text. The index follows each document as it is
//! put and removed, and is copied as cheaply as tables are.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Bound;
use std::sync::Arc;

use crate::elastic_address::ElasticAddress;
use crate::idempotency::ClientToken;
use crate::load_balancer::{Listener, TargetGroup};
use crate::network_interface::{InterfaceRole, NetworkInterface};
use crate::route_table::RouteTable;
use crate::security_group::{Peer, SecurityGroupRule};
use crate::snapshot::{Resource, Snapshot};
use crate::subnet::Subnet;
use crate::vpc_endpoint::VpcEndpoint;
use crate::{AccountId, SecurityGroupId, VpcId};

/// Kinds of terms: what a kind of document is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// Endpoints by their owner and region: [`owner`].
    EndpointOwner,
    /// Endpoints by their VPC.
    EndpointVpc,
    /// Endpoints by their service's full name.
    EndpointService,
    /// Endpoints by AWS's name of their state.
    EndpointState,
    /// Endpoints by their tags: [`tag`].
    EndpointTag,
    /// How many interfaces an owner has in a region: [`owner`]. Counted only.
    InterfaceOwner,
    /// Interfaces by each of their addresses: [`address`].
    InterfaceAddress,
    /// Interfaces by each of their groups, and all of their groups together: [`in_set`].
    InterfaceGroups,
    /// Interfaces that may have a device, by their VPC: those of instances, of databases and in namespaces.
    InterfaceDevice,
    /// Elastic addresses by the interface that they stand for.
    ElasticInterface,
    /// Rules by their group.
    RuleGroup,
    /// Rules by the group or prefix list that is on their other side.
    RulePeer,
    /// Listeners by their balancer's ARN.
    ListenerBalancer,
    /// Listeners by the ARN of their target group.
    ListenerTargets,
    /// Target groups by their VPC.
    TargetGroupVpc,
    /// Subnets by their VPC.
    SubnetVpc,
    /// Route tables by their VPC.
    RouteTableVpc,
    /// Client tokens by the time of their making, in its order.
    TokenCreated,
}

impl Term {
    /// Whether documents are counted under the term, and not found.
    fn counts(self) -> bool {
        self == Self::InterfaceOwner
    }
}

/// Ends a text in the index, before the id. No id has it inside.
const END: char = '\0';

/// The text of an owner in a region.
pub fn owner(account: &AccountId, region: &str) -> String {
    format!("{account}/{region}")
}

/// The text of a tag.
pub fn tag(key: &str, value: &str) -> String {
    format!("{key}\u{1}{value}")
}

/// The text of an address in a VPC. In the order of addresses, those of IPv6 after all of IPv4.
pub fn address(vpc: &VpcId, address: impl Into<IpAddr>) -> String {
    match address.into() {
        IpAddr::V4(address) => format!("{vpc}/{:08x}", u32::from(address)),
        IpAddr::V6(address) => format!("{vpc}/v6/{:032x}", u128::from(address)),
    }
}

/// The IPv4 address in a text of [`address`].
pub fn read_address(text: &str) -> Option<Ipv4Addr> {
    let (_, digits) = text.split_once('/')?;
    u32::from_str_radix(digits, 16).ok().map(Into::into)
}

/// The text of a set of groups: equal for interfaces that have the same groups.
pub fn set(groups: &[SecurityGroupId]) -> String {
    let mut ids: Vec<&str> = groups.iter().map(SecurityGroupId::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.join(",")
}

/// The text of one group, and of a set of groups that it is in. Interfaces without groups have neither.
pub fn in_set(group: &str, set: &str) -> String {
    format!("{group}/{set}")
}

pub(crate) fn of_endpoint(endpoint: &VpcEndpoint, add: &mut dyn FnMut(Term, &str)) {
    add(Term::EndpointOwner, &owner(&endpoint.owner, &endpoint.region));
    add(Term::EndpointVpc, endpoint.vpc.as_str());
    add(Term::EndpointService, &endpoint.service_name);
    add(Term::EndpointState, endpoint.state.name());
    for (key, value) in &endpoint.tags {
        add(Term::EndpointTag, &tag(key, value));
    }
}

pub(crate) fn of_interface(interface: &NetworkInterface, add: &mut dyn FnMut(Term, &str)) {
    add(Term::InterfaceOwner, &owner(&interface.owner, &interface.region));
    for ip in interface.addresses() {
        add(Term::InterfaceAddress, &address(&interface.vpc, ip));
    }
    for ip in &interface.ipv6_addresses {
        add(Term::InterfaceAddress, &address(&interface.vpc, *ip));
    }
    if !interface.is_without_groups() {
        let set = set(&interface.groups);
        for group in set.split(',') {
            add(Term::InterfaceGroups, &in_set(group, &set));
        }
    }
    match interface.role {
        InterfaceRole::Instance { .. } | InterfaceRole::Namespace { .. } | InterfaceRole::Database { .. } => {
            add(Term::InterfaceDevice, interface.vpc.as_str());
        }
        InterfaceRole::Available
        | InterfaceRole::VpcEndpoint { .. }
        | InterfaceRole::LoadBalancer { .. }
        | InterfaceRole::NatGateway { .. } => {}
    }
}

pub(crate) fn of_elastic_address(address: &ElasticAddress, add: &mut dyn FnMut(Term, &str)) {
    if let Some(association) = &address.association {
        add(Term::ElasticInterface, association.interface.as_str());
    }
}

pub(crate) fn of_rule(rule: &SecurityGroupRule, add: &mut dyn FnMut(Term, &str)) {
    add(Term::RuleGroup, rule.group.as_str());
    match &rule.peer {
        Peer::Cidr(_) => {}
        Peer::Group(group) => add(Term::RulePeer, group.as_str()),
        Peer::PrefixList(list) => add(Term::RulePeer, list.as_str()),
    }
}

pub(crate) fn of_listener(listener: &Listener, add: &mut dyn FnMut(Term, &str)) {
    add(Term::ListenerBalancer, &listener.load_balancer);
    add(Term::ListenerTargets, &listener.target_group);
}

pub(crate) fn of_target_group(group: &TargetGroup, add: &mut dyn FnMut(Term, &str)) {
    add(Term::TargetGroupVpc, group.vpc.as_str());
}

pub(crate) fn of_subnet(subnet: &Subnet, add: &mut dyn FnMut(Term, &str)) {
    add(Term::SubnetVpc, subnet.vpc.as_str());
}

pub(crate) fn of_route_table(table: &RouteTable, add: &mut dyn FnMut(Term, &str)) {
    add(Term::RouteTableVpc, table.vpc.as_str());
}

pub(crate) fn of_token(token: &ClientToken, add: &mut dyn FnMut(Term, &str)) {
    add(Term::TokenCreated, &token.created.strftime("%Y-%m-%dT%H:%M:%S").to_string());
}

/// The index.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Index {
    /// A term, and its text before the document's id.
    entries: imbl::OrdSet<(Term, Arc<str>)>,
    counts: imbl::OrdMap<(Term, Arc<str>), usize>,
}

impl Index {
    /// Have the index know `after` in place of `before`.
    pub(crate) fn change<T: Resource>(&mut self, before: Option<&T>, after: Option<&T>) {
        let terms = |document: Option<&T>| {
            let mut terms = Vec::new();
            if let Some(document) = document {
                document.terms(&mut |term, text| terms.push((term, text.to_owned())));
            }
            terms
        };
        let Some(id) = before.or(after).map(Resource::id) else { return };
        let (old, new) = (terms(before), terms(after));
        for (term, text) in old.iter().filter(|its| !new.contains(its)) {
            self.remove(*term, text, id);
        }
        for (term, text) in new.iter().filter(|its| !old.contains(its)) {
            self.add(*term, text, id);
        }
    }

    fn add(&mut self, term: Term, text: &str, id: &str) {
        if term.counts() {
            *self.counts.entry((term, Arc::from(text))).or_default() += 1;
        } else {
            self.entries.insert(entry(term, text, id));
        }
    }

    fn remove(&mut self, term: Term, text: &str, id: &str) {
        if !term.counts() {
            self.entries.remove(&entry(term, text, id));
            return;
        }
        let place = (term, Arc::from(text));
        match self.counts.get(&place) {
            Some(count) if *count > 1 => {
                let left = count - 1;
                self.counts.insert(place, left);
            }
            _ => drop(self.counts.remove(&place)),
        }
    }

    /// Texts of `term` with their ids, from this place on.
    fn from<'a>(
        &'a self,
        term: Term,
        place: Bound<(Term, Arc<str>)>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let entries = self.entries.range((place, Bound::Unbounded)).take_while(move |(its, _)| *its == term);
        entries.filter_map(|(_, entry)| entry.rsplit_once(END))
    }
}

fn entry(term: Term, text: &str, id: &str) -> (Term, Arc<str>) {
    (term, Arc::from([text, id].join("\0")))
}

impl Snapshot {
    /// The documents under a term, in the order of ids.
    pub fn found<'a, T: Resource>(
        &'a self,
        term: Term,
        text: &str,
    ) -> impl Iterator<Item = &'a Arc<T>> + use<'a, T> {
        self.found_after(term, text, "")
    }

    /// The documents under a term whose ids come after this one, in the order of ids.
    pub fn found_after<'a, T: Resource>(
        &'a self,
        term: Term,
        text: &str,
        id: &str,
    ) -> impl Iterator<Item = &'a Arc<T>> + use<'a, T> {
        let wanted = text.to_owned();
        self.index
            .from(term, Bound::Excluded(entry(term, text, id)))
            // Another text that goes on after a NUL may stand between.
            .map_while(move |(text, id)| Some((text.strip_prefix(&*wanted)?, id)))
            .filter(|(rest, _)| rest.is_empty())
            .filter_map(|(_, id)| self.get::<T>(id))
    }

    /// The documents under a term, by texts and ids: each as often as it stands there.
    pub fn all_under<'a, T: Resource>(&'a self, term: Term) -> impl Iterator<Item = &'a Arc<T>> + use<'a, T> {
        self.index.from(term, Bound::Included(entry(term, "", ""))).filter_map(|(_, id)| self.get::<T>(id))
    }

    /// The interfaces of a VPC, by their addresses: each as often as it has one.
    pub fn interfaces_in<'a>(
        &'a self,
        vpc: &VpcId,
    ) -> impl Iterator<Item = &'a Arc<NetworkInterface>> + use<'a> {
        let prefix = format!("{vpc}/");
        let texts = self
            .index
            .from(Term::InterfaceAddress, Bound::Included(entry(Term::InterfaceAddress, &prefix, "")));
        let of_vpc = texts.take_while(move |(text, _)| text.starts_with(&prefix));
        of_vpc.filter_map(|(_, id)| self.get::<NetworkInterface>(id))
    }

    /// How many documents stand under a term that counts.
    pub fn count(&self, term: Term, text: &str) -> usize {
        self.index.counts.get(&(term, Arc::from(text))).copied().unwrap_or(0)
    }

    /// The texts from this one on, and the ids of the documents that stand under each.
    pub fn texts(&self, term: Term, from: &str) -> impl Iterator<Item = (&str, &str)> {
        self.index.from(term, Bound::Included(entry(term, from, "")))
    }

    /// The texts that begin with `prefix`, each once.
    pub fn distinct_texts<'a>(&'a self, term: Term, prefix: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let wanted = prefix.to_owned();
        let next = move |place: Bound<(Term, Arc<str>)>| {
            let (text, _) = self.index.from(term, place).next()?;
            text.starts_with(&wanted).then_some(text)
        };
        let first = next(Bound::Included((term, Arc::from(prefix))));
        // After all ids of the text before.
        std::iter::successors(first, move |text| {
            next(Bound::Included((term, Arc::from(format!("{text}\u{1}")))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network_interface::Mac;
    use crate::{NetworkInterfaceId, Timestamp};

    fn interface(id: &str, address: &str, groups: &[&str]) -> NetworkInterface {
        NetworkInterface {
            id: id.parse().unwrap(),
            number: 1,
            owner: "123456789012".parse().unwrap(),
            region: "us-east-1".to_owned(),
            vpc: "vpc-00000001".parse().unwrap(),
            subnet: "subnet-00000001".parse().unwrap(),
            description: String::new(),
            mac: Mac::of(1),
            address: address.parse().unwrap(),
            secondary_addresses: Vec::new(),
            ipv6_addresses: Vec::new(),
            primary_ipv6: false,
            groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
            source_dest_check: true,
            role: InterfaceRole::Available,
            created: Timestamp::UNIX_EPOCH,
            tags: Default::default(),
        }
    }

    fn ids<'a>(found: impl Iterator<Item = &'a Arc<NetworkInterface>>) -> Vec<&'a str> {
        found.map(|interface| interface.id.as_str()).collect()
    }

    #[test]
    fn the_index_follows_documents() {
        let mut state = Snapshot::default();
        for (id, address) in [("eni-00000003", "10.0.0.7"), ("eni-00000001", "10.0.0.6")] {
            state.put(Arc::new(interface(id, address, &["sg-00000001"])));
        }
        let (term, group) = (Term::InterfaceGroups, in_set("sg-00000001", "sg-00000001"));
        assert_eq!(ids(state.found(term, &group)), ["eni-00000001", "eni-00000003"]);
        assert_eq!(ids(state.found_after(term, &group, "eni-00000001")), ["eni-00000003"]);
        let of_owner = |state: &Snapshot| state.count(Term::InterfaceOwner, "123456789012/us-east-1");
        assert_eq!(of_owner(&state), 2);

        state.put(Arc::new(interface("eni-00000001", "10.0.0.8", &["sg-00000002", "sg-00000001"])));
        assert_eq!(ids(state.found(term, &group)), ["eni-00000003"]);
        let texts: Vec<_> = state.texts(Term::InterfaceAddress, "vpc-00000001/0a000008").collect();
        assert_eq!(texts, [("vpc-00000001/0a000008", "eni-00000001")]);
        let ipv6 = "2001:db8::7".parse().unwrap();
        state.put(Arc::new(NetworkInterface {
            ipv6_addresses: vec![ipv6],
            ..interface("eni-00000003", "10.0.0.7", &["sg-00000001"])
        }));
        let text = address(&"vpc-00000001".parse().unwrap(), ipv6);
        assert!(*text > *"vpc-00000001/ffffffff", "after all of IPv4");
        assert_eq!(ids(state.found(Term::InterfaceAddress, &text)), ["eni-00000003"]);
        let sets: Vec<_> = state.distinct_texts(term, "sg-00000001/").collect();
        assert_eq!(sets, ["sg-00000001/sg-00000001", "sg-00000001/sg-00000001,sg-00000002"]);

        for id in ["eni-00000001", "eni-00000003"] {
            let id: NetworkInterfaceId = id.parse().unwrap();
            assert!(state.remove::<NetworkInterface>(&id).is_some());
        }
        assert_eq!(of_owner(&state), 0);
        assert_eq!(state, Snapshot::default(), "nothing is left of what is gone");
    }
}
