//! Taking rules from a group.

use std::sync::Arc;

use ipnet::IpNet;
use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule};
use linkway_model::{Resource, Snapshot};
use linkway_wire::ec2::{
    IpPermission, RevokeSecurityGroupEgressRequest, RevokeSecurityGroupEgressResult,
    RevokeSecurityGroupIngressRequest, RevokeSecurityGroupIngressResult, RevokedSecurityGroupRule,
};

use super::{Flat, in_group, permission, permissions, protocol};
use crate::ec2::security_group::{identified, rules_of};
use crate::{Caller, Control, Error};

pub(crate) fn revoke_ingress(
    control: &Control,
    caller: &Caller,
    input: RevokeSecurityGroupIngressRequest,
) -> Result<RevokeSecurityGroupIngressResult, Error> {
    let flat = Flat {
        protocol: input.ip_protocol,
        from: input.from_port,
        to: input.to_port,
        cidr: input.cidr_ip,
        group_name: input.source_security_group_name,
    };
    let request = Request {
        dry_run: input.dry_run,
        group_id: input.group_id,
        group_name: input.group_name,
        rules: input.security_group_rule_ids,
        permissions: input.ip_permissions,
        flat,
    };
    Ok(RevokeSecurityGroupIngressResult {
        return_: Some(true),
        revoked_security_group_rules: revoke(control, caller, Direction::Ingress, request)?,
        unknown_ip_permissions: Vec::new(),
    })
}

pub(crate) fn revoke_egress(
    control: &Control,
    caller: &Caller,
    input: RevokeSecurityGroupEgressRequest,
) -> Result<RevokeSecurityGroupEgressResult, Error> {
    let flat = Flat {
        protocol: input.ip_protocol,
        from: input.from_port,
        to: input.to_port,
        cidr: input.cidr_ip,
        group_name: input.source_security_group_name,
    };
    let request = Request {
        dry_run: input.dry_run,
        group_id: input.group_id,
        group_name: None,
        rules: input.security_group_rule_ids,
        permissions: input.ip_permissions,
        flat,
    };
    Ok(RevokeSecurityGroupEgressResult {
        return_: Some(true),
        revoked_security_group_rules: revoke(control, caller, Direction::Egress, request)?,
        unknown_ip_permissions: Vec::new(),
    })
}

/// What both directions ask for.
struct Request {
    dry_run: Option<bool>,
    group_id: Option<String>,
    group_name: Option<String>,
    rules: Vec<String>,
    permissions: Vec<IpPermission>,
    flat: Flat,
}

fn revoke(
    control: &Control,
    caller: &Caller,
    direction: Direction,
    request: Request,
) -> Result<Vec<RevokedSecurityGroupRule>, Error> {
    let Request { dry_run, group_id, group_name, rules, permissions: given, flat } = request;
    if !rules.is_empty() && (!given.is_empty() || !flat.is_empty()) {
        return Err(Error::InvalidParameterCombination(
            "The parameter securityGroupRuleIds cannot be used with the parameter ipPermissions".into(),
        ));
    }
    control.write(dry_run, |tx| {
        let group = Arc::clone(identified(tx, caller, group_id.as_deref(), group_name.as_deref())?);
        let revoked = if rules.is_empty() {
            stated(tx, &group, direction, &permissions(given, flat)?)?
        } else {
            rules.iter().map(|id| in_group(tx, &group, Some(direction), id)).collect::<Result<_, _>>()?
        };
        for rule in &revoked {
            tx.delete::<SecurityGroupRule>(rule.id());
        }
        Ok(revoked.iter().map(|rule| shape(rule)).collect())
    })
}

/// The rules that permissions state; all of them must be there.
fn stated(
    state: &Snapshot,
    group: &SecurityGroup,
    direction: Direction,
    permissions: &[IpPermission],
) -> Result<Vec<Arc<SecurityGroupRule>>, Error> {
    let rules = rules_of(state, &group.id);
    let find = |stated: permission::Permission| {
        let found = rules.iter().find(|rule| rule.direction == direction && stated.is(rule));
        found.cloned().ok_or(Error::PermissionNotFound)
    };
    permission::read(permissions)?.into_iter().map(find).collect()
}

fn shape(rule: &SecurityGroupRule) -> RevokedSecurityGroupRule {
    let mut shape = RevokedSecurityGroupRule {
        description: rule.description.clone(),
        from_port: Some(rule.traffic.from.unwrap_or(-1)),
        group_id: Some(rule.group.to_string()),
        ip_protocol: Some(protocol::name(rule.traffic.protocol)),
        is_egress: Some(rule.direction == Direction::Egress),
        security_group_rule_id: Some(rule.id.to_string()),
        to_port: Some(rule.traffic.to.unwrap_or(-1)),
        ..RevokedSecurityGroupRule::default()
    };
    match &rule.peer {
        Peer::Cidr(IpNet::V4(net)) => shape.cidr_ipv4 = Some(net.to_string()),
        Peer::Cidr(IpNet::V6(net)) => shape.cidr_ipv6 = Some(net.to_string()),
        Peer::Group(id) => shape.referenced_group_id = Some(id.to_string()),
        Peer::PrefixList(id) => shape.prefix_list_id = Some(id.to_string()),
    }
    shape
}
