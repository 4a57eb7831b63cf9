use linkway_wire::ec2::*;

use crate::world::{World, caller, filter, in_use, refused, some};

fn acl(world: &World, vpc: &str) -> String {
    let input = CreateNetworkAclRequest { vpc_id: some(vpc), ..Default::default() };
    world.control.create_network_acl(&caller(), input).unwrap().network_acl.unwrap().network_acl_id.unwrap()
}

fn describe(world: &World, id: &str) -> NetworkAcl {
    let input = DescribeNetworkAclsRequest { network_acl_ids: vec![id.into()], ..Default::default() };
    world.control.describe_network_acls(&caller(), input).unwrap().network_acls.remove(0)
}

/// An entry that lets TCP to a port in.
fn entry(acl: &str, number: i32) -> CreateNetworkAclEntryRequest {
    CreateNetworkAclEntryRequest {
        network_acl_id: some(acl),
        rule_number: Some(number),
        egress: Some(false),
        protocol: some("6"),
        rule_action: some("allow"),
        cidr_block: some("10.0.0.0/8"),
        port_range: Some(PortRange { from: Some(80), to: Some(81) }),
        ..Default::default()
    }
}

fn numbers(acl: &NetworkAcl) -> Vec<(bool, i32, &str)> {
    let entries = acl.entries.iter();
    entries.map(|e| (e.egress.unwrap(), e.rule_number.unwrap(), e.rule_action.as_deref().unwrap())).collect()
}

#[test]
fn entries_are_made_replaced_and_deleted() {
    let world = World::new();
    let acl = acl(&world, &world.vpc("10.0.0.0/16"));
    assert_eq!(numbers(&describe(&world, &acl)), [(true, 32767, "deny"), (false, 32767, "deny")]);
    let create = |input| world.control.create_network_acl_entry(&caller(), input);
    create(entry(&acl, 200)).unwrap();
    create(entry(&acl, 100)).unwrap();
    // Each direction has numbers of its own.
    let out = CreateNetworkAclEntryRequest { egress: Some(true), ..entry(&acl, 100) };
    create(out).unwrap();
    let words = "The network acl entry identified by 100 already exists.";
    refused(create(entry(&acl, 100)), "NetworkAclEntryAlreadyExists", words);
    assert_eq!(
        numbers(&describe(&world, &acl)),
        [
            (true, 100, "allow"),
            (true, 32767, "deny"),
            (false, 100, "allow"),
            (false, 200, "allow"),
            (false, 32767, "deny"),
        ]
    );
    let shown = describe(&world, &acl).entries.remove(2);
    assert_eq!(shown.port_range, Some(PortRange { from: Some(80), to: Some(81) }));
    assert_eq!((shown.protocol.as_deref(), shown.cidr_block.as_deref()), (Some("6"), Some("10.0.0.0/8")));

    let replace = |number: i32| {
        let input = ReplaceNetworkAclEntryRequest {
            network_acl_id: some(&acl),
            rule_number: Some(number),
            egress: Some(false),
            protocol: some("icmp"),
            rule_action: some("deny"),
            ipv6_cidr_block: some("::/0"),
            icmp_type_code: Some(IcmpTypeCode { code: Some(-1), type_: Some(8) }),
            ..Default::default()
        };
        world.control.replace_network_acl_entry(&caller(), input)
    };
    replace(200).unwrap();
    let words = "The network acl entry identified by 300 does not exist.";
    refused(replace(300), "InvalidNetworkAclEntry.NotFound", words);
    let shown = describe(&world, &acl).entries.remove(3);
    assert_eq!((shown.protocol.as_deref(), shown.rule_action.as_deref()), (Some("1"), Some("deny")));
    assert_eq!(shown.icmp_type_code, Some(IcmpTypeCode { code: Some(-1), type_: Some(8) }));
    assert_eq!((shown.ipv6_cidr_block.as_deref(), shown.port_range), (Some("::/0"), None));
    let find = |name: &str, value: &str| {
        let input =
            DescribeNetworkAclsRequest { filters: vec![filter(name, &[value])], ..Default::default() };
        world.control.describe_network_acls(&caller(), input).unwrap().network_acls.len()
    };
    assert_eq!(
        (find("entry.icmp.type", "8"), find("entry.port-range.to", "81"), find("entry.ipv6-cidr", "::/0")),
        (1, 1, 1)
    );

    let delete = |number: i32| {
        let input = DeleteNetworkAclEntryRequest {
            network_acl_id: some(&acl),
            rule_number: Some(number),
            egress: Some(false),
            dry_run: None,
        };
        world.control.delete_network_acl_entry(&caller(), input)
    };
    delete(100).unwrap();
    refused(delete(100), "InvalidNetworkAclEntry.NotFound", "identified by 100");
    refused(delete(32767), "InvalidNetworkAclEntry.NotFound", "identified by 32767");
    assert_eq!(describe(&world, &acl).entries.len(), 4);
}

/// What is wrong with a request.
type Change = fn(&mut CreateNetworkAclEntryRequest);

#[test]
fn entries_are_checked() {
    let world = World::new();
    let acl = acl(&world, &world.vpc("10.0.0.0/16"));
    let create = |change: Change| {
        let mut input = entry(&acl, 100);
        change(&mut input);
        world.control.create_network_acl_entry(&caller(), input)
    };
    let cases: [(Change, &str, &str); 14] = [
        (|e| e.rule_number = Some(0), "InvalidParameterValue", "ruleNumber"),
        (|e| e.rule_number = Some(32767), "InvalidParameterValue", "ruleNumber"),
        (|e| e.rule_number = None, "MissingParameter", "RuleNumber"),
        (|e| e.rule_action = some("reject"), "InvalidParameterValue", "ruleAction"),
        (|e| e.protocol = some("256"), "InvalidParameterValue", "protocol"),
        (|e| e.protocol = some("carrier-pigeon"), "InvalidParameterValue", "protocol"),
        (|e| e.port_range = None, "MissingParameter", "PortRange"),
        (
            |e| e.port_range = Some(PortRange { from: Some(2), to: Some(1) }),
            "InvalidParameterValue",
            "portRange",
        ),
        (
            |e| e.port_range = Some(PortRange { from: Some(1), to: Some(65536) }),
            "InvalidParameterValue",
            "65536",
        ),
        (|e| e.protocol = some("1"), "MissingParameter", "IcmpTypeCode"),
        (|e| e.cidr_block = some("10.0.0.0"), "InvalidParameterValue", "cidrBlock"),
        (|e| e.cidr_block = None, "MissingParameter", "cidrBlock"),
        (|e| e.ipv6_cidr_block = some("::/0"), "InvalidParameterCombination", "ipv6CidrBlock"),
        (
            |e| e.network_acl_id = some("acl-0123456789abcdef0"),
            "InvalidNetworkAclID.NotFound",
            "acl-0123456789abcdef0",
        ),
    ];
    for (change, code, words) in cases {
        refused(create(change), code, words);
    }
    assert_eq!(describe(&world, &acl).entries.len(), 2);
    // What is not asked for is not kept: protocols without ports have none.
    create(|e| e.protocol = some("-1")).unwrap();
    assert_eq!(describe(&world, &acl).entries[1].port_range, None);
    let more = |number| world.control.create_network_acl_entry(&caller(), entry(&acl, number));
    (101..140).for_each(|number| assert!(more(number).is_ok()));
    refused(more(140), "NetworkAclEntryLimitExceeded", "maximum number of network acl entries");
}

#[test]
fn a_subnet_moves_from_one_acl_to_another() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let input = DescribeNetworkAclsRequest {
        filters: vec![filter("association.subnet-id", &[&subnet])],
        ..Default::default()
    };
    let of_subnet =
        || world.control.describe_network_acls(&caller(), input.clone()).unwrap().network_acls.remove(0);
    let default = of_subnet();
    assert_eq!(default.is_default, Some(true));
    let association = default.associations[0].network_acl_association_id.clone().unwrap();
    let own = acl(&world, &vpc);
    let replace = |association: &str, acl: &str| {
        let input = ReplaceNetworkAclAssociationRequest {
            association_id: some(association),
            network_acl_id: some(acl),
            dry_run: None,
        };
        let answer = world.control.replace_network_acl_association(&caller(), input);
        answer.map(|answer| answer.new_association_id.unwrap())
    };
    let foreign = acl(&world, &world.vpc("10.0.0.0/16"));
    let words = format!("network ACL {foreign} and subnet {subnet} belong to different networks");
    refused(replace(&association, &foreign), "InvalidParameterValue", &words);
    let moved = replace(&association, &own).unwrap();
    assert_eq!(of_subnet().network_acl_id, Some(own.clone()));
    let words = format!("The association ID '{association}' does not exist");
    refused(replace(&association, &own), "InvalidAssociationID.NotFound", &words);

    let delete = |acl: &str| {
        let input = DeleteNetworkAclRequest { network_acl_id: some(acl), dry_run: None };
        world.control.delete_network_acl(&caller(), input)
    };
    let words = format!("The networkAcl '{own}' has dependencies and cannot be deleted.");
    refused(delete(&own), "DependencyViolation", &words);
    let default = default.network_acl_id.unwrap();
    refused(
        delete(&default),
        "InvalidParameterValue",
        &format!("cannot delete default network ACL {default}"),
    );
    replace(&moved, &default).unwrap();
    let input = DeleteVpcRequest { vpc_id: some(&vpc), dry_run: None };
    refused(world.control.delete_vpc(&caller(), input), "DependencyViolation", &in_use(&vpc));
    delete(&own).unwrap();
    refused(delete(&own), "InvalidNetworkAclID.NotFound", &own);
}
