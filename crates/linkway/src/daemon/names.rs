//! Names for the numbers that the packet path knows things by.
//!
//! Numbers are never used again, so a name stays right when its thing is gone: who asks why a command failed asks
//! after its instance has ended. The book keeps the names that it has learned, up to a bound.

use std::collections::BTreeMap;
use std::sync::Arc;

use linkway_model::internet_gateway::InternetGateway;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::security_group::SecurityGroupRule;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Resource, Snapshot};

/// The number of what is beyond the uplink: `UPLINK_INTERFACE` and `UPLINK_VPC` of `bpf/layout.h`.
const UPLINK: u32 = u32::MAX;

/// Names of each kind that are kept. The oldest are forgotten first.
const KEPT: usize = 250_000;

/// What numbers stand for, or stood for.
#[derive(Default)]
pub(crate) struct Names {
    /// Interfaces, and the gateways that have numbers among theirs.
    interfaces: BTreeMap<u32, Interface>,
    rules: BTreeMap<u32, String>,
    vpcs: BTreeMap<u32, String>,
    /// The state that was learned last.
    learned: Arc<Snapshot>,
}

struct Interface {
    id: String,
    description: String,
    through: Through,
}

/// What it is for what goes through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Through {
    /// An endpoint; and whatever counts nothing.
    Endpoint,
    /// A NAT gateway.
    NatGateway,
    /// An internet gateway.
    InternetGateway,
}

impl Names {
    /// Learn the names of this state.
    pub(crate) fn learn(&mut self, state: &Arc<Snapshot>) {
        let before = std::mem::replace(&mut self.learned, Arc::clone(state));
        for interface in news::<NetworkInterface>(&before, state) {
            let through = match interface.role {
                InterfaceRole::NatGateway { .. } => Through::NatGateway,
                _ => Through::Endpoint,
            };
            let its = Interface { id: interface.id.to_string(), description: describe(interface), through };
            self.interfaces.insert(interface.number, its);
        }
        for endpoint in news::<VpcEndpoint>(&before, state) {
            if let Some(gateway) = &endpoint.gateway {
                self.learn_gateway(gateway.number, &endpoint.id, endpoint.vpc.as_str(), Through::Endpoint);
            }
        }
        for gateway in news::<InternetGateway>(&before, state) {
            let vpc = gateway.vpc.as_ref().map_or("", |vpc| vpc.as_str());
            self.learn_gateway(gateway.number, &gateway.id, vpc, Through::InternetGateway);
        }
        self.rules
            .extend(news::<SecurityGroupRule>(&before, state).map(|rule| (rule.number, rule.id.to_string())));
        self.vpcs.extend(news::<Vpc>(&before, state).map(|vpc| (vpc.number, vpc.id.to_string())));
        forget(&mut self.interfaces);
        forget(&mut self.rules);
        forget(&mut self.vpcs);
    }

    /// What has no interface is known by its own id.
    fn learn_gateway(&mut self, number: u32, id: &impl ToString, vpc: &str, through: Through) {
        let its = Interface { id: id.to_string(), description: vpc.to_owned(), through };
        self.interfaces.insert(number, its);
    }

    /// An interface's id.
    pub(crate) fn interface(&self, number: u32) -> String {
        match (number, self.interfaces.get(&number)) {
            (_, Some(interface)) => interface.id.clone(),
            (0, None) => "linkway".to_owned(),
            (UPLINK, None) => "uplink".to_owned(),
            (_, None) => gone(number),
        }
    }

    /// What an interface is, for people.
    pub(crate) fn description(&self, number: u32) -> String {
        match (number, self.interfaces.get(&number)) {
            (_, Some(interface)) => interface.description.clone(),
            (0, None) => "the resolver and health checks".to_owned(),
            (UPLINK, None) => "what is beyond the uplink".to_owned(),
            (_, None) => String::new(),
        }
    }

    /// What an interface, or a gateway, is for what goes through it.
    pub(crate) fn through(&self, number: u32) -> Through {
        self.interfaces.get(&number).map_or(Through::Endpoint, |interface| interface.through)
    }

    /// A security-group rule's id; none for number 0, which is no rule.
    pub(crate) fn rule(&self, number: u32) -> Option<String> {
        (number != 0).then(|| self.rules.get(&number).cloned().unwrap_or_else(|| gone(number)))
    }

    /// A VPC's id.
    pub(crate) fn vpc(&self, number: u32) -> String {
        match (number, self.vpcs.get(&number)) {
            (_, Some(id)) => id.clone(),
            (0, None) => "linkway".to_owned(),
            (UPLINK, None) => "uplink".to_owned(),
            (_, None) => gone(number),
        }
    }
}

/// Documents that are new, or have changed.
fn news<'a, T: Resource>(before: &'a Snapshot, state: &'a Snapshot) -> impl Iterator<Item = &'a Arc<T>> {
    state.changes::<T>(before).into_iter().filter_map(|(_, new)| new)
}

fn describe(interface: &NetworkInterface) -> String {
    match &interface.role {
        InterfaceRole::Available => interface.description.clone(),
        InterfaceRole::Instance { instance, .. } => instance.to_string(),
        InterfaceRole::Namespace { path, .. } => path.clone(),
        InterfaceRole::VpcEndpoint { endpoint } => endpoint.to_string(),
        InterfaceRole::LoadBalancer { load_balancer } => {
            load_balancer.rsplit(":loadbalancer/").next().unwrap_or(load_balancer).to_owned()
        }
        InterfaceRole::NatGateway { gateway } => gateway.to_string(),
        InterfaceRole::Database { database } => database.rsplit(":db:").next().unwrap_or(database).to_owned(),
    }
}

fn forget<T>(names: &mut BTreeMap<u32, T>) {
    while names.len() > KEPT {
        names.pop_first();
    }
}

fn gone(number: u32) -> String {
    format!("({number}, deleted)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_known_keeps_its_number() {
        let names = Names::default();
        assert_eq!(names.interface(7), "(7, deleted)");
        assert_eq!(names.interface(0), "linkway");
        assert_eq!(names.rule(0), None);
        assert_eq!(names.rule(3), Some("(3, deleted)".into()));
    }

    #[test]
    fn what_is_gone_keeps_its_name() {
        let vpc = r#"{"id":"vpc-1a2b3c4d","number":4,"owner":"123456789012","region":"us-east-1","cidrs":[],
            "tenancy":"default","is_default":false,"enable_dns_support":true,"enable_dns_hostnames":false,
            "enable_network_address_usage_metrics":false,"dhcp_options":"dopt-1a2b3c4d",
            "default_security_group":"sg-1a2b3c4d","main_route_table":"rtb-1a2b3c4d",
            "default_network_acl":"acl-1a2b3c4d","tags":{}}"#;
        let mut names = Names::default();
        let mut state = Snapshot { revision: 1, ..Snapshot::default() };
        state.load("vpc", vpc).unwrap();
        names.learn(&Arc::new(state));
        names.learn(&Arc::new(Snapshot { revision: 2, ..Snapshot::default() }));
        assert_eq!(names.vpc(4), "vpc-1a2b3c4d");
    }
}
