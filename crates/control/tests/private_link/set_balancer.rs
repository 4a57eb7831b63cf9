//! Network Load Balancers that get other subnets and other groups.

use linkway_wire::elbv2::*;
use linkway_wire::{ApiError, ec2};

use crate::world::{World, balancer_input, provider, refusal, text};

fn set_subnets(world: &World, arn: &str, subnets: &[String]) -> Result<Vec<String>, ApiError> {
    let input =
        SetSubnetsInput { load_balancer_arn: text(arn), subnets: subnets.to_vec(), ..Default::default() };
    let zones = world.control.set_subnets(&provider(), input)?.availability_zones;
    Ok(zones.into_iter().map(|zone| zone.subnet_id.unwrap()).collect())
}

#[test]
fn its_nodes_follow_its_subnets() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "abc");
    let arn = world.balancer(&provider(), "db", &subnets[..2]);
    let node = |subnet: &str| {
        let nodes = world.interfaces(&provider());
        nodes.into_iter().find(|node| node.subnet_id.as_deref() == Some(subnet))
    };
    let kept = node(&subnets[1]).unwrap();
    assert_eq!(set_subnets(&world, &arn, &subnets[1..]).unwrap(), subnets[1..]);
    assert_eq!(node(&subnets[0]), None);
    assert_eq!(node(&subnets[1]), Some(kept));
    let made = node(&subnets[2]).unwrap();
    assert_eq!(made.description, Some(format!("ELB {}", arn.split_once("loadbalancer/").unwrap().1)));

    let error = refusal(set_subnets(&world, &arn, &[]));
    assert_eq!(error, ("ValidationError".into(), "At least one subnet must be specified".into()));
    let (_, foreign) = world.network(&provider(), "a");
    assert_eq!(refusal(set_subnets(&world, &arn, &foreign)).0, "InvalidConfigurationRequest");
    let other_address = SetSubnetsInput {
        load_balancer_arn: text(&arn),
        subnet_mappings: vec![SubnetMapping {
            subnet_id: text(&subnets[1]),
            private_ipv4_address: text("10.0.1.77"),
            ..Default::default()
        }],
        ..Default::default()
    };
    let (code, message) = refusal(world.control.set_subnets(&provider(), other_address));
    assert!(code == "InvalidConfigurationRequest" && message.contains("cannot be changed"), "{message}");
    assert_eq!(refusal(set_subnets(&world, "arn:aws:nothing", &subnets)).0, "ValidationError");
}

#[test]
fn a_published_balancer_keeps_its_subnets_and_gets_more() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "ab");
    let arn = world.balancer(&provider(), "db", &subnets[..1]);
    world.settle();
    let input = ec2::CreateVpcEndpointServiceConfigurationRequest {
        network_load_balancer_arns: vec![arn.clone()],
        ..Default::default()
    };
    let service = world.make_service(&provider(), input).unwrap();
    set_subnets(&world, &arn, &subnets).unwrap();
    let id = service.service_id.unwrap();
    // A service learns of a new zone only when it is modified, as on AWS.
    assert_eq!(world.described_service(&provider(), &id).availability_zones, ["us-east-1a"]);
    let (code, message) = refusal(set_subnets(&world, &arn, &subnets[1..]));
    assert_eq!(code, "ResourceInUse");
    assert!(message.starts_with("Subnets cannot be removed from load balancer"), "{message}");
}

#[test]
fn groups_are_changed_where_there_are_some() {
    let world = World::new();
    let (vpc, subnets) = world.network(&provider(), "a");
    let (one, two) = (world.group(&provider(), &vpc, "one"), world.group(&provider(), &vpc, "two"));
    let input =
        CreateLoadBalancerInput { security_groups: vec![one.clone()], ..balancer_input("db", &subnets) };
    let made = world.control.create_load_balancer(&provider(), input).unwrap().load_balancers.remove(0);
    let arn = made.load_balancer_arn.unwrap();
    let set = |arn: &str, groups: &[&String], enforce: Option<&str>| {
        let input = SetSecurityGroupsInput {
            load_balancer_arn: text(arn),
            security_groups: groups.iter().map(|group| (*group).clone()).collect(),
            enforce_security_group_inbound_rules_on_private_link_traffic: enforce.map(str::to_owned),
        };
        world.control.set_security_groups(&provider(), input).map(|answer| answer.security_group_ids)
    };
    assert_eq!(set(&arn, &[&two], Some("off")).unwrap(), std::slice::from_ref(&two));
    let nodes = world.interfaces(&provider());
    assert_eq!(nodes[0].groups[0].group_id.as_deref(), Some(two.as_str()));
    assert_eq!(refusal(set(&arn, &[], None)).0, "InvalidConfigurationRequest");
    assert_eq!(refusal(set(&arn, &[&two], Some("on"))).0, "ValidationError");
    assert_eq!(refusal(set(&arn, &[&"sg-0123456789abcdef0".into()], None)).0, "InvalidSecurityGroup");
    let bare = world.balancer(&provider(), "bare", &subnets);
    assert_eq!(refusal(set(&bare, &[&one], None)).0, "InvalidConfigurationRequest");
}

#[test]
fn addresses_are_ipv4_and_limits_are_told() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "a");
    let arn = world.balancer(&provider(), "db", &subnets);
    let set = |kind: Option<&str>| {
        let input =
            SetIpAddressTypeInput { load_balancer_arn: text(&arn), ip_address_type: kind.map(str::to_owned) };
        world.control.set_ip_address_type(&provider(), input).map(|answer| answer.ip_address_type)
    };
    assert_eq!(set(Some("ipv4")).unwrap(), text("ipv4"));
    assert_eq!(refusal(set(Some("dualstack"))).0, "ValidationError");
    assert_eq!(refusal(set(None)).0, "ValidationError");
    let answer = world.control.describe_account_limits(&provider(), Default::default()).unwrap();
    let limit = answer.limits.iter().find(|limit| limit.name == text("network-load-balancers")).unwrap();
    assert_eq!(limit.max, text("50"));
}
