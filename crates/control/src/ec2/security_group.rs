//! Security groups.

mod filters;
mod membership;
mod references;
mod vpc_association;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use linkway_model::load_balancer::LoadBalancer;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::security_group::{Direction, Peer, SecurityGroup, SecurityGroupRule, Traffic};
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{Resource, SecurityGroupId, SecurityGroupRuleId, Snapshot, Tags, VpcId};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateSecurityGroupRequest, CreateSecurityGroupResult, DeleteSecurityGroupRequest,
    DeleteSecurityGroupResult, DescribeSecurityGroupsRequest, DescribeSecurityGroupsResult,
    SecurityGroup as SecurityGroupShape,
};

pub(crate) use membership::{check_count, groups_of_vpc, identifiers};
pub(crate) use references::{describe_references, describe_stale};
pub(crate) use vpc_association::{
    associate, describe_associations, disassociate, forget_vpc, groups_for_vpc,
};

use crate::describe::select;
use crate::ec2::default_vpc;
use crate::ec2::dependency::refuse_if_used;
use crate::ec2::security_group_rule::permission;
use crate::lookup::{Owned, own, required};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

/// Characters of a name or a description.
const MAX_TEXT: usize = 255;

/// Write the group that a VPC is born with: its members reach each other, and everything outside.
pub(crate) fn create_default(tx: &mut Transaction, caller: &Caller, vpc: &VpcId) -> SecurityGroupId {
    let group = write(tx, caller, vpc, "default", "default VPC security group", Tags::new());
    let itself = Peer::Group(group.id.clone());
    write_rule(tx, &group, Direction::Ingress, ALL_TRAFFIC, itself, None, Tags::new());
    group.id
}

/// Every protocol.
const ALL_TRAFFIC: Traffic = Traffic { protocol: None, from: None, to: None };

/// Everywhere, of IPv4 and of IPv6.
const EVERYWHERE: IpNet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));
const EVERYWHERE_IPV6: IpNet = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0));

/// Have a VPC's default group let out everything of IPv6, too, unless somebody has changed what it lets out. Source: the
/// Amazon VPC user guide, "Default security groups for your VPCs".
pub(crate) fn let_out_ipv6(tx: &mut Transaction, default_group: &SecurityGroupId) {
    let Some(group) = tx.get::<SecurityGroup>(default_group).cloned() else { return };
    let rules = rules_of(tx, &group.id);
    let mut rules = rules.iter().filter(|rule| rule.direction == Direction::Egress);
    let is_first =
        |rule: &Arc<SecurityGroupRule>| rule.traffic == ALL_TRAFFIC && rule.peer == Peer::Cidr(EVERYWHERE);
    if rules.next().is_some_and(is_first) && rules.next().is_none() {
        let_out(tx, &group, EVERYWHERE_IPV6);
    }
}

fn let_out(tx: &mut Transaction, group: &SecurityGroup, to: IpNet) {
    write_rule(tx, group, Direction::Egress, ALL_TRAFFIC, Peer::Cidr(to), None, Tags::new());
}

/// Write a group, with the rules that let everything out.
fn write(
    tx: &mut Transaction,
    caller: &Caller,
    vpc: &VpcId,
    name: &str,
    description: &str,
    tags: Tags,
) -> SecurityGroup {
    let group = SecurityGroup {
        id: SecurityGroupId::random(),
        number: tx.next_number("security-group"),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        vpc: vpc.clone(),
        associations: Vec::new(),
        name: name.to_owned(),
        description: description.to_owned(),
        tags,
    };
    tx.put(group.clone());
    let_out(tx, &group, EVERYWHERE);
    if tx.get::<Vpc>(vpc).is_some_and(|vpc| !vpc.ipv6_cidrs.is_empty()) {
        let_out(tx, &group, EVERYWHERE_IPV6);
    }
    group
}

/// Write a rule of a group.
pub(crate) fn write_rule(
    tx: &mut Transaction,
    group: &SecurityGroup,
    direction: Direction,
    traffic: Traffic,
    peer: Peer,
    description: Option<String>,
    tags: Tags,
) -> SecurityGroupRule {
    let rule = SecurityGroupRule {
        id: SecurityGroupRuleId::random(),
        number: tx.next_number("security-group-rule"),
        owner: group.owner.clone(),
        region: group.region.clone(),
        group: group.id.clone(),
        direction,
        traffic,
        peer,
        description,
        tags,
    };
    tx.put(rule.clone());
    rule
}

/// A group's rules, oldest first.
pub(crate) fn rules_of(state: &Snapshot, group: &SecurityGroupId) -> Vec<Arc<SecurityGroupRule>> {
    let mut rules: Vec<_> =
        state.all::<SecurityGroupRule>().filter(|rule| rule.group == *group).cloned().collect();
    rules.sort_by_key(|rule| rule.number);
    rules
}

/// The group that a request names. Names stand for groups of the default VPC.
pub(crate) fn identified<'a>(
    state: &'a Snapshot,
    caller: &Caller,
    id: Option<&str>,
    name: Option<&str>,
) -> Result<&'a Arc<SecurityGroup>, Error> {
    match (id, name) {
        (Some(id), _) => own(state, caller, id),
        (None, Some(name)) => by_name(state, caller, name),
        (None, None) => Err(Error::MissingParameter("groupName or groupId")),
    }
}

/// The group of this name in the default VPC.
fn by_name<'a>(state: &'a Snapshot, caller: &Caller, name: &str) -> Result<&'a Arc<SecurityGroup>, Error> {
    let vpc = default_vpc::of(state, caller).ok_or(Error::NoDefaultVpcForGroupName)?;
    state
        .all::<SecurityGroup>()
        .find(|group| group.vpc == vpc.id && group.name == name)
        .ok_or_else(|| Error::GroupNameNotFound(name.to_owned()))
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateSecurityGroupRequest,
) -> Result<CreateSecurityGroupResult, Error> {
    let given = |text: &String| !text.is_empty();
    let name = required(input.group_name.filter(given), "GroupName")?;
    let description = required(input.description.filter(given), "GroupDescription")?;
    check_text("GroupName", &name)?;
    check_text("GroupDescription", &description)?;
    if name.starts_with("sg-") {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*."
        )));
    }
    if name == "default" {
        return Err(Error::InvalidParameterValue("Cannot use reserved security group name: default".into()));
    }
    let tags = tags::specified(&input.tag_specifications, SecurityGroup::NOUN.resource_type)?;
    let group = control.write(input.dry_run, |tx| {
        let vpc = match &input.vpc_id {
            Some(id) => own::<Vpc>(tx, caller, id)?.id.clone(),
            None => {
                default_vpc::ensure(tx, caller);
                default_vpc::of(tx, caller).ok_or(Error::NoDefaultVpc)?.id.clone()
            }
        };
        if tx.all::<SecurityGroup>().any(|other| other.vpc == vpc && other.name == name) {
            return Err(Error::DuplicateGroup { name, vpc: vpc.to_string() });
        }
        Ok(write(tx, caller, &vpc, &name, &description, tags))
    })?;
    Ok(CreateSecurityGroupResult {
        group_id: Some(group.id.to_string()),
        security_group_arn: Some(group.arn()),
        tags: tags::shape(&group.tags),
    })
}

fn check_text(parameter: &str, text: &str) -> Result<(), Error> {
    let fault = if !text.is_ascii() {
        "Character sets beyond ASCII are not supported."
    } else if text.len() > MAX_TEXT {
        "It must be at most 255 characters long."
    } else {
        return Ok(());
    };
    Err(Error::InvalidParameterValue(format!("Value ({text}) for parameter {parameter} is invalid. {fault}")))
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeSecurityGroupsRequest,
) -> Result<DescribeSecurityGroupsResult, Error> {
    let state = control.read_given(caller, input.dry_run)?;
    let mut ids = input.group_ids;
    for name in &input.group_names {
        ids.push(by_name(&state, caller, name)?.id.to_string());
    }
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (groups, next_token) = select(&state, caller, &ids, filters::FILTERS, &input.filters, page)?;
    let security_groups = groups.iter().map(|group| shape(&state, group)).collect();
    Ok(DescribeSecurityGroupsResult { next_token, security_groups })
}

fn shape(state: &Snapshot, group: &SecurityGroup) -> SecurityGroupShape {
    let rules = rules_of(state, &group.id);
    SecurityGroupShape {
        description: Some(group.description.clone()),
        group_id: Some(group.id.to_string()),
        group_name: Some(group.name.clone()),
        ip_permissions: permission::shapes(state, &rules, Direction::Ingress),
        ip_permissions_egress: permission::shapes(state, &rules, Direction::Egress),
        owner_id: Some(group.owner.to_string()),
        security_group_arn: Some(group.arn()),
        tags: tags::shape(&group.tags),
        vpc_id: Some(group.vpc.to_string()),
    }
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteSecurityGroupRequest,
) -> Result<DeleteSecurityGroupResult, Error> {
    control.write(input.dry_run, |tx| {
        let group =
            Arc::clone(identified(tx, caller, input.group_id.as_deref(), input.group_name.as_deref())?);
        if tx.get::<Vpc>(&group.vpc).is_some_and(|vpc| vpc.default_security_group == group.id) {
            return Err(Error::CannotDelete { id: group.id.to_string(), name: group.name.clone() });
        }
        refuse_if_used(format!("resource {} has a dependent object", group.id), users(tx, &group.id))?;
        for rule in rules_of(tx, &group.id) {
            tx.delete::<SecurityGroupRule>(rule.id());
        }
        tx.delete::<SecurityGroup>(&group.id);
        Ok(DeleteSecurityGroupResult { group_id: Some(group.id.to_string()), return_: Some(true) })
    })
}

/// Ids of what needs a group: what is in it, and groups whose rules name it.
fn users(state: &Snapshot, group: &SecurityGroupId) -> Vec<String> {
    let endpoints = state
        .all::<VpcEndpoint>()
        .filter(|found| found.groups.contains(group) && found.state != EndpointState::Deleted)
        .map(|found| found.id.to_string());
    let balancers = state
        .all::<LoadBalancer>()
        .filter(|found| found.groups.contains(group))
        .map(|found| found.arn.clone());
    let interfaces = state
        .all::<NetworkInterface>()
        .filter(|found| found.groups.contains(group))
        .map(|found| found.id.to_string());
    let referring = state
        .all::<SecurityGroupRule>()
        .filter(|rule| rule.group != *group && rule.peer == Peer::Group(group.clone()))
        .map(|rule| rule.group.to_string());
    endpoints.chain(balancers).chain(interfaces).chain(referring).collect()
}
