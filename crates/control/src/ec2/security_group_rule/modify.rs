//! Changing rules in place, and their descriptions.

use std::mem::discriminant;
use std::sync::Arc;

use ipnet::IpNet;
use linkway_model::Snapshot;
use linkway_model::prefix_list::PrefixList;
use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule};
use linkway_wire::ec2::{
    IpPermission, ModifySecurityGroupRulesRequest, ModifySecurityGroupRulesResult,
    SecurityGroupRuleDescription, SecurityGroupRuleRequest, UpdateSecurityGroupRuleDescriptionsEgressRequest,
    UpdateSecurityGroupRuleDescriptionsEgressResult, UpdateSecurityGroupRuleDescriptionsIngressRequest,
    UpdateSecurityGroupRuleDescriptionsIngressResult,
};

use super::authorize::check_peer;
use super::permission::{self, Permission};
use super::{in_group, protocol, quota};
use crate::ec2::security_group::{identified, rules_of};
use crate::lookup::{named, parse, required};
use crate::{Caller, Control, Error};

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifySecurityGroupRulesRequest,
) -> Result<ModifySecurityGroupRulesResult, Error> {
    control.write(input.dry_run, |tx| {
        let group = Arc::clone(named::<SecurityGroup>(tx, caller, input.group_id.as_deref(), "GroupId")?);
        for update in &input.security_group_rules {
            let id = required(update.security_group_rule_id.as_deref(), "SecurityGroupRuleId")?;
            let rule = in_group(tx, &group, None, id)?;
            let Some(request) = &update.security_group_rule else { continue };
            let changed = changed(&rule, request)?;
            check_peer(tx, caller, &group, &changed.peer)?;
            let twin = |other: &Arc<SecurityGroupRule>| {
                other.id != rule.id && other.direction == rule.direction && changed.is(other)
            };
            let rules = rules_of(tx, &group.id);
            if rules.iter().any(twin) {
                return Err(Error::DuplicatePermission(changed.words()));
            }
            let others =
                rules.iter().filter(|other| other.id != rule.id && other.direction == rule.direction);
            let peers = others.map(|other| &other.peer).chain([&changed.peer]);
            quota::check(tx, &group.region, peers)?;
            tx.update::<SecurityGroupRule>(&rule.id, |rule| {
                (rule.traffic, rule.peer, rule.description) =
                    (changed.traffic, changed.peer, changed.description);
            });
        }
        Ok(ModifySecurityGroupRulesResult { return_: Some(true) })
    })
}

/// What a rule becomes. Its peer stays of its kind: a range of the same family, a group, or a prefix list.
fn changed(rule: &SecurityGroupRule, request: &SecurityGroupRuleRequest) -> Result<Permission, Error> {
    let traffic = protocol::traffic(request.ip_protocol.as_deref(), request.from_port, request.to_port)?;
    let mut peers = Vec::new();
    if let Some(list) = &request.prefix_list_id {
        peers.push(Peer::PrefixList(parse::<PrefixList>(list)?));
    }
    if let Some(cidr) = &request.cidr_ipv4 {
        peers.push(permission::v4(Some(cidr))?);
    }
    if let Some(cidr) = &request.cidr_ipv6 {
        peers.push(permission::v6(Some(cidr))?);
    }
    if let Some(id) = &request.referenced_group_id {
        peers.push(Peer::Group(parse::<SecurityGroup>(id)?));
    }
    let peer = match peers.len() {
        1 => peers.remove(0),
        0 => return Err(Error::MissingOneOf("cidrIp, cidrIpv6, prefixListId, or referencedGroupId")),
        _ => {
            return Err(Error::InvalidParameterCombination(
                "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified".into(),
            ));
        }
    };
    let same_kind = match (&rule.peer, &peer) {
        (Peer::Cidr(old), Peer::Cidr(new)) => discriminant::<IpNet>(old) == discriminant(new),
        (old, new) => discriminant(old) == discriminant(new),
    };
    if !same_kind {
        return Err(Error::InvalidParameterValue(format!(
            "The source or destination type of the security group rule '{}' cannot be changed",
            rule.id
        )));
    }
    Ok(Permission { traffic, peer, description: permission::description(&request.description)? })
}

pub(crate) fn update_descriptions_ingress(
    control: &Control,
    caller: &Caller,
    input: UpdateSecurityGroupRuleDescriptionsIngressRequest,
) -> Result<UpdateSecurityGroupRuleDescriptionsIngressResult, Error> {
    control.write(input.dry_run, |tx| {
        let group = identified(tx, caller, input.group_id.as_deref(), input.group_name.as_deref())?;
        let described = described(
            tx,
            group,
            Direction::Ingress,
            &input.ip_permissions,
            &input.security_group_rule_descriptions,
        )?;
        for (rule, description) in described {
            tx.update::<SecurityGroupRule>(&rule.id, |rule| rule.description = description);
        }
        Ok(UpdateSecurityGroupRuleDescriptionsIngressResult { return_: Some(true) })
    })
}

pub(crate) fn update_descriptions_egress(
    control: &Control,
    caller: &Caller,
    input: UpdateSecurityGroupRuleDescriptionsEgressRequest,
) -> Result<UpdateSecurityGroupRuleDescriptionsEgressResult, Error> {
    control.write(input.dry_run, |tx| {
        let group = identified(tx, caller, input.group_id.as_deref(), input.group_name.as_deref())?;
        let described = described(
            tx,
            group,
            Direction::Egress,
            &input.ip_permissions,
            &input.security_group_rule_descriptions,
        )?;
        for (rule, description) in described {
            tx.update::<SecurityGroupRule>(&rule.id, |rule| rule.description = description);
        }
        Ok(UpdateSecurityGroupRuleDescriptionsEgressResult { return_: Some(true) })
    })
}

/// A rule and its new description.
type Described = (Arc<SecurityGroupRule>, Option<String>);

/// The rules that a request names, by what they allow or by id, each with its new description.
fn described(
    state: &Snapshot,
    group: &SecurityGroup,
    direction: Direction,
    permissions: &[IpPermission],
    descriptions: &[SecurityGroupRuleDescription],
) -> Result<Vec<Described>, Error> {
    if permissions.is_empty() && descriptions.is_empty() {
        return Err(Error::MissingParameter("IpPermissions or SecurityGroupRuleDescriptions"));
    }
    let rules = rules_of(state, &group.id);
    let stated = permission::read(permissions)?.into_iter().map(|stated| {
        let found = rules.iter().find(|rule| rule.direction == direction && stated.is(rule));
        Ok((Arc::clone(found.ok_or(Error::PermissionNotFound)?), stated.description))
    });
    let named = descriptions.iter().map(|named| {
        let id = required(named.security_group_rule_id.as_deref(), "SecurityGroupRuleId")?;
        Ok((in_group(state, group, Some(direction), id)?, permission::description(&named.description)?))
    });
    stated.chain(named).collect()
}
