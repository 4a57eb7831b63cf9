//! VPCs: created with what every VPC has from birth, and deleted with it.

mod attribute;
mod cidr_block;
mod ipv6;

use std::sync::Arc;

use ipnet::Ipv4Net;
use linkway_model::internet_gateway::{EgressOnlyInternetGateway, InternetGateway};
use linkway_model::network_acl::NetworkAcl;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::route_table::RouteTable;
use linkway_model::security_group::{SecurityGroup, SecurityGroupRule};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::{Vpc, VpcCidr};
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{Resource, Snapshot, Tags, VpcCidrAssociationId, VpcId};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateVpcRequest, CreateVpcResult, DeleteVpcRequest, DescribeVpcsRequest, DescribeVpcsResult,
    ModifyVpcTenancyRequest, ModifyVpcTenancyResult, Vpc as VpcShape, VpcCidrBlockAssociation,
    VpcCidrBlockState,
};

pub(crate) use attribute::{describe_attribute, modify_attribute};
pub(crate) use cidr_block::{associate as associate_cidr_block, disassociate as disassociate_cidr_block};

use crate::describe::select;
use crate::ec2::dependency::refuse_if_used;
use crate::ec2::{cidr, dhcp_options, network_acl, route_table, security_group};
use crate::error::NetworkError;
use crate::filter::{Field, fields, many, one};
use crate::lookup::{Owned, named, required};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

const FILTERS: &[Field<Vpc>] = fields! {
    "cidr" | "cidr-block" | "cidrBlock" => |_, vpc| many(vpc.cidrs.first().map(|first| first.cidr));
    "cidr-block-association.cidr-block" => |_, vpc| many(vpc.cidrs.iter().map(|range| range.cidr));
    "cidr-block-association.association-id" => |_, vpc| many(vpc.cidrs.iter().map(|range| &range.association));
    "cidr-block-association.state" => |_, _| one("associated");
    "dhcp-options-id" | "dhcpOptionsId" => |_, vpc| one(&vpc.dhcp_options);
    "ipv6-cidr-block-association.ipv6-cidr-block" => |_, vpc| many(vpc.ipv6_cidrs.iter().map(|range| range.cidr));
    "ipv6-cidr-block-association.ipv6-pool" => |_, vpc| many(vpc.ipv6_cidrs.iter().map(|_| ipv6::POOL));
    "ipv6-cidr-block-association.association-id" =>
        |_, vpc| many(vpc.ipv6_cidrs.iter().map(|range| &range.association));
    "ipv6-cidr-block-association.state" => |_, vpc| many(vpc.ipv6_cidrs.iter().map(|_| "associated"));
    "is-default" | "isDefault" => |_, vpc| one(vpc.is_default);
    "owner-id" => |_, vpc| one(&vpc.owner);
    "state" => |_, _| one("available");
    "vpc-id" => |_, vpc| one(&vpc.id);
};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateVpcRequest,
) -> Result<CreateVpcResult, Error> {
    if input.ipv4_ipam_pool_id.is_some() {
        return Err(Error::Unsupported("There are no IPAM pools: give a CIDR block in the request.".into()));
    }
    let with_ipv6 = ipv6::asked!(input).check(caller)?;
    let cidr = range(&required(input.cidr_block, "CidrBlock")?)?;
    let tenancy = input.instance_tenancy.unwrap_or_else(|| "default".into());
    if !matches!(tenancy.as_str(), "default" | "dedicated") {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({tenancy}) for parameter instanceTenancy is invalid."
        )));
    }
    let tags = tags::specified(&input.tag_specifications, Vpc::NOUN.resource_type)?;
    let vpc = control.write(input.dry_run, |tx| {
        let mut vpc = found(tx, caller, cidr, tenancy, tags);
        if with_ipv6 {
            let range = ipv6::give(tx, &vpc);
            vpc.ipv6_cidrs.push(range);
        }
        Ok(vpc)
    })?;
    let shape = VpcShape {
        state: Some("pending".into()),
        ipv6_cidr_block_association_set: ipv6::associations(&vpc, "associating"),
        ..shape(&vpc)
    };
    Ok(CreateVpcResult { vpc: Some(shape) })
}

fn range(text: &str) -> Result<Ipv4Net, Error> {
    let net = cidr::block(text)?;
    if !cidr::has_allowed_size(net) || cidr::is_reserved(net) {
        return Err(Error::VpcRange(text.to_owned()));
    }
    Ok(net)
}

/// Write a VPC with its default security group, main route table and default network ACL.
pub(crate) fn found(
    tx: &mut Transaction,
    caller: &Caller,
    cidr: Ipv4Net,
    tenancy: String,
    tags: Tags,
) -> Vpc {
    let id = VpcId::random();
    let vpc = Vpc {
        number: tx.next_number("vpc"),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        cidrs: vec![VpcCidr { association: VpcCidrAssociationId::random(), cidr }],
        ipv6_cidrs: Vec::new(),
        tenancy,
        is_default: false,
        enable_dns_support: true,
        enable_dns_hostnames: false,
        enable_network_address_usage_metrics: false,
        dhcp_options: dhcp_options::default(tx, caller),
        default_security_group: security_group::create_default(tx, caller, &id),
        main_route_table: route_table::write(tx, caller, &id, true, Tags::new()),
        default_network_acl: network_acl::create_default(tx, caller, &id),
        tags,
        id,
    };
    tx.put(vpc.clone());
    vpc
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcsRequest,
) -> Result<DescribeVpcsResult, Error> {
    let state = control.read_given(caller, input.dry_run)?;
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (vpcs, next_token) = select(&state, caller, &input.vpc_ids, FILTERS, &input.filters, page)?;
    Ok(DescribeVpcsResult { next_token, vpcs: vpcs.iter().map(|vpc| shape(vpc)).collect() })
}

/// A range with its association's state.
fn association(range: &VpcCidr, state: &str) -> VpcCidrBlockAssociation {
    VpcCidrBlockAssociation {
        association_id: Some(range.association.to_string()),
        cidr_block: Some(range.cidr.to_string()),
        cidr_block_state: Some(VpcCidrBlockState { state: Some(state.into()), status_message: None }),
    }
}

pub(crate) fn shape(vpc: &Vpc) -> VpcShape {
    VpcShape {
        cidr_block: vpc.cidrs.first().map(|range| range.cidr.to_string()),
        cidr_block_association_set: vpc.cidrs.iter().map(|range| association(range, "associated")).collect(),
        dhcp_options_id: Some(vpc.dhcp_options.to_string()),
        ipv6_cidr_block_association_set: ipv6::associations(vpc, "associated"),
        instance_tenancy: Some(vpc.tenancy.clone()),
        is_default: Some(vpc.is_default),
        owner_id: Some(vpc.owner.to_string()),
        state: Some("available".into()),
        tags: tags::shape(&vpc.tags),
        vpc_id: Some(vpc.id.to_string()),
        ..VpcShape::default()
    }
}

pub(crate) fn delete(control: &Control, caller: &Caller, input: DeleteVpcRequest) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let vpc = Arc::clone(named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?);
        let words = format!("The vpc '{}' has dependencies and cannot be deleted.", vpc.id);
        refuse_if_used(words, dependents(tx, &vpc))?;
        for rule in security_group::rules_of(tx, &vpc.default_security_group) {
            tx.delete::<SecurityGroupRule>(rule.id());
        }
        tx.delete::<SecurityGroup>(&vpc.default_security_group);
        tx.delete::<RouteTable>(&vpc.main_route_table);
        tx.delete::<NetworkAcl>(&vpc.default_network_acl);
        security_group::forget_vpc(tx, &vpc.id);
        tx.delete::<Vpc>(&vpc.id);
        Ok(())
    })
}

/// Ids of what stands in the way of a VPC's deletion.
fn dependents(state: &Snapshot, vpc: &Vpc) -> Vec<String> {
    let endpoints = state
        .all::<VpcEndpoint>()
        .filter(|endpoint| endpoint.vpc == vpc.id && endpoint.state != EndpointState::Deleted)
        .map(|endpoint| endpoint.id.to_string());
    let subnets = state.all::<Subnet>().filter(|subnet| subnet.vpc == vpc.id).map(|s| s.id.to_string());
    let interfaces =
        state.all::<NetworkInterface>().filter(|found| found.vpc == vpc.id).map(|found| found.id.to_string());
    let groups = state
        .all::<SecurityGroup>()
        .filter(|group| group.vpc == vpc.id && group.id != vpc.default_security_group)
        .map(|group| group.id.to_string());
    let tables = state
        .all::<RouteTable>()
        .filter(|table| table.vpc == vpc.id && table.id != vpc.main_route_table)
        .map(|table| table.id.to_string());
    let acls = state
        .all::<NetworkAcl>()
        .filter(|acl| acl.vpc == vpc.id && acl.id != vpc.default_network_acl)
        .map(|acl| acl.id.to_string());
    let gateways = state
        .all::<InternetGateway>()
        .filter(|gateway| gateway.vpc.as_ref() == Some(&vpc.id))
        .map(|gateway| gateway.id.to_string());
    let outlets = state
        .all::<EgressOnlyInternetGateway>()
        .filter(|gateway| gateway.vpc == vpc.id)
        .map(|gateway| gateway.id.to_string());
    let ways = tables.chain(acls).chain(gateways).chain(outlets);
    endpoints.chain(subnets).chain(interfaces).chain(groups).chain(ways).collect()
}

pub(crate) fn modify_tenancy(
    control: &Control,
    caller: &Caller,
    input: ModifyVpcTenancyRequest,
) -> Result<ModifyVpcTenancyResult, Error> {
    let tenancy = required(input.instance_tenancy, "InstanceTenancy")?;
    if tenancy != "default" {
        return Err(NetworkError::UnsupportedTenancy(tenancy).into());
    }
    control.write(input.dry_run, |tx| {
        let id = named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.id.clone();
        tx.update::<Vpc>(&id, |vpc| vpc.tenancy = tenancy);
        Ok(ModifyVpcTenancyResult { return_value: Some(true) })
    })
}
