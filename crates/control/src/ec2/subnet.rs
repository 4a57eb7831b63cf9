//! Subnets.

mod attribute;
mod cidr_block;

use std::sync::Arc;

use ipnet::Ipv4Net;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::region::{Region, Zone};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{NetworkAclAssociationId, Snapshot, SubnetId, Tags};
use linkway_wire::ec2::{
    CreateSubnetRequest, CreateSubnetResult, DeleteSubnetRequest, DescribeSubnetsRequest,
    DescribeSubnetsResult, PrivateDnsNameOptionsOnLaunch, Subnet as SubnetShape,
};

pub(crate) use attribute::modify_attribute;
pub(crate) use cidr_block::{associate as associate_cidr_block, disassociate as disassociate_cidr_block};

use crate::describe::select;
use crate::ec2::dependency::refuse_if_used;
use crate::ec2::network_interface::addresses_in;
use crate::ec2::{cidr, route_table};
use crate::filter::{Field, fields, many, none, one};
use crate::lookup::{Owned, named, required};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

const FILTERS: &[Field<Subnet>] = fields! {
    "availability-zone" | "availabilityZone" => |_, subnet| one(&subnet.zone);
    "availability-zone-id" | "availabilityZoneId" => |_, subnet| many(Zone::find(&subnet.zone).map(|zone| zone.id));
    "available-ip-address-count" => |state, subnet| one(free_addresses(state, subnet));
    "cidr-block" | "cidr" | "cidrBlock" => |_, subnet| one(subnet.cidr);
    "customer-owned-ipv4-pool" => none;
    "default-for-az" | "defaultForAz" => |_, subnet| one(subnet.default_for_az);
    "enable-dns64" => |_, subnet| one(subnet.enable_dns64);
    "enable-lni-at-device-index" => none;
    "ipv6-cidr-block-association.ipv6-cidr-block" =>
        |_, subnet| many(subnet.ipv6_cidr.as_ref().map(|range| range.cidr));
    "ipv6-cidr-block-association.association-id" =>
        |_, subnet| many(subnet.ipv6_cidr.as_ref().map(|range| &range.association));
    "ipv6-cidr-block-association.state" => |_, subnet| many(subnet.ipv6_cidr.as_ref().map(|_| "associated"));
    "ipv6-native" => |_, _| one(false);
    "map-customer-owned-ip-on-launch" => |_, _| one(false);
    "map-public-ip-on-launch" => |_, subnet| one(subnet.map_public_ip_on_launch);
    "outpost-arn" => none;
    "owner-id" => |_, subnet| one(&subnet.owner);
    "private-dns-name-options-on-launch.hostname-type" => |_, subnet| one(&subnet.hostname_type);
    "private-dns-name-options-on-launch.enable-resource-name-dns-a-record" =>
        |_, subnet| one(subnet.resource_name_a_record);
    "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record" =>
        |_, subnet| one(subnet.resource_name_aaaa_record);
    "state" => |_, _| one("available");
    "subnet-arn" => |_, subnet| one(subnet.arn());
    "subnet-id" => |_, subnet| one(&subnet.id);
    "vpc-id" => |_, subnet| one(&subnet.vpc);
};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateSubnetRequest,
) -> Result<CreateSubnetResult, Error> {
    check_supported(&input)?;
    let tags = tags::specified(&input.tag_specifications, Subnet::NOUN.resource_type)?;
    let block = required(input.cidr_block, "CidrBlock")?;
    let shape = control.write(input.dry_run, |tx| {
        let vpc = Arc::clone(named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?);
        let zone = zone(caller, input.availability_zone.as_deref(), input.availability_zone_id.as_deref())?;
        let mut subnet = new(&vpc, zone, range(tx, &vpc, &block)?, tags);
        if let Some(block) = &input.ipv6_cidr_block {
            subnet.ipv6_cidr = Some(cidr_block::ipv6(tx, &vpc, block)?);
        }
        tx.put(subnet.clone());
        Ok(shape(tx, &subnet))
    })?;
    Ok(CreateSubnetResult { subnet: Some(shape) })
}

/// The messages about IPv6-only subnets are from moto's tests that were run against AWS.
fn check_supported(input: &CreateSubnetRequest) -> Result<(), Error> {
    if input.ipv6_native == Some(true) {
        return Err(match (&input.cidr_block, &input.ipv6_cidr_block) {
            (_, None) => Error::MissingEither("Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided."),
            (Some(_), _) => Error::InvalidParameterCombination(
                "When specifying ipv4 parameters, cidrBlock or ipv4IpamPoolId, you cannot set ipv6Native to true."
                    .into(),
            ),
            _ => Error::Unsupported("There are no IPv6-only subnets: give an IPv4 CIDR block, too.".into()),
        });
    }
    if input.ipv4_ipam_pool_id.is_some() || input.ipv6_ipam_pool_id.is_some() || input.outpost_arn.is_some() {
        return Err(Error::Unsupported("There are no IPAM pools and no Outposts.".into()));
    }
    Ok(())
}

/// A subnet as it begins.
pub(crate) fn new(vpc: &Vpc, zone: &Zone, cidr: Ipv4Net, tags: Tags) -> Subnet {
    Subnet {
        id: SubnetId::random(),
        owner: vpc.owner.clone(),
        region: vpc.region.clone(),
        cidr,
        ipv6_cidr: None,
        assign_ipv6_address_on_creation: false,
        enable_dns64: false,
        zone: zone.name.to_owned(),
        default_for_az: false,
        map_public_ip_on_launch: false,
        hostname_type: "ip-name".into(),
        resource_name_a_record: false,
        resource_name_aaaa_record: false,
        network_acl: (NetworkAclAssociationId::random(), vpc.default_network_acl.clone()),
        tags,
        vpc: vpc.id.clone(),
    }
}

/// The range for a new subnet: inside of the VPC, and nobody else's.
fn range(state: &Snapshot, vpc: &Vpc, text: &str) -> Result<Ipv4Net, Error> {
    let net = cidr::block(text)?;
    if !cidr::has_allowed_size(net) || !vpc.cidrs.iter().any(|range| range.cidr.contains(&net)) {
        return Err(Error::SubnetRange(text.to_owned()));
    }
    if state.all::<Subnet>().any(|other| other.vpc == vpc.id && cidr::overlap(other.cidr, net)) {
        return Err(Error::SubnetConflict(text.to_owned()));
    }
    Ok(net)
}

/// The zone asked for, by name or by id; any when none is.
pub(crate) fn zone(caller: &Caller, name: Option<&str>, id: Option<&str>) -> Result<&'static Zone, Error> {
    let zones = Region::find(&caller.region).map_or(&[][..], |region| region.zones);
    let (asked, parameter) = match (name, id) {
        (Some(_), Some(_)) => {
            return Err(Error::InvalidParameterCombination(
                "The parameter availabilityZone cannot be used with the parameter availabilityZoneId".into(),
            ));
        }
        (Some(name), None) => (name, "availabilityZone"),
        (None, Some(id)) => (id, "availabilityZoneId"),
        (None, None) => ("", "availabilityZone"),
    };
    zones.iter().find(|zone| asked.is_empty() || asked == zone.name || asked == zone.id).ok_or_else(|| {
        let offered = zones.iter().map(|zone| if id.is_some() { zone.id } else { zone.name });
        Error::InvalidParameterValue(format!(
            "Value ({asked}) for parameter {parameter} is invalid. Subnets can currently only be created in the \
             following availability zones: {}.",
            offered.collect::<Vec<_>>().join(", ")
        ))
    })
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeSubnetsRequest,
) -> Result<DescribeSubnetsResult, Error> {
    let state = control.read_given(caller, input.dry_run)?;
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (subnets, next_token) = select(&state, caller, &input.subnet_ids, FILTERS, &input.filters, page)?;
    Ok(DescribeSubnetsResult {
        next_token,
        subnets: subnets.iter().map(|found| shape(&state, found)).collect(),
    })
}

/// Addresses of a subnet that no interface has.
pub(crate) fn free_addresses(state: &Snapshot, subnet: &Subnet) -> usize {
    subnet.usable().count().saturating_sub(addresses_in(state, subnet).len())
}

pub(crate) fn shape(state: &Snapshot, subnet: &Subnet) -> SubnetShape {
    SubnetShape {
        assign_ipv6_address_on_creation: Some(subnet.assign_ipv6_address_on_creation),
        availability_zone: Some(subnet.zone.clone()),
        availability_zone_id: Zone::find(&subnet.zone).map(|zone| zone.id.to_owned()),
        available_ip_address_count: i32::try_from(free_addresses(state, subnet)).ok(),
        cidr_block: Some(subnet.cidr.to_string()),
        default_for_az: Some(subnet.default_for_az),
        enable_dns64: Some(subnet.enable_dns64),
        ipv6_cidr_block_association_set: cidr_block::associations(subnet),
        ipv6_native: Some(false),
        map_customer_owned_ip_on_launch: Some(false),
        map_public_ip_on_launch: Some(subnet.map_public_ip_on_launch),
        owner_id: Some(subnet.owner.to_string()),
        private_dns_name_options_on_launch: Some(PrivateDnsNameOptionsOnLaunch {
            enable_resource_name_dns_a_record: Some(subnet.resource_name_a_record),
            enable_resource_name_dns_aaaa_record: Some(subnet.resource_name_aaaa_record),
            hostname_type: Some(subnet.hostname_type.clone()),
        }),
        state: Some("available".into()),
        subnet_arn: Some(subnet.arn()),
        subnet_id: Some(subnet.id.to_string()),
        tags: tags::shape(&subnet.tags),
        vpc_id: Some(subnet.vpc.to_string()),
        ..SubnetShape::default()
    }
}

pub(crate) fn delete(control: &Control, caller: &Caller, input: DeleteSubnetRequest) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let id = named::<Subnet>(tx, caller, input.subnet_id.as_deref(), "SubnetId")?.id.clone();
        let interfaces: Vec<String> = tx
            .all::<NetworkInterface>()
            .filter(|interface| interface.subnet == id)
            .map(|interface| interface.id.to_string())
            .collect();
        refuse_if_used(format!("The subnet '{id}' has dependencies and cannot be deleted."), interfaces)?;
        route_table::forget_subnet(tx, &id);
        tx.delete::<Subnet>(&id);
        Ok(())
    })
}
