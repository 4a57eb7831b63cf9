//! The contents of the kernel's tables that follow from the state: what [`crate::compile`] makes.

use std::collections::BTreeMap;

use crate::layout::{
    Endpoint, Interface, KernelSettings, Listener, ListenerKey, MemberKey, Place, PlaceKey, Port, Probe,
    Route, RouteKey, RuleChunk, RuleKey, Ruleset, RulesetKey, Subnet, Target, TargetKey,
};

/// Every table that userspace writes. `bpf/layout.h` says what each is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// The one row of settings. Its epoch is 0: only the writer of the kernel's tables counts it.
    pub settings: KernelSettings,
    /// Interface index of a host end to who is behind it.
    pub ports: BTreeMap<u32, Port>,
    /// Number to network interface.
    pub interfaces: BTreeMap<u32, Interface>,
    /// Address of a VPC to what stands there.
    pub places: BTreeMap<PlaceKey, Place>,
    /// Groups of each set of groups.
    pub members: BTreeMap<MemberKey, u32>,
    /// Set of groups and direction to its rules.
    pub rulesets: BTreeMap<RulesetKey, Ruleset>,
    /// The rules, by their contents.
    pub rules: BTreeMap<RuleKey, RuleChunk>,
    /// Subnet to its network ACL and its route table. The key is a hash of its id.
    pub subnets: BTreeMap<u64, Subnet>,
    /// Route table and destination to where it leads.
    pub routes: BTreeMap<RouteKey, Route>,
    /// Endpoint's interface to whose listeners it has: the balancer's node that it leads to, or its own. And gateways that
    /// lead out, which have none.
    pub endpoints: BTreeMap<u32, Endpoint>,
    /// Balancer's node, or AWS service's endpoint, and port to where it leads.
    pub listeners: BTreeMap<ListenerKey, Listener>,
    /// The targets, by their contents.
    pub targets: BTreeMap<TargetKey, Target>,
    /// Offset in the probe range to the target that a health check means.
    pub probes: BTreeMap<u32, Probe>,
}
