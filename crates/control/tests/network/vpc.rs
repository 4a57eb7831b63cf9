use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, in_use, refused, some};

#[test]
fn a_vpc_is_born_with_what_every_vpc_has() {
    let world = World::new();
    let vpc = world.create_vpc("10.0.0.0/16").unwrap();
    assert_eq!(vpc.state.as_deref(), Some("pending"));
    assert_eq!(vpc.is_default, Some(false));
    let id = vpc.vpc_id.unwrap();
    let of_vpc = || vec![filter("vpc-id", &[&id])];

    let input = DescribeVpcsRequest { vpc_ids: vec![id.clone()], ..Default::default() };
    let shown = world.control.describe_vpcs(&caller(), input).unwrap().vpcs.remove(0);
    assert_eq!(shown.state.as_deref(), Some("available"));
    assert_eq!(shown.cidr_block_association_set[0].cidr_block.as_deref(), Some("10.0.0.0/16"));

    let input = DescribeSecurityGroupsRequest { filters: of_vpc(), ..Default::default() };
    let group = world.control.describe_security_groups(&caller(), input).unwrap().security_groups.remove(0);
    assert_eq!(group.group_name.as_deref(), Some("default"));
    let ingress = &group.ip_permissions[0];
    assert_eq!(ingress.ip_protocol.as_deref(), Some("-1"));
    assert_eq!(ingress.user_id_group_pairs[0].group_id, group.group_id);
    let egress = &group.ip_permissions_egress[0];
    assert_eq!(egress.ip_ranges[0].cidr_ip.as_deref(), Some("0.0.0.0/0"));
    assert_eq!((egress.from_port, egress.to_port), (None, None));

    let mut filters = of_vpc();
    filters.push(filter("association.main", &["true"]));
    let input = DescribeRouteTablesRequest { filters, ..Default::default() };
    let table = world.control.describe_route_tables(&caller(), input).unwrap().route_tables.remove(0);
    assert_eq!(table.routes[0].gateway_id.as_deref(), Some("local"));
    assert_eq!(table.routes[0].destination_cidr_block.as_deref(), Some("10.0.0.0/16"));
    assert_eq!(table.associations[0].main, Some(true));

    let mut filters = of_vpc();
    filters.push(filter("default", &["true"]));
    let input = DescribeNetworkAclsRequest { filters, ..Default::default() };
    let acl = world.control.describe_network_acls(&caller(), input).unwrap().network_acls.remove(0);
    let entries: Vec<_> = acl
        .entries
        .iter()
        .map(|e| (e.egress.unwrap(), e.rule_number.unwrap(), e.rule_action.as_deref().unwrap()))
        .collect();
    assert_eq!(
        entries,
        [(true, 100, "allow"), (true, 32767, "deny"), (false, 100, "allow"), (false, 32767, "deny")]
    );
}

#[test]
fn ranges_are_checked_and_made_canonical() {
    let world = World::new();
    for (cidr, code) in [
        ("10.0.0.0/15", "InvalidVpc.Range"),
        ("10.0.0.0/29", "InvalidVpc.Range"),
        ("127.0.0.0/16", "InvalidVpc.Range"),
        ("10.0.0.0", "InvalidParameterValue"),
        ("10.0.0.0/33", "InvalidParameterValue"),
        ("fd00::/64", "InvalidParameterValue"),
    ] {
        refused(world.create_vpc(cidr), code, cidr);
    }
    refused(world.create_vpc("10.0.0.0/8"), "InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid.");
    let vpc = world.create_vpc("100.68.0.18/18").unwrap();
    assert_eq!(vpc.cidr_block.as_deref(), Some("100.68.0.0/18"));
    // Two VPCs may have the same range: that is what endpoints are for.
    world.vpc("10.0.0.0/16");
    world.vpc("10.0.0.0/16");
}

#[test]
fn attributes_change_one_at_a_time() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let read = |attribute: &str| {
        let input = DescribeVpcAttributeRequest {
            attribute: some(attribute),
            vpc_id: Some(vpc.clone()),
            ..Default::default()
        };
        world.control.describe_vpc_attribute(&caller(), input)
    };
    let on = || Some(AttributeBooleanValue { value: Some(true) });
    assert_eq!(read("enableDnsSupport").unwrap().enable_dns_support, on());
    let hostnames = read("enableDnsHostnames").unwrap().enable_dns_hostnames;
    assert_eq!(hostnames, Some(AttributeBooleanValue { value: Some(false) }));

    let input = ModifyVpcAttributeRequest {
        vpc_id: Some(vpc.clone()),
        enable_dns_hostnames: on(),
        ..Default::default()
    };
    let both = ModifyVpcAttributeRequest { enable_dns_support: on(), ..input.clone() };
    refused(
        world.control.modify_vpc_attribute(&caller(), both),
        "InvalidParameterCombination",
        "specified: enableDnsHostnames, enableDnsSupport",
    );
    world.control.modify_vpc_attribute(&caller(), input).unwrap();
    assert_eq!(read("enableDnsHostnames").unwrap().enable_dns_hostnames, on());
    refused(read("enableMagic"), "InvalidParameterValue", "enableMagic");
}

#[test]
fn a_vpc_in_use_stays() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let delete =
        || world.control.delete_vpc(&caller(), DeleteVpcRequest { vpc_id: Some(vpc.clone()), dry_run: None });
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    refused(delete(), "DependencyViolation", &in_use(&vpc));
    world
        .control
        .delete_subnet(&caller(), DeleteSubnetRequest { subnet_id: Some(subnet), dry_run: None })
        .unwrap();
    let group = world.group(&vpc, "web");
    refused(delete(), "DependencyViolation", "has dependencies and cannot be deleted.");
    let input = DeleteSecurityGroupRequest { group_id: Some(group), ..Default::default() };
    world.control.delete_security_group(&caller(), input).unwrap();
    delete().unwrap();
    refused(delete(), "InvalidVpcID.NotFound", &format!("The vpc ID '{vpc}' does not exist"));
    // What it was born with went with it.
    let left = world.store.snapshot();
    assert_eq!(left.security_groups.len() + left.security_group_rules.len(), 0);
    assert_eq!(left.route_tables.len() + left.network_acls.len(), 0);
}
