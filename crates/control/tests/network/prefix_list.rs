//! Managed prefix lists, and rules that refer to them.

use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, caller_of, filter, range, refused, some, tag};

fn entry(cidr: &str, description: &str) -> AddPrefixListEntry {
    AddPrefixListEntry { cidr: some(cidr), description: some(description) }
}

fn create(world: &World, most: i32, cidrs: &[&str]) -> Result<ManagedPrefixList, ApiError> {
    let input = CreateManagedPrefixListRequest {
        prefix_list_name: some("offices"),
        address_family: some("IPv4"),
        max_entries: Some(most),
        entries: cidrs.iter().map(|cidr| entry(cidr, "")).collect(),
        ..Default::default()
    };
    Ok(world.control.create_managed_prefix_list(&caller(), input)?.prefix_list.unwrap())
}

/// The packet path has followed, and reconcilers have seen it.
fn settle(world: &World) {
    world.control.advance(world.store.snapshot().revision, *world.clock.lock().unwrap());
}

/// A list's id, complete.
fn made(world: &World, most: i32, cidrs: &[&str]) -> String {
    let id = create(world, most, cidrs).unwrap().prefix_list_id.unwrap();
    settle(world);
    id
}

fn show(world: &World, id: &str) -> ManagedPrefixList {
    let input = DescribeManagedPrefixListsRequest { prefix_list_ids: vec![id.into()], ..Default::default() };
    world.control.describe_managed_prefix_lists(&caller(), input).unwrap().prefix_lists.remove(0)
}

fn state(world: &World, id: &str) -> String {
    show(world, id).state.unwrap()
}

fn cidrs(world: &World, id: &str, target_version: Option<i64>) -> Vec<String> {
    let prefix_list_id = some(id);
    let input = GetManagedPrefixListEntriesRequest { prefix_list_id, target_version, ..Default::default() };
    let entries = world.control.get_managed_prefix_list_entries(&caller(), input).unwrap().entries;
    entries.into_iter().map(|entry| entry.cidr.unwrap()).collect()
}

fn modify(
    world: &World,
    id: &str,
    change: impl FnOnce(&mut ModifyManagedPrefixListRequest),
) -> Result<ManagedPrefixList, ApiError> {
    let mut input = ModifyManagedPrefixListRequest { prefix_list_id: some(id), ..Default::default() };
    change(&mut input);
    Ok(world.control.modify_managed_prefix_list(&caller(), input)?.prefix_list.unwrap())
}

fn add(world: &World, id: &str, cidr: &str, version: i64) -> Result<ManagedPrefixList, ApiError> {
    modify(world, id, |input| {
        input.add_entries = vec![entry(cidr, "new")];
        input.current_version = Some(version);
    })
}

fn towards(list: &str) -> IpPermission {
    IpPermission {
        ip_ranges: vec![],
        prefix_list_ids: vec![PrefixListId { prefix_list_id: some(list), description: some("offices") }],
        ..range("tcp", Some((443, 443)), "10.0.0.0/8")
    }
}

fn delete(world: &World, id: &str) -> Result<ManagedPrefixList, ApiError> {
    let input = DeleteManagedPrefixListRequest { prefix_list_id: some(id), ..Default::default() };
    Ok(world.control.delete_managed_prefix_list(&caller(), input)?.prefix_list.unwrap())
}

#[test]
fn a_list_is_made_and_complete_once_packets_follow() {
    let world = World::new();
    let made = create(&world, 3, &["10.1.0.0/16", "10.2.3.4/16"]).unwrap();
    assert_eq!(made.state.as_deref(), Some("create-in-progress"));
    assert_eq!((made.version, made.max_entries), (Some(1), Some(3)));
    let id = made.prefix_list_id.unwrap();
    assert_eq!(made.prefix_list_arn, Some(format!("arn:aws:ec2:us-east-1:111111111111:prefix-list/{id}")));
    world.control.advance(0, *world.clock.lock().unwrap());
    assert_eq!(state(&world, &id), "create-in-progress");
    refused(add(&world, &id, "10.3.0.0/16", 1), "IncorrectState", "create-in-progress");
    settle(&world);
    assert_eq!(state(&world, &id), "create-complete");
    assert_eq!(cidrs(&world, &id, None), ["10.1.0.0/16", "10.2.0.0/16"]);
    world.tag(&id, "Name", "mine").unwrap();
    assert_eq!(show(&world, &id).tags, [tag("Name", "mine")]);
}

#[test]
fn what_no_list_can_be_is_refused() {
    let world = World::new();
    let most = "Must specify a max size between 1 and 1000";
    refused(create(&world, 0, &[]), "InvalidParameterValue", most);
    refused(create(&world, 1001, &[]), "InvalidParameterValue", most);
    let words = "You've reached the maximum number of entries for the prefix list.";
    refused(create(&world, 1, &["10.0.0.0/16", "10.1.0.0/16"]), "PrefixListMaxEntriesExceeded", words);
    refused(create(&world, 2, &["10.0.0.0/16", "10.0.1.0/16"]), "InvalidParameterValue", "more than once");
    refused(create(&world, 2, &["10.0.0.0"]), "InvalidParameterValue", "The CIDR '10.0.0.0' is invalid.");
    refused(create(&world, 2, &["fd00::/8"]), "InvalidParameterValue", "not of the address family IPv4");
    let named = |name: Option<String>, family: Option<String>| {
        let input = CreateManagedPrefixListRequest {
            prefix_list_name: name,
            address_family: family,
            max_entries: Some(1),
            ..Default::default()
        };
        world.control.create_managed_prefix_list(&caller(), input)
    };
    let no_id = ModifyManagedPrefixListRequest { prefix_list_id: some("pl-x"), ..Default::default() };
    refused(
        world.control.modify_managed_prefix_list(&caller(), no_id),
        "InvalidPrefixListId.Malformed",
        "pl-x",
    );
    refused(named(None, some("IPv4")), "MissingParameter", "PrefixListName");
    refused(named(some("a"), None), "MissingParameter", "AddressFamily");
    refused(named(some("a"), some("?")), "InvalidParameterValue", "AddressFamily");
    refused(named(some("com.amazonaws.x"), some("IPv4")), "InvalidParameterValue", "com.amazonaws");
    assert!(world.store.snapshot().prefix_lists.is_empty());
}

#[test]
fn a_token_makes_one_list() {
    let world = World::new();
    let ask = |name: &str| {
        let input = CreateManagedPrefixListRequest {
            prefix_list_name: some(name),
            address_family: some("IPv6"),
            max_entries: Some(1),
            client_token: some("once"),
            ..Default::default()
        };
        world.control.create_managed_prefix_list(&caller(), input).map(|answer| answer.prefix_list.unwrap())
    };
    assert_eq!(ask("a").unwrap().prefix_list_id, ask("a").unwrap().prefix_list_id);
    refused(ask("b"), "IdempotentParameterMismatch", "");
}

#[test]
fn changes_are_versions() {
    let world = World::new();
    let id = made(&world, 3, &["10.1.0.0/16"]);
    let changing = add(&world, &id, "10.2.0.0/16", 1).unwrap();
    assert_eq!((changing.version, changing.state.as_deref()), (Some(1), Some("modify-in-progress")));
    settle(&world);
    assert_eq!((show(&world, &id).version, state(&world, &id).as_str()), (Some(2), "modify-complete"));
    let words = "The prefix list has the incorrect version number.";
    refused(add(&world, &id, "10.3.0.0/16", 1), "PrefixListVersionMismatch", words);
    let both = modify(&world, &id, |input| {
        input.add_entries = vec![entry("10.2.0.0/16", "other")];
        input.remove_entries = vec![RemovePrefixListEntry { cidr: some("10.2.0.0/16") }];
    });
    refused(both, "InvalidParameterValue", "Request cannot contain Cidr 10.2.0.0/16 in both");
    let again = "An entry with the CIDR (10.2.0.0/16) and description (new) already exists.";
    refused(add(&world, &id, "10.2.0.0/16", 2), "InvalidPrefixListModification", again);
    let sized = modify(&world, &id, |input| {
        input.add_entries = vec![entry("10.3.0.0/16", "")];
        input.max_entries = Some(9);
    });
    let words = "You cannot modify the entries and the maximum entries";
    refused(sized, "InvalidParameterCombination", words);
    refused(modify(&world, &id, |i| i.max_entries = Some(1)), "PrefixListMaxEntriesExceeded", "");

    modify(&world, &id, |input| {
        input.remove_entries = vec![RemovePrefixListEntry { cidr: some("10.1.0.0/16") }];
    })
    .unwrap();
    settle(&world);
    assert_eq!(cidrs(&world, &id, None), ["10.2.0.0/16"]);
    assert_eq!(cidrs(&world, &id, Some(1)), ["10.1.0.0/16"]);
    let restore = |previous, current| {
        let input = RestoreManagedPrefixListVersionRequest {
            prefix_list_id: some(&id),
            previous_version: Some(previous),
            current_version: Some(current),
            ..Default::default()
        };
        world.control.restore_managed_prefix_list_version(&caller(), input)
    };
    refused(restore(1, 2), "PrefixListVersionMismatch", "");
    refused(restore(7, 3), "InvalidParameterValue", "no version 7");
    restore(1, 3).unwrap();
    settle(&world);
    assert_eq!(cidrs(&world, &id, None), ["10.1.0.0/16"]);
    assert_eq!((show(&world, &id).version, state(&world, &id).as_str()), (Some(4), "restore-complete"));
    // Another name is no new version.
    modify(&world, &id, |input| input.prefix_list_name = some("homes")).unwrap();
    settle(&world);
    assert_eq!((show(&world, &id).version, show(&world, &id).prefix_list_name), (Some(4), some("homes")));
}

#[test]
fn entries_come_in_pages() {
    let world = World::new();
    let all: Vec<_> = (0..12).map(|n| format!("10.{n}.0.0/16")).collect();
    let id = made(&world, 20, &all.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut seen, mut token) = (Vec::new(), None);
    for _ in 0..3 {
        let input = GetManagedPrefixListEntriesRequest {
            prefix_list_id: some(&id),
            max_results: Some(5),
            next_token: token,
            ..Default::default()
        };
        let answer = world.control.get_managed_prefix_list_entries(&caller(), input).unwrap();
        seen.extend(answer.entries.into_iter().map(|entry| entry.cidr.unwrap()));
        token = answer.next_token;
    }
    assert_eq!((seen, token), (all, None));
}

#[test]
fn a_rule_refers_to_a_list_and_counts_as_its_size() {
    let world = World::new();
    let group = world.group(&world.vpc("10.0.0.0/16"), "web");
    let id = made(&world, 59, &["10.1.0.0/16"]);
    let rule = world.allow_in(&group, vec![towards(&id)]).unwrap().security_group_rules.remove(0);
    assert_eq!(rule.prefix_list_id.as_deref(), Some(id.as_str()));
    assert_eq!(world.describe_group(&group).ip_permissions, [towards(&id)]);
    refused(world.allow_in(&group, vec![towards(&id)]), "InvalidPermission.Duplicate", &id);
    let more = ["10.8.0.0/16", "10.9.0.0/16"].map(|cidr| range("tcp", Some((80, 80)), cidr));
    let words = "The maximum number of rules per security group has been reached.";
    refused(world.allow_in(&group, more.to_vec()), "RulesPerSecurityGroupLimitExceeded", words);
    world.allow_in(&group, vec![more[0].clone()]).unwrap();

    let input = GetManagedPrefixListAssociationsRequest { prefix_list_id: some(&id), ..Default::default() };
    let found = world.control.get_managed_prefix_list_associations(&caller(), input).unwrap();
    assert_eq!(found.prefix_list_associations[0].resource_id.as_deref(), Some(group.as_str()));
    let input = DescribeSecurityGroupsRequest {
        filters: vec![filter("ip-permission.prefix-list-id", &[&id])],
        ..Default::default()
    };
    assert_eq!(world.control.describe_security_groups(&caller(), input).unwrap().security_groups.len(), 1);

    // The group has no room for a larger list: the change fails, as the deletion of a list that is in use does.
    modify(&world, &id, |input| input.max_entries = Some(60)).unwrap();
    assert_eq!((state(&world, &id).as_str(), show(&world, &id).max_entries), ("modify-failed", Some(59)));
    assert!(show(&world, &id).state_message.unwrap().contains(&group));
    assert_eq!(delete(&world, &id).unwrap().state.as_deref(), Some("delete-in-progress"));
    assert_eq!(state(&world, &id), "delete-failed");

    let input = RevokeSecurityGroupIngressRequest {
        group_id: some(&group),
        ip_permissions: vec![towards(&id)],
        ..Default::default()
    };
    let gone = world.control.revoke_security_group_ingress(&caller(), input).unwrap();
    assert_eq!(gone.revoked_security_group_rules[0].prefix_list_id.as_deref(), Some(id.as_str()));
    delete(&world, &id).unwrap();
    assert_eq!(state(&world, &id), "delete-complete");
    refused(world.allow_in(&group, vec![towards(&id)]), "InvalidPrefixListID.NotFound", &id);
    *world.clock.lock().unwrap() += jiff::SignedDuration::from_secs(61);
    settle(&world);
    refused(
        delete(&world, &id),
        "InvalidPrefixListID.NotFound",
        &format!("The prefix list ID '{id}' does not exist"),
    );
}

#[test]
fn a_rule_changes_from_list_to_list() {
    let world = World::new();
    let group = world.group(&world.vpc("10.0.0.0/16"), "web");
    let (first, second) = (made(&world, 2, &[]), made(&world, 2, &[]));
    let rule = world.allow_in(&group, vec![towards(&first)]).unwrap().security_group_rules.remove(0);
    let change = |list: Option<String>, cidr_ipv4: Option<String>| {
        let request = SecurityGroupRuleRequest {
            ip_protocol: some("tcp"),
            from_port: Some(1),
            to_port: Some(2),
            prefix_list_id: list,
            cidr_ipv4,
            ..Default::default()
        };
        let input = ModifySecurityGroupRulesRequest {
            group_id: some(&group),
            security_group_rules: vec![SecurityGroupRuleUpdate {
                security_group_rule: Some(request),
                security_group_rule_id: rule.security_group_rule_id.clone(),
            }],
            ..Default::default()
        };
        world.control.modify_security_group_rules(&caller(), input)
    };
    change(some(&second), None).unwrap();
    assert_eq!(
        world.describe_group(&group).ip_permissions[0].prefix_list_ids[0].prefix_list_id,
        Some(second)
    );
    refused(change(some("pl-12345678"), None), "InvalidPrefixListID.NotFound", "pl-12345678");
    refused(change(None, some("10.0.0.0/8")), "InvalidParameterValue", "cannot be changed");
}

#[test]
fn awss_own_lists_are_there_and_nobodys_to_change() {
    let world = World::new();
    let find = |region: &str, filters: Vec<Filter>| {
        let input = DescribePrefixListsRequest { filters, ..Default::default() };
        let caller = caller_of("111111111111", region);
        world.control.describe_prefix_lists(&caller, input).unwrap().prefix_lists
    };
    let own = made(&world, 1, &[]);
    for region in ["us-east-1", "eu-west-1"] {
        let s3 = format!("com.amazonaws.{region}.s3");
        let found = find(region, vec![filter("prefix-list-name", &[&s3])]);
        assert_eq!(found.len(), 1);
        assert!(found[0].cidrs.contains(&"52.216.0.0/15".to_owned()));
        assert_eq!(find(region, vec![]).len(), 2);
    }
    let service = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0";
    assert!(find("us-east-1", vec![filter("prefix-list-name", &[service])]).is_empty());
    let input = DescribePrefixListsRequest { prefix_list_ids: vec![own.clone()], ..Default::default() };
    refused(world.control.describe_prefix_lists(&caller(), input), "InvalidPrefixListId.NotFound", &own);

    let of = |owner: &str| {
        let filters = vec![filter("owner-id", &[owner])];
        let input = DescribeManagedPrefixListsRequest { filters, ..Default::default() };
        world.control.describe_managed_prefix_lists(&caller(), input).unwrap().prefix_lists
    };
    assert_eq!(of("111111111111")[0].prefix_list_id.as_deref(), Some(own.as_str()));
    let aws = of("AWS");
    assert_eq!((aws.len(), aws[1].prefix_list_id.as_deref()), (2, Some("pl-63a5400a")));
    assert_eq!((aws[1].version, aws[1].max_entries), (None, None));
    assert!(cidrs(&world, "pl-63a5400a", None).contains(&"54.231.0.0/16".to_owned()));
    refused(delete(&world, "pl-63a5400a"), "OperationNotPermitted", "managed by AWS");
    refused(modify(&world, "pl-63a5400a", |_| ()), "OperationNotPermitted", "managed by AWS");
    let group = world.group(&world.vpc("10.0.0.0/16"), "web");
    world.allow_in(&group, vec![towards("pl-63a5400a")]).unwrap();
}

#[test]
fn other_accounts_do_not_see_a_list() {
    let world = World::new();
    let id = made(&world, 1, &[]);
    let other = caller_of("222222222222", "us-east-1");
    let list = world.control.describe_managed_prefix_lists(&other, Default::default()).unwrap();
    assert!(list.prefix_lists.iter().all(|list| list.owner_id.as_deref() == Some("AWS")));
    let input = DeleteManagedPrefixListRequest { prefix_list_id: Some(id.clone()), ..Default::default() };
    refused(world.control.delete_managed_prefix_list(&other, input), "InvalidPrefixListID.NotFound", &id);
}
