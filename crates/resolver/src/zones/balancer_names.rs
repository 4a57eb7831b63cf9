//! A load balancer's name, and its name in one zone: `ZONE.NAME`. As on AWS, whoever knows the name may
//! resolve it, whatever VPC it is in. Where the balancer says so, a client is led to the node of its own zone, if that
//! is healthy: always, or 85 times of 100 (AWS, "Network Load Balancers", "Availability Zone DNS affinity").

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use linkway_model::Snapshot;
use linkway_model::load_balancer::{ALWAYS_OWN_ZONE, CLIENT_ROUTING_POLICY, LoadBalancer, MOSTLY_OWN_ZONE};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::routing::Routing;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;

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
    affinity: Option<Affinity>,
}

/// For clients of their own zones.
struct Affinity {
    /// Of 20 questions, how many are answered with the zone's node only.
    share: usize,
    /// Questions so far.
    asked: AtomicUsize,
    /// Each healthy zone's.
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
    pub(crate) fn answer(&self, question: &Question, snapshot: &Snapshot) -> Option<Answer> {
        let (label, parent) = question.name.split_once('.')?;
        let (addresses, zone) = match self.balancers.get(question.name) {
            Some(balancer) => (balancer.own(question, snapshot).or(balancer.all.as_ref()), parent),
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
        let of_zone = |(zone, both): &(&str, _)| ((*zone).to_owned(), Rotation::new(each(*both), 0));
        let share = match balancer.attributes.get(CLIENT_ROUTING_POLICY).map(String::as_str) {
            Some(ALWAYS_OWN_ZONE) => 20,
            Some(MOSTLY_OWN_ZONE) => 17,
            _ => 0,
        };
        let affinity = (share > 0).then(|| Affinity {
            share,
            asked: AtomicUsize::default(),
            zones: nodes
                .iter()
                .filter(|(zone, _)| routing.zone_is_healthy(balancer, zone))
                .map(of_zone)
                .collect(),
        });
        Self {
            all: (!all.is_empty()).then(|| Rotation::new(all, snapshot.revision)),
            zones: nodes.iter().map(of_zone).collect(),
            affinity,
        }
    }

    /// The addresses of the client's own zone, if it is to have no others.
    fn own(&self, question: &Question, snapshot: &Snapshot) -> Option<&Rotation> {
        let affinity = self.affinity.as_ref()?;
        let turn = affinity.asked.fetch_add(1, Ordering::Relaxed) % 20;
        affinity.zones.get(zone_of_client(question, snapshot)?).filter(|_| turn < affinity.share)
    }
}

/// The zone of the subnet that the client's interface is in. No table has it, as few balancers ask.
fn zone_of_client<'a>(question: &Question, snapshot: &'a Snapshot) -> Option<&'a str> {
    let vpc = snapshot.all::<Vpc>().find(|vpc| vpc.number == question.vpc)?;
    let client = snapshot.interfaces_in(&vpc.id).find(|interface| interface.number == question.client)?;
    snapshot.get::<Subnet>(&client.subnet).map(|subnet| subnet.zone.as_str())
}

/// A node's addresses.
fn each((ipv4, ipv6): (Ipv4Addr, Option<Ipv6Addr>)) -> impl Iterator<Item = IpAddr> {
    [ipv4.into()].into_iter().chain(ipv6.map(IpAddr::V6))
}
