//! Further ranges of a VPC, and what else of it changes.

use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, refused, some};

fn add(world: &World, vpc: &str, cidr: &str) -> Result<VpcCidrBlockAssociation, ApiError> {
    let input =
        AssociateVpcCidrBlockRequest { vpc_id: some(vpc), cidr_block: some(cidr), ..Default::default() };
    let answer = world.control.associate_vpc_cidr_block(&caller(), input);
    answer.map(|answer| answer.cidr_block_association.unwrap())
}

fn remove(world: &World, association: &str) -> Result<DisassociateVpcCidrBlockResult, ApiError> {
    let input = DisassociateVpcCidrBlockRequest { association_id: some(association) };
    world.control.disassociate_vpc_cidr_block(&caller(), input)
}

#[test]
fn further_ranges_come_and_go() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let added = add(&world, &vpc, "10.1.0.7/16").unwrap();
    assert_eq!(added.cidr_block.as_deref(), Some("10.1.0.0/16"));
    assert_eq!(added.cidr_block_state.unwrap().state.as_deref(), Some("associating"));
    let id = added.association_id.unwrap();
    let show = || {
        let filters = vec![filter("cidr-block-association.cidr-block", &["10.1.0.0/16"])];
        let input = DescribeVpcsRequest { filters, ..Default::default() };
        world.control.describe_vpcs(&caller(), input).unwrap().vpcs
    };
    let shown = show().remove(0);
    assert_eq!(shown.cidr_block.as_deref(), Some("10.0.0.0/16"));
    let second = &shown.cidr_block_association_set[1];
    assert_eq!(second.cidr_block_state.as_ref().unwrap().state.as_deref(), Some("associated"));
    // A local route of every table, and room for subnets.
    let table = world.describe_table(&world.table(&vpc));
    assert_eq!(table.routes[1].destination_cidr_block.as_deref(), Some("10.1.0.0/16"));
    assert_eq!(table.routes[1].gateway_id.as_deref(), Some("local"));
    let subnet = world.subnet(&vpc, "10.1.2.0/24");
    let words = format!("The vpc {vpc} currently has a subnet within CIDR block 10.1.0.0/16");
    refused(remove(&world, &id), "InvalidCidrBlock.InUse", &words);
    let input = DeleteSubnetRequest { subnet_id: Some(subnet), dry_run: None };
    world.control.delete_subnet(&caller(), input).unwrap();
    let state = remove(&world, &id).unwrap().cidr_block_association.unwrap().cidr_block_state.unwrap().state;
    assert_eq!(state.as_deref(), Some("disassociating"));
    assert_eq!(show(), []);
    let words = format!("The vpc CIDR block with association ID {id} does not exist");
    refused(remove(&world, &id), "InvalidVpcCidrBlockAssociationID.NotFound", &words);
    let primary = shown.cidr_block_association_set[0].association_id.clone().unwrap();
    refused(
        remove(&world, &primary),
        "OperationNotPermitted",
        "It is the primary IPv4 CIDR block of the VPC",
    );
}

#[test]
fn further_ranges_are_checked() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    refused(add(&world, &vpc, "10.1.0.0/15"), "InvalidVpc.Range", "10.1.0.0/15");
    refused(add(&world, &vpc, "x"), "InvalidParameterValue", "cidrBlock");
    refused(add(&world, &vpc, "10.0.4.0/24"), "CidrConflict", "10.0.4.0/24");
    refused(add(&world, "vpc-0123456789abcdef0", "10.1.0.0/16"), "InvalidVpcID.NotFound", "");
    (1..5).for_each(|number| assert!(add(&world, &vpc, &format!("10.{number}.0.0/16")).is_ok()));
    let words = format!("This network {vpc} has met its maximum number of allowed CIDRs: 5");
    refused(add(&world, &vpc, "10.5.0.0/16"), "CidrLimitExceeded", &words);
}

#[test]
fn tenancy_only_becomes_default() {
    let world = World::new();
    let input = CreateVpcRequest {
        cidr_block: some("10.0.0.0/16"),
        instance_tenancy: some("dedicated"),
        ..Default::default()
    };
    let vpc = world.control.create_vpc(&caller(), input).unwrap().vpc.unwrap().vpc_id.unwrap();
    let modify = |tenancy: &str| {
        let input =
            ModifyVpcTenancyRequest { vpc_id: some(&vpc), instance_tenancy: some(tenancy), dry_run: None };
        world.control.modify_vpc_tenancy(&caller(), input)
    };
    refused(modify("dedicated"), "UnsupportedTenancy", "The tenancy value dedicated is not supported.");
    assert_eq!(modify("default").unwrap().return_value, Some(true));
    let input = DescribeVpcsRequest { vpc_ids: vec![vpc.clone()], ..Default::default() };
    let shown = world.control.describe_vpcs(&caller(), input).unwrap().vpcs.remove(0);
    assert_eq!(shown.instance_tenancy.as_deref(), Some("default"));
}
