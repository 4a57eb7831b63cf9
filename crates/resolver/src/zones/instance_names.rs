//! Names of what has an address in the VPC, and the way back: `ip-10-0-1-5.ec2.internal`,
//! `i-….ec2.internal` where the subnet asks for it, and `5.1.0.10.in-addr.arpa`. Seen in the own VPC only.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use hickory_proto::rr::rdata::PTR;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use ipnet::Ipv4Net;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, VpcId};

use super::{Answer, Question, TTL};
use crate::rotation::Rotation;

/// The domains of private DNS names, of every region. What is not known in them is known nowhere.
const DOMAINS: [&str; 2] = ["ec2.internal", "compute.internal"];
const REVERSE: &str = "in-addr.arpa";

/// The instance names of every VPC.
#[derive(Default)]
pub(crate) struct InstanceNames {
    vpcs: HashMap<VpcId, Names>,
}

/// One VPC's.
struct Names {
    /// Such as `ec2.internal`.
    domain: String,
    cidrs: Vec<Ipv4Net>,
    /// First label to address. Empty in a VPC without `enableDnsHostnames`.
    labels: HashMap<String, Ipv4Addr>,
}

impl InstanceNames {
    /// Collect them.
    pub(crate) fn compile(snapshot: &Snapshot) -> Self {
        let names = snapshot.all::<Vpc>().map(|vpc| {
            let cidrs = vpc.cidrs.iter().map(|cidr| cidr.cidr).collect();
            (vpc.id.clone(), Names { domain: domain(&vpc.region), cidrs, labels: HashMap::new() })
        });
        let mut vpcs: HashMap<VpcId, Names> = names.collect();
        for interface in snapshot.all::<NetworkInterface>() {
            let named = snapshot.get::<Vpc>(&interface.vpc).is_some_and(|vpc| vpc.enable_dns_hostnames);
            let Some(names) = vpcs.get_mut(&interface.vpc).filter(|_| named) else { continue };
            names.labels.extend(interface.addresses().map(|address| (label(address), address)));
            if let InterfaceRole::Instance { instance, device_index: 0, .. } = &interface.role
                && snapshot.get::<Subnet>(&interface.subnet).is_some_and(|s| s.resource_name_a_record)
            {
                names.labels.insert(instance.to_string(), interface.address);
            }
        }
        Self { vpcs }
    }

    /// The answer for a name of an instance, or for an address of the client's VPC.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let names = self.vpcs.get(question.vpc)?;
        if question.is_in(REVERSE) {
            return names.reverse(question);
        }
        let zone = DOMAINS.into_iter().find(|domain| question.is_in(domain))?;
        if question.name == names.domain || question.name == zone {
            return Some(Answer::no_record(&names.domain));
        }
        let label = question.name.strip_suffix(&names.domain).and_then(|rest| rest.strip_suffix('.'));
        Some(match label.and_then(|label| names.labels.get(label)) {
            Some(address) => Answer::addresses(question, &names.domain, &Rotation::new(vec![*address], 0)),
            None => Answer::no_name(zone),
        })
    }
}

impl Names {
    /// The name of an address. Addresses outside the VPC are left to others.
    fn reverse(&self, question: &Question) -> Option<Answer> {
        let address = reversed(question.name)?;
        if !self.cidrs.iter().any(|cidr| cidr.contains(&address)) {
            return None;
        }
        let [a, b, c, _] = address.octets();
        let zone = format!("{c}.{b}.{a}.{REVERSE}");
        let label = label(address);
        if !self.labels.contains_key(&label) {
            return Some(Answer::no_name(&zone));
        }
        if !question.wants(RecordType::PTR) {
            return Some(Answer::no_record(&zone));
        }
        let target = Name::from_ascii(format!("{label}.{}.", self.domain)).ok()?;
        let record = Record::from_rdata(question.owner.clone(), TTL, RData::PTR(PTR(target)));
        Some(Answer::records(vec![record]))
    }
}

/// A region's domain of private DNS names.
fn domain(region: &str) -> String {
    match region {
        "us-east-1" => "ec2.internal".to_owned(),
        _ => format!("{region}.compute.internal"),
    }
}

/// The first label of an address's name: AWS's IP name.
fn label(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("ip-{a}-{b}-{c}-{d}")
}

/// The address that a name below `in-addr.arpa` stands for.
fn reversed(name: &str) -> Option<Ipv4Addr> {
    let digits = name.strip_suffix(REVERSE)?.strip_suffix('.')?;
    let [d, c, b, a] = digits.parse::<Ipv4Addr>().ok()?.octets();
    Some(Ipv4Addr::new(a, b, c, d))
}
