use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, peer, range, refused, some, tag};

fn world_with_group() -> (World, String, String) {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let group = world.group(&vpc, "web");
    (world, vpc, group)
}

#[test]
fn names_are_checked_and_unique_in_the_vpc() {
    let (world, vpc, _) = world_with_group();
    let words = format!("The security group 'web' already exists for VPC '{vpc}'");
    refused(world.create_group(&vpc, "web"), "InvalidGroup.Duplicate", &words);
    refused(world.create_group(&vpc, "sg-web"), "InvalidParameterValue", "may not be in the format sg-*.");
    refused(world.create_group(&vpc, "default"), "InvalidParameterValue", "reserved security group name");
    refused(world.create_group(&vpc, "wéb"), "InvalidParameterValue", "beyond ASCII");
    let without_text =
        CreateSecurityGroupRequest { group_name: some("db"), description: some(""), ..Default::default() };
    let words = "The request must contain the parameter GroupDescription";
    refused(world.control.create_security_group(&caller(), without_text), "MissingParameter", words);
    world.group(&world.vpc("10.0.0.0/16"), "web");
    let input = CreateSecurityGroupRequest {
        group_name: some("web"),
        description: some("no VPC"),
        ..Default::default()
    };
    let group = world.control.create_security_group(&caller(), input.clone()).unwrap().group_id.unwrap();
    assert_eq!(world.describe_group(&group).vpc_id, Some(world.default_vpc()));
    // Names stand for groups of the default VPC.
    let named = |name: &str| {
        let input = DescribeSecurityGroupsRequest { group_names: vec![name.into()], ..Default::default() };
        world.control.describe_security_groups(&caller(), input)
    };
    assert_eq!(named("web").unwrap().security_groups[0].group_id, Some(group));
    refused(named("db"), "InvalidGroup.NotFound", "The security group 'db' does not exist");

    // Without a default VPC, a name means nothing.
    world.delete_default_vpc();
    refused(world.control.create_security_group(&caller(), input), "VPCIdNotSpecified", "No default VPC");
    refused(named("web"), "VPCIdNotSpecified", "GroupName is only supported");
}

#[test]
fn rules_are_resources_with_ids_and_tags() {
    let (world, _, group) = world_with_group();
    let input = AuthorizeSecurityGroupIngressRequest {
        group_id: Some(group.clone()),
        ip_permissions: vec![range("6", Some((443, 443)), "10.1.2.3/8")],
        tag_specifications: vec![TagSpecification {
            resource_type: some("security-group-rule"),
            tags: vec![tag("Name", "https")],
        }],
        ..Default::default()
    };
    let answer = world.control.authorize_security_group_ingress(&caller(), input).unwrap();
    let rule = &answer.security_group_rules[0];
    assert_eq!(rule.cidr_ipv4.as_deref(), Some("10.0.0.0/8"));
    assert_eq!(rule.ip_protocol.as_deref(), Some("tcp"));
    assert_eq!(rule.is_egress, Some(false));
    assert_eq!(rule.tags, [tag("Name", "https")]);

    let input = DescribeSecurityGroupRulesRequest {
        filters: vec![filter("group-id", &[&group]), filter("tag:Name", &["http?"])],
        ..Default::default()
    };
    let shown = world.control.describe_security_group_rules(&caller(), input).unwrap().security_group_rules;
    assert_eq!(shown, answer.security_group_rules);
    let no_group =
        DescribeSecurityGroupRulesRequest { filters: vec![filter("group-id", &["x"])], ..Default::default() };
    let words = "The security group ID 'x' is malformed";
    refused(
        world.control.describe_security_group_rules(&caller(), no_group),
        "InvalidGroupId.Malformed",
        words,
    );

    let id = rule.security_group_rule_id.clone().unwrap();
    let revoke = |ids: Vec<String>| {
        let input = RevokeSecurityGroupIngressRequest {
            group_id: Some(group.clone()),
            security_group_rule_ids: ids,
            ..Default::default()
        };
        world.control.revoke_security_group_ingress(&caller(), input)
    };
    let revoked = revoke(vec![id.clone()]).unwrap().revoked_security_group_rules;
    assert_eq!(revoked[0].security_group_rule_id.as_ref(), Some(&id));
    refused(
        revoke(vec![id.clone()]),
        "InvalidSecurityGroupRuleId.NotFound",
        &format!("The security group rule ID '{id}' does not exist"),
    );
    refused(revoke(vec!["sgr-x".into()]), "InvalidSecurityGroupRuleId.Malformed", "expecting \"sgr-...\"");
    assert!(world.describe_group(&group).ip_permissions.is_empty());
}

#[test]
fn permissions_of_the_same_traffic_are_shown_together() {
    let (world, vpc, group) = world_with_group();
    let other = world.group(&vpc, "db");
    world.allow_in(&group, vec![range("tcp", Some((80, 80)), "10.0.0.0/24")]).unwrap();
    world
        .allow_in(&group, vec![range("tcp", Some((80, 80)), "10.0.1.0/24"), peer("tcp", 80, &other)])
        .unwrap();
    world.allow_in(&group, vec![range("icmp", Some((8, -1)), "0.0.0.0/0")]).unwrap();
    let shown = world.describe_group(&group).ip_permissions;
    assert_eq!(shown.len(), 2);
    let cidrs: Vec<_> = shown[0].ip_ranges.iter().map(|range| range.cidr_ip.as_deref().unwrap()).collect();
    assert_eq!(cidrs, ["10.0.0.0/24", "10.0.1.0/24"]);
    assert_eq!(shown[0].user_id_group_pairs[0].user_id.as_deref(), Some("111111111111"));
    assert_eq!(shown[1].ip_protocol.as_deref(), Some("icmp"));
}

#[test]
fn duplicates_are_refused_in_awss_words() {
    let (world, vpc, group) = world_with_group();
    let other = world.group(&vpc, "db");
    for (permission, words) in [
        (
            range("tcp", Some((443, 443)), "0.0.0.0/0"),
            "peer: 0.0.0.0/0, TCP, from port: 443, to port: 443, ALLOW",
        ),
        (range("-1", None, "10.0.0.0/8"), "peer: 10.0.0.0/8, ALL, ALLOW"),
        (range("50", None, "0.0.0.0/0"), "peer: 0.0.0.0/0, protocol: 50, ALLOW"),
        (peer("udp", 53, &other), &format!("peer: {other}, UDP, from port: 53, to port: 53, ALLOW")),
    ] {
        world.allow_in(&group, vec![permission.clone()]).unwrap();
        let words = format!("the specified rule \"{words}\" already exists");
        refused(world.allow_in(&group, vec![permission]), "InvalidPermission.Duplicate", &words);
    }
    let twice = vec![range("tcp", Some((1, 1)), "10.0.0.0/8"), range("tcp", Some((1, 1)), "10.9.9.9/8")];
    let words = "The same permission must not appear multiple times";
    refused(world.allow_in(&group, twice), "InvalidParameterValue", words);
}

#[test]
fn malformed_permissions_are_refused() {
    let (world, _, group) = world_with_group();
    let ports = Some((80, 80));
    let mut no_protocol = range("tcp", ports, "10.0.0.0/8");
    no_protocol.ip_protocol = None;
    let mut prefix_list = range("tcp", ports, "10.0.0.0/8");
    prefix_list.prefix_list_ids =
        vec![PrefixListId { prefix_list_id: some("pl-12345678"), description: None }];
    for (permission, code, words) in [
        (
            range("tcp", None, "10.0.0.0/8"),
            "InvalidParameterValue",
            "Must specify both from and to ports with TCP/UDP.",
        ),
        (
            range("icmp", None, "10.0.0.0/8"),
            "InvalidParameterValue",
            "Must specify both from and to ports with ICMP.",
        ),
        (
            range("tcp", Some((-1, -1)), "10.0.0.0/8"),
            "InvalidParameterValue",
            "TCP/UDP (from) port (-1) out of range",
        ),
        (
            range("tcp", Some((1, 65536)), "10.0.0.0/8"),
            "InvalidParameterValue",
            "TCP/UDP (to) port (65536) out of range",
        ),
        (
            range("udp", Some((9, 1)), "10.0.0.0/8"),
            "InvalidParameterValue",
            "Invalid TCP/UDP port range (9:1)",
        ),
        (range("http", ports, "10.0.0.0/8"), "InvalidParameterValue", "Unknown protocol"),
        (range("256", ports, "10.0.0.0/8"), "InvalidParameterValue", "Unknown protocol"),
        (no_protocol, "InvalidParameterValue", "must specify protocols explicitly"),
        (range("tcp", ports, "10.0.0.0/40"), "InvalidParameterValue", "CIDR block 10.0.0.0/40 is malformed"),
        (
            peer("tcp", 80, "sg-0123456789abcdef0"),
            "InvalidGroup.NotFound",
            "The security group 'sg-0123456789abcdef0' does not exist",
        ),
        (peer("tcp", 80, "web"), "InvalidGroupId.Malformed", "expecting \"sg-...\""),
        (prefix_list, "InvalidPrefixListID.NotFound", "pl-12345678"),
    ] {
        refused(world.allow_in(&group, vec![permission]), code, words);
    }
    let foreign = world.group(&world.vpc("10.0.0.0/16"), "web");
    refused(
        world.allow_in(&group, vec![peer("tcp", 80, &foreign)]),
        "InvalidGroup.NotFound",
        "different networks",
    );
    refused(world.allow_in(&group, vec![]), "MissingParameter", "ipPermissions");
    assert!(world.describe_group(&group).ip_permissions.is_empty());
}

#[test]
fn flat_parameters_are_one_permission() {
    let (world, _, group) = world_with_group();
    let input = AuthorizeSecurityGroupIngressRequest {
        group_id: Some(group.clone()),
        ip_protocol: some("tcp"),
        from_port: Some(22),
        to_port: Some(22),
        cidr_ip: some("10.0.0.0/8"),
        ..Default::default()
    };
    world.control.authorize_security_group_ingress(&caller(), input.clone()).unwrap();
    assert_eq!(world.describe_group(&group).ip_permissions, [range("tcp", Some((22, 22)), "10.0.0.0/8")]);
    let both = AuthorizeSecurityGroupIngressRequest {
        ip_permissions: vec![range("tcp", Some((23, 23)), "10.0.0.0/8")],
        ..input
    };
    let answer = world.control.authorize_security_group_ingress(&caller(), both);
    refused(answer, "InvalidParameterCombination", "ipPermissions");
}

#[test]
fn the_default_egress_rule_goes_whatever_ports_are_named() {
    for ports in [None, Some((0, 0)), Some((-1, -1))] {
        let (world, _, group) = world_with_group();
        let revoke = |permission| {
            let input = RevokeSecurityGroupEgressRequest {
                group_id: Some(group.clone()),
                ip_permissions: vec![permission],
                ..Default::default()
            };
            world.control.revoke_security_group_egress(&caller(), input)
        };
        revoke(range("-1", ports, "0.0.0.0/0")).unwrap();
        assert!(world.describe_group(&group).ip_permissions_egress.is_empty());
        refused(
            revoke(range("-1", ports, "0.0.0.0/0")),
            "InvalidPermission.NotFound",
            "The specified rule does not exist in this security group.",
        );
        // Terraform takes the IPv6 rule away too, and expects this error.
        let v6 = IpPermission {
            ip_protocol: some("-1"),
            ipv6_ranges: vec![Ipv6Range { cidr_ipv6: some("::/0"), description: None }],
            ..Default::default()
        };
        refused(revoke(v6), "InvalidPermission.NotFound", "does not exist");
    }
}

#[test]
fn a_group_has_sixty_rules_a_direction() {
    let (world, _, group) = world_with_group();
    let rules = (1..=60).map(|port| range("tcp", Some((port, port)), "10.0.0.0/8")).collect();
    world.allow_in(&group, rules).unwrap();
    refused(
        world.allow_in(&group, vec![range("tcp", Some((61, 61)), "10.0.0.0/8")]),
        "RulesPerSecurityGroupLimitExceeded",
        "maximum number of rules",
    );
    let input = AuthorizeSecurityGroupEgressRequest {
        group_id: Some(group),
        ip_permissions: vec![range("tcp", Some((61, 61)), "10.0.0.0/8")],
        ..Default::default()
    };
    world.control.authorize_security_group_egress(&caller(), input).unwrap();
}

#[test]
fn rules_change_in_place() {
    let (world, _, group) = world_with_group();
    let rules = vec![range("tcp", Some((80, 80)), "10.0.0.0/8"), range("tcp", Some((81, 81)), "10.0.0.0/8")];
    let made = world.allow_in(&group, rules).unwrap().security_group_rules;
    let id = made[0].security_group_rule_id.clone();
    let modify = |request: SecurityGroupRuleRequest| {
        let update = SecurityGroupRuleUpdate {
            security_group_rule_id: id.clone(),
            security_group_rule: Some(request),
        };
        let input = ModifySecurityGroupRulesRequest {
            group_id: Some(group.clone()),
            security_group_rules: vec![update],
            ..Default::default()
        };
        world.control.modify_security_group_rules(&caller(), input)
    };
    let to_port = |port| SecurityGroupRuleRequest {
        ip_protocol: some("tcp"),
        from_port: Some(port),
        to_port: Some(port),
        cidr_ipv4: some("10.0.0.0/8"),
        description: some("changed"),
        ..Default::default()
    };
    modify(to_port(90)).unwrap();
    let shown = world.describe_group(&group).ip_permissions;
    assert_eq!(shown[0].from_port, Some(90));
    assert_eq!(shown[0].ip_ranges[0].description.as_deref(), Some("changed"));
    refused(modify(to_port(81)), "InvalidPermission.Duplicate", "from port: 81");
    let v6 = SecurityGroupRuleRequest { cidr_ipv4: None, cidr_ipv6: some("::/0"), ..to_port(91) };
    refused(modify(v6), "InvalidParameterValue", "cannot be changed");
    let peers = "cidrIp, cidrIpv6, prefixListId, or referencedGroupId";
    let nobody = SecurityGroupRuleRequest { cidr_ipv4: None, ..to_port(91) };
    let words = format!("The request must contain exactly one of: {peers}");
    refused(modify(nobody), "MissingParameter", &words);
    let both = SecurityGroupRuleRequest { cidr_ipv6: some("::/0"), ..to_port(91) };
    refused(modify(both), "InvalidParameterCombination", &format!("Only one of {peers} can be specified"));
    let half = SecurityGroupRuleRequest { from_port: None, ..to_port(91) };
    let words = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.";
    refused(modify(half), "InvalidParameterValue", words);

    let describe = |text: &str| {
        let mut permission = range("tcp", Some((81, 81)), "10.0.0.0/8");
        permission.ip_ranges[0].description = some(text);
        let input = UpdateSecurityGroupRuleDescriptionsIngressRequest {
            group_id: Some(group.clone()),
            ip_permissions: vec![permission],
            ..Default::default()
        };
        world.control.update_security_group_rule_descriptions_ingress(&caller(), input)
    };
    describe("eighty-one").unwrap();
    assert_eq!(world.describe_group(&group).ip_permissions[1].ip_ranges[0].description, some("eighty-one"));
    refused(describe("no\nlines"), "InvalidParameterValue", "Invalid rule description");
}

#[test]
fn a_group_in_use_stays() {
    let (world, vpc, group) = world_with_group();
    let delete = |id: &str| {
        let input = DeleteSecurityGroupRequest { group_id: some(id), ..Default::default() };
        world.control.delete_security_group(&caller(), input)
    };
    let other = world.group(&vpc, "db");
    world.allow_in(&other, vec![peer("tcp", 5432, &group)]).unwrap();
    refused(delete(&group), "DependencyViolation", &format!("resource {group} has a dependent object"));
    delete(&other).unwrap();

    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let input = CreateNetworkInterfaceRequest {
        subnet_id: Some(subnet),
        groups: vec![group.clone()],
        ..Default::default()
    };
    let made = world.control.create_network_interface(&caller(), input).unwrap().network_interface.unwrap();
    let interface = made.network_interface_id.unwrap();
    refused(delete(&group), "DependencyViolation", &format!("resource {group} has a dependent object"));
    let input = DeleteNetworkInterfaceRequest { network_interface_id: Some(interface), ..Default::default() };
    world.control.delete_network_interface(&caller(), input).unwrap();
    // A rule that names its own group is no hindrance.
    world.allow_in(&group, vec![peer("tcp", 1, &group)]).unwrap();
    assert_eq!(delete(&group).unwrap().group_id, Some(group.clone()));
    refused(delete(&group), "InvalidGroup.NotFound", &format!("The security group '{group}' does not exist"));

    let input = DescribeSecurityGroupsRequest {
        filters: vec![filter("vpc-id", &[&vpc]), filter("group-name", &["default"])],
        ..Default::default()
    };
    let default = world.control.describe_security_groups(&caller(), input).unwrap().security_groups.remove(0);
    refused(
        delete(&default.group_id.unwrap()),
        "CannotDelete",
        "name: \"default\" cannot be deleted by a user",
    );
}

#[test]
fn groups_are_found_by_their_rules() {
    let (world, vpc, group) = world_with_group();
    let other = world.group(&vpc, "db");
    world.allow_in(&group, vec![range("tcp", Some((443, 443)), "192.0.2.0/24")]).unwrap();
    world.allow_in(&other, vec![peer("tcp", 5432, &group)]).unwrap();
    let find = |filters: Vec<Filter>| {
        let input = DescribeSecurityGroupsRequest { filters, ..Default::default() };
        let found = world.control.describe_security_groups(&caller(), input).unwrap().security_groups;
        found.into_iter().map(|group| group.group_name.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(find(vec![filter("ip-permission.cidr", &["192.0.2.*"])]), ["web"]);
    assert_eq!(find(vec![filter("ip-permission.to-port", &["5432"])]), ["db"]);
    assert_eq!(find(vec![filter("ip-permission.group-name", &["web"])]), ["db"]);
    assert_eq!(find(vec![filter("egress.ip-permission.group-name", &["web"])]), Vec::<String>::new());
    assert_eq!(find(vec![filter("ip-permission.protocol", &["udp"])]), Vec::<String>::new());
    let of_vpc = filter("vpc-id", &[&vpc]);
    assert_eq!(find(vec![filter("egress.ip-permission.cidr", &["0.0.0.0/0"]), of_vpc]).len(), 3);
}
