//! Creating endpoints: what they look like, and every reason against them.

use linkway_model::vpc_endpoint::VpcEndpoint as Endpoint;
use linkway_wire::ec2::*;

use crate::world::{REGION, World, consumer, endpoint_input, provider, refusal, text};

/// A world with a service in zones a and b that the consumer may connect to without being accepted, and the
/// consumer's VPC with subnets in a, b and c.
fn world() -> (World, ServiceConfiguration, String, Vec<String>) {
    let world = World::new();
    let service = world.service(&provider(), "ab", false);
    world.permit(&provider(), service.service_id.as_deref().unwrap(), "arn:aws:iam::222222222222:root");
    let (vpc, subnets) = world.network(&consumer(), "abc");
    (world, service, vpc, subnets)
}

#[test]
fn an_endpoint_has_the_shape_that_aws_gives_it() {
    let (world, service, vpc, subnets) = world();
    let both = [subnets[1].clone(), subnets[0].clone()];
    let input = CreateVpcEndpointRequest {
        tag_specifications: vec![TagSpecification {
            resource_type: text("vpc-endpoint"),
            tags: vec![Tag { key: text("Name"), value: text("db") }],
        }],
        ..endpoint_input(&service, &vpc, &both)
    };
    let endpoint = world.make_endpoint(&consumer(), input).unwrap();

    let id = endpoint.vpc_endpoint_id.clone().unwrap();
    assert_eq!(endpoint.state.as_deref(), Some("pending"));
    assert_eq!(endpoint.vpc_endpoint_type.as_deref(), Some("Interface"));
    assert_eq!(endpoint.owner_id.as_deref(), Some("222222222222"));
    assert_eq!(endpoint.subnet_ids, both);
    assert_eq!(endpoint.ip_address_type.as_deref(), Some("ipv4"));
    assert_eq!(endpoint.dns_options.as_ref().unwrap().dns_record_ip_type.as_deref(), Some("ipv4"));
    assert_eq!(endpoint.private_dns_enabled, Some(false));
    assert_eq!(endpoint.requester_managed, Some(false));
    assert_eq!(endpoint.tags, [Tag { key: text("Name"), value: text("db") }]);
    // No group given: the VPC's default one.
    assert_eq!(endpoint.groups.len(), 1);
    assert_eq!(endpoint.groups[0].group_name.as_deref(), Some("default"));
    let policy: serde_json::Value = serde_json::from_str(endpoint.policy_document.as_ref().unwrap()).unwrap();
    assert_eq!(
        policy,
        serde_json::json!({"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]})
    );

    // Regional name, then zonal ones in the order of the subnets.
    let names: Vec<&str> =
        endpoint.dns_entries.iter().map(|entry| entry.dns_name.as_deref().unwrap()).collect();
    let (regional, suffix) = names[0].split_once('.').unwrap();
    assert!(regional.starts_with(&id) && regional.len() == id.len() + 9, "{regional}");
    assert_eq!(suffix, format!("{}.{REGION}.vpce.amazonaws.com", service.service_id.as_ref().unwrap()));
    assert_eq!(
        names[1..],
        [format!("{regional}-{REGION}b.{suffix}"), format!("{regional}-{REGION}a.{suffix}")]
    );
    assert!(
        endpoint.dns_entries.iter().all(|entry| entry.hosted_zone_id.as_deref() == Some("Z7HUB22UULQXV"))
    );

    // Its interfaces are there at once, are the consumer's, and are not the consumer's to manage.
    assert_eq!(endpoint.network_interface_ids.len(), 2);
    let interfaces = world.interfaces(&consumer());
    assert_eq!(interfaces.len(), 2);
    for interface in interfaces {
        assert!(endpoint.network_interface_ids.contains(interface.network_interface_id.as_ref().unwrap()));
        assert_eq!(interface.description, Some(format!("VPC Endpoint Interface {id}")));
        assert_eq!(interface.interface_type.as_deref(), Some("vpc_endpoint"));
        assert_eq!(interface.requester_managed, Some(true));
        assert_eq!(interface.groups[0].group_name.as_deref(), Some("default"));
    }
    assert_eq!(world.described_endpoint(&consumer(), &id).unwrap(), endpoint);
}

#[test]
fn it_is_available_when_packets_are_delivered_and_not_before() {
    let (world, service, vpc, subnets) = world();
    let id = world.endpoint(&consumer(), &service, &vpc, &subnets[..1]).vpc_endpoint_id.unwrap();
    let made_at = world.store.snapshot().revision;
    world.control.advance(made_at - 1, world.now());
    assert_eq!(world.endpoint_state(&consumer(), &id), "pending");
    world.control.advance(made_at, world.now());
    assert_eq!(world.endpoint_state(&consumer(), &id), "available");
    // With nothing left to do, nothing is written.
    let revision = world.store.snapshot().revision;
    world.settle();
    assert_eq!(world.store.snapshot().revision, revision);
}

#[test]
fn addresses_may_be_chosen() {
    let (world, service, vpc, subnets) = world();
    let chosen = |address: &str| CreateVpcEndpointRequest {
        subnet_configurations: vec![SubnetConfiguration {
            subnet_id: text(&subnets[0]),
            ipv4: text(address),
            ipv6: None,
        }],
        ..endpoint_input(&service, &vpc, &subnets[..1])
    };
    world.make_endpoint(&consumer(), chosen("10.0.0.77")).unwrap();
    assert_eq!(world.interfaces(&consumer())[0].private_ip_address.as_deref(), Some("10.0.0.77"));
    let code = |address: &str| refusal(world.make_endpoint(&consumer(), chosen(address))).0;
    assert_eq!(code("10.0.0.77"), "InvalidIPAddress.InUse");
    assert_eq!(code("10.0.9.1"), "InvalidParameterValue");
    assert_eq!(code("10.0.0.3"), "InvalidParameterValue");
    assert_eq!(code("fd00::1"), "InvalidParameterValue");
    // A refused endpoint leaves no interface behind.
    assert_eq!(world.interfaces(&consumer()).len(), 1);
}

#[test]
fn subnets_are_the_vpcs_one_a_zone_in_zones_of_the_service() {
    let (world, service, vpc, subnets) = world();
    let again = world.subnet(&consumer(), &vpc, 10, 'a');
    let (_, elsewhere) = world.network(&consumer(), "a");
    let service_name = service.service_name.as_deref().unwrap();
    let refused = |ids: &[&String]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        refusal(world.make_endpoint(&consumer(), endpoint_input(&service, &vpc, &ids)))
    };
    assert_eq!(
        refused(&[&subnets[0], &again]),
        (
            "DuplicateSubnetsInSameZone".into(),
            format!(
                "Found another VPC endpoint subnet in the availability zone of {}. VPC endpoint subnets should be in \
                 different availability zones supported by the VPC endpoint service.",
                subnets[0]
            )
        )
    );
    assert_eq!(
        refused(&[&subnets[2]]),
        (
            "InvalidParameter".into(),
            format!(
                "The VPC endpoint service {service_name} does not support the availability zone of the subnet: {}.",
                subnets[2]
            )
        )
    );
    assert_eq!(refused(&[&elsewhere[0]]).0, "InvalidParameter");
    let missing = "subnet-00000000000000000".to_owned();
    assert_eq!(
        refused(&[&missing]),
        ("InvalidSubnetID.NotFound".into(), format!("The subnet ID '{missing}' does not exist"))
    );
    assert_eq!(refused(&[&"subnet-x".to_owned()]).0, "InvalidSubnetID.Malformed");
}

#[test]
fn groups_are_the_vpcs() {
    let (world, service, vpc, subnets) = world();
    let (other_vpc, _) = world.network(&consumer(), "a");
    let foreign = world.group(&consumer(), &other_vpc, "foreign");
    let own = world.group(&consumer(), &vpc, "own");
    let with = |group: &str| CreateVpcEndpointRequest {
        security_group_ids: vec![group.to_owned()],
        ..endpoint_input(&service, &vpc, &subnets[..1])
    };
    let endpoint = world.make_endpoint(&consumer(), with(&own)).unwrap();
    assert_eq!(endpoint.groups[0].group_id.as_deref(), Some(own.as_str()));
    let code = |group: &str| refusal(world.make_endpoint(&consumer(), with(group))).0;
    assert_eq!(code(&foreign), "InvalidParameter");
    assert_eq!(code("sg-00000000000000000"), "InvalidGroup.NotFound");
    assert_eq!(code("sg-x"), "InvalidGroupId.Malformed");
}

#[test]
fn types_other_than_interface_are_refused_in_aws_words() {
    let (world, service, vpc, subnets) = world();
    let name = service.service_name.clone().unwrap();
    let of_type = |endpoint_type: Option<&str>, subnets: &[String]| {
        let input = CreateVpcEndpointRequest {
            vpc_endpoint_type: endpoint_type.map(str::to_owned),
            ..endpoint_input(&service, &vpc, subnets)
        };
        refusal(world.make_endpoint(&consumer(), input))
    };
    // The default is a gateway endpoint.
    assert_eq!(
        of_type(None, &[]),
        (
            "InvalidServiceName".into(),
            format!("The Vpc Endpoint Service '{name}' does not support the endpoint type 'Gateway'.")
        )
    );
    assert_eq!(
        of_type(None, &subnets[..1]),
        (
            "InvalidParameter".into(),
            "Subnet IDs are only supported for Interface and GatewayLoadBalancer type VPC Endpoints.".into()
        )
    );
    assert_eq!(of_type(Some("GatewayLoadBalancer"), &[]).0, "InvalidServiceName");
    assert_eq!(of_type(Some("Resource"), &[]).0, "UnsupportedOperation");
    assert_eq!(of_type(Some("Tunnel"), &[]).0, "InvalidVpcEndpointType");

    let routed = CreateVpcEndpointRequest {
        route_table_ids: vec!["rtb-00000000000000000".into()],
        ..endpoint_input(&service, &vpc, &subnets[..1])
    };
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), routed)),
        (
            "InvalidParameter".into(),
            "Route table IDs are only supported for Gateway type VPC Endpoint.".into()
        )
    );
    let inbound = CreateVpcEndpointRequest {
        dns_options: Some(DnsOptionsSpecification {
            private_dns_only_for_inbound_resolver_endpoint: Some(true),
            ..Default::default()
        }),
        ..endpoint_input(&service, &vpc, &subnets[..1])
    };
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), inbound)).1,
        format!(
            "To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC {vpc} must have a Gateway endpoint for \
             the service."
        )
    );
}

#[test]
fn parameters_that_must_be_there() {
    let (world, service, vpc, _) = world();
    let nameless = CreateVpcEndpointRequest { service_name: None, ..endpoint_input(&service, &vpc, &[]) };
    assert_eq!(refusal(world.make_endpoint(&consumer(), nameless)).0, "MissingParameter");
    let code = |vpc: &str| refusal(world.make_endpoint(&consumer(), endpoint_input(&service, vpc, &[]))).0;
    assert_eq!(code("vpc-00000000000000000"), "InvalidVpcID.NotFound");
    assert_eq!(code("vpc-x"), "InvalidVpcID.Malformed");
}

#[test]
fn policies_are_json_and_give_full_access() {
    let (world, service, vpc, subnets) = world();
    let with = |policy: &str| CreateVpcEndpointRequest {
        policy_document: text(policy),
        ..endpoint_input(&service, &vpc, &subnets[..1])
    };
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), with("{\"Statement\":[}"))),
        (
            "InvalidPolicyDocument".into(),
            "The Policy Document is not valid. Syntax error at position (1,15)".into()
        )
    );
    let narrow = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"x:Get","Resource":"*"}]}"#;
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), with(narrow))),
        (
            "InvalidParameter".into(),
            format!(
                "Service {} only supports the full-access endpoint policy.",
                service.service_name.as_ref().unwrap()
            )
        )
    );
    let full = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    let endpoint = world.make_endpoint(&consumer(), with(full)).unwrap();
    assert_eq!(endpoint.policy_document.as_deref(), Some(full));
}

#[test]
fn private_dns_needs_a_verified_name_the_vpcs_attributes_and_no_rival() {
    let (world, service, vpc, subnets) = world();
    let (id, name) = (service.service_id.as_deref().unwrap(), service.service_name.as_deref().unwrap());
    let input = |wanted: Option<bool>, subnets: &[String]| CreateVpcEndpointRequest {
        private_dns_enabled: wanted,
        ..endpoint_input(&service, &vpc, subnets)
    };
    let refused = |wanted| refusal(world.make_endpoint(&consumer(), input(wanted, &subnets[..1])));
    world.enable_dns(&consumer(), &vpc);
    assert_eq!(
        refused(Some(true)),
        (
            "InvalidParameter".into(),
            format!(
                "Private DNS can't be enabled because the service {name} does not provide a private DNS name."
            )
        )
    );
    let change = ModifyVpcEndpointServiceConfigurationRequest {
        private_dns_name: text("db.example.com"),
        ..Default::default()
    };
    world.modify_service(&provider(), id, change).unwrap();
    assert_eq!(
        refused(Some(true)).1,
        format!(
            "Private DNS can't be enabled because the service {name} has not verified the private DNS name."
        )
    );
    // What nobody asked for is no error.
    let without = world.make_endpoint(&consumer(), input(None, &subnets[..1])).unwrap();
    assert_eq!(without.private_dns_enabled, Some(false));

    world.verify(&provider(), id, true);
    let endpoint = world.make_endpoint(&consumer(), input(None, &subnets[..1])).unwrap();
    assert_eq!(endpoint.private_dns_enabled, Some(true));
    let last = endpoint.dns_entries.last().unwrap();
    assert_eq!(last.dns_name.as_deref(), Some("db.example.com"));
    assert_ne!(last.hosted_zone_id, endpoint.dns_entries[0].hosted_zone_id);

    assert_eq!(
        refused(Some(true)),
        (
            "InvalidParameter".into(),
            format!(
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for \
                 db.example.com in the VPC {vpc}"
            )
        )
    );
    world.make_endpoint(&consumer(), input(Some(false), &subnets[..1])).unwrap();

    let (bare, bare_subnets) = world.network(&consumer(), "a");
    let input = CreateVpcEndpointRequest {
        private_dns_enabled: Some(true),
        ..endpoint_input(&service, &bare, &bare_subnets)
    };
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), input)),
        (
            "InvalidParameter".into(),
            format!(
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to \
                 true for {bare}"
            )
        )
    );
}

#[test]
fn a_token_makes_one_endpoint() {
    let (world, service, vpc, subnets) = world();
    let input = |subnets: &[String]| CreateVpcEndpointRequest {
        client_token: text("token"),
        ..endpoint_input(&service, &vpc, subnets)
    };
    let first = world.control.create_vpc_endpoint(&consumer(), input(&subnets[..1])).unwrap();
    let second = world.control.create_vpc_endpoint(&consumer(), input(&subnets[..1])).unwrap();
    assert_eq!(first, second);
    assert_eq!(first.client_token.as_deref(), Some("token"));
    assert_eq!(world.store.snapshot().all::<Endpoint>().count(), 1);
    assert_eq!(
        refusal(world.control.create_vpc_endpoint(&consumer(), input(&subnets[1..2]))).0,
        "IdempotentParameterMismatch"
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    let (world, service, vpc, subnets) = world();
    let before = world.store.snapshot();
    let dry = |subnets: &[String]| CreateVpcEndpointRequest {
        dry_run: Some(true),
        ..endpoint_input(&service, &vpc, subnets)
    };
    let error = world.make_endpoint(&consumer(), dry(&subnets[..1])).unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("DryRunOperation", 412));
    assert_eq!(refusal(world.make_endpoint(&consumer(), dry(&subnets[2..]))).0, "InvalidParameter");
    assert_eq!(world.store.snapshot(), before);
}

#[test]
fn a_vpc_has_at_most_fifty() {
    let (world, service, vpc, _) = world();
    let make = || world.make_endpoint(&consumer(), endpoint_input(&service, &vpc, &[]));
    let ids: Vec<String> = (0..50).map(|_| make().unwrap().vpc_endpoint_id.unwrap()).collect();
    assert_eq!(
        refusal(make()),
        ("VpcEndpointLimitExceeded".into(), "The maximum number of VPC endpoints has been reached.".into())
    );
    assert_eq!(world.delete_endpoints(&consumer(), &[&ids[0]]), []);
    make().unwrap();
}
