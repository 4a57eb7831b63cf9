//! Security groups that interfaces of other VPCs may have.

use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, refused, some};

fn associate(world: &World, group: &str, vpc: &str) -> Result<AssociateSecurityGroupVpcResult, ApiError> {
    let input =
        AssociateSecurityGroupVpcRequest { group_id: some(group), vpc_id: some(vpc), ..Default::default() };
    world.control.associate_security_group_vpc(&caller(), input)
}

fn disassociate(
    world: &World,
    group: &str,
    vpc: &str,
) -> Result<DisassociateSecurityGroupVpcResult, ApiError> {
    let input = DisassociateSecurityGroupVpcRequest {
        group_id: some(group),
        vpc_id: some(vpc),
        ..Default::default()
    };
    world.control.disassociate_security_group_vpc(&caller(), input)
}

fn names(world: &World, vpc: &str, filters: Vec<Filter>) -> Vec<String> {
    let input = GetSecurityGroupsForVpcRequest { vpc_id: some(vpc), filters, ..Default::default() };
    let found = world.control.get_security_groups_for_vpc(&caller(), input).unwrap();
    let mut names: Vec<_> =
        found.security_group_for_vpcs.into_iter().map(|group| group.group_name.unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_group_serves_another_vpc() {
    let world = World::new();
    let (home, away) = (world.vpc("10.0.0.0/16"), world.vpc("10.0.0.0/16"));
    let group = world.group(&home, "shared");
    let subnet = world.subnet(&away, "10.0.0.0/24");
    let create = || {
        let input = CreateNetworkInterfaceRequest {
            subnet_id: some(&subnet),
            groups: vec![group.clone()],
            ..Default::default()
        };
        world.control.create_network_interface(&caller(), input)
    };
    refused(create(), "InvalidParameter", "belong to different networks");
    assert_eq!(names(&world, &away, vec![]), ["default"]);

    assert_eq!(associate(&world, &group, &away).unwrap().state.as_deref(), Some("associating"));
    refused(associate(&world, &group, &away), "InvalidParameter", "already associated");
    refused(associate(&world, &group, &home), "InvalidParameter", "already associated");
    assert_eq!(names(&world, &away, vec![]), ["default", "shared"]);
    assert_eq!(names(&world, &away, vec![filter("primary-vpc-id", &[&home])]), ["shared"]);
    let input = DescribeSecurityGroupVpcAssociationsRequest {
        filters: vec![filter("vpc-id", &[&away]), filter("state", &["associated"])],
        ..Default::default()
    };
    let found = world.control.describe_security_group_vpc_associations(&caller(), input).unwrap();
    assert_eq!(found.security_group_vpc_associations[0].group_id.as_deref(), Some(group.as_str()));

    let made = create().unwrap().network_interface.unwrap().network_interface_id.unwrap();
    refused(
        disassociate(&world, &group, &away),
        "DependencyViolation",
        &format!("resource {group} has a dependent object"),
    );
    let input = DeleteNetworkInterfaceRequest { network_interface_id: Some(made), ..Default::default() };
    world.control.delete_network_interface(&caller(), input).unwrap();
    disassociate(&world, &group, &away).unwrap();
    refused(disassociate(&world, &group, &away), "InvalidParameter", "not associated");
}

#[test]
fn a_default_group_serves_its_own_vpc_and_a_vpc_that_goes_is_forgotten() {
    let world = World::new();
    let (home, away) = (world.vpc("10.0.0.0/16"), world.vpc("10.0.0.0/16"));
    let group = world.group(&home, "shared");
    let default = world.store.snapshot().vpcs[home.as_str()].default_security_group.to_string();
    refused(associate(&world, &default, &away), "InvalidParameter", "default group");
    associate(&world, &group, &away).unwrap();
    world.control.delete_vpc(&caller(), DeleteVpcRequest { vpc_id: Some(away), dry_run: None }).unwrap();
    assert!(world.store.snapshot().security_groups[group.as_str()].associations.is_empty());
}

#[test]
fn nothing_refers_to_groups_across_connections() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let group = world.group(&vpc, "web");
    let ask = |group_id: Vec<String>| {
        let input = DescribeSecurityGroupReferencesRequest { group_id, ..Default::default() };
        world.control.describe_security_group_references(&caller(), input)
    };
    assert!(ask(vec![group]).unwrap().security_group_reference_set.is_empty());
    refused(ask(vec!["sg-0123456789abcdef0".into()]), "InvalidGroup.NotFound", "sg-0123456789abcdef0");
    refused(ask(vec![]), "MissingParameter", "GroupId");
    let stale = |vpc_id: Option<String>, max_results| {
        let input = DescribeStaleSecurityGroupsRequest { vpc_id, max_results, ..Default::default() };
        world.control.describe_stale_security_groups(&caller(), input)
    };
    assert!(stale(Some(vpc.clone()), None).unwrap().stale_security_group_set.is_empty());
    refused(stale(None, None), "MissingParameter", "VpcId");
    refused(stale(some("vpc-12345678"), None), "InvalidVpcID.NotFound", "vpc-12345678");
    refused(stale(Some(vpc), Some(256)), "InvalidParameterValue", "less than 255");
}
