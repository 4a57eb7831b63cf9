//! Adding rules to a group.

use std::sync::Arc;

use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule};
use linkway_model::{Snapshot, Tags};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    AuthorizeSecurityGroupEgressRequest, AuthorizeSecurityGroupEgressResult,
    AuthorizeSecurityGroupIngressRequest, AuthorizeSecurityGroupIngressResult, TagSpecification,
};

use super::permission::{self, Permission};
use super::{Flat, permissions, quota, shape};
use crate::ec2::prefix_list;
use crate::ec2::security_group::{identified, rules_of, write_rule};
use crate::lookup::{Owned, own};
use crate::{Caller, Control, Error, tags};

pub(crate) fn authorize_ingress(
    control: &Control,
    caller: &Caller,
    input: AuthorizeSecurityGroupIngressRequest,
) -> Result<AuthorizeSecurityGroupIngressResult, Error> {
    let flat = Flat {
        protocol: input.ip_protocol,
        from: input.from_port,
        to: input.to_port,
        cidr: input.cidr_ip,
        group_name: input.source_security_group_name,
    };
    let permissions = permission::read(&permissions(input.ip_permissions, flat)?)?;
    let tags = rule_tags(&input.tag_specifications)?;
    let security_group_rules = control.write(input.dry_run, |tx| {
        let group =
            Arc::clone(identified(tx, caller, input.group_id.as_deref(), input.group_name.as_deref())?);
        let rules = add(tx, caller, &group, Direction::Ingress, permissions, tags)?;
        Ok(rules.iter().map(|rule| shape(tx, rule)).collect())
    })?;
    Ok(AuthorizeSecurityGroupIngressResult { return_: Some(true), security_group_rules })
}

pub(crate) fn authorize_egress(
    control: &Control,
    caller: &Caller,
    input: AuthorizeSecurityGroupEgressRequest,
) -> Result<AuthorizeSecurityGroupEgressResult, Error> {
    let flat = Flat {
        protocol: input.ip_protocol,
        from: input.from_port,
        to: input.to_port,
        cidr: input.cidr_ip,
        group_name: input.source_security_group_name,
    };
    let permissions = permission::read(&permissions(input.ip_permissions, flat)?)?;
    let tags = rule_tags(&input.tag_specifications)?;
    let security_group_rules = control.write(input.dry_run, |tx| {
        let group = Arc::clone(identified(tx, caller, input.group_id.as_deref(), None)?);
        let rules = add(tx, caller, &group, Direction::Egress, permissions, tags)?;
        Ok(rules.iter().map(|rule| shape(tx, rule)).collect())
    })?;
    Ok(AuthorizeSecurityGroupEgressResult { return_: Some(true), security_group_rules })
}

fn rule_tags(specifications: &[TagSpecification]) -> Result<Tags, Error> {
    tags::specified(specifications, SecurityGroupRule::NOUN.resource_type)
}

fn add(
    tx: &mut Transaction,
    caller: &Caller,
    group: &SecurityGroup,
    direction: Direction,
    permissions: Vec<Permission>,
    tags: Tags,
) -> Result<Vec<SecurityGroupRule>, Error> {
    let mut existing = rules_of(tx, &group.id);
    existing.retain(|rule| rule.direction == direction);
    for permission in &permissions {
        check_peer(tx, caller, group, &permission.peer)?;
        if existing.iter().any(|rule| permission.is(rule)) {
            return Err(Error::DuplicatePermission(permission.words()));
        }
    }
    let peers = existing.iter().map(|rule| &rule.peer).chain(permissions.iter().map(|given| &given.peer));
    quota::check(tx, &group.region, peers)?;
    let write = |Permission { traffic, peer, description }| {
        write_rule(tx, group, direction, traffic, peer, description, tags.clone())
    };
    Ok(permissions.into_iter().map(write).collect())
}

/// A group that a rule names must be of the same VPC; a prefix list must be there.
pub(super) fn check_peer(
    state: &Snapshot,
    caller: &Caller,
    group: &SecurityGroup,
    peer: &Peer,
) -> Result<(), Error> {
    match peer {
        Peer::Group(id) if own::<SecurityGroup>(state, caller, id.as_str())?.vpc != group.vpc => {
            Err(Error::GroupOfOtherNetwork)
        }
        Peer::PrefixList(id) => prefix_list::find(state, caller, id.as_str()).map(|_| ()),
        _ => Ok(()),
    }
}
