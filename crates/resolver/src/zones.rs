//! The chain of zones that a question goes through. Each answers, or leaves it to the next.

mod balancer_names;
mod database_names;
mod endpoint_names;
mod gateway_names;
mod instance_names;
mod private_names;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::rotation::Rotation;

pub(crate) use balancer_names::BalancerNames;
pub(crate) use database_names::DatabaseNames;
pub(crate) use endpoint_names::EndpointNames;
pub(crate) use gateway_names::GatewayNames;
pub(crate) use instance_names::InstanceNames;
pub(crate) use private_names::PrivateNames;

/// Seconds that answers may be kept, negative ones too: AWS's, of endpoint and balancer names.
pub(crate) const TTL: u32 = 60;

/// What is asked, and in which VPC.
pub(crate) struct Question<'a> {
    /// The name, in lower case and without the dot at its end.
    pub(crate) name: &'a str,
    /// The name as the client wrote it.
    pub(crate) owner: &'a Name,
    /// The type of record that is asked for.
    pub(crate) kind: RecordType,
    /// The number of the client's VPC.
    pub(crate) vpc: u32,
    /// The number of the client's interface.
    pub(crate) client: u32,
}

impl Question<'_> {
    /// Whether records of this type are asked for.
    fn wants(&self, kind: RecordType) -> bool {
        self.kind == kind || self.kind == RecordType::ANY
    }

    /// Those of a name's addresses that are asked for, as its records.
    fn address_records(&self, name: &Name, addresses: &Rotation) -> Vec<Record> {
        let record = |data| Record::from_rdata(name.clone(), TTL, data);
        let mut records = Vec::new();
        if self.wants(RecordType::A) {
            records.extend(addresses.ipv4().map(|address| record(RData::A(A(address)))));
        }
        if self.wants(RecordType::AAAA) {
            records.extend(addresses.ipv6().map(|address| record(RData::AAAA(AAAA(address)))));
        }
        records
    }

    /// Whether the name is `zone` or below it.
    fn is_in(&self, zone: &str) -> bool {
        self.name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// What a zone says.
pub(crate) struct Answer {
    /// The records that were asked for.
    pub(crate) records: Vec<Record>,
    /// `NoError` or `NXDomain`.
    pub(crate) code: ResponseCode,
    /// Of an answer without what was asked for: the zone that says so.
    pub(crate) zone: Option<String>,
}

impl Answer {
    /// These records.
    fn records(records: Vec<Record>) -> Self {
        Self { records, code: ResponseCode::NoError, zone: None }
    }

    /// The name exists and has no such record.
    fn no_record(zone: &str) -> Self {
        Self { records: Vec::new(), code: ResponseCode::NoError, zone: Some(zone.to_owned()) }
    }

    /// There is no such name.
    fn no_name(zone: &str) -> Self {
        Self { records: Vec::new(), code: ResponseCode::NXDomain, zone: Some(zone.to_owned()) }
    }

    /// The addresses of a name of `zone`, if addresses are asked for.
    fn addresses(question: &Question, zone: &str, addresses: &Rotation) -> Self {
        let records = question.address_records(question.owner, addresses);
        if records.is_empty() { Self::no_record(zone) } else { Self::records(records) }
    }
}
