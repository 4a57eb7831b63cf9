//! Names of what has an address in the VPC, and the way back: `ip-10-0-1-5.ec2.internal`,
//! `i-….ec2.internal` where the subnet asks for it, and `5.1.0.10.in-addr.arpa`. Seen in the own VPC only. IPv6
//! addresses are resource names' only (EC2 user guide, "Amazon EC2 instance hostname types"), and so are the names
//! below `ip6.arpa` that lead back.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hickory_proto::rr::rdata::PTR;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use ipnet::IpNet;
use linkway_model::Snapshot;
use linkway_model::instance::Instance;
use linkway_model::network_interface::InterfaceRole;
use linkway_model::vpc::Vpc;

use super::{Answer, Question, TTL};
use crate::rotation::Rotation;

/// The domains of private DNS names, of every region. What is not known in them is known nowhere.
const DOMAINS: [&str; 2] = ["ec2.internal", "compute.internal"];
const REVERSE: &str = "in-addr.arpa";
const REVERSE6: &str = "ip6.arpa";

/// Digits of an IPv6 address, and of a subnet's range.
const DIGITS: usize = 32;
const DIGITS_OF_SUBNET: usize = 16;

/// The instance names of every VPC, by its number.
#[derive(Clone, Default)]
pub(crate) struct InstanceNames {
    vpcs: imbl::HashMap<u32, Arc<Names>>,
}

/// One VPC's. Without `enableDnsHostnames` it has no addresses here.
struct Names {
    /// Such as `ec2.internal`.
    domain: String,
    ranges: Vec<IpNet>,
    addresses: HashSet<Ipv4Addr>,
    /// Resource names: an instance's id to its addresses of the families that it is to have records of.
    resources: HashMap<String, Vec<IpAddr>>,
    /// The resource names that IPv6 addresses are records of.
    by_ipv6: HashMap<Ipv6Addr, String>,
}

impl InstanceNames {
    /// Have a VPC's names as they are in this snapshot; `None`: the VPC is gone.
    pub(crate) fn change(&mut self, snapshot: &Snapshot, number: u32, vpc: Option<&Vpc>) {
        match vpc {
            Some(vpc) => drop(self.vpcs.insert(number, Arc::new(Names::compile(snapshot, vpc)))),
            None => drop(self.vpcs.remove(&number)),
        }
    }

    /// The answer for a name of an instance, or for an address of the client's VPC.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let names = self.vpcs.get(&question.vpc)?;
        if question.is_in(REVERSE) || question.is_in(REVERSE6) {
            return names.reverse(question);
        }
        let zone = DOMAINS.into_iter().find(|domain| question.is_in(domain))?;
        if question.name == names.domain || question.name == zone {
            return Some(Answer::no_record(&names.domain));
        }
        let label = question.name.strip_suffix(&names.domain).and_then(|rest| rest.strip_suffix('.'));
        Some(match label.and_then(|label| names.forward(label)) {
            Some(addresses) => Answer::addresses(question, &names.domain, &Rotation::new(addresses, 0)),
            None => Answer::no_name(zone),
        })
    }
}

impl Names {
    fn compile(snapshot: &Snapshot, vpc: &Vpc) -> Self {
        let mut names = Self {
            domain: domain(&vpc.region),
            ranges: vpc.ranges().collect(),
            addresses: HashSet::new(),
            resources: HashMap::new(),
            by_ipv6: HashMap::new(),
        };
        if !vpc.enable_dns_hostnames {
            return names;
        }
        for interface in snapshot.interfaces_in(&vpc.id) {
            names.addresses.extend(interface.addresses());
            if let InterfaceRole::Instance { instance, device_index: 0, .. } = &interface.role
                && let Some(its) = snapshot.get::<Instance>(instance).and_then(|found| found.names(snapshot))
                && (its.resource_name_a_record || its.resource_name_aaaa_record)
            {
                let ipv4 = its.resource_name_a_record.then_some(interface.address.into());
                let ipv6 = interface.ipv6_addresses.first().filter(|_| its.resource_name_aaaa_record);
                let addresses = ipv4.into_iter().chain(ipv6.copied().map(IpAddr::V6));
                names.resources.insert(instance.to_string(), addresses.collect());
                names.by_ipv6.extend(ipv6.map(|address| (*address, instance.to_string())));
            }
        }
        names
    }

    /// The addresses of a name whose first label is this.
    fn forward(&self, label: &str) -> Option<Vec<IpAddr>> {
        let by_address = label
            .strip_prefix("ip-")
            .and_then(|digits| digits.replace('-', ".").parse().ok())
            .filter(|address| self.addresses.contains(address));
        by_address.map(|address| vec![address.into()]).or_else(|| self.resources.get(label).cloned())
    }

    /// The name of an address. Addresses outside the VPC are left to others.
    fn reverse(&self, question: &Question) -> Option<Answer> {
        let (address, zone) = reversed(question.name)?;
        if !self.ranges.iter().any(|range| range.contains(&address)) {
            return None;
        }
        let Some(label) = self.label(address) else { return Some(Answer::no_name(zone)) };
        if !question.wants(RecordType::PTR) {
            return Some(Answer::no_record(zone));
        }
        let target = Name::from_ascii(format!("{label}.{}.", self.domain)).ok()?;
        let record = Record::from_rdata(question.owner.clone(), TTL, RData::PTR(PTR(target)));
        Some(Answer::records(vec![record]))
    }

    /// The first label of an address's name: the one that leads to it.
    fn label(&self, address: IpAddr) -> Option<String> {
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                self.addresses.contains(&address).then(|| format!("ip-{a}-{b}-{c}-{d}"))
            }
            IpAddr::V6(address) => self.by_ipv6.get(&address).cloned(),
        }
    }
}

/// A region's domain of private DNS names.
fn domain(region: &str) -> String {
    match region {
        "us-east-1" => "ec2.internal".to_owned(),
        _ => format!("{region}.compute.internal"),
    }
}

/// The address that a name below `in-addr.arpa` or `ip6.arpa` stands for, and the zone that it is in: of IPv4 a /24's, of
/// IPv6 a subnet's.
fn reversed(name: &str) -> Option<(IpAddr, &str)> {
    if let Some(digits) = name.strip_suffix(REVERSE) {
        let [d, c, b, a] = digits.strip_suffix('.')?.parse::<Ipv4Addr>().ok()?.octets();
        let (_, zone) = name.split_once('.')?;
        return Some((Ipv4Addr::new(a, b, c, d).into(), zone));
    }
    let digits = name.strip_suffix(REVERSE6)?.strip_suffix('.')?;
    let mut bits = 0;
    let mut count = 0;
    for digit in digits.rsplit('.') {
        let is_digit = digit.len() == 1;
        bits = bits << 4 | u128::from(digit.chars().next().filter(|_| is_digit)?.to_digit(16)?);
        count += 1;
    }
    (count == DIGITS).then(|| (Ipv6Addr::from(bits).into(), &name[2 * (DIGITS - DIGITS_OF_SUBNET)..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_its_reverse_name() {
        assert_eq!(
            reversed("5.1.0.10.in-addr.arpa"),
            Some((Ipv4Addr::new(10, 0, 1, 5).into(), "1.0.10.in-addr.arpa"))
        );
        let subnet = "1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        let whole = format!("f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.{subnet}");
        let address: Ipv6Addr = "2001:db8:0:1::f".parse().unwrap();
        assert_eq!(reversed(&whole), Some((address.into(), subnet)));
        for wrong in [
            subnet,
            "ip6.arpa",
            ".ip6.arpa",
            "in-addr.arpa",
            "10.in-addr.arpa",
            &whole.replacen('f', "g", 1),
            &whole.replacen('f', "ff", 1),
            &whole.replacen('f', "", 1),
            &format!("0.{whole}"),
        ] {
            assert_eq!(reversed(wrong), None, "{wrong}");
        }
    }
}
