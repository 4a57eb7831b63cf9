//! Groups that interfaces of other VPCs may have.
//!
//! Source: "Associate security groups with multiple VPCs" in the Amazon VPC User Guide.

use std::sync::Arc;

use linkway_model::network_interface::NetworkInterface;
use linkway_model::security_group::SecurityGroup;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, Tags, VpcId};
use linkway_wire::ec2::{
    AssociateSecurityGroupVpcRequest, AssociateSecurityGroupVpcResult,
    DescribeSecurityGroupVpcAssociationsRequest, DescribeSecurityGroupVpcAssociationsResult,
    DisassociateSecurityGroupVpcRequest, DisassociateSecurityGroupVpcResult, GetSecurityGroupsForVpcRequest,
    GetSecurityGroupsForVpcResult, SecurityGroupForVpc, SecurityGroupVpcAssociation,
};

use crate::ec2::dependency::refuse_if_used;
use crate::filter::{Field, Filters, fields, one};
use crate::lookup::{Owned, named};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateSecurityGroupVpcRequest,
) -> Result<AssociateSecurityGroupVpcResult, Error> {
    control.write(input.dry_run, |tx| {
        let group = named::<SecurityGroup>(tx, caller, input.group_id.as_deref(), "GroupId")?.clone();
        let vpc = named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.clone();
        let own = tx.get::<Vpc>(&group.vpc);
        if own.is_some_and(|own| own.is_default || own.default_security_group == group.id) {
            return Err(Error::InvalidParameter(format!(
                "The security group {} cannot be associated with other VPCs: it is a VPC's default group, or a \
                 default VPC's.",
                group.id
            )));
        }
        if group.vpc == vpc.id || group.associations.contains(&vpc.id) {
            return Err(Error::InvalidParameter(format!(
                "The security group {} is already associated with the VPC {}.",
                group.id, vpc.id
            )));
        }
        tx.update::<SecurityGroup>(&group.id, |group| group.associations.push(vpc.id.clone()));
        Ok(AssociateSecurityGroupVpcResult { state: Some("associating".into()) })
    })
}

pub(crate) fn disassociate(
    control: &Control,
    caller: &Caller,
    input: DisassociateSecurityGroupVpcRequest,
) -> Result<DisassociateSecurityGroupVpcResult, Error> {
    control.write(input.dry_run, |tx| {
        let group = named::<SecurityGroup>(tx, caller, input.group_id.as_deref(), "GroupId")?.clone();
        let vpc = named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.id.clone();
        if !group.associations.contains(&vpc) {
            return Err(Error::InvalidParameter(format!(
                "The security group {} is not associated with the VPC {vpc}.",
                group.id
            )));
        }
        let holders = tx
            .all::<NetworkInterface>()
            .filter(|interface| interface.vpc == vpc && interface.groups.contains(&group.id))
            .map(|interface| interface.id.to_string());
        refuse_if_used(format!("resource {} has a dependent object", group.id), holders)?;
        tx.update::<SecurityGroup>(&group.id, |group| group.associations.retain(|other| *other != vpc));
        Ok(DisassociateSecurityGroupVpcResult { state: Some("disassociating".into()) })
    })
}

/// A group and another VPC.
struct Association {
    group: Arc<SecurityGroup>,
    vpc: VpcId,
}

const ASSOCIATIONS: &[Field<Association>] = fields! {
    "group-id" => |_, found| one(&found.group.id);
    "group-owner-id" => |_, found| one(&found.group.owner);
    "state" => |_, _| one(ASSOCIATED);
    "vpc-id" => |_, found| one(&found.vpc);
    "vpc-owner-id" => |_, found| one(&found.group.owner);
};

const ASSOCIATED: &str = "associated";

pub(crate) fn describe_associations(
    control: &Control,
    caller: &Caller,
    input: DescribeSecurityGroupVpcAssociationsRequest,
) -> Result<DescribeSecurityGroupVpcAssociationsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(ASSOCIATIONS, &input.filters)?;
    let groups = state.all::<SecurityGroup>().filter(|group| group.belongs_to(caller));
    let found = groups.flat_map(|group| {
        group.associations.iter().map(|vpc| Association { group: Arc::clone(group), vpc: vpc.clone() })
    });
    let mut found: Vec<_> = found.filter(|one| filters.matches(&state, one, &Tags::new())).collect();
    let key = |one: &Association| format!("{} {}", one.group.id, one.vpc);
    found.sort_by_key(key);
    let (found, next_token) = Page::new(USUAL, input.max_results, &input.next_token).cut(found, key)?;
    let shape = |one: &Association| SecurityGroupVpcAssociation {
        group_id: Some(one.group.id.to_string()),
        group_owner_id: Some(one.group.owner.to_string()),
        state: Some(ASSOCIATED.into()),
        state_reason: None,
        vpc_id: Some(one.vpc.to_string()),
        vpc_owner_id: Some(one.group.owner.to_string()),
    };
    let security_group_vpc_associations = found.iter().map(shape).collect();
    Ok(DescribeSecurityGroupVpcAssociationsResult { next_token, security_group_vpc_associations })
}

/// Take a VPC that goes out of the groups that are associated with it.
pub(crate) fn forget_vpc(tx: &mut linkway_store::Transaction, vpc: &VpcId) {
    let groups: Vec<_> = associated(tx, vpc).map(|group| group.id.clone()).collect();
    for group in groups {
        tx.update::<SecurityGroup>(group, |group| group.associations.retain(|other| other != vpc));
    }
}

fn associated<'a>(state: &'a Snapshot, vpc: &VpcId) -> impl Iterator<Item = &'a Arc<SecurityGroup>> {
    state.all::<SecurityGroup>().filter(move |group| group.associations.contains(vpc))
}

const FOR_VPC: &[Field<SecurityGroup>] = fields! {
    "description" => |_, group| one(&group.description);
    "group-id" => |_, group| one(&group.id);
    "group-name" => |_, group| one(&group.name);
    "owner-id" => |_, group| one(&group.owner);
    "primary-vpc-id" => |_, group| one(&group.vpc);
};

/// `GetSecurityGroupsForVpc`: those that interfaces of a VPC may have, its own and associated ones.
pub(crate) fn groups_for_vpc(
    control: &Control,
    caller: &Caller,
    input: GetSecurityGroupsForVpcRequest,
) -> Result<GetSecurityGroupsForVpcResult, Error> {
    let state = control.read(input.dry_run)?;
    let vpc = &named::<Vpc>(&state, caller, input.vpc_id.as_deref(), "VpcId")?.id;
    let filters = Filters::new(FOR_VPC, &input.filters)?;
    let groups = state
        .all::<SecurityGroup>()
        .filter(|group| group.vpc == *vpc || group.associations.contains(vpc))
        .filter(|group| filters.matches(&state, group, &group.tags));
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (groups, next_token) = page.cut(groups, |group| group.id.to_string())?;
    let shape = |group: &Arc<SecurityGroup>| SecurityGroupForVpc {
        description: Some(group.description.clone()),
        group_id: Some(group.id.to_string()),
        group_name: Some(group.name.clone()),
        owner_id: Some(group.owner.to_string()),
        primary_vpc_id: Some(group.vpc.to_string()),
        tags: tags::shape(&group.tags),
    };
    Ok(GetSecurityGroupsForVpcResult {
        next_token,
        security_group_for_vpcs: groups.into_iter().map(shape).collect(),
    })
}
