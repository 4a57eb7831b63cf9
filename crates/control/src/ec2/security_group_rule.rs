//! Rules of security groups, as resources of their own.

mod authorize;
mod modify;
pub(crate) mod permission;
pub(crate) mod protocol;
mod quota;
mod revoke;

use std::sync::Arc;

use ipnet::IpNet;
use linkway_model::Snapshot;
use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule};
use linkway_wire::ec2::{
    DescribeSecurityGroupRulesRequest, DescribeSecurityGroupRulesResult, IpPermission, IpRange,
    ReferencedSecurityGroup, SecurityGroupRule as SecurityGroupRuleShape,
};

pub(crate) use authorize::{authorize_egress, authorize_ingress};
pub(crate) use modify::{modify, update_descriptions_egress, update_descriptions_ingress};
pub(crate) use quota::{MAX_RULES, counted};
pub(crate) use revoke::{revoke_egress, revoke_ingress};

use crate::describe::select;
use crate::filter::{Field, fields, one};
use crate::lookup::{Owned, not_found, parse};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

const FILTERS: &[Field<SecurityGroupRule>] = fields! {
    "group-id" => |_, rule| one(&rule.group);
    "security-group-rule-id" => |_, rule| one(&rule.id);
};

/// A permission in the request's own parameters, which older clients use for a single range.
struct Flat {
    protocol: Option<String>,
    from: Option<i32>,
    to: Option<i32>,
    cidr: Option<String>,
    group_name: Option<String>,
}

impl Flat {
    fn is_empty(&self) -> bool {
        self.protocol.is_none() && self.cidr.is_none() && self.group_name.is_none()
    }
}

/// A request's permissions, however it spells them.
fn permissions(listed: Vec<IpPermission>, flat: Flat) -> Result<Vec<IpPermission>, Error> {
    match (listed.is_empty(), flat.is_empty()) {
        (false, true) => return Ok(listed),
        (false, false) => {
            return Err(Error::InvalidParameterCombination(
                "The parameter ipPermissions cannot be used with the parameter ipProtocol".into(),
            ));
        }
        (true, true) => return Err(Error::MissingParameter("ipPermissions")),
        (true, false) => {}
    }
    if let Some(name) = flat.group_name {
        return Err(Error::GroupNameNotFound(name));
    }
    let range = IpRange { cidr_ip: flat.cidr, description: None };
    Ok(vec![IpPermission {
        ip_protocol: flat.protocol,
        from_port: flat.from,
        to_port: flat.to,
        ip_ranges: vec![range],
        ..IpPermission::default()
    }])
}

/// The rule of this id, if it is the group's and of the direction.
fn in_group(
    state: &Snapshot,
    group: &SecurityGroup,
    direction: Option<Direction>,
    id: &str,
) -> Result<Arc<SecurityGroupRule>, Error> {
    let parsed = parse::<SecurityGroupRule>(id)?;
    state
        .get::<SecurityGroupRule>(parsed)
        .filter(|rule| {
            rule.group == group.id && direction.is_none_or(|direction| rule.direction == direction)
        })
        .cloned()
        .ok_or_else(|| not_found::<SecurityGroupRule>(id))
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeSecurityGroupRulesRequest,
) -> Result<DescribeSecurityGroupRulesResult, Error> {
    let state = control.read(input.dry_run)?;
    let by_group = input.filters.iter().filter(|filter| filter.name.as_deref() == Some("group-id"));
    for group in by_group.flat_map(|filter| &filter.values) {
        parse::<SecurityGroup>(group).map_err(|_| Error::MalformedGroupFilter(group.clone()))?;
    }
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (rules, next_token) =
        select(&state, caller, &input.security_group_rule_ids, FILTERS, &input.filters, page)?;
    let security_group_rules = rules.iter().map(|rule| shape(&state, rule)).collect();
    Ok(DescribeSecurityGroupRulesResult { next_token, security_group_rules })
}

fn shape(state: &Snapshot, rule: &SecurityGroupRule) -> SecurityGroupRuleShape {
    let mut shape = SecurityGroupRuleShape {
        description: rule.description.clone(),
        from_port: Some(rule.traffic.from.unwrap_or(-1)),
        group_id: Some(rule.group.to_string()),
        group_owner_id: Some(rule.owner.to_string()),
        ip_protocol: Some(protocol::name(rule.traffic.protocol)),
        is_egress: Some(rule.direction == Direction::Egress),
        security_group_rule_arn: Some(rule.arn()),
        security_group_rule_id: Some(rule.id.to_string()),
        tags: tags::shape(&rule.tags),
        to_port: Some(rule.traffic.to.unwrap_or(-1)),
        ..SecurityGroupRuleShape::default()
    };
    match &rule.peer {
        Peer::Cidr(IpNet::V4(net)) => shape.cidr_ipv4 = Some(net.to_string()),
        Peer::Cidr(IpNet::V6(net)) => shape.cidr_ipv6 = Some(net.to_string()),
        Peer::Group(id) => {
            shape.referenced_group_info = Some(ReferencedSecurityGroup {
                group_id: Some(id.to_string()),
                user_id: permission::owner(state, id),
                ..ReferencedSecurityGroup::default()
            });
        }
        Peer::PrefixList(id) => shape.prefix_list_id = Some(id.to_string()),
    }
    shape
}
