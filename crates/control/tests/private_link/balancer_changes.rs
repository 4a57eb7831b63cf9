//! What a balancer that is there may be given: subnets, security groups; and what it may be told of.

use linkway_wire::elbv2::*;

use crate::world::*;

/// A balancer of these groups, which are in the subnets' VPC.
fn grouped(world: &World, subnets: &[String], groups: &[String]) -> LoadBalancer {
    let input = CreateLoadBalancerInput { security_groups: groups.to_vec(), ..balancer_input("db", subnets) };
    world.control.create_load_balancer(&provider(), input).unwrap().load_balancers.remove(0)
}

fn described(world: &World, arn: &str) -> LoadBalancer {
    let input = DescribeLoadBalancersInput {
        load_balancer_arns: vec![arn.to_owned()],
        ..DescribeLoadBalancersInput::default()
    };
    world.control.describe_load_balancers(&provider(), input).unwrap().load_balancers.remove(0)
}

fn set_groups(
    world: &World,
    arn: &str,
    groups: &[&str],
    enforce: Option<&str>,
) -> Result<SetSecurityGroupsOutput, linkway_wire::ApiError> {
    let input = SetSecurityGroupsInput {
        load_balancer_arn: text(arn),
        security_groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        enforce_security_group_inbound_rules_on_private_link_traffic: enforce.map(str::to_owned),
    };
    world.control.set_security_groups(&provider(), input)
}

fn set_subnets(
    world: &World,
    arn: &str,
    subnets: &[&String],
) -> Result<SetSubnetsOutput, linkway_wire::ApiError> {
    let input = SetSubnetsInput {
        load_balancer_arn: text(arn),
        subnets: subnets.iter().map(|subnet| (*subnet).clone()).collect(),
        ..SetSubnetsInput::default()
    };
    world.control.set_subnets(&provider(), input)
}

/// Of each zone: its subnet, and the node's address.
fn zones(zones: &[AvailabilityZone]) -> Vec<(String, String)> {
    let zone = |zone: &AvailabilityZone| {
        let address = zone.load_balancer_addresses[0].private_ipv4_address.clone();
        (zone.subnet_id.clone().unwrap(), address.unwrap())
    };
    zones.iter().map(zone).collect()
}

#[test]
fn a_balancers_groups_are_its_nodes_and_hold_for_endpoints_unless_it_is_told_otherwise() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "a");
    let (one, two) = (world.group(&provider(), &vpc, "one"), world.group(&provider(), &vpc, "two"));
    let balancer = grouped(&world, &subnets, std::slice::from_ref(&one));
    let arn = balancer.load_balancer_arn.unwrap();
    let seen = || {
        let balancer = described(&world, &arn);
        let enforced = balancer.enforce_security_group_inbound_rules_on_private_link_traffic;
        let nodes = world.interfaces(&provider()).remove(0).groups;
        let of_nodes: Vec<_> = nodes.into_iter().map(|group| group.group_id.unwrap()).collect();
        assert_eq!(of_nodes, balancer.security_groups);
        (of_nodes, enforced.unwrap())
    };
    assert_eq!(seen(), (vec![one.clone()], "on".into()));

    let output = set_groups(&world, &arn, &[&two, &one], Some("off")).unwrap();
    assert_eq!(output.security_group_ids, [two.clone(), one.clone()]);
    assert_eq!(output.enforce_security_group_inbound_rules_on_private_link_traffic.as_deref(), Some("off"));
    assert_eq!(seen(), (vec![two.clone(), one.clone()], "off".into()));
    set_groups(&world, &arn, &[&two], None).unwrap();
    assert_eq!(seen(), (vec![two.clone()], "off".into()), "what is not said stays");

    let (elsewhere, _) = world.network(&provider(), "b");
    let foreign = world.group(&provider(), &elsewhere, "foreign");
    for (groups, enforce, code) in [
        (vec![], None, "ValidationError"),
        (vec![one.as_str()], Some("yes"), "ValidationError"),
        (vec!["sg-00000000000000000"], None, "InvalidSecurityGroup"),
        (vec![&foreign], None, "InvalidSecurityGroup"),
    ] {
        assert_eq!(refusal(set_groups(&world, &arn, &groups, enforce)).0, code, "{groups:?}");
    }
    assert_eq!(seen(), (vec![two], "off".into()), "nothing is half done");
}

#[test]
fn a_balancer_without_groups_stays_without() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "a");
    let group = world.group(&provider(), &vpc, "db");
    let arn = world.balancer(&provider(), "db", &subnets);
    assert_eq!(
        refusal(set_groups(&world, &arn, &[&group], None)),
        (
            "InvalidConfigurationRequest".into(),
            "You cannot set security groups on a Network Load Balancer which was created without any security \
             groups."
                .into()
        )
    );
    let enforced = described(&world, &arn).enforce_security_group_inbound_rules_on_private_link_traffic;
    assert_eq!(enforced, None);
}

#[test]
fn subnets_come_and_go_and_those_that_stay_keep_their_nodes() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "abc");
    let groups = [world.group(&provider(), &vpc, "db")];
    let balancer = grouped(&world, &subnets[..2], &groups);
    let arn = balancer.load_balancer_arn.unwrap();
    let before = zones(&balancer.availability_zones);
    world.settle();

    let output = set_subnets(&world, &arn, &[&subnets[2], &subnets[1]]).unwrap();
    assert_eq!(output.ip_address_type.as_deref(), Some("ipv4"));
    let after = zones(&output.availability_zones);
    assert_eq!(after[0], before[1], "the node that stays");
    assert_eq!(after[1].0, subnets[2]);
    let described = described(&world, &arn);
    assert_eq!(zones(&described.availability_zones), after);
    assert_eq!(described.state.unwrap().code.as_deref(), Some("active"));
    let interfaces = world.interfaces(&provider());
    let of: Vec<_> = interfaces.iter().map(|interface| interface.subnet_id.clone().unwrap()).collect();
    assert_eq!(of.len(), 2);
    assert!(of.contains(&subnets[1]) && of.contains(&subnets[2]), "{of:?}");
    assert!(interfaces.iter().all(|interface| interface.groups[0].group_id.as_ref() == Some(&groups[0])));
}

#[test]
fn a_subnet_that_cannot_be_the_balancers() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "ab");
    let again = world.subnet(&provider(), &vpc, 10, 'a');
    let (_, elsewhere) = world.network(&provider(), "c");
    let arn = world.balancer(&provider(), "db", &subnets[..1]);
    let zone = described(&world, &arn).availability_zones[0].zone_name.clone().unwrap();
    let missing = "subnet-00000000000000000".to_owned();
    assert_eq!(
        refusal(set_subnets(&world, &arn, &[&again])),
        (
            "InvalidConfigurationRequest".into(),
            format!(
                "You cannot specify an additional subnet from an Availability Zone that is already associated with \
                 the load balancer. The Availability Zone '{zone}' corresponding to the new subnet '{again}' is \
                 already associated with the load balancer."
            )
        )
    );
    for (subnets, code) in [
        (vec![], "ValidationError"),
        (vec![&missing], "SubnetNotFound"),
        (vec![&elsewhere[0]], "InvalidConfigurationRequest"),
        (vec![&subnets[0], &again], "InvalidConfigurationRequest"),
    ] {
        assert_eq!(refusal(set_subnets(&world, &arn, &subnets)).0, code, "{subnets:?}");
    }
    let mapping = |subnet: &str, address: &str| SubnetMapping {
        subnet_id: text(subnet),
        private_ipv4_address: text(address),
        ..SubnetMapping::default()
    };
    let mapped = |mappings| {
        let input = SetSubnetsInput {
            load_balancer_arn: text(&arn),
            subnet_mappings: mappings,
            ..SetSubnetsInput::default()
        };
        world.control.set_subnets(&provider(), input)
    };
    let own = zones(&described(&world, &arn).availability_zones).remove(0).1;
    let moved = mapped(vec![mapping(&subnets[0], "10.0.0.99")]);
    assert_eq!(refusal(moved).0, "InvalidConfigurationRequest");
    let taken = mapped(vec![mapping(&subnets[0], &own), mapping(&subnets[1], &own)]);
    assert_eq!(refusal(taken).0, "InvalidConfigurationRequest");
    assert_eq!(zones(&described(&world, &arn).availability_zones).len(), 1, "nothing is half done");
    mapped(vec![mapping(&subnets[0], &own), mapping(&subnets[1], "10.0.1.99")]).unwrap();
    assert_eq!(zones(&described(&world, &arn).availability_zones)[1].1, "10.0.1.99");

    let ipv6 = SetSubnetsInput {
        load_balancer_arn: text(&arn),
        subnets: subnets.clone(),
        ip_address_type: text("dualstack"),
        ..SetSubnetsInput::default()
    };
    assert_eq!(refusal(world.control.set_subnets(&provider(), ipv6)).0, "ValidationError");
}

#[test]
fn addresses_are_ipv4() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "a");
    let arn = world.balancer(&provider(), "db", &subnets);
    let set = |arn: &str, given: &str| {
        let input = SetIpAddressTypeInput { load_balancer_arn: text(arn), ip_address_type: text(given) };
        world.control.set_ip_address_type(&provider(), input)
    };
    assert_eq!(set(&arn, "ipv4").unwrap().ip_address_type.as_deref(), Some("ipv4"));
    assert_eq!(refusal(set(&arn, "dualstack")).0, "ValidationError");
    assert_eq!(refusal(set(&format!("{arn}0"), "ipv4")).0, "LoadBalancerNotFound");
}

#[test]
fn limits_in_pages() {
    let world = World::new();
    let limits = |marker: Option<String>| {
        let input = DescribeAccountLimitsInput { marker, page_size: Some(3) };
        world.control.describe_account_limits(&provider(), input).unwrap()
    };
    let first = limits(None);
    let second = limits(first.next_marker.clone());
    assert_eq!((first.limits.len(), second.next_marker), (3, None));
    let all: Vec<_> = first.limits.into_iter().chain(second.limits).collect();
    let max = |name: &str| {
        let limit = all.iter().find(|limit| limit.name.as_deref() == Some(name)).unwrap();
        limit.max.clone().unwrap()
    };
    assert_eq!(max("network-load-balancers"), "50");
    assert_eq!(max("targets-per-target-group"), "1000");
}

#[test]
fn a_published_balancer_keeps_its_subnets_and_gets_more() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "ab");
    let arn = world.balancer(&provider(), "db", &subnets[..1]);
    world.settle();
    let input = linkway_wire::ec2::CreateVpcEndpointServiceConfigurationRequest {
        network_load_balancer_arns: vec![arn.clone()],
        ..Default::default()
    };
    let id = world.make_service(&provider(), input).unwrap().service_id.unwrap();
    set_subnets(&world, &arn, &[&subnets[0], &subnets[1]]).unwrap();
    // A service learns of a new zone only when it is modified, as on AWS.
    assert_eq!(world.described_service(&provider(), &id).availability_zones, ["us-east-1a"]);
    let (code, message) = refusal(set_subnets(&world, &arn, &[&subnets[1]]));
    assert_eq!(code, "ResourceInUse");
    assert!(message.starts_with("Subnets cannot be removed from load balancer"), "{message}");
}
