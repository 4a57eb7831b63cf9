//! Rules in the form of `IpPermission`s, which hold many peers for the same traffic; and back.

use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use linkway_model::prefix_list::PrefixList;
use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule, Traffic};
use linkway_model::{SecurityGroupId, Snapshot};
use linkway_wire::ec2::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};

use super::protocol;
use crate::Error;
use crate::lookup::{parse, required};

/// Characters of a rule's description.
const MAX_DESCRIPTION: usize = 255;

/// One rule as a request states it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Permission {
    pub(crate) traffic: Traffic,
    pub(crate) peer: Peer,
    pub(crate) description: Option<String>,
}

impl Permission {
    /// Whether a rule allows what this states. Descriptions do not count.
    pub(crate) fn is(&self, rule: &SecurityGroupRule) -> bool {
        self.traffic == rule.traffic && self.peer == rule.peer
    }

    /// AWS's words for it.
    pub(crate) fn words(&self) -> String {
        let peer = match &self.peer {
            Peer::Cidr(net) => net.to_string(),
            Peer::Group(id) => id.to_string(),
            Peer::PrefixList(id) => id.to_string(),
        };
        format!("peer: {peer}, {}, ALLOW", protocol::words(&self.traffic))
    }
}

/// The rules that permissions state, a peer each. Whether groups and lists among the peers exist is not looked at.
pub(crate) fn read(permissions: &[IpPermission]) -> Result<Vec<Permission>, Error> {
    let mut read: Vec<Permission> = Vec::new();
    for given in permissions {
        let traffic = protocol::traffic(given.ip_protocol.as_deref(), given.from_port, given.to_port)?;
        let v4 = given.ip_ranges.iter().map(|range| (v4(range.cidr_ip.as_deref()), &range.description));
        let v6 = given.ipv6_ranges.iter().map(|range| (v6(range.cidr_ipv6.as_deref()), &range.description));
        let groups = given.user_id_group_pairs.iter().map(|pair| (group(pair), &pair.description));
        let lists = given.prefix_list_ids.iter().map(|list| (prefix_list(list), &list.description));
        for (peer, description) in v4.chain(v6).chain(groups).chain(lists) {
            let peer = peer?;
            let permission =
                Permission { traffic: traffic.clone(), peer, description: self::description(description)? };
            if read.iter().any(|other| other.traffic == permission.traffic && other.peer == permission.peer) {
                return Err(invalid("The same permission must not appear multiple times"));
            }
            read.push(permission);
        }
    }
    Ok(read)
}

/// An IPv4 range, in its canonical form.
pub(crate) fn v4(cidr: Option<&str>) -> Result<Peer, Error> {
    let cidr = cidr.unwrap_or_default();
    let net: Ipv4Net = cidr.parse().map_err(|_| malformed(cidr))?;
    Ok(Peer::Cidr(IpNet::V4(net.trunc())))
}

/// An IPv6 range, in its canonical form.
pub(crate) fn v6(cidr: Option<&str>) -> Result<Peer, Error> {
    let cidr = cidr.unwrap_or_default();
    let net: Ipv6Net = cidr.parse().map_err(|_| malformed(cidr))?;
    Ok(Peer::Cidr(IpNet::V6(net.trunc())))
}

fn group(pair: &UserIdGroupPair) -> Result<Peer, Error> {
    match (&pair.group_id, &pair.group_name) {
        (Some(id), _) => Ok(Peer::Group(parse::<SecurityGroup>(id)?)),
        (None, Some(name)) => Err(Error::GroupNameNotFound(name.clone())),
        (None, None) => Err(Error::MissingParameter("GroupId")),
    }
}

fn prefix_list(given: &PrefixListId) -> Result<Peer, Error> {
    let id = required(given.prefix_list_id.as_deref(), "PrefixListId")?;
    Ok(Peer::PrefixList(parse::<PrefixList>(id)?))
}

/// A rule's description, of the characters that AWS takes. An empty one is none.
pub(crate) fn description(given: &Option<String>) -> Result<Option<String>, Error> {
    let Some(text) = given.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(letter);
    if text.len() > MAX_DESCRIPTION || !text.chars().all(allowed) {
        return Err(invalid(
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the \
             following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        ));
    }
    Ok(Some(text.to_owned()))
}

fn malformed(cidr: &str) -> Error {
    invalid(format!("CIDR block {cidr} is malformed"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::InvalidParameterValue(message.into())
}

/// Rules of one direction as permissions: those of the same traffic together.
pub(crate) fn shapes(
    state: &Snapshot,
    rules: &[Arc<SecurityGroupRule>],
    direction: Direction,
) -> Vec<IpPermission> {
    let mut shapes: Vec<(&Traffic, IpPermission)> = Vec::new();
    for rule in rules.iter().filter(|rule| rule.direction == direction) {
        let index = shapes.iter().position(|(traffic, _)| **traffic == rule.traffic).unwrap_or_else(|| {
            shapes.push((&rule.traffic, of_traffic(&rule.traffic)));
            shapes.len() - 1
        });
        add_peer(state, &mut shapes[index].1, rule);
    }
    shapes.into_iter().map(|(_, shape)| shape).collect()
}

fn of_traffic(traffic: &Traffic) -> IpPermission {
    IpPermission {
        ip_protocol: Some(protocol::name(traffic.protocol)),
        from_port: traffic.from,
        to_port: traffic.to,
        ..IpPermission::default()
    }
}

fn add_peer(state: &Snapshot, shape: &mut IpPermission, rule: &SecurityGroupRule) {
    let description = rule.description.clone();
    match &rule.peer {
        Peer::Cidr(IpNet::V4(net)) => {
            shape.ip_ranges.push(IpRange { cidr_ip: Some(net.to_string()), description });
        }
        Peer::Cidr(IpNet::V6(net)) => {
            shape.ipv6_ranges.push(Ipv6Range { cidr_ipv6: Some(net.to_string()), description });
        }
        Peer::Group(id) => shape.user_id_group_pairs.push(UserIdGroupPair {
            group_id: Some(id.to_string()),
            user_id: owner(state, id),
            description,
            ..UserIdGroupPair::default()
        }),
        Peer::PrefixList(id) => {
            let id = Some(id.to_string());
            shape.prefix_list_ids.push(PrefixListId { description, prefix_list_id: id });
        }
    }
}

/// The account that has a group.
pub(crate) fn owner(state: &Snapshot, group: &SecurityGroupId) -> Option<String> {
    state.get::<SecurityGroup>(group).map(|group| group.owner.to_string())
}
