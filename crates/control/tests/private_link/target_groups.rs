//! Target groups.

use linkway_control::Caller;
use linkway_wire::elbv2::*;

use crate::world::{World, consumer, group_input, provider, refusal, text};

fn create(world: &World, input: CreateTargetGroupInput) -> Result<TargetGroup, linkway_wire::ApiError> {
    Ok(world.control.create_target_group(&provider(), input)?.target_groups.remove(0))
}

#[test]
fn a_group_has_aws_defaults() {
    let world = World::new();
    let (vpc, _) = world.network(&provider(), "a");
    let group =
        create(&world, CreateTargetGroupInput { target_type: None, ..group_input("db", &vpc, "") }).unwrap();
    assert_eq!(group.target_type.as_deref(), Some("instance"));
    assert_eq!((group.protocol.as_deref(), group.port), (Some("TCP"), Some(5432)));
    assert_eq!(group.health_check_protocol.as_deref(), Some("TCP"));
    assert_eq!(group.health_check_port.as_deref(), Some("traffic-port"));
    assert_eq!(
        (group.health_check_interval_seconds, group.health_check_timeout_seconds),
        (Some(30), Some(10))
    );
    assert_eq!((group.healthy_threshold_count, group.unhealthy_threshold_count), (Some(5), Some(2)));
    assert_eq!((group.health_check_path, group.matcher), (None, None));
    assert_eq!(group.load_balancer_arns, Vec::<String>::new());

    let http =
        CreateTargetGroupInput { health_check_protocol: text("HTTP"), ..group_input("web", &vpc, "ip") };
    let group = create(&world, http).unwrap();
    assert_eq!(group.health_check_path.as_deref(), Some("/"));
    assert_eq!(group.matcher.unwrap().http_code.as_deref(), Some("200-399"));
    assert_eq!(group.health_check_timeout_seconds, Some(6));

    let https =
        CreateTargetGroupInput { health_check_protocol: text("HTTPS"), ..group_input("safe", &vpc, "ip") };
    let group = create(&world, https).unwrap();
    assert_eq!(group.health_check_protocol.as_deref(), Some("HTTPS"));
    assert_eq!(group.health_check_path.as_deref(), Some("/"));
    assert_eq!(group.health_check_timeout_seconds, Some(10));
}

#[test]
fn names_are_checked() {
    let world = World::new();
    let (vpc, _) = world.network(&provider(), "a");
    let refused = |name: &str| refusal(create(&world, group_input(name, &vpc, "ip")));
    let long = "g".repeat(33);
    for (name, why) in [
        (long.as_str(), "cannot be longer than '32' characters"),
        ("under_score", "can only contain characters that are alphanumeric characters or hyphens(-)"),
        ("-db", "cannot begin or end with a hyphen(-)"),
    ] {
        assert_eq!(refused(name), ("ValidationError".into(), format!("Target group name '{name}' {why}")));
    }
}

#[test]
fn what_a_group_cannot_be() {
    let world = World::new();
    let (vpc, _) = world.network(&provider(), "a");
    let refused = |input| refusal(create(&world, input));
    let usual = || group_input("db", &vpc, "ip");
    for input in [
        CreateTargetGroupInput { name: text("db-"), ..usual() },
        CreateTargetGroupInput { protocol: None, ..usual() },
        CreateTargetGroupInput { protocol: text("HTTP"), ..usual() },
        CreateTargetGroupInput { protocol: text("QUIC"), ..usual() },
        CreateTargetGroupInput { port: None, ..usual() },
        CreateTargetGroupInput { port: Some(0), ..usual() },
        CreateTargetGroupInput { vpc_id: None, ..usual() },
        CreateTargetGroupInput { target_type: text("lambda"), ..usual() },
        CreateTargetGroupInput { ip_address_type: text("dualstack"), ..usual() },
        CreateTargetGroupInput { health_check_enabled: Some(false), ..usual() },
        CreateTargetGroupInput { health_check_interval_seconds: Some(301), ..usual() },
    ] {
        assert_eq!(refused(input.clone()).0, "ValidationError", "{input:?}");
    }
    assert_eq!(
        refused(group_input("db", "vpc-00000000000000000", "ip")).1,
        "The VPC ID 'vpc-00000000000000000' is not found"
    );
}

#[test]
fn a_name_is_one_group() {
    let world = World::new();
    let (vpc, _) = world.network(&provider(), "a");
    let arn = world.target_group(&provider(), "db", &vpc, "ip");
    assert_eq!(world.target_group(&provider(), "db", &vpc, "ip"), arn);
    assert_eq!(
        refusal(create(&world, group_input("db", &vpc, "instance"))),
        (
            "DuplicateTargetGroupName".into(),
            "A target group with the same name 'db' exists, but with different settings".into()
        )
    );
}

#[test]
fn groups_are_found_by_arn_name_and_balancer() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "a");
    let balancer = world.balancer(&provider(), "db", &subnets);
    let group = world.target_group(&provider(), "db", &vpc, "ip");
    world.target_group(&provider(), "web", &vpc, "ip");
    world.listener(&provider(), &balancer, 5432, &group);
    let find = |caller: &Caller, input| {
        world.control.describe_target_groups(caller, input).map(|found| found.target_groups)
    };
    let by_balancer =
        || DescribeTargetGroupsInput { load_balancer_arn: text(&balancer), ..Default::default() };
    let by_name =
        |name: &str| DescribeTargetGroupsInput { names: vec![name.to_owned()], ..Default::default() };
    let found = find(&provider(), by_balancer()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].target_group_arn.as_ref(), Some(&group));
    assert_eq!(found[0].load_balancer_arns, std::slice::from_ref(&balancer));
    assert_eq!(find(&provider(), by_name("web")).unwrap().len(), 1);
    assert_eq!(find(&provider(), DescribeTargetGroupsInput::default()).unwrap().len(), 2);
    assert_eq!(
        refusal(find(&provider(), by_name("none"))),
        ("TargetGroupNotFound".into(), "One or more target groups not found".into())
    );
    assert_eq!(refusal(find(&consumer(), by_balancer())).0, "ValidationError");
    let both = DescribeTargetGroupsInput { names: vec!["db".into()], ..by_balancer() };
    assert_eq!(refusal(find(&provider(), both)).0, "ValidationError");
}

#[test]
fn health_checks_change() {
    let world = World::new();
    let (vpc, _) = world.network(&provider(), "a");
    let arn = world.target_group(&provider(), "db", &vpc, "ip");
    let modify = |input| world.control.modify_target_group(&provider(), input);
    let input = ModifyTargetGroupInput {
        target_group_arn: text(&arn),
        health_check_protocol: text("HTTP"),
        health_check_path: text("/health"),
        health_check_interval_seconds: Some(5),
        health_check_timeout_seconds: Some(2),
        ..Default::default()
    };
    let group = modify(input).unwrap().target_groups.remove(0);
    assert_eq!(group.health_check_path.as_deref(), Some("/health"));
    assert_eq!(group.healthy_threshold_count, Some(5));
    let slow = ModifyTargetGroupInput {
        target_group_arn: text(&arn),
        health_check_timeout_seconds: Some(6),
        ..Default::default()
    };
    let words = "Health check timeout '6' must be smaller than or equal to the interval '5'";
    assert_eq!(refusal(modify(slow)).1, words);
}

#[test]
fn a_group_in_use_stays() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "a");
    let balancer = world.balancer(&provider(), "db", &subnets);
    let group = world.target_group(&provider(), "db", &vpc, "ip");
    let listener = world.listener(&provider(), &balancer, 5432, &group);
    let delete = || {
        let input = DeleteTargetGroupInput { target_group_arn: text(&group) };
        world.control.delete_target_group(&provider(), input)
    };
    assert_eq!(
        refusal(delete()),
        (
            "ResourceInUse".into(),
            format!("Target group '{group}' is currently in use by a listener or a rule")
        )
    );
    let input = DeleteListenerInput { listener_arn: Some(listener) };
    world.control.delete_listener(&provider(), input).unwrap();
    delete().unwrap();
    delete().unwrap();
    assert!(world.store.snapshot().target_groups.is_empty());
}

#[test]
fn attributes_have_aws_defaults() {
    let world = World::new();
    let (vpc, _) = world.network(&provider(), "a");
    let by_ip = world.target_group(&provider(), "ip", &vpc, "ip");
    let by_instance = world.target_group(&provider(), "instance", &vpc, "instance");
    let get = |group: &str, key: &str| {
        let input = DescribeTargetGroupAttributesInput { target_group_arn: text(group) };
        let all = world.control.describe_target_group_attributes(&provider(), input).unwrap().attributes;
        all.into_iter().find(|one| one.key.as_deref() == Some(key)).unwrap().value.unwrap()
    };
    assert_eq!(get(&by_ip, "deregistration_delay.timeout_seconds"), "300");
    assert_eq!(get(&by_ip, "preserve_client_ip.enabled"), "false");
    assert_eq!(get(&by_instance, "preserve_client_ip.enabled"), "true");
    world.set_group_attribute(&provider(), &by_ip, "deregistration_delay.timeout_seconds", "5");
    assert_eq!(get(&by_ip, "deregistration_delay.timeout_seconds"), "5");
    for value in ["true", "false"] {
        world.set_group_attribute(&provider(), &by_ip, "proxy_protocol_v2.enabled", value);
        assert_eq!(get(&by_ip, "proxy_protocol_v2.enabled"), value);
    }
    for value in ["true", "false", "use_load_balancer_configuration"] {
        world.set_group_attribute(&provider(), &by_ip, "load_balancing.cross_zone.enabled", value);
        assert_eq!(get(&by_ip, "load_balancing.cross_zone.enabled"), value);
    }
    let datagrams = world.datagram_group(&provider(), "datagrams", &vpc);
    let set_of = |group: &str, key: &str, value: &str| {
        let attributes = vec![TargetGroupAttribute { key: text(key), value: text(value) }];
        let input = ModifyTargetGroupAttributesInput { attributes, target_group_arn: text(group) };
        refusal(world.control.modify_target_group_attributes(&provider(), input))
    };
    let set = |key: &str, value: &str| set_of(&by_ip, key, value);
    assert_eq!(set_of(&datagrams, "proxy_protocol_v2.enabled", "true").0, "ValidationError");
    assert_eq!(set("deregistration_delay.timeout_seconds", "3601").0, "ValidationError");
    assert_eq!(set("proxy_protocol_v2.enabled", "yes").0, "ValidationError");
    assert_eq!(set("load_balancing.cross_zone.enabled", "yes").0, "ValidationError");
    assert_eq!(set("slow_start.duration_seconds", "30").0, "ValidationError");
}
