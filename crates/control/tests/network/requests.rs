//! What all operations have in common: dry runs, tags, pages, ids, and callers who do not see each other.

use linkway_wire::ec2::*;
use linkway_wire::sts::{GetCallerIdentityRequest, Sts};

use crate::world::{World, caller, caller_of, filter, refused, some, tag};

#[test]
fn a_dry_run_meets_the_errors_and_changes_nothing() {
    let world = World::new();
    let dry = |cidr: &str| {
        let input = CreateVpcRequest { cidr_block: some(cidr), dry_run: Some(true), ..Default::default() };
        world.control.create_vpc(&caller(), input)
    };
    let error = dry("10.0.0.0/16").unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("DryRunOperation", 412));
    assert_eq!(error.message, "Request would have succeeded, but DryRun flag is set.");
    assert_eq!(world.store.snapshot().revision, 0);
    refused(dry("10.0.0.0/8"), "InvalidVpc.Range", "");
    let input = DescribeVpcsRequest { dry_run: Some(true), ..Default::default() };
    refused(world.control.describe_vpcs(&caller(), input), "DryRunOperation", "");
    let vpc = world.vpc("10.0.0.0/16");
    let input = DeleteVpcRequest { vpc_id: Some(vpc), dry_run: Some(true) };
    refused(world.control.delete_vpc(&caller(), input), "DryRunOperation", "");
    assert_eq!(world.store.snapshot().vpcs.len(), 1);
}

#[test]
fn accounts_and_regions_do_not_see_each_other() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    for other in [caller_of("222222222222", "us-east-1"), caller_of("111111111111", "eu-west-1")] {
        let list = world.control.describe_vpcs(&other, DescribeVpcsRequest::default()).unwrap();
        assert!(list.vpcs.iter().all(|found| found.is_default == Some(true)), "{list:?}");
        let input = DescribeVpcsRequest { vpc_ids: vec![vpc.clone()], ..Default::default() };
        refused(world.control.describe_vpcs(&other, input), "InvalidVpcID.NotFound", &vpc);
        let input = DeleteVpcRequest { vpc_id: Some(vpc.clone()), dry_run: None };
        refused(world.control.delete_vpc(&other, input), "InvalidVpcID.NotFound", &vpc);
        let input = CreateTagsRequest {
            resources: vec![vpc.clone()],
            tags: vec![tag("a", "b")],
            ..Default::default()
        };
        refused(world.control.create_tags(&other, input), "InvalidVpcID.NotFound", &vpc);
        let groups = world.control.describe_security_groups(&other, DescribeSecurityGroupsRequest::default());
        assert_ne!(groups.unwrap().security_groups[0].vpc_id, Some(vpc.clone()));
    }
}

#[test]
fn ids_are_checked() {
    let world = World::new();
    let find = |ids: &[&str]| {
        let vpc_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        world.control.describe_vpcs(&caller(), DescribeVpcsRequest { vpc_ids, ..Default::default() })
    };
    refused(find(&["vpc-xyz"]), "InvalidVpcID.Malformed", "Invalid id: \"vpc-xyz\" (expecting \"vpc-...\")");
    refused(find(&["vpc-1a2b3c4d"]), "InvalidVpcID.NotFound", "The vpc ID 'vpc-1a2b3c4d' does not exist");
    refused(
        find(&["vpc-1a2b3c4d", "vpc-0a2b3c4d"]),
        "InvalidVpcID.NotFound",
        "The vpc IDs 'vpc-0a2b3c4d, vpc-1a2b3c4d' do not exist",
    );
    let answer = world.control.delete_vpc(&caller(), DeleteVpcRequest::default());
    refused(answer, "MissingParameter", "The request must contain the parameter VpcId");
}

#[test]
fn tags_come_with_the_request_or_later() {
    let world = World::new();
    let create = |resource_type: &str, tags: Vec<Tag>| {
        let input = CreateVpcRequest {
            cidr_block: some("10.0.0.0/16"),
            tag_specifications: vec![TagSpecification { resource_type: some(resource_type), tags }],
            ..Default::default()
        };
        world.control.create_vpc(&caller(), input)
    };
    let vpc = create("vpc", vec![tag("Name", "one"), tag("Empty", "")]).unwrap().vpc.unwrap();
    assert_eq!(vpc.tags, [tag("Empty", ""), tag("Name", "one")]);
    refused(
        create("subnet", vec![tag("a", "b")]),
        "InvalidParameter",
        "'subnet' is not a valid taggable resource type for this operation.",
    );
    for (tags, code, words) in [
        (vec![], "InvalidParameter", "must have at least one tag"),
        (
            vec![tag("aws:x", "")],
            "InvalidParameterValue",
            "Tag keys starting with 'aws:' are reserved for internal use",
        ),
        (vec![tag(&"k".repeat(129), "")], "InvalidParameterValue", "Tag key exceeds the maximum length"),
        (vec![tag("k", &"v".repeat(257))], "InvalidParameterValue", "Tag value exceeds the maximum length"),
        (vec![tag("a", "1"), tag("a", "2")], "InvalidParameterValue", "Duplicate tag key 'a' specified."),
        ((0..51).map(|n| tag(&n.to_string(), "")).collect(), "TagLimitExceeded", "50"),
    ] {
        refused(create("vpc", tags), code, words);
    }
    assert_eq!(world.store.snapshot().vpcs.len(), 1);

    let id = vpc.vpc_id.unwrap();
    world.tag(&id, "Name", "two").unwrap();
    world.tag(&id, "Team", "net").unwrap();
    let list = |filters: Vec<Filter>| {
        let input = DescribeTagsRequest { filters, ..Default::default() };
        let tags = world.control.describe_tags(&caller(), input).unwrap().tags;
        tags.into_iter().map(|tag| (tag.key.unwrap(), tag.value.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(
        list(vec![filter("resource-id", &[&id]), filter("key", &["Name"])]),
        [("Name".into(), "two".into())]
    );
    assert_eq!(list(vec![filter("resource-type", &["vpc"])]).len(), 3);
    assert_eq!(list(vec![filter("tag:Team", &["net"])]).len(), 1);

    let remove = |tags: Vec<Tag>| {
        let input = DeleteTagsRequest { resources: vec![id.clone()], tags, ..Default::default() };
        world.control.delete_tags(&caller(), input).unwrap();
        list(vec![]).into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(remove(vec![tag("Name", "one")]), ["Empty", "Name", "Team"]);
    assert_eq!(remove(vec![tag("Name", "two")]), ["Empty", "Team"]);
    assert_eq!(remove(vec![Tag { key: some("Team"), value: None }]), ["Empty"]);
    assert_eq!(remove(vec![]), Vec::<String>::new());
    refused(world.tag("tgw-12345678", "a", "b"), "InvalidID", "The ID 'tgw-12345678' is not valid");
    refused(world.tag("", "a", "b"), "InvalidID", "The ID '' is not valid");
}

#[test]
fn every_kind_of_resource_takes_tags() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    let subnet = world.subnet(&vpc, "10.0.0.0/24");
    let group = world.group(&vpc, "web");
    let interface = world.create_interface(&subnet).unwrap().network_interface_id.unwrap();
    let gateway = world.gateway(&vpc);
    let (address, _) = world.address();
    let input = CreateNatGatewayRequest {
        subnet_id: some(&subnet),
        connectivity_type: some("private"),
        ..Default::default()
    };
    let nat = world.control.create_nat_gateway(&caller(), input).unwrap().nat_gateway.unwrap();
    let input = CreateEgressOnlyInternetGatewayRequest { vpc_id: some(&vpc), ..Default::default() };
    world.control.create_egress_only_internet_gateway(&caller(), input).unwrap();
    let state = world.store.snapshot();
    let mut ids = vec![vpc, subnet, group, interface, gateway, address, nat.nat_gateway_id.unwrap()];
    ids.extend(state.egress_only_gateways.keys().next().map(ToString::to_string));
    ids.extend(state.dhcp_options.keys().next().map(ToString::to_string));
    ids.extend(state.security_group_rules.keys().next().map(ToString::to_string));
    ids.extend(state.route_tables.keys().next().map(ToString::to_string));
    ids.extend(state.network_acls.keys().next().map(ToString::to_string));
    for id in &ids {
        world.tag(id, "Name", "mine").unwrap();
    }
    let tags = world.control.describe_tags(&caller(), DescribeTagsRequest::default()).unwrap().tags;
    let mut tagged: Vec<_> = tags.into_iter().map(|tag| tag.resource_id.unwrap()).collect();
    tagged.sort();
    ids.sort();
    assert_eq!(tagged, ids);
}

#[test]
fn lists_come_in_pages() {
    let world = World::new();
    let mut made: Vec<_> = (0..11).map(|_| world.vpc("10.0.0.0/16")).collect();
    made.push(world.default_vpc());
    made.sort();
    let page = |token: Option<String>| {
        let input = DescribeVpcsRequest { max_results: Some(5), next_token: token, ..Default::default() };
        let answer = world.control.describe_vpcs(&caller(), input).unwrap();
        (answer.vpcs.into_iter().map(|vpc| vpc.vpc_id.unwrap()).collect::<Vec<_>>(), answer.next_token)
    };
    let (mut seen, token) = page(None);
    let (second, token) = page(token);
    // What is deleted between pages shifts nothing.
    let seen_already = made[..10].iter().rev().find(|id| **id != world.default_vpc());
    let input = DeleteVpcRequest { vpc_id: seen_already.cloned(), dry_run: None };
    world.control.delete_vpc(&caller(), input).unwrap();
    let (third, token) = page(token);
    seen.extend(second);
    seen.extend(third);
    assert_eq!(seen, made);
    assert_eq!(token, None);

    let ask = |max_results, next_token| {
        let input = DescribeVpcsRequest { max_results, next_token, ..Default::default() };
        world.control.describe_vpcs(&caller(), input)
    };
    refused(ask(Some(4), None), "InvalidParameterValue", "Expecting a value greater than 5.");
    refused(ask(None, some("abc")), "InvalidNextToken", "abc");
    let input = DescribeNetworkInterfacesRequest {
        network_interface_ids: vec!["eni-12345678".into()],
        max_results: Some(5),
        ..Default::default()
    };
    let answer = world.control.describe_network_interfaces(&caller(), input);
    refused(answer, "InvalidParameterCombination", "maxResults");
}

#[test]
fn filters_are_checked() {
    let world = World::new();
    let vpc = world.vpc("10.0.0.0/16");
    world.tag(&vpc, "Name", "a*b").unwrap();
    let find = |filters: Vec<Filter>| {
        let input = DescribeVpcsRequest { filters, ..Default::default() };
        world.control.describe_vpcs(&caller(), input).map(|answer| answer.vpcs.len())
    };
    assert_eq!(find(vec![filter("isDefault", &["false"])]), Ok(1));
    assert_eq!(find(vec![filter("cidr", &["10.0.0.0/16"])]), Ok(1));
    assert_eq!(find(vec![filter("state", &["pending", "available"])]), Ok(2));
    assert_eq!(find(vec![filter("tag:Name", &["a\\*b"])]), Ok(1));
    assert_eq!(find(vec![filter("tag:Name", &["a?c"])]), Ok(0));
    assert_eq!(find(vec![filter("tag-key", &["N*"]), filter("vpc-id", &[&vpc])]), Ok(1));
    assert_eq!(find(vec![filter("tag-key", &["name"])]), Ok(0));
    refused(
        find(vec![filter("colour", &["red"])]),
        "InvalidParameterValue",
        "The filter 'colour' is invalid",
    );
    refused(find(vec![filter("state", &["x"; 201])]), "FilterLimitExceeded", "200");
    assert_eq!(find(vec![filter("state", &[])]), Ok(0));
}

#[test]
fn callers_are_told_who_they_are() {
    let world = World::new();
    let answer = world.control.get_caller_identity(&caller(), GetCallerIdentityRequest {}).unwrap();
    assert_eq!(answer.account.as_deref(), Some("111111111111"));
    assert_eq!(answer.arn.as_deref(), Some("arn:aws:iam::111111111111:root"));
    assert_eq!(answer.user_id.as_deref(), Some("111111111111"));
}
