//! `vpce-….vpce-svc-….REGION.vpce.amazonaws.com`: an endpoint's regional and zonal names. On AWS anyone may
//! resolve them; so may every VPC here.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::endpoint_service::EndpointService;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::routing::Routing;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{Snapshot, VpcEndpointId};

use super::{Answer, Question};
use crate::rotation::Rotation;

/// What every name of an endpoint ends with.
const DOMAIN: &str = ".vpce.amazonaws.com";

/// The names of all available endpoints.
#[derive(Default)]
pub(crate) struct EndpointNames {
    names: HashMap<String, Arc<Rotation>>,
    /// Base names of the services of this installation. What is below one of them is known here or nowhere.
    services: HashSet<String>,
    regional: HashMap<VpcEndpointId, Arc<Rotation>>,
}

impl EndpointNames {
    /// Collect them.
    pub(crate) fn compile(snapshot: &Snapshot, routing: &Routing) -> Self {
        let services = snapshot.all::<EndpointService>().map(|service| service.base_dns_name());
        let mut names = Self { services: services.collect(), ..Self::default() };
        let mut health = ZoneHealth { routing, known: HashMap::new() };
        for endpoint in snapshot.all::<VpcEndpoint>() {
            names.services.insert(endpoint.dns_suffix());
            if endpoint.state == EndpointState::Available {
                names.add(snapshot, endpoint, &mut health);
            }
        }
        names
    }

    fn add<'a>(&mut self, snapshot: &'a Snapshot, endpoint: &VpcEndpoint, health: &mut ZoneHealth<'a, '_>) {
        let service = snapshot.get::<EndpointService>(&endpoint.service);
        let (mut all, mut healthy): (Vec<Ipv4Addr>, Vec<Ipv4Addr>) = Default::default();
        for place in &endpoint.subnets {
            let Some(interface) = snapshot.get::<NetworkInterface>(&place.interface) else { continue };
            let address = interface.address;
            all.push(address);
            if service.is_some_and(|service| health.is_healthy(service, &place.zone)) {
                healthy.push(address);
            }
            let zonal = Arc::new(Rotation::new(vec![address], 0));
            self.names.insert(endpoint.zonal_name(&place.zone), zonal);
        }
        if all.is_empty() {
            return;
        }
        let addresses = if healthy.is_empty() { all } else { healthy };
        let regional = Arc::new(Rotation::new(addresses, snapshot.revision));
        self.names.insert(endpoint.regional_name(), Arc::clone(&regional));
        self.regional.insert(endpoint.id.clone(), regional);
    }

    /// The addresses of an endpoint's regional name, if the endpoint has one.
    pub(crate) fn regional(&self, endpoint: &VpcEndpointId) -> Option<&Arc<Rotation>> {
        self.regional.get(endpoint)
    }

    /// The answer for a name of an endpoint or a service of this installation.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let rest = question.name.strip_suffix(DOMAIN)?;
        // A service's own name has two labels before that: `vpce-svc-….REGION`.
        let start = rest.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
        let service = self.services.get(&question.name[start..])?;
        Some(match self.names.get(question.name) {
            Some(addresses) => Answer::addresses(question, service, addresses),
            None if question.name == service => Answer::no_record(service),
            None => Answer::no_name(service),
        })
    }
}

/// Which zones DNS may lead to, remembered: thousands of endpoints share a few balancers.
struct ZoneHealth<'a, 'r> {
    routing: &'r Routing<'a>,
    known: HashMap<(&'a str, String), bool>,
}

impl<'a> ZoneHealth<'a, '_> {
    fn is_healthy(&mut self, service: &'a EndpointService, zone: &str) -> bool {
        let routing = self.routing;
        *self.known.entry((service.id.as_str(), zone.to_owned())).or_insert_with(|| {
            routing.node(service, zone).is_some_and(|(balancer, _)| routing.zone_is_healthy(balancer, zone))
        })
    }
}
