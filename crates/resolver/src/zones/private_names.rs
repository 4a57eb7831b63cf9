//! A service's own DNS name, in the VPCs that have an endpoint to it with private DNS.
//!
//! On AWS this is a hidden private hosted zone, associated with the VPC, in which the name is an alias of
//! the endpoint's regional name (VPC guide, "Manage DNS names for VPC endpoint services"). A VPC takes part
//! in private hosted zones only with both of its DNS attributes on, and names below one that does not exist
//! in it are not looked for anywhere else.

use std::collections::HashMap;
use std::sync::Arc;

use hickory_proto::rr::rdata::CNAME;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use linkway_model::Snapshot;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::vpc_endpoint::VpcEndpoint;

use super::{Answer, EndpointNames, Question, TTL, address_records};
use crate::rotation::Rotation;
use crate::view::Vpcs;

/// The private DNS names of every VPC, by its number.
#[derive(Default)]
pub(crate) struct PrivateNames {
    vpcs: HashMap<u32, HashMap<String, Alias>>,
}

/// What a private name is an alias of: the regional name of this endpoint.
struct Alias {
    endpoint: Arc<VpcEndpoint>,
    addresses: Arc<Rotation>,
}

impl PrivateNames {
    /// Collect them. The endpoints that have addresses are those that can be led to.
    pub(crate) fn compile(snapshot: &Snapshot, vpcs: &Vpcs, endpoints: &EndpointNames) -> Self {
        let mut names = Self::default();
        for endpoint in snapshot.all::<VpcEndpoint>().filter(|endpoint| endpoint.private_dns_enabled) {
            let vpc =
                vpcs.get(&endpoint.vpc).filter(|vpc| vpc.enable_dns_support && vpc.enable_dns_hostnames);
            let service = snapshot.get::<EndpointService>(&endpoint.service);
            let private_dns = service.and_then(|service| service.private_dns.as_ref());
            let addresses = endpoints.regional(&endpoint.id);
            if let (Some(vpc), Some(private_dns), Some(addresses)) = (vpc, private_dns, addresses) {
                let alias = Alias { endpoint: Arc::clone(endpoint), addresses: Arc::clone(addresses) };
                let of_vpc = names.vpcs.entry(vpc.number).or_default();
                of_vpc.entry(private_dns.name.to_lowercase()).or_insert(alias);
            }
        }
        names
    }

    /// The answer for a private name of the client's VPC, or for a name below one.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let names = self.vpcs.get(&question.vpc)?;
        if let Some(alias) = names.get(question.name) {
            return alias.answer(question);
        }
        // The closest of the names above it counts, as in any zone (RFC 4592).
        let mut above = question.name;
        while let Some((_, parent)) = above.split_once('.') {
            if let Some(alias) = names.get(&format!("*.{parent}")) {
                return alias.answer(question);
            }
            if names.contains_key(parent) {
                return Some(Answer::no_name(parent));
            }
            above = parent;
        }
        None
    }
}

impl Alias {
    fn answer(&self, question: &Question) -> Option<Answer> {
        let regional = Name::from_ascii(format!("{}.", self.endpoint.regional_name())).ok()?;
        let alias = RData::CNAME(CNAME(regional.clone()));
        let mut records = vec![Record::from_rdata(question.owner.clone(), TTL, alias)];
        if question.wants(RecordType::A) {
            records.extend(address_records(&regional, &self.addresses));
        }
        let whole = question.wants(RecordType::A) || question.wants(RecordType::CNAME);
        let zone = (!whole).then(|| self.endpoint.dns_suffix());
        Some(Answer { zone, ..Answer::records(records) })
    }
}
