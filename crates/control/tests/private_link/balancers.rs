//! Network Load Balancers.

use linkway_control::Caller;
use linkway_wire::elbv2::*;

use crate::world::{REGION, World, balancer_input, consumer, provider, refusal, text};

fn described(world: &World, arn: &str) -> LoadBalancer {
    let input = DescribeLoadBalancersInput { load_balancer_arns: vec![arn.to_owned()], ..Default::default() };
    world.control.describe_load_balancers(&provider(), input).unwrap().load_balancers.remove(0)
}

fn delete(world: &World, arn: &str) -> Result<(), linkway_wire::ApiError> {
    let input = DeleteLoadBalancerInput { load_balancer_arn: text(arn) };
    world.control.delete_load_balancer(&provider(), input).map(|_| ())
}

#[test]
fn a_balancer_has_the_shape_that_aws_gives_it() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "ab");
    let input = CreateLoadBalancerInput {
        subnets: Vec::new(),
        subnet_mappings: vec![
            SubnetMapping { subnet_id: text(&subnets[0]), ..Default::default() },
            SubnetMapping {
                subnet_id: text(&subnets[1]),
                private_ipv4_address: text("10.0.1.50"),
                ..Default::default()
            },
        ],
        ..balancer_input("db", &[])
    };
    let balancer = world.control.create_load_balancer(&provider(), input).unwrap().load_balancers.remove(0);
    let arn = balancer.load_balancer_arn.clone().unwrap();
    let prefix = format!("arn:aws:elasticloadbalancing:{REGION}:111111111111:loadbalancer/");
    let path = arn.strip_prefix(&prefix).unwrap();
    let id = path.strip_prefix("net/db/").unwrap();
    assert_eq!(id.len(), 16);
    assert_eq!(balancer.dns_name, Some(format!("db-{id}.elb.{REGION}.amazonaws.com")));
    assert_eq!(balancer.canonical_hosted_zone_id.as_deref(), Some("Z26RNL4JYFTOTI"));
    assert_eq!(balancer.scheme.as_deref(), Some("internal"));
    assert_eq!(balancer.type_.as_deref(), Some("network"));
    assert_eq!(balancer.vpc_id, Some(vpc));
    let zones = &balancer.availability_zones;
    assert_eq!(zones[0].zone_name.as_deref(), Some("us-east-1a"));
    assert_eq!(zones[1].load_balancer_addresses[0].private_ipv4_address.as_deref(), Some("10.0.1.50"));

    let interfaces = world.interfaces(&provider());
    assert_eq!(interfaces.len(), 2);
    for interface in interfaces {
        assert_eq!(interface.description, Some(format!("ELB {path}")));
        assert_eq!(interface.requester_managed, Some(true));
        assert_eq!(interface.groups, []);
    }

    let state = |arn: &str| described(&world, arn).state.unwrap().code.unwrap();
    world.reconcile_unapplied();
    assert_eq!(state(&arn), "provisioning");
    world.settle();
    assert_eq!(state(&arn), "active");
}

#[test]
fn what_a_balancer_cannot_be() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "ab");
    let again = world.subnet(&provider(), &vpc, 10, 'a');
    let (_, elsewhere) = world.network(&provider(), "c");
    let refused = |input| refusal(world.control.create_load_balancer(&provider(), input));
    let named = |name: &str| refused(balancer_input(name, &subnets));
    assert_eq!(
        named("a-name-that-is-longer-than-thirty-two"),
        (
            "ValidationError".into(),
            "The load balancer name 'a-name-that-is-longer-than-thirty-two' cannot be longer than '32' characters"
                .into()
        )
    );
    for bad in ["", "under_score", "-db", "db-", "internal-db"] {
        assert_eq!(named(bad).0, "ValidationError", "{bad}");
    }
    for other in [None, Some("application"), Some("gateway"), Some("classic")] {
        let input =
            CreateLoadBalancerInput { type_: other.map(str::to_owned), ..balancer_input("db", &subnets) };
        assert_eq!(refused(input).0, "ValidationError", "{other:?}");
    }
    let scheme = CreateLoadBalancerInput { scheme: text("public"), ..balancer_input("db", &subnets) };
    assert_eq!(refused(scheme).0, "InvalidScheme");
    assert_eq!(
        refused(balancer_input("db", &[])),
        ("ValidationError".into(), "At least one subnet must be specified".into())
    );
    assert_eq!(
        refused(balancer_input("db", &[subnets[0].clone(), again])),
        (
            "InvalidConfigurationRequest".into(),
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone".into()
        )
    );
    let two = [subnets[0].clone(), elsewhere[0].clone()];
    assert_eq!(refused(balancer_input("db", &two)).0, "InvalidConfigurationRequest");
    let missing = ["subnet-00000000000000000".to_owned()];
    assert_eq!(
        refused(balancer_input("db", &missing)),
        ("SubnetNotFound".into(), format!("The subnet ID '{}' does not exist", missing[0]))
    );
    let grouped = CreateLoadBalancerInput {
        security_groups: vec!["sg-00000000000000000".into()],
        ..balancer_input("db", &subnets)
    };
    assert_eq!(refused(grouped).0, "InvalidSecurityGroup");
    let at = |address: &str, scheme: &str| CreateLoadBalancerInput {
        scheme: text(scheme),
        subnets: Vec::new(),
        subnet_mappings: vec![SubnetMapping {
            subnet_id: text(&subnets[0]),
            private_ipv4_address: text(address),
            ..Default::default()
        }],
        ..balancer_input("db", &[])
    };
    assert_eq!(refused(at("10.0.9.9", "internal")).0, "InvalidConfigurationRequest");
    assert_eq!(refused(at("10.0.0.9", "internet-facing")).0, "ValidationError");
    assert_eq!(world.interfaces(&provider()).len(), 0);
}

#[test]
fn a_name_is_one_balancer() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "ab");
    let arn = world.balancer(&provider(), "db", &subnets);
    // The same settings: the same balancer.
    assert_eq!(world.balancer(&provider(), "db", &subnets), arn);
    assert_eq!(
        refusal(world.control.create_load_balancer(&provider(), balancer_input("db", &subnets[..1]))),
        (
            "DuplicateLoadBalancerName".into(),
            "A load balancer with the same name 'db' exists, but with different settings".into()
        )
    );
    let (_, others) = world.network(&consumer(), "a");
    assert_ne!(world.balancer(&consumer(), "db", &others), arn);
}

#[test]
fn balancers_are_found_by_arn_and_by_name() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "ab");
    let arn = world.balancer(&provider(), "db", &subnets);
    world.balancer(&provider(), "web", &subnets);
    let find = |caller: &Caller, names: &[&str], arns: &[&str]| {
        let all = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        let input = DescribeLoadBalancersInput {
            names: all(names),
            load_balancer_arns: all(arns),
            ..Default::default()
        };
        world.control.describe_load_balancers(caller, input).map(|found| found.load_balancers.len())
    };
    assert_eq!(find(&provider(), &[], &[]), Ok(2));
    assert_eq!(find(&provider(), &["db"], &[]), Ok(1));
    assert_eq!(find(&provider(), &[], &[&arn]), Ok(1));
    assert_eq!(find(&consumer(), &[], &[]), Ok(0));
    assert_eq!(
        refusal(find(&provider(), &["none"], &[])),
        ("LoadBalancerNotFound".into(), "Load balancers '[none]' not found".into())
    );
    let missing = format!("{arn}0");
    assert_eq!(
        refusal(find(&provider(), &[], &[&missing])),
        ("LoadBalancerNotFound".into(), format!("Load balancers '[{missing}]' not found"))
    );
    // Another account's is not so much missing as malformed.
    assert_eq!(
        refusal(find(&consumer(), &[], &[&arn])),
        ("ValidationError".into(), format!("'{arn}' is not a valid load balancer ARN"))
    );
    assert_eq!(
        refusal(find(&provider(), &[], &["db"])),
        ("ValidationError".into(), "'db' is not a valid load balancer ARN".into())
    );

    let page = |marker: Option<String>| {
        let input = DescribeLoadBalancersInput { page_size: Some(1), marker, ..Default::default() };
        world.control.describe_load_balancers(&provider(), input).unwrap()
    };
    let first = page(None);
    let second = page(first.next_marker.clone());
    assert_eq!((first.load_balancers.len(), second.load_balancers.len()), (1, 1));
    assert_eq!(second.next_marker, None);
    let none = DescribeLoadBalancersInput { page_size: Some(0), ..Default::default() };
    assert_eq!(refusal(world.control.describe_load_balancers(&provider(), none)).0, "ValidationError");
}

#[test]
fn attributes_have_aws_defaults_and_protect_from_deletion() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "a");
    let arn = world.balancer(&provider(), "db", &subnets);
    let set = |key: &str, value: &str| {
        let attributes = vec![LoadBalancerAttribute { key: text(key), value: text(value) }];
        let input = ModifyLoadBalancerAttributesInput { attributes, load_balancer_arn: text(&arn) };
        world.control.modify_load_balancer_attributes(&provider(), input)
    };
    let get = |key: &str| {
        let input = DescribeLoadBalancerAttributesInput { load_balancer_arn: text(&arn) };
        let all = world.control.describe_load_balancer_attributes(&provider(), input).unwrap().attributes;
        all.into_iter().find(|one| one.key.as_deref() == Some(key)).unwrap().value.unwrap()
    };
    assert_eq!(get("load_balancing.cross_zone.enabled"), "false");
    assert_eq!(get("access_logs.s3.bucket"), "");
    set("load_balancing.cross_zone.enabled", "true").unwrap();
    assert_eq!(get("load_balancing.cross_zone.enabled"), "true");
    assert!(world.store.snapshot().load_balancers[arn.as_str()].cross_zone());
    // Terraform looks for these words.
    assert_eq!(
        refusal(set("idle_timeout.timeout_seconds", "60")).1,
        "Load balancer attribute key 'idle_timeout.timeout_seconds' is not supported by load balancers with type \
         'network'"
    );
    assert_eq!(
        refusal(set("colour", "red")),
        ("ValidationError".into(), "Load balancer attribute key 'colour' is not recognized".into())
    );
    assert_eq!(refusal(set("load_balancing.cross_zone.enabled", "yes")).0, "ValidationError");
    assert_eq!(refusal(set("access_logs.s3.enabled", "true")).0, "ValidationError");

    set("deletion_protection.enabled", "true").unwrap();
    assert_eq!(
        refusal(delete(&world, &arn)),
        (
            "OperationNotPermitted".into(),
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled")
        )
    );
    set("deletion_protection.enabled", "false").unwrap();
    delete(&world, &arn).unwrap();
}

#[test]
fn listeners_and_nodes_go_with_their_balancer() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "ab");
    let arn = world.balancer(&provider(), "db", &subnets);
    let group = world.target_group(&provider(), "db", &vpc, "ip");
    world.listener(&provider(), &arn, 5432, &group);
    delete(&world, &arn).unwrap();
    let state = world.store.snapshot();
    assert!(state.listeners.is_empty() && state.load_balancers.is_empty());
    assert!(state.network_interfaces.is_empty());
    assert_eq!(state.target_groups.len(), 1);
    // What is gone is deleted again without an error.
    delete(&world, &arn).unwrap();
    assert_eq!(refusal(delete(&world, "db")).0, "ValidationError");
}

#[test]
fn everything_can_be_tagged() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "a");
    let balancer = world.balancer(&provider(), "db", &subnets);
    let group = world.target_group(&provider(), "db", &vpc, "ip");
    let listener = world.listener(&provider(), &balancer, 5432, &group);
    let arns = vec![balancer.clone(), group, listener];
    let tag = |key: &str, value: &str| Tag { key: text(key), value: text(value) };
    let add = |tags: Vec<Tag>| {
        let input = AddTagsInput { resource_arns: arns.clone(), tags };
        world.control.add_tags(&provider(), input)
    };
    let described = |caller: &Caller| {
        let input = DescribeTagsInput { resource_arns: arns.clone() };
        world.control.describe_tags(caller, input).map(|found| found.tag_descriptions)
    };
    add(vec![tag("a", "1"), tag("b", "2")]).unwrap();
    add(vec![tag("b", "3")]).unwrap();
    let input = RemoveTagsInput { resource_arns: arns.clone(), tag_keys: vec!["a".into()] };
    world.control.remove_tags(&provider(), input).unwrap();
    for (description, arn) in described(&provider()).unwrap().iter().zip(&arns) {
        assert_eq!(description.resource_arn.as_ref(), Some(arn));
        assert_eq!(description.tags, [tag("b", "3")]);
    }
    assert_eq!(refusal(described(&consumer())).0, "ValidationError");
    assert_eq!(refusal(add(vec![tag("a", "1"), tag("a", "2")])).0, "DuplicateTagKeys");
    assert_eq!(refusal(add(vec![tag("aws:x", "1")])).0, "ValidationError");
    let many = (0..50).map(|index| tag(&format!("key{index}"), "")).collect();
    assert_eq!(refusal(add(many)).0, "TooManyTags");

    let input = DescribeCapacityReservationInput { load_balancer_arn: Some(balancer) };
    assert_eq!(
        world.control.describe_capacity_reservation(&provider(), input).unwrap(),
        DescribeCapacityReservationOutput::default()
    );
}
