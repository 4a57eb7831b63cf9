//! A load balancer's name, and its name in one zone: `ZONE.NAME`. As on AWS, whoever knows the name may
//! resolve it, whatever VPC it is in.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use linkway_model::Snapshot;
use linkway_model::load_balancer::LoadBalancer;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::routing::Routing;

use super::{Answer, Question};
use crate::rotation::Rotation;

/// The names of all load balancers.
#[derive(Default)]
pub(crate) struct BalancerNames {
    balancers: HashMap<String, Balancer>,
}

/// One balancer's addresses: none until it is active.
#[derive(Default)]
struct Balancer {
    all: Option<Rotation>,
    zones: HashMap<String, Rotation>,
}

impl BalancerNames {
    /// Collect them.
    pub(crate) fn compile(snapshot: &Snapshot, routing: &Routing) -> Self {
        let named = snapshot.all::<LoadBalancer>().map(|balancer| {
            let addresses = if balancer.active {
                Balancer::compile(snapshot, routing, balancer)
            } else {
                Balancer::default()
            };
            (balancer.dns_name.to_lowercase(), addresses)
        });
        Self { balancers: named.collect() }
    }

    /// The answer for a balancer's name, or a name directly below one.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let (label, parent) = question.name.split_once('.')?;
        let (addresses, zone) = match self.balancers.get(question.name) {
            Some(balancer) => (balancer.all.as_ref(), parent),
            None => (self.balancers.get(parent)?.zones.get(label), parent),
        };
        Some(match addresses {
            Some(addresses) => Answer::addresses(question, zone, addresses),
            None => Answer::no_name(zone),
        })
    }
}

impl Balancer {
    fn compile(snapshot: &Snapshot, routing: &Routing, balancer: &LoadBalancer) -> Self {
        let nodes: Vec<_> = balancer
            .nodes
            .iter()
            .filter_map(|node| {
                let interface = snapshot.get::<NetworkInterface>(&node.interface)?;
                let has_ipv6 = balancer.ip_address_type.has_ipv6();
                let ipv6 = interface.ipv6_addresses.first().filter(|_| has_ipv6);
                Some((node.zone.as_str(), (interface.address, ipv6.copied())))
            })
            .collect();
        let addresses = |wanted: &dyn Fn(&str) -> bool| -> Vec<_> {
            nodes.iter().filter(|(zone, _)| wanted(zone)).flat_map(|(_, both)| each(*both)).collect()
        };
        let healthy = addresses(&|zone| routing.zone_is_healthy(balancer, zone));
        let all = if healthy.is_empty() { addresses(&|_| true) } else { healthy };
        Self {
            all: (!all.is_empty()).then(|| Rotation::new(all, snapshot.revision)),
            zones: nodes
                .iter()
                .map(|(zone, both)| ((*zone).to_owned(), Rotation::new(each(*both), 0)))
                .collect(),
        }
    }
}

/// A node's addresses.
fn each((ipv4, ipv6): (Ipv4Addr, Option<Ipv6Addr>)) -> impl Iterator<Item = IpAddr> {
    [ipv4.into()].into_iter().chain(ipv6.map(IpAddr::V6))
}
