//! What an endpoint leads to: a customer's endpoint service, or one of AWS's own services, which are in no table.

use std::borrow::Cow;
use std::sync::Arc;

use linkway_model::aws_service::AwsService;
use linkway_model::endpoint_service::{EndpointService, ServiceState, VerificationState};
use linkway_model::region::{Region, Zone};
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{EndpointServiceId, Snapshot};

use super::endpoint_service::domain;
use crate::Caller;

/// A service to make endpoints to.
#[derive(Clone)]
pub(crate) enum Offered {
    /// A customer's.
    Customer(Arc<EndpointService>),
    /// One of AWS's, in a region.
    Aws(&'static AwsService, &'static Region),
}

/// Why there is no private DNS name to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPrivateName {
    /// The service has none.
    Missing,
    /// It has one that is not verified.
    Unverified,
}

impl Offered {
    /// The service of this name, if the caller may connect to it.
    pub(crate) fn find(state: &Snapshot, caller: &Caller, name: &str) -> Option<Self> {
        if let Some((service, region)) = AwsService::find(name) {
            let region = if service.is_global() { Region::find(&caller.region)? } else { region };
            return (region.name == caller.region).then_some(Self::Aws(service, region));
        }
        let id =
            name.strip_prefix("com.amazonaws.vpce.")?.strip_prefix(&*caller.region)?.strip_prefix('.')?;
        let service = state.get::<EndpointService>(id).filter(|service| may_see(caller, service))?;
        Some(Self::Customer(Arc::clone(service)))
    }

    /// The service that an endpoint leads to. `None`: it is gone; a rejected endpoint may outlive its service.
    pub(crate) fn of(state: &Snapshot, endpoint: &VpcEndpoint) -> Option<Self> {
        match endpoint.aws_service() {
            Some(service) => Some(Self::Aws(service, Region::find(&endpoint.region)?)),
            None => state.get::<EndpointService>(&endpoint.service).cloned().map(Self::Customer),
        }
    }

    /// All services that the caller may connect to, in no order.
    pub(crate) fn all<'a>(state: &'a Snapshot, caller: &'a Caller) -> impl Iterator<Item = Self> + 'a {
        let customers = state.all::<EndpointService>().filter(|service| may_see(caller, service)).cloned();
        let region = Region::find(&caller.region);
        let aws = region
            .into_iter()
            .flat_map(|region| AwsService::all().iter().map(move |service| Self::Aws(service, region)));
        customers.map(Self::Customer).chain(aws)
    }

    pub(crate) fn id(&self) -> EndpointServiceId {
        match self {
            Self::Customer(service) => service.id.clone(),
            Self::Aws(service, region) => service.id(region.name),
        }
    }

    /// The full name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Customer(service) => service.name(),
            Self::Aws(service, region) => service.name(region.name),
        }
    }

    pub(crate) fn region(&self) -> &str {
        match self {
            Self::Customer(service) => &service.region,
            Self::Aws(_, region) => region.name,
        }
    }

    /// The owner's account number, or `amazon`.
    pub(crate) fn owner(&self) -> &str {
        match self {
            Self::Customer(service) => service.owner.as_str(),
            Self::Aws(..) => "amazon",
        }
    }

    pub(crate) fn base_dns_name(&self) -> String {
        match self {
            Self::Customer(service) => service.base_dns_name(),
            Self::Aws(service, region) => service.base_dns_name(region.name),
        }
    }

    /// The zones that it is offered in. AWS's services are in all of a region's.
    pub(crate) fn zones(&self) -> Vec<Zone> {
        match self {
            Self::Customer(service) => {
                service.zones.iter().filter_map(|name| Zone::find(name)).copied().collect()
            }
            Self::Aws(_, region) => region.zones.to_vec(),
        }
    }

    /// `ipv4`, `ipv6`: what its interface endpoints may have. AWS's services have both.
    pub(crate) fn ip_address_types(&self) -> Cow<'_, [String]> {
        match self {
            Self::Customer(service) => Cow::Borrowed(&service.supported_ip_address_types),
            Self::Aws(..) => Cow::Owned(vec!["ipv4".to_owned(), "ipv6".to_owned()]),
        }
    }

    /// Whether somebody has to accept each endpoint by hand.
    pub(crate) fn acceptance_required(&self) -> bool {
        match self {
            Self::Customer(service) => service.acceptance_required,
            Self::Aws(..) => false,
        }
    }

    /// Whether endpoints to it can become available.
    pub(crate) fn is_available(&self) -> bool {
        match self {
            Self::Customer(service) => service.state == ServiceState::Available,
            Self::Aws(..) => true,
        }
    }

    /// The names under which its clients know it: at least one, and all of them verified.
    pub(crate) fn private_names(&self) -> Result<Vec<String>, NoPrivateName> {
        match self {
            Self::Customer(service) => match &service.private_dns {
                None => Err(NoPrivateName::Missing),
                Some(dns) if dns.state == VerificationState::Verified => Ok(vec![dns.name.clone()]),
                Some(_) => Err(NoPrivateName::Unverified),
            },
            Self::Aws(service, region) => {
                let names = service.private_dns_names(region.name);
                if names.is_empty() { Err(NoPrivateName::Missing) } else { Ok(names) }
            }
        }
    }

    /// The private names that an endpoint with private DNS has. A customer's stays while it is verified anew.
    pub(crate) fn served_names(&self) -> Vec<String> {
        match self {
            Self::Customer(service) => service.private_dns.iter().map(|dns| dns.name.clone()).collect(),
            Self::Aws(service, region) => service.private_dns_names(region.name),
        }
    }
}

/// A name of `names` whose hidden private zone is one that `others` have, too: `db.example.com` and
/// `*.db.example.com` are both in the zone `db.example.com`.
pub(crate) fn conflict<'a>(names: &'a [String], others: &[String]) -> Option<&'a String> {
    names.iter().find(|name| others.iter().any(|other| domain(other) == domain(name)))
}

fn may_see(caller: &Caller, service: &EndpointService) -> bool {
    service.region == caller.region
        && matches!(service.state, ServiceState::Pending | ServiceState::Available)
        && service.permits(&caller.account, &caller.principal)
}
