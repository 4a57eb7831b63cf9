//! Sets of security groups: what an interface has, under one number.

use std::collections::BTreeMap;

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::security_group::SecurityGroup;
use linkway_model::{SecurityGroupId, Snapshot};

use super::hash;

/// The sets of a snapshot.
pub(crate) struct Groups<'a> {
    snapshot: &'a Snapshot,
    sets: BTreeMap<u64, Vec<&'a SecurityGroup>>,
}

impl<'a> Groups<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let mut groups = Self { snapshot, sets: BTreeMap::new() };
        for interface in snapshot.all::<NetworkInterface>() {
            let set = groups.of(interface);
            if set != 0 && !groups.sets.contains_key(&set) {
                groups.sets.insert(set, groups.members(&interface.groups));
            }
        }
        groups
    }

    /// The set that `interface` has. 0, to which groups do not apply, only for a balancer's without any:
    /// whatever else has none is let nothing in.
    pub(crate) fn of(&self, interface: &NetworkInterface) -> u64 {
        let balancer = matches!(interface.role, InterfaceRole::LoadBalancer { .. });
        if balancer && interface.groups.is_empty() {
            return 0;
        }
        let numbers: Vec<u32> = self.members(&interface.groups).iter().map(|group| group.number).collect();
        hash::contents(&numbers)
    }

    /// Every set that an interface has, with its groups in the order of their numbers.
    pub(crate) fn sets(&self) -> impl Iterator<Item = (u64, &[&'a SecurityGroup])> {
        self.sets.iter().map(|(set, groups)| (*set, groups.as_slice()))
    }

    fn members(&self, ids: &[SecurityGroupId]) -> Vec<&'a SecurityGroup> {
        let mut groups: Vec<&SecurityGroup> =
            ids.iter().filter_map(|id| self.snapshot.get::<SecurityGroup>(id)).map(AsRef::as_ref).collect();
        groups.sort_by_key(|group| group.number);
        groups.dedup_by_key(|group| group.number);
        groups
    }
}
