//! Public names of services, in the VPCs that have a gateway endpoint to them: they lead to the service's public
//! addresses, as everywhere, of which route tables lead to the endpoint.
//!
//! On AWS public DNS says so. Here one of the addresses of the service's prefix list is given for all of them, so
//! that there is an answer without a way out to public DNS.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use linkway_model::Snapshot;
use linkway_model::aws_prefix_list::AwsPrefixList;
use linkway_model::index::Term;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{Gateway, VpcEndpoint};

use super::{Answer, Question};
use crate::rotation::Rotation;

/// The public names of every VPC that has some, by its number. Of a name with a wildcard, what follows the `*.`.
#[derive(Clone, Default)]
pub(crate) struct GatewayNames {
    vpcs: imbl::HashMap<u32, Arc<Names>>,
}

#[derive(Default)]
struct Names {
    plain: HashMap<String, Rotation>,
    below: HashMap<String, Rotation>,
}

impl GatewayNames {
    /// Have a VPC's names as they are in this snapshot; `None`: the VPC is gone.
    pub(crate) fn change(&mut self, snapshot: &Snapshot, number: u32, vpc: Option<&Vpc>) {
        let mut names = Names::default();
        let endpoints = vpc.map(|vpc| snapshot.found::<VpcEndpoint>(Term::EndpointVpc, vpc.id.as_str()));
        for endpoint in endpoints.into_iter().flatten().filter(|endpoint| endpoint.state.carries_packets()) {
            let (Some(gateway), Some(service)) = (&endpoint.gateway, endpoint.aws_service()) else {
                continue;
            };
            for name in service.public_names(&endpoint.region) {
                let addresses = address(endpoint, gateway);
                match name.strip_prefix("*.") {
                    Some(parent) => names.below.insert(parent.to_owned(), addresses),
                    None => names.plain.insert(name, addresses),
                };
            }
        }
        if names.plain.is_empty() && names.below.is_empty() {
            self.vpcs.remove(&number);
        } else {
            self.vpcs.insert(number, Arc::new(names));
        }
    }

    /// The answer for a public name, or a name below one.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let names = self.vpcs.get(&question.vpc)?;
        if let Some(addresses) = names.plain.get(question.name) {
            return Some(Answer::addresses(question, question.name, addresses));
        }
        let mut above = question.name;
        while let Some((_, parent)) = above.split_once('.') {
            if let Some(addresses) = names.below.get(parent) {
                return Some(Answer::addresses(question, parent, addresses));
            }
            above = parent;
        }
        None
    }
}

/// The first address of the service's prefix list.
fn address(endpoint: &VpcEndpoint, gateway: &Gateway) -> Rotation {
    let list = AwsPrefixList::find(&endpoint.region, &gateway.prefix_list);
    let ranges = list.map(|list| list.ranges()).unwrap_or_default();
    let first = ranges.into_iter().find_map(|range| match range {
        IpNet::V4(range) => range.hosts().next().map(IpAddr::V4),
        IpNet::V6(_) => None,
    });
    Rotation::new(first, 0)
}
