//! The state as the gateway sees it. What did not change from one snapshot to the next is not made again: most
//! changes concern one of many endpoints, or none.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use linkway_gateway::{
    Addresses, Backend, Endpoint, Gateway, Keys, Names, Protocol, Service, Tls, UnknownKeys, View,
};
use linkway_model::Snapshot;
use linkway_model::aws_service::AwsService;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::service_backend::{self, ServiceBackend};
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_policy::Policy;

use crate::gateway::local;
use crate::gateway::relays::{self, Ports};

/// What an endpoint gets whose policy does not read, which control has seen to: nothing passes.
const NOTHING: &str = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// Keeps a gateway's view in step with the state.
pub(crate) struct Views {
    gateway: Gateway,
    outside_targets: OutsideTargets,
    ports: Ports,
    seen: Arc<Snapshot>,
    view: View,
    /// The services that endpoints lead to, by their full names, and how many interfaces of endpoints do.
    services: HashMap<String, (Arc<Service>, usize)>,
    policies: Policies,
}

impl Views {
    /// For a gateway that was made with an [`empty`] view. It connects to the `outside_targets`, listens by `ports`,
    /// and looks access keys up in `keys`.
    pub(crate) fn of(
        gateway: Gateway,
        outside_targets: OutsideTargets,
        ports: Ports,
        keys: Arc<dyn Keys>,
    ) -> Self {
        Self {
            gateway,
            outside_targets,
            ports,
            seen: Arc::default(),
            view: empty(keys),
            services: HashMap::new(),
            policies: Policies::default(),
        }
    }

    /// Have the gateway see this snapshot.
    pub(crate) fn publish(&mut self, snapshot: &Arc<Snapshot>) {
        let seen = std::mem::replace(&mut self.seen, Arc::clone(snapshot));
        let relays = relays::relays(snapshot, &self.outside_targets, &self.view.relays);
        let carries_the_same = relays == self.view.relays;
        self.view.relays = relays;
        if !carries_the_same || !is_same(&seen, snapshot) {
            self.follow(&seen, snapshot);
            self.gateway.publish(self.view.clone());
        }
        self.ports.open(&self.view.relays);
    }

    /// Have the view show `after`, where it shows `before`.
    fn follow(&mut self, before: &Snapshot, after: &Snapshot) {
        for (old, new) in after.changes::<NetworkInterface>(before) {
            match (old, new) {
                (_, Some(new)) => drop(self.view.clients.insert(new.number, addresses(new))),
                (Some(old), None) => drop(self.view.clients.remove(&old.number)),
                (None, None) => {}
            }
        }
        if after.same::<ServiceBackend>(before) {
            for (old, new) in after.changes::<VpcEndpoint>(before) {
                old.inspect(|endpoint| self.leave(before, endpoint));
                new.inspect(|endpoint| self.enter(after, endpoint));
            }
        } else {
            before.all::<VpcEndpoint>().for_each(|endpoint| self.leave(before, endpoint));
            after.all::<VpcEndpoint>().for_each(|endpoint| self.enter(after, endpoint));
        }
    }

    /// An endpoint is not as it was in `state`.
    fn leave(&mut self, state: &Snapshot, endpoint: &VpcEndpoint) {
        for number in numbers(state, endpoint) {
            if self.view.endpoints.remove(&number).is_none() {
                continue;
            }
            if let Some((_, users)) = self.services.get_mut(&endpoint.service_name) {
                *users -= 1;
                if *users == 0 {
                    self.services.remove(&endpoint.service_name);
                }
            }
        }
    }

    /// An endpoint is as it is in `state`.
    fn enter(&mut self, state: &Snapshot, endpoint: &VpcEndpoint) {
        let Some(service) = endpoint.aws_service().filter(|_| endpoint.state.carries_packets()) else {
            return;
        };
        let numbers: Vec<u32> = numbers(state, endpoint).collect();
        if numbers.is_empty() {
            return;
        }
        let backend = || state.get::<ServiceBackend>(&endpoint.service_name).map(AsRef::as_ref);
        let (served, users) = self
            .services
            .entry(endpoint.service_name.clone())
            .or_insert_with(|| (Arc::new(served(service, &endpoint.region, backend())), 0));
        *users += numbers.len();
        let made = Arc::new(made(endpoint, service, Arc::clone(served), self.policies.of(endpoint)));
        self.view.endpoints.extend(numbers.into_iter().map(|number| (number, Arc::clone(&made))));
    }
}

fn addresses(interface: &NetworkInterface) -> Addresses {
    Addresses { ipv4: interface.address, ipv6: interface.ipv6_addresses.first().copied() }
}

/// The numbers that the packet path knows an endpoint by: its interfaces', or a gateway endpoint's own.
fn numbers(state: &Snapshot, endpoint: &VpcEndpoint) -> impl Iterator<Item = u32> {
    let interfaces = endpoint.subnets.iter();
    let interfaces = interfaces.filter_map(|place| state.get::<NetworkInterface>(&place.interface));
    interfaces
        .map(|interface| interface.number)
        .chain(endpoint.gateway.as_ref().map(|gateway| gateway.number))
}

/// Policies by their texts: most endpoints have the same few.
#[derive(Default)]
struct Policies {
    known: HashMap<String, Weak<Policy>>,
    /// How many of the known ones are in use, at least, when they were looked at last.
    used: usize,
}

impl Policies {
    fn of(&mut self, endpoint: &VpcEndpoint) -> Arc<Policy> {
        if let Some(policy) = self.known.get(&endpoint.policy).and_then(Weak::upgrade) {
            return policy;
        }
        let policy = Policy::parse(&endpoint.policy).or_else(|error| {
            tracing::error!(endpoint = %endpoint.id, %error, "a policy does not read; nothing passes");
            Policy::parse(NOTHING)
        });
        let policy = Arc::new(policy.expect("a policy that denies all reads"));
        if self.known.len() > 2 * self.used + 64 {
            self.known.retain(|_, policy| policy.strong_count() > 0);
            self.used = self.known.len();
        }
        self.known.insert(endpoint.policy.clone(), Arc::downgrade(&policy));
        policy
    }
}

/// What a gateway begins with: nothing.
pub(crate) fn empty(keys: Arc<dyn Keys>) -> View {
    View { endpoints: imbl::HashMap::new(), relays: HashMap::new(), clients: imbl::HashMap::new(), keys }
}

/// Whether the gateway would see the same, but for what it carries.
fn is_same(one: &Snapshot, other: &Snapshot) -> bool {
    one.vpc_endpoints.ptr_eq(&other.vpc_endpoints)
        && one.network_interfaces.ptr_eq(&other.network_interfaces)
        && one.service_backends.ptr_eq(&other.service_backends)
}

fn made(endpoint: &VpcEndpoint, service: &AwsService, served: Arc<Service>, policy: Arc<Policy>) -> Endpoint {
    let VpcEndpoint { id, owner, vpc, region, .. } = endpoint;
    Endpoint {
        id: id.clone(),
        owner: owner.clone(),
        vpc: vpc.clone(),
        vpc_arn: format!("arn:aws:ec2:{region}:{owner}:vpc/{vpc}"),
        region: region.clone(),
        service: served,
        names: names(endpoint, service),
        policy,
        audit_mode: endpoint.audit_mode(),
    }
}

/// The service's own names and the endpoint's, whether private DNS is on or not: a client may be told to ask the
/// one for the other. A gateway endpoint has no names of its own.
fn names(endpoint: &VpcEndpoint, service: &AwsService) -> Names {
    if endpoint.gateway.is_some() {
        return service.public_names(&endpoint.region).iter().collect();
    }
    let mut names = service.private_dns_names(&endpoint.region);
    let mut own = vec![endpoint.regional_name()];
    own.extend(endpoint.subnets.iter().map(|place| endpoint.zonal_name(&place.zone)));
    if names.iter().any(|name| name.starts_with("*.")) {
        // As `BUCKET.bucket.vpce-….s3.REGION.vpce.amazonaws.com`.
        own.extend(own.clone().iter().map(|name| format!("*.{name}")));
    }
    names.extend(own);
    names.iter().collect()
}

fn served(service: &AwsService, region: &str, backend: Option<&ServiceBackend>) -> Service {
    let local = local::name(service).map(|name| Backend::Local(name.to_owned()));
    Service {
        name: service.name(region),
        event_source: service.event_source.to_owned(),
        signing_names: service.signing_names.iter().map(|name| (*name).to_owned()).collect(),
        global: !service.pattern.contains("{region}"),
        protocol: protocol(service.protocol),
        backend: match backend {
            Some(backend) => reached(&backend.backend, service, region),
            None => local.unwrap_or(Backend::None),
        },
        tls: match backend.map(|backend| backend.tls) {
            Some(service_backend::Tls::Passthrough) => Tls::Passthrough,
            Some(service_backend::Tls::Terminate) | None => Tls::Terminate,
        },
        unknown_keys: match backend.map(|backend| backend.unknown_keys) {
            Some(service_backend::UnknownKeys::Unverified) => UnknownKeys::Unverified,
            Some(service_backend::UnknownKeys::Reject) | None => UnknownKeys::Reject,
        },
        anonymous: service.protocol == "s3",
    }
}

fn reached(backend: &service_backend::Backend, service: &AwsService, region: &str) -> Backend {
    match backend {
        service_backend::Backend::Http { authority } => Backend::Http { authority: authority.clone() },
        service_backend::Backend::Https { authority, ca } => {
            Backend::Https { authority: authority.clone(), ca: ca.as_deref().map(Arc::from) }
        }
        service_backend::Backend::Aws => match service.public_host(region) {
            Some(authority) => Backend::Https { authority, ca: None },
            None => Backend::None,
        },
    }
}

fn protocol(name: &str) -> Protocol {
    match name {
        "ec2" => Protocol::Ec2,
        "query" => Protocol::Query,
        "json-1.0" => Protocol::Json10,
        "json-1.1" => Protocol::Json11,
        "rest-xml" => Protocol::RestXml,
        "s3" => Protocol::S3,
        "cbor" => Protocol::Cbor,
        _ => Protocol::RestJson,
    }
}
