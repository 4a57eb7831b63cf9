//! Entries of a network ACL.

use std::sync::Arc;

use ipnet::IpNet;
use linkway_model::network_acl::{NetworkAcl, NetworkAclEntry};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateNetworkAclEntryRequest, DeleteNetworkAclEntryRequest, IcmpTypeCode, PortRange,
    ReplaceNetworkAclEntryRequest,
};

use super::LAST;
use crate::error::NetworkError;
use crate::lookup::{named, required};
use crate::{Caller, Control, Error};

/// Entries that an ACL may have each way. Source: the Amazon VPC User Guide, "Amazon VPC quotas": 20, and 40 at most.
const MAX_ENTRIES: usize = 40;

/// ICMP, for IPv4 and for IPv6.
const ICMP: [u8; 2] = [1, 58];

/// TCP and UDP.
const WITH_PORTS: [u8; 2] = [6, 17];

/// The members that a request to create and one to replace share.
struct Asked {
    number: Option<i32>,
    egress: Option<bool>,
    protocol: Option<String>,
    action: Option<String>,
    cidr: Option<String>,
    ipv6_cidr: Option<String>,
    ports: Option<PortRange>,
    icmp: Option<IcmpTypeCode>,
}

macro_rules! asked {
    ($input:expr) => {
        Asked {
            number: $input.rule_number,
            egress: $input.egress,
            protocol: $input.protocol,
            action: $input.rule_action,
            cidr: $input.cidr_block,
            ipv6_cidr: $input.ipv6_cidr_block,
            ports: $input.port_range,
            icmp: $input.icmp_type_code,
        }
    };
}

pub(crate) fn create_entry(
    control: &Control,
    caller: &Caller,
    input: CreateNetworkAclEntryRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let acl = acl(tx, caller, input.network_acl_id.as_deref())?;
        let entry = entry(asked!(input))?;
        if acl.entries.iter().any(|other| same(other, entry.number, entry.egress)) {
            return Err(NetworkError::AclEntryExists(entry.number).into());
        }
        if acl.entries.iter().filter(|other| other.egress == entry.egress).count() >= MAX_ENTRIES {
            return Err(NetworkError::AclEntryLimitExceeded.into());
        }
        tx.update::<NetworkAcl>(&acl.id, |acl| acl.entries.push(entry));
        Ok(())
    })
}

pub(crate) fn replace_entry(
    control: &Control,
    caller: &Caller,
    input: ReplaceNetworkAclEntryRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let acl = acl(tx, caller, input.network_acl_id.as_deref())?;
        let entry = entry(asked!(input))?;
        let place = acl.entries.iter().position(|other| same(other, entry.number, entry.egress));
        let place = place.ok_or(NetworkError::AclEntryNotFound(entry.number))?;
        tx.update::<NetworkAcl>(&acl.id, |acl| acl.entries[place] = entry);
        Ok(())
    })
}

pub(crate) fn delete_entry(
    control: &Control,
    caller: &Caller,
    input: DeleteNetworkAclEntryRequest,
) -> Result<(), Error> {
    let number = required(input.rule_number, "RuleNumber")?;
    let egress = required(input.egress, "Egress")?;
    control.write(input.dry_run, |tx| {
        let acl = acl(tx, caller, input.network_acl_id.as_deref())?;
        if !acl.entries.iter().any(|entry| same(entry, number, egress)) {
            return Err(NetworkError::AclEntryNotFound(number).into());
        }
        tx.update::<NetworkAcl>(&acl.id, |acl| acl.entries.retain(|entry| !same(entry, number, egress)));
        Ok(())
    })
}

fn acl(tx: &Transaction, caller: &Caller, id: Option<&str>) -> Result<Arc<NetworkAcl>, Error> {
    named::<NetworkAcl>(tx, caller, id, "NetworkAclId").cloned()
}

/// Each direction has numbers of its own.
fn same(entry: &NetworkAclEntry, number: i32, egress: bool) -> bool {
    entry.number == number && entry.egress == egress
}

fn entry(asked: Asked) -> Result<NetworkAclEntry, Error> {
    let number = required(asked.number, "RuleNumber")?;
    if !(1..LAST).contains(&number) {
        return Err(invalid("ruleNumber", number));
    }
    let action = required(asked.action, "RuleAction")?;
    let allow = match action.as_str() {
        "allow" => true,
        "deny" => false,
        _ => return Err(invalid("ruleAction", action)),
    };
    let protocol = protocol(&required(asked.protocol, "Protocol")?)?;
    let has = |kinds: [u8; 2]| protocol.is_some_and(|number| kinds.contains(&number));
    Ok(NetworkAclEntry {
        number,
        egress: required(asked.egress, "Egress")?,
        protocol,
        cidr: cidr(asked.cidr, asked.ipv6_cidr)?,
        allow,
        ports: if has(WITH_PORTS) { Some(ports(asked.ports)?) } else { None },
        icmp: if has(ICMP) { Some(icmp(asked.icmp)?) } else { None },
    })
}

fn invalid(parameter: &str, value: impl std::fmt::Display) -> Error {
    Error::InvalidParameterValue(format!("Value ({value}) for parameter {parameter} is invalid."))
}

/// IANA's number, by itself or by a name that AWS takes; `None`: `-1`, every protocol.
fn protocol(text: &str) -> Result<Option<u8>, Error> {
    match text.to_ascii_lowercase().as_str() {
        "-1" | "all" => Ok(None),
        "icmp" => Ok(Some(1)),
        "tcp" => Ok(Some(6)),
        "udp" => Ok(Some(17)),
        "icmpv6" => Ok(Some(58)),
        number => number.parse().map(Some).map_err(|_| invalid("protocol", text)),
    }
}

fn cidr(v4: Option<String>, v6: Option<String>) -> Result<IpNet, Error> {
    let (text, parameter) = match (v4, v6) {
        (Some(text), None) => (text, "cidrBlock"),
        (None, Some(text)) => (text, "ipv6CidrBlock"),
        (None, None) => return Err(Error::MissingParameter("cidrBlock")),
        (Some(_), Some(_)) => {
            return Err(Error::InvalidParameterCombination(
                "The parameter cidrBlock cannot be used with the parameter ipv6CidrBlock".into(),
            ));
        }
    };
    let net = text.parse::<IpNet>().ok().filter(|net| net.addr().is_ipv4() == (parameter == "cidrBlock"));
    net.map(|net| net.trunc()).ok_or_else(|| {
        Error::InvalidParameterValue(format!(
            "Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block."
        ))
    })
}

fn ports(range: Option<PortRange>) -> Result<(u16, u16), Error> {
    let range = required(range, "PortRange")?;
    let port = |port: Option<i32>, parameter| {
        let port = required(port, parameter)?;
        u16::try_from(port).map_err(|_| invalid("portRange", port))
    };
    let (from, to) = (port(range.from, "PortRange.From")?, port(range.to, "PortRange.To")?);
    if from > to { Err(invalid("portRange", format!("{from}-{to}"))) } else { Ok((from, to)) }
}

fn icmp(asked: Option<IcmpTypeCode>) -> Result<(i32, i32), Error> {
    let asked = required(asked, "IcmpTypeCode")?;
    let octet = |value: Option<i32>, parameter| {
        let value = required(value, parameter)?;
        if (-1..=255).contains(&value) { Ok(value) } else { Err(invalid("icmpTypeCode", value)) }
    };
    Ok((octet(asked.type_, "IcmpTypeCode.Type")?, octet(asked.code, "IcmpTypeCode.Code")?))
}
