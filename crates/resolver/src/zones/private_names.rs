//! A service's own DNS names, in the VPCs that have an endpoint to it with private DNS.
//!
//! On AWS these are hidden private hosted zones, associated with the VPC. The name of a customer's service is an
//! alias of the endpoint's regional name (VPC guide, "Manage DNS names for VPC endpoint services"); the names of
//! AWS's services lead to the endpoint's addresses themselves. A VPC takes part in private hosted zones only with
//! both of its DNS attributes on, and names below one that does not exist in it are not looked for anywhere else.

use std::collections::HashMap;
use std::sync::Arc;

use hickory_proto::rr::rdata::CNAME;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use linkway_model::Snapshot;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::index::Term;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;

use super::{Answer, EndpointNames, Question, TTL};
use crate::rotation::Rotation;

/// The private DNS names of every VPC that has some, by its number.
#[derive(Clone, Default)]
pub(crate) struct PrivateNames {
    vpcs: imbl::HashMap<u32, Arc<HashMap<String, Entry>>>,
}

/// What a private name stands for.
struct Entry {
    addresses: Arc<Rotation>,
    /// The name is an alias of this endpoint's regional name; `None`: it has the addresses itself.
    alias_of: Option<Arc<VpcEndpoint>>,
}

impl PrivateNames {
    /// Have a VPC's names as they are in this snapshot; `None`: the VPC is gone. The endpoints that have addresses
    /// are those that can be led to.
    pub(crate) fn change(
        &mut self,
        snapshot: &Snapshot,
        number: u32,
        vpc: Option<&Vpc>,
        endpoints: &EndpointNames,
    ) {
        let mut names = HashMap::new();
        if let Some(vpc) = vpc.filter(|vpc| vpc.enable_dns_support && vpc.enable_dns_hostnames) {
            for endpoint in snapshot.found::<VpcEndpoint>(Term::EndpointVpc, vpc.id.as_str()) {
                if endpoint.private_dns_enabled
                    && let Some(addresses) = endpoints.private(&endpoint.id)
                {
                    collect(snapshot, endpoint, addresses, &mut names);
                }
            }
        }
        if names.is_empty() {
            self.vpcs.remove(&number);
        } else {
            self.vpcs.insert(number, Arc::new(names));
        }
    }

    /// The answer for a private name of the client's VPC, or for a name below one.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let names = self.vpcs.get(&question.vpc)?;
        if let Some(entry) = names.get(question.name) {
            return entry.answer(question, question.name);
        }
        // The closest of the names above it counts, as in any zone (RFC 4592).
        let mut above = question.name;
        while let Some((_, parent)) = above.split_once('.') {
            if let Some(entry) = names.get(&format!("*.{parent}")) {
                return entry.answer(question, parent);
            }
            if names.contains_key(parent) {
                return Some(Answer::no_name(parent));
            }
            above = parent;
        }
        None
    }
}

/// Add an endpoint's names to those of its VPC.
fn collect(
    snapshot: &Snapshot,
    endpoint: &Arc<VpcEndpoint>,
    addresses: &Arc<Rotation>,
    names: &mut HashMap<String, Entry>,
) {
    let aws = endpoint.aws_service();
    let served = match aws {
        Some(service) => service.private_dns_names(&endpoint.region),
        None => {
            let service = snapshot.get::<EndpointService>(&endpoint.service);
            let private_dns = service.and_then(|service| service.private_dns.as_ref());
            private_dns.iter().map(|dns| dns.name.to_lowercase()).collect()
        }
    };
    for name in served {
        let alias_of = aws.is_none().then(|| Arc::clone(endpoint));
        names.entry(name).or_insert(Entry { addresses: Arc::clone(addresses), alias_of });
    }
}

impl Entry {
    /// The answer for a name of the private zone `zone`.
    fn answer(&self, question: &Question, zone: &str) -> Option<Answer> {
        let Some(endpoint) = &self.alias_of else {
            return Some(Answer::addresses(question, zone, &self.addresses));
        };
        let regional = Name::from_ascii(format!("{}.", endpoint.regional_name())).ok()?;
        let alias = RData::CNAME(CNAME(regional.clone()));
        let mut records = vec![Record::from_rdata(question.owner.clone(), TTL, alias)];
        records.extend(question.address_records(&regional, &self.addresses));
        let whole = records.len() > 1 || question.wants(RecordType::CNAME);
        let zone = (!whole).then(|| endpoint.dns_suffix());
        Some(Answer { zone, ..Answer::records(records) })
    }
}
