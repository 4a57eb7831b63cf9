//! IPv6 of balancers, target groups, endpoint services and endpoints.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use linkway_model::load_balancer::{TargetGroup, TargetId};
use linkway_wire::ec2::*;
use linkway_wire::elbv2::{
    CreateTargetGroupInput, DescribeLoadBalancersInput, Elbv2, LoadBalancer, RegisterTargetsInput,
    SetIpAddressTypeInput, SetSubnetsInput, SubnetMapping, TargetDescription,
};

use crate::world::{
    World, balancer_input, consumer, endpoint_input, group_input, listener_input, provider, refusal, text,
};

/// A VPC with an IPv6 range, and subnets `10.0.INDEX.0/24` in zones a, b, … with a part of it each.
fn network(
    world: &World,
    caller: &linkway_control::Caller,
    subnets: usize,
) -> (String, Vec<String>, Ipv6Net) {
    let input = CreateVpcRequest {
        cidr_block: text("10.0.0.0/16"),
        amazon_provided_ipv6_cidr_block: Some(true),
        ..Default::default()
    };
    let vpc = world.control.create_vpc(caller, input).unwrap().vpc.unwrap();
    let range: Ipv6Net =
        vpc.ipv6_cidr_block_association_set[0].ipv6_cidr_block.as_ref().unwrap().parse().unwrap();
    let id = vpc.vpc_id.unwrap();
    let subnet = |(index, zone): (usize, char)| {
        let made = world.subnet(caller, &id, index, zone);
        let input = AssociateSubnetCidrBlockRequest {
            subnet_id: text(&made),
            ipv6_cidr_block: Some(range.subnets(64).unwrap().nth(index).unwrap().to_string()),
            ..Default::default()
        };
        world.control.associate_subnet_cidr_block(caller, input).unwrap();
        made
    };
    let subnets = "abcdef".chars().take(subnets).enumerate().map(subnet).collect();
    (id, subnets, range)
}

fn nth(range: Ipv6Net, number: u128) -> Ipv6Addr {
    (u128::from(range.network()) + number).into()
}

fn described(world: &World, arn: &str) -> LoadBalancer {
    let input = DescribeLoadBalancersInput { load_balancer_arns: vec![arn.into()], ..Default::default() };
    world.control.describe_load_balancers(&provider(), input).unwrap().load_balancers.remove(0)
}

/// The IPv6 addresses of a balancer's nodes.
fn nodes(balancer: &LoadBalancer) -> Vec<Option<String>> {
    let address = |zone: &linkway_wire::elbv2::AvailabilityZone| {
        zone.load_balancer_addresses.first().and_then(|shown| shown.ipv6_address.clone())
    };
    balancer.availability_zones.iter().map(address).collect()
}

fn set_type(world: &World, arn: &str, kind: &str) -> Result<Option<String>, linkway_wire::ApiError> {
    let input = SetIpAddressTypeInput { load_balancer_arn: text(arn), ip_address_type: text(kind) };
    world.control.set_ip_address_type(&provider(), input).map(|answer| answer.ip_address_type)
}

/// A dualstack balancer in these subnets.
fn dualstack(world: &World, name: &str, subnets: &[String]) -> String {
    let arn = world.balancer(&provider(), name, subnets);
    set_type(world, &arn, "dualstack").unwrap();
    arn
}

#[test]
fn balancers_have_addresses_of_both_families() {
    let world = World::new();
    let (vpc, subnets, range) = network(&world, &provider(), 2);
    let bare = world.subnet(&provider(), &vpc, 9, 'c');
    let words = "You must specify subnets with an associated IPv6 CIDR block.";
    let of = |subnets: &[String]| linkway_wire::elbv2::CreateLoadBalancerInput {
        ip_address_type: text("dualstack"),
        ..balancer_input("both", subnets)
    };
    let refused = refusal(world.control.create_load_balancer(&provider(), of(std::slice::from_ref(&bare))));
    assert_eq!(refused, ("ValidationError".into(), words.into()));
    let made = world.control.create_load_balancer(&provider(), of(&subnets[..1])).unwrap();
    let again = world.control.create_load_balancer(&provider(), of(&subnets[..1])).unwrap();
    assert_eq!(made, again);
    let four =
        refusal(world.control.create_load_balancer(&provider(), balancer_input("both", &subnets[..1])));
    assert_eq!(four.0, "DuplicateLoadBalancerName");
    let arn = made.load_balancers[0].load_balancer_arn.clone().unwrap();
    assert_eq!(made.load_balancers[0].ip_address_type.as_deref(), Some("dualstack"));
    assert!(nodes(&described(&world, &arn)).iter().all(Option::is_some));

    // Another zone, at a chosen address; the first one stays as it is.
    let first = nodes(&described(&world, &arn)).remove(0).unwrap();
    let second = range.subnets(64).unwrap().nth(1).unwrap();
    let mapping = |subnet: &String, address: &str| SubnetMapping {
        subnet_id: text(subnet),
        ipv6_address: text(address),
        ..Default::default()
    };
    let set = |mappings: Vec<SubnetMapping>| {
        let input = SetSubnetsInput {
            load_balancer_arn: text(&arn),
            subnet_mappings: mappings,
            ..SetSubnetsInput::default()
        };
        world.control.set_subnets(&provider(), input)
    };
    let moved = set(vec![mapping(&subnets[0], &nth(range, 99).to_string())]);
    assert_eq!(refusal(moved).0, "InvalidConfigurationRequest");
    let taken = set(vec![mapping(&subnets[0], &first), mapping(&subnets[1], "fd00::9")]);
    assert_eq!(refusal(taken).0, "InvalidConfigurationRequest");
    let wanted = nth(second, 99).to_string();
    let answer = set(vec![mapping(&subnets[0], &first), mapping(&subnets[1], &wanted)]).unwrap();
    assert_eq!(answer.ip_address_type.as_deref(), Some("dualstack"));
    assert_eq!(nodes(&described(&world, &arn)), [Some(first), Some(wanted)]);

    assert_eq!(set_type(&world, &arn, "ipv4").unwrap().as_deref(), Some("ipv4"));
    assert_eq!(nodes(&described(&world, &arn)), [None, None]);
    for (kind, words) in [("ipv6", "must be one of"), ("dualstack-without-public-ipv4", "not supported")] {
        let (code, message) = refusal(set_type(&world, &arn, kind));
        assert!(code == "ValidationError" && message.contains(words), "{message}");
    }
    let lonely = world.balancer(&provider(), "lonely", &[bare]);
    assert_eq!(refusal(set_type(&world, &lonely, "dualstack")).1, words);
}

#[test]
fn target_groups_of_ipv6_take_ipv6_addresses_of_the_vpc() {
    let world = World::new();
    let (vpc, subnets, range) = network(&world, &provider(), 1);
    let input = CreateTargetGroupInput { ip_address_type: text("ipv6"), ..group_input("six", &vpc, "ip") };
    let made = world.control.create_target_group(&provider(), input.clone()).unwrap().target_groups.remove(0);
    assert_eq!(made.ip_address_type.as_deref(), Some("ipv6"));
    let arn = made.target_group_arn.unwrap();
    let other = CreateTargetGroupInput { ip_address_type: text("ipv4"), ..input };
    assert_eq!(refusal(world.control.create_target_group(&provider(), other)).0, "DuplicateTargetGroupName");
    let register = |group: &str, id: &str| {
        let input = RegisterTargetsInput {
            target_group_arn: text(group),
            targets: vec![TargetDescription { id: text(id), ..Default::default() }],
        };
        world.control.register_targets(&provider(), input)
    };
    assert_eq!(
        refusal(register(&arn, "10.0.0.9")).1,
        "The IP address '10.0.0.9' is not a valid IPv6 address"
    );
    assert_eq!(refusal(register(&arn, "fd00::1")).0, "InvalidTarget");
    let target = nth(range, 9);
    register(&arn, &target.to_string()).unwrap();
    let kept = world.store.snapshot().get::<TargetGroup>(&arn).unwrap().targets[0].clone();
    assert_eq!((kept.id, kept.zone), (TargetId::Ip(target.into()), None));
    let four = world.target_group(&provider(), "four", &vpc, "ip");
    let words = format!("The IP address '{target}' is not a valid IPv4 address");
    assert_eq!(refusal(register(&four, &target.to_string())).1, words);

    // Instances are targets by their primary IPv6 address.
    let input =
        CreateTargetGroupInput { ip_address_type: text("ipv6"), ..group_input("i", &vpc, "instance") };
    let group = world.control.create_target_group(&provider(), input).unwrap().target_groups.remove(0);
    let group = group.target_group_arn.unwrap();
    let instance = world.instance(&subnets[0]);
    let (code, message) = refusal(register(&group, instance.as_str()));
    assert!(code == "InvalidTarget" && message.contains("primary IPv6 address"), "{message}");
    let interface = world.interfaces(&provider()).remove(0).network_interface_id;
    let input = AssignIpv6AddressesRequest {
        network_interface_id: interface.clone(),
        ipv6_address_count: Some(1),
        ..Default::default()
    };
    world.control.assign_ipv6_addresses(&provider(), input).unwrap();
    let input = ModifyNetworkInterfaceAttributeRequest {
        network_interface_id: interface,
        enable_primary_ipv6: Some(true),
        ..Default::default()
    };
    world.control.modify_network_interface_attribute(&provider(), input).unwrap();
    register(&group, instance.as_str()).unwrap();

    // Only dualstack balancers forward to such groups, and they stay dualstack meanwhile.
    let balancer = world.balancer(&provider(), "nlb", &subnets);
    let listen = || world.control.create_listener(&provider(), listener_input(&balancer, 80, &arn));
    let words =
        "You cannot associate an IPv6 target group with a load balancer that has an 'ipv4' IP address type";
    assert_eq!(refusal(listen()), ("InvalidConfigurationRequest".into(), words.into()));
    set_type(&world, &balancer, "dualstack").unwrap();
    listen().unwrap();
    assert!(refusal(set_type(&world, &balancer, "ipv4")).1.contains(&arn));
}

#[test]
fn services_support_what_their_balancers_have() {
    let world = World::new();
    let (_, subnets, _) = network(&world, &provider(), 2);
    let balancer = world.balancer(&provider(), "nlb", &subnets[..1]);
    let input = |types: &[&str]| CreateVpcEndpointServiceConfigurationRequest {
        network_load_balancer_arns: vec![balancer.clone()],
        acceptance_required: Some(false),
        supported_ip_address_types: types.iter().map(|kind| (*kind).to_owned()).collect(),
        ..Default::default()
    };
    let make = |types: &[&str]| world.make_service(&provider(), input(types));
    assert_eq!(refusal(make(&["ipv5"])).0, "InvalidParameterValue");
    let (code, message) = refusal(make(&["ipv4", "ipv6"]));
    assert!(code == "InvalidParameter" && message.contains("must be dualstack"), "{message}");
    let service = make(&[]).unwrap();
    assert_eq!(service.supported_ip_address_types, ["ipv4"]);
    let id = service.service_id.unwrap();
    let types = || world.described_service(&provider(), &id).supported_ip_address_types;
    let change = |add: &[&str], remove: &[&str]| {
        let owned = |types: &[&str]| types.iter().map(|kind| (*kind).to_owned()).collect();
        let change = ModifyVpcEndpointServiceConfigurationRequest {
            add_supported_ip_address_types: owned(add),
            remove_supported_ip_address_types: owned(remove),
            ..Default::default()
        };
        world.modify_service(&provider(), &id, change)
    };
    assert_eq!(refusal(change(&["ipv6"], &[])).0, "InvalidParameter");
    assert!(refusal(change(&[], &["ipv4"])).1.contains("at least one"));
    set_type(&world, &balancer, "dualstack").unwrap();
    change(&["ipv6"], &[]).unwrap();
    assert_eq!(types(), ["ipv4", "ipv6"]);
    assert!(refusal(set_type(&world, &balancer, "ipv4")).1.contains(&id), "the service needs it");
    let more = ModifyVpcEndpointServiceConfigurationRequest {
        add_network_load_balancer_arns: vec![world.balancer(&provider(), "four", &subnets[1..])],
        ..Default::default()
    };
    assert_eq!(refusal(world.modify_service(&provider(), &id, more)).0, "InvalidParameter");

    world.settle();
    world.permit(&provider(), &id, "*");
    let (vpc, places, _) = network(&world, &consumer(), 1);
    let service = world.described_service(&provider(), &id);
    world.endpoint(&consumer(), &service, &vpc, &places);
    assert_eq!(refusal(change(&[], &["ipv4"])).0, "ExistingVpcEndpointConnections");
    change(&[], &["ipv6"]).unwrap();
    assert_eq!(types(), ["ipv4"]);
}

/// A service that supports both families, behind a balancer in zones a and b.
fn service(world: &World) -> ServiceConfiguration {
    let (_, subnets, _) = network(world, &provider(), 2);
    let input = CreateVpcEndpointServiceConfigurationRequest {
        network_load_balancer_arns: vec![dualstack(world, "nlb", &subnets)],
        acceptance_required: Some(false),
        supported_ip_address_types: vec!["ipv4".into(), "ipv6".into()],
        ..Default::default()
    };
    let service = world.make_service(&provider(), input).unwrap();
    world.permit(&provider(), service.service_id.as_ref().unwrap(), "*");
    world.settle();
    service
}

/// The IPv6 addresses of an endpoint's interfaces.
fn addresses(world: &World, endpoint: &str) -> Vec<Vec<String>> {
    let endpoint = world.described_endpoint(&consumer(), endpoint).unwrap();
    let interfaces = world.interfaces(&consumer());
    let of = |id: &String| {
        let found = interfaces.iter().find(|one| one.network_interface_id.as_ref() == Some(id)).unwrap();
        assert_eq!(found.deny_all_igw_traffic == Some(true), !found.ipv6_addresses.is_empty());
        found.ipv6_addresses.iter().map(|one| one.ipv6_address.clone().unwrap()).collect()
    };
    endpoint.network_interface_ids.iter().map(of).collect()
}

fn types(endpoint: &VpcEndpoint) -> (&str, &str) {
    let records = endpoint.dns_options.as_ref().and_then(|options| options.dns_record_ip_type.as_deref());
    (endpoint.ip_address_type.as_deref().unwrap(), records.unwrap())
}

fn records(kind: &str) -> Option<DnsOptionsSpecification> {
    Some(DnsOptionsSpecification { dns_record_ip_type: text(kind), ..Default::default() })
}

#[test]
fn endpoints_have_addresses_and_records_by_their_type() {
    let world = World::new();
    let service = service(&world);
    let (vpc, subnets, range) = network(&world, &consumer(), 2);
    let bare = world.subnet(&consumer(), &vpc, 9, 'b');
    let input = |kind: &str, dns: Option<&str>| CreateVpcEndpointRequest {
        ip_address_type: text(kind),
        dns_options: dns.and_then(records),
        ..endpoint_input(&service, &vpc, &subnets[..1])
    };
    let make = |kind: &str, dns: Option<&str>| world.make_endpoint(&consumer(), input(kind, dns));
    for (kind, dns, wanted) in [
        ("ipv4", None, "ipv4"),
        ("ipv6", None, "ipv6"),
        ("dualstack", None, "dualstack"),
        ("dualstack", Some("ipv4"), "ipv4"),
        ("dualstack", Some("ipv6"), "ipv6"),
        ("dualstack", Some("service-defined"), "service-defined"),
    ] {
        let made = make(kind, dns).unwrap();
        assert_eq!(types(&made), (kind, wanted));
        let count = usize::from(kind != "ipv4");
        let id = made.vpc_endpoint_id.unwrap();
        assert!(addresses(&world, &id).iter().all(|its| its.len() == count), "{kind}");
        assert_eq!(world.delete_endpoints(&consumer(), &[&id]), []);
    }
    for (kind, dns) in
        [("ipv4", "ipv6"), ("ipv4", "dualstack"), ("ipv6", "ipv4"), ("ipv6", "service-defined")]
    {
        let (code, message) = refusal(make(kind, Some(dns)));
        assert_eq!(code, "InvalidParameter");
        assert_eq!(
            message,
            format!("The DNS record IP type {dns} is not valid for the IP address type {kind}.")
        );
    }
    assert_eq!(refusal(make("ipv5", None)).0, "InvalidParameterValue");
    assert_eq!(refusal(make("ipv4", Some("ipv5"))).0, "InvalidParameterValue");

    let without = CreateVpcEndpointRequest { subnet_ids: vec![bare.clone()], ..input("dualstack", None) };
    let (code, message) = refusal(world.make_endpoint(&consumer(), without));
    assert!(code == "InvalidParameter" && message.contains(&bare), "{message}");
    let four = world.service(&provider(), "c", false);
    world.permit(&provider(), four.service_id.as_ref().unwrap(), "*");
    let unsupported =
        CreateVpcEndpointRequest { service_name: four.service_name.clone(), ..input("dualstack", None) };
    let words = format!(
        "The VPC endpoint service {} does not support the IP address type: dualstack.",
        four.service_name.unwrap()
    );
    assert_eq!(refusal(world.make_endpoint(&consumer(), unsupported)), ("InvalidParameter".into(), words));
    let gateway = CreateVpcEndpointRequest {
        vpc_endpoint_type: text("Gateway"),
        service_name: text("com.amazonaws.us-east-1.s3"),
        subnet_ids: Vec::new(),
        ..input("dualstack", None)
    };
    assert_eq!(refusal(world.make_endpoint(&consumer(), gateway)).0, "UnsupportedOperation");

    let configured = |kind: &str, v4: Option<&str>, v6: Option<String>| CreateVpcEndpointRequest {
        subnet_configurations: vec![SubnetConfiguration {
            subnet_id: text(&subnets[0]),
            ipv4: v4.map(str::to_owned),
            ipv6: v6,
        }],
        ..input(kind, None)
    };
    let address = nth(range, 77).to_string();
    let wrong = world.make_endpoint(&consumer(), configured("ipv4", None, Some(address.clone())));
    assert!(refusal(wrong).1.contains("Ipv6 is not valid"));
    let wrong = world.make_endpoint(&consumer(), configured("ipv6", Some("10.0.0.77"), None));
    assert!(refusal(wrong).1.contains("Ipv4 is not valid"));
    let made =
        world.make_endpoint(&consumer(), configured("dualstack", None, Some(address.clone()))).unwrap();
    assert_eq!(addresses(&world, &made.vpc_endpoint_id.unwrap()), [[address]]);
    let input = DescribeVpcEndpointsRequest {
        filters: vec![Filter { name: text("ip-address-type"), values: vec!["dualstack".into()] }],
        ..Default::default()
    };
    let found = world.control.describe_vpc_endpoints(&consumer(), input).unwrap().vpc_endpoints;
    assert_eq!(found.iter().filter(|one| one.state.as_deref() == Some("pending")).count(), 1);
}

#[test]
fn an_endpoints_type_changes_with_its_addresses() {
    let world = World::new();
    let service = service(&world);
    let (vpc, subnets, range) = network(&world, &consumer(), 2);
    let id = world.endpoint(&consumer(), &service, &vpc, &subnets[..1]).vpc_endpoint_id.unwrap();
    world.settle();
    let shown = || world.described_endpoint(&consumer(), &id).unwrap();
    let modify = |change| world.modify_endpoint(&consumer(), &id, change);
    let to = |kind: &str| ModifyVpcEndpointRequest { ip_address_type: text(kind), ..Default::default() };
    let v4 = || world.interfaces(&consumer())[0].private_ip_address.clone();
    let before = v4();

    let wrong = ModifyVpcEndpointRequest { dns_options: records("dualstack"), ..Default::default() };
    assert_eq!(refusal(modify(wrong)).0, "InvalidParameter");
    modify(to("dualstack")).unwrap();
    assert_eq!((types(&shown()), shown().state.as_deref()), (("dualstack", "ipv4"), Some("pending")));
    world.settle();
    let first = addresses(&world, &id);
    assert_eq!((first[0].len(), v4()), (1, before), "the interface is the same one");
    let both = ModifyVpcEndpointRequest {
        dns_options: records("dualstack"),
        add_subnet_ids: vec![subnets[1].clone()],
        ..Default::default()
    };
    modify(both).unwrap();
    assert_eq!(types(&shown()), ("dualstack", "dualstack"));
    assert_eq!(addresses(&world, &id).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);

    let other = nth(range, 99).to_string();
    let moved = ModifyVpcEndpointRequest {
        subnet_configurations: vec![SubnetConfiguration {
            subnet_id: text(&subnets[0]),
            ipv4: None,
            ipv6: text(&other),
        }],
        ..Default::default()
    };
    modify(moved).unwrap();
    assert_eq!(addresses(&world, &id)[0], std::slice::from_ref(&other));
    modify(to("ipv6")).unwrap();
    assert_eq!((types(&shown()), &addresses(&world, &id)[0]), (("ipv6", "ipv6"), &vec![other]));
    modify(to("ipv4")).unwrap();
    assert_eq!(types(&shown()), ("ipv4", "ipv4"));
    assert!(addresses(&world, &id).iter().all(Vec::is_empty));
}
