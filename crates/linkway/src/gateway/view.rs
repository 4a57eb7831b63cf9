//! The state as the gateway sees it. What did not change from one snapshot to the next is not made again: most
//! changes concern one of many endpoints, or none.

use std::collections::HashMap;
use std::sync::Arc;

use linkway_gateway::{Backend, Endpoint, Gateway, Keys, Names, Protocol, Service, Tls, UnknownKeys, View};
use linkway_model::aws_service::AwsService;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::service_backend::{self, ServiceBackend};
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Snapshot, VpcEndpointId};
use linkway_policy::Policy;

use crate::gateway::local;
use crate::gateway::relays::{self, Ports, Relays};

/// What an endpoint gets whose policy does not read, which control has seen to: nothing passes.
const NOTHING: &str = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// Keeps a gateway's view in step with the state.
pub(crate) struct Views {
    gateway: Gateway,
    outside_targets: OutsideTargets,
    ports: Ports,
    keys: Arc<dyn Keys>,
    seen: Arc<Snapshot>,
    made: HashMap<VpcEndpointId, Made>,
    relays: Relays,
}

/// An endpoint as the gateway has it, and what it was made of.
struct Made {
    endpoint: Arc<VpcEndpoint>,
    backend: Option<Arc<ServiceBackend>>,
    value: Arc<Endpoint>,
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
            keys,
            seen: Arc::default(),
            made: HashMap::new(),
            relays: Relays::new(),
        }
    }

    /// Have the gateway see this snapshot.
    pub(crate) fn publish(&mut self, snapshot: &Arc<Snapshot>) {
        let seen = std::mem::replace(&mut self.seen, Arc::clone(snapshot));
        let relays = relays::relays(snapshot, &self.outside_targets, &self.relays);
        let carries_the_same = relays == self.relays;
        self.relays = relays;
        if !carries_the_same || !is_same(&seen, snapshot) {
            let view = self.view(snapshot);
            self.gateway.publish(view);
        }
        self.ports.open(&self.relays);
    }

    fn view(&mut self, snapshot: &Arc<Snapshot>) -> View {
        let mut before = std::mem::take(&mut self.made);
        let mut endpoints = HashMap::new();
        for endpoint in snapshot.all::<VpcEndpoint>().filter(|endpoint| endpoint.state.carries_packets()) {
            let Some(service) = endpoint.aws_service() else { continue };
            let backend = snapshot.get::<ServiceBackend>(&endpoint.service_name);
            let kept = before.remove(&endpoint.id).filter(|made| made.is_of(endpoint, backend));
            let made = kept.unwrap_or_else(|| Made {
                endpoint: Arc::clone(endpoint),
                backend: backend.cloned(),
                value: Arc::new(made(endpoint, service, backend.map(AsRef::as_ref))),
            });
            if let Some(gateway) = &endpoint.gateway {
                endpoints.insert(gateway.number, Arc::clone(&made.value));
            }
            for place in &endpoint.subnets {
                if let Some(interface) = snapshot.get::<NetworkInterface>(&place.interface) {
                    endpoints.insert(interface.number, Arc::clone(&made.value));
                }
            }
            self.made.insert(endpoint.id.clone(), made);
        }
        let clients = snapshot.all::<NetworkInterface>();
        View {
            endpoints,
            relays: self.relays.clone(),
            clients: clients.map(|interface| (interface.number, interface.address.into())).collect(),
            keys: Arc::clone(&self.keys),
        }
    }
}

impl Made {
    fn is_of(&self, endpoint: &Arc<VpcEndpoint>, backend: Option<&Arc<ServiceBackend>>) -> bool {
        Arc::ptr_eq(&self.endpoint, endpoint) && self.backend.as_ref() == backend
    }
}

/// What a gateway begins with: nothing.
pub(crate) fn empty(keys: Arc<dyn Keys>) -> View {
    View { endpoints: HashMap::new(), relays: HashMap::new(), clients: HashMap::new(), keys }
}

/// Whether the gateway would see the same, but for what it carries.
fn is_same(one: &Snapshot, other: &Snapshot) -> bool {
    one.vpc_endpoints.ptr_eq(&other.vpc_endpoints)
        && one.network_interfaces.ptr_eq(&other.network_interfaces)
        && one.service_backends.ptr_eq(&other.service_backends)
}

fn made(endpoint: &VpcEndpoint, service: &AwsService, backend: Option<&ServiceBackend>) -> Endpoint {
    let VpcEndpoint { id, owner, vpc, region, .. } = endpoint;
    let policy = Policy::parse(&endpoint.policy).or_else(|error| {
        tracing::error!(endpoint = %id, %error, "a policy does not read; nothing passes");
        Policy::parse(NOTHING)
    });
    Endpoint {
        id: id.clone(),
        owner: owner.clone(),
        vpc: vpc.clone(),
        vpc_arn: format!("arn:aws:ec2:{region}:{owner}:vpc/{vpc}"),
        region: region.clone(),
        service: Arc::new(served(service, region, backend)),
        names: names(endpoint, service),
        policy: Arc::new(policy.expect("a policy that denies all reads")),
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
