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
use linkway_model::endpoint_service::EndpointService;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{Snapshot, VpcId};

use super::{Answer, EndpointNames, Question, TTL, address_records};
use crate::rotation::Rotation;

/// The private DNS names of every VPC.
#[derive(Default)]
pub(crate) struct PrivateNames {
    vpcs: HashMap<VpcId, HashMap<String, Alias>>,
}

/// What a private name is an alias of.
struct Alias {
    regional_name: Name,
    /// The zone that the regional name is in.
    zone: String,
    addresses: Arc<Rotation>,
}

impl PrivateNames {
    /// Collect them. The endpoints that have addresses are those that can be led to.
    pub(crate) fn compile(snapshot: &Snapshot, endpoints: &EndpointNames) -> Self {
        let mut vpcs: HashMap<VpcId, HashMap<String, Alias>> = HashMap::new();
        for endpoint in snapshot.all::<VpcEndpoint>().filter(|endpoint| endpoint.private_dns_enabled) {
            let takes_part = snapshot
                .get::<Vpc>(&endpoint.vpc)
                .is_some_and(|vpc| vpc.enable_dns_support && vpc.enable_dns_hostnames);
            let service = snapshot.get::<EndpointService>(&endpoint.service);
            let (true, Some(addresses), Some(name)) = (
                takes_part,
                endpoints.regional(&endpoint.id),
                service.and_then(|service| service.private_dns.as_ref()).map(|dns| dns.name.to_lowercase()),
            ) else {
                continue;
            };
            let Ok(regional_name) = Name::from_ascii(format!("{}.", endpoint.regional_name())) else {
                continue;
            };
            let alias =
                Alias { regional_name, zone: endpoint.dns_suffix(), addresses: Arc::clone(addresses) };
            vpcs.entry(endpoint.vpc.clone()).or_default().entry(name).or_insert(alias);
        }
        Self { vpcs }
    }

    /// The answer for a private name of the client's VPC, or for a name below one.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let names = self.vpcs.get(question.vpc)?;
        if let Some(alias) = names.get(question.name) {
            return Some(alias.answer(question));
        }
        // The closest of the names above it counts, as in any zone (RFC 4592).
        let mut above = question.name;
        while let Some((_, parent)) = above.split_once('.') {
            if let Some(alias) = names.get(&format!("*.{parent}")) {
                return Some(alias.answer(question));
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
    fn answer(&self, question: &Question) -> Answer {
        let target = RData::CNAME(CNAME(self.regional_name.clone()));
        let mut records = vec![Record::from_rdata(question.owner.clone(), TTL, target)];
        if question.wants(RecordType::A) {
            records.extend(address_records(&self.regional_name, &self.addresses));
        }
        let whole = question.wants(RecordType::A) || question.wants(RecordType::CNAME);
        Answer { zone: (!whole).then(|| self.zone.clone()), ..Answer::records(records) }
    }
}
