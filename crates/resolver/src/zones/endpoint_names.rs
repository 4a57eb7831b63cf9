//! `vpce-….vpce-svc-….REGION.vpce.amazonaws.com`, and `vpce-….rds.REGION.vpce.amazonaws.com` of an endpoint to one
//! of AWS's services: an endpoint's regional and zonal names. On AWS anyone may resolve them; so may every VPC here.
//!
//! Names are not spelled out when a view is compiled: an endpoint is found by the id in a name, and the name
//! compared then, so that a change of one of thousands of endpoints costs little.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use linkway_model::endpoint_service::EndpointService;
use linkway_model::index::Term;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::routing::Routing;
use linkway_model::vpc_endpoint::{DnsRecordIpType, EndpointState, EndpointSubnet, VpcEndpoint};
use linkway_model::{EndpointServiceId, Snapshot, VpcEndpointId};

use super::{Answer, Question};
use crate::rotation::Rotation;

/// What every name of an endpoint ends with.
const DOMAIN: &str = ".vpce.amazonaws.com";

/// The names of all endpoints that have them.
#[derive(Clone, Default)]
pub(crate) struct EndpointNames {
    endpoints: imbl::HashMap<VpcEndpointId, Arc<Endpoint>>,
    /// The services of this installation. What is below the name of one is known here or nowhere.
    services: imbl::HashSet<EndpointServiceId>,
    /// Endpoints to AWS's services that have no names now. Other people's endpoints are not known here.
    nameless: imbl::HashSet<VpcEndpointId>,
}

/// Whether an endpoint has names. An interface endpoint has when it is available, and while a change makes it pending again, as its other
/// interfaces go on to serve. A name that went and came again would be remembered as missing for a minute.
fn has_names(endpoint: &VpcEndpoint) -> bool {
    if endpoint.gateway.is_some() {
        return false;
    }
    endpoint.state == EndpointState::Available || endpoint.subnets.iter().any(|its| leads_to(endpoint, its))
}

/// Whether DNS may lead to an endpoint's interface.
fn leads_to(endpoint: &VpcEndpoint, place: &EndpointSubnet) -> bool {
    match endpoint.state {
        EndpointState::Available => true,
        EndpointState::Pending => place.delivered,
        _ => false,
    }
}

/// An interface's IPv4 and its IPv6 address, each if names have records of it.
type Recorded = [Option<IpAddr>; 2];

/// An endpoint that has names, and its addresses: those that packets are delivered to.
struct Endpoint {
    endpoint: Arc<VpcEndpoint>,
    regional: Arc<Rotation>,
    /// What the service's own names lead to.
    private: Arc<Rotation>,
    /// In the order of the endpoint's subnets. An interface that DNS may not lead to has none.
    zonal: Vec<Recorded>,
}

impl EndpointNames {
    /// Know the services of a snapshot.
    pub(crate) fn know_services(&mut self, snapshot: &Snapshot) {
        self.services.extend(snapshot.all::<EndpointService>().map(|service| service.id.clone()));
    }

    /// Have these endpoints as they are in `snapshot`, which follows `before`.
    pub(crate) fn change(
        &mut self,
        snapshot: &Snapshot,
        before: &Snapshot,
        endpoints: &BTreeSet<&VpcEndpointId>,
    ) {
        let routing = Routing::new(snapshot);
        let mut health = ZoneHealth { routing: &routing, known: HashMap::new() };
        for id in endpoints {
            self.endpoints.remove(*id);
            self.nameless.remove(*id);
            let Some(endpoint) = snapshot.get::<VpcEndpoint>(id) else {
                self.let_go(snapshot, before.get::<VpcEndpoint>(id).map(AsRef::as_ref));
                continue;
            };
            let of_aws = endpoint.aws_service().is_some();
            if !of_aws && !self.services.contains(&endpoint.service) {
                self.services.insert(endpoint.service.clone());
            }
            if has_names(endpoint) {
                let its = Endpoint::compile(snapshot, endpoint, &mut health);
                self.endpoints.insert(endpoint.id.clone(), Arc::new(its));
            } else if of_aws {
                self.nameless.insert(endpoint.id.clone());
            }
        }
    }

    /// Forget the service of an endpoint that is gone, if nothing is left of it.
    fn let_go(&mut self, snapshot: &Snapshot, endpoint: Option<&VpcEndpoint>) {
        let Some(endpoint) = endpoint else { return };
        let mut others = snapshot.found::<VpcEndpoint>(Term::EndpointService, &endpoint.service_name);
        if snapshot.get::<EndpointService>(&endpoint.service).is_none() && others.next().is_none() {
            self.services.remove(&endpoint.service);
        }
    }

    /// What an endpoint's service's own names lead to, if the endpoint has names.
    pub(crate) fn private(&self, endpoint: &VpcEndpointId) -> Option<&Arc<Rotation>> {
        self.endpoints.get(endpoint).map(|its| &its.private)
    }

    /// The answer for a name of an endpoint or a service of this installation.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let rest = question.name.strip_suffix(DOMAIN)?;
        // A service's own name has two labels before that: `vpce-svc-….REGION`.
        let start = rest.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
        let Ok(service) = rest[start..].split('.').next()?.parse::<EndpointServiceId>() else {
            return self.of_aws_service(question, rest);
        };
        if !self.services.contains(&service) {
            return None;
        }
        let zone = &question.name[start..];
        if start == 0 {
            return Some(Answer::no_record(zone));
        }
        Some(match self.addresses(question.name) {
            Some(addresses) => Answer::addresses(question, zone, &addresses),
            None => Answer::no_name(zone),
        })
    }

    /// The answer for a name of an endpoint to one of AWS's services, or below one: `rest` is the name without
    /// [`DOMAIN`].
    fn of_aws_service(&self, question: &Question, rest: &str) -> Option<Answer> {
        // The last one: a bucket may be called like an endpoint.
        let start = match rest.rfind(".vpce-") {
            Some(dot) => dot + 1,
            None => 0,
        };
        let name = &question.name[start..];
        let id = id_in(name)?;
        let endpoint = self.endpoints.get(&id);
        if endpoint.is_none() && !self.nameless.contains(&id) {
            return None;
        }
        let exists = start == 0 || endpoint.is_some_and(|its| its.endpoint.names_are_wildcards());
        let zone = name.split_once('.').map_or(name, |(_, zone)| zone);
        Some(match self.addresses(name).filter(|_| exists) {
            Some(addresses) => Answer::addresses(question, zone, &addresses),
            None => Answer::no_name(zone),
        })
    }

    /// The addresses of an endpoint's name.
    fn addresses(&self, name: &str) -> Option<Arc<Rotation>> {
        let its = self.endpoints.get(&id_in(name)?)?;
        if its.endpoint.regional_name() == name {
            return Some(Arc::clone(&its.regional));
        }
        let place =
            its.endpoint.subnets.iter().position(|place| its.endpoint.zonal_name(&place.zone) == name);
        let mut addresses = its.zonal.get(place?)?.iter().flatten().copied().peekable();
        addresses.peek()?;
        Some(Arc::new(Rotation::new(addresses, 0)))
    }
}

/// The id that an endpoint's name begins with.
fn id_in(name: &str) -> Option<VpcEndpointId> {
    let (dash, _) = name.match_indices('-').nth(1)?;
    name[..dash].parse().ok()
}

impl Endpoint {
    fn compile<'a>(
        snapshot: &'a Snapshot,
        endpoint: &'a Arc<VpcEndpoint>,
        health: &mut ZoneHealth<'a, '_>,
    ) -> Self {
        let addresses = |place: &EndpointSubnet| {
            let interface = snapshot.get::<NetworkInterface>(&place.interface);
            let interface = interface.filter(|_| leads_to(endpoint, place));
            interface.map_or([None; 2], |interface| recorded(endpoint.dns_record_ip_type, interface))
        };
        let zonal: Vec<_> = endpoint.subnets.iter().map(addresses).collect();
        let service = snapshot.get::<EndpointService>(&endpoint.service);
        let mut healthy = Vec::new();
        for (place, addresses) in endpoint.subnets.iter().zip(&zonal) {
            if service.is_some_and(|service| health.is_healthy(service, &place.zone)) {
                healthy.extend(addresses.iter().flatten());
            }
        }
        // AWS's services have no balancers here: they are behind every interface.
        let all = || zonal.iter().flatten().flatten().copied().collect();
        let addresses: Vec<IpAddr> = if healthy.is_empty() { all() } else { healthy };
        let regional = Arc::new(Rotation::new(addresses.iter().copied(), snapshot.revision));
        let private = match endpoint.dns_record_ip_type {
            DnsRecordIpType::ServiceDefined => {
                let ipv4 = addresses.into_iter().filter(IpAddr::is_ipv4);
                Arc::new(Rotation::new(ipv4, snapshot.revision))
            }
            _ => Arc::clone(&regional),
        };
        Self { endpoint: Arc::clone(endpoint), regional, private, zonal }
    }
}

/// Those of an interface's addresses that an endpoint's names have records of.
fn recorded(kind: DnsRecordIpType, interface: &NetworkInterface) -> Recorded {
    let ipv4 = (kind != DnsRecordIpType::Ipv6).then_some(interface.address.into());
    let ipv6 = interface.ipv6_addresses.first().filter(|_| kind != DnsRecordIpType::Ipv4);
    [ipv4, ipv6.copied().map(IpAddr::V6)]
}

/// Which zones DNS may lead to, remembered: thousands of endpoints share a few balancers.
struct ZoneHealth<'a, 'r> {
    routing: &'r Routing<'a>,
    known: HashMap<(&'a str, &'a str), bool>,
}

impl<'a> ZoneHealth<'a, '_> {
    fn is_healthy(&mut self, service: &EndpointService, zone: &str) -> bool {
        let routing = self.routing;
        routing.node(service, zone).is_some_and(|(balancer, node)| {
            *self
                .known
                .entry((&balancer.arn, &node.zone))
                .or_insert_with(|| routing.zone_is_healthy(balancer, zone))
        })
    }
}
