//! Endpoint services, as their provider makes and changes them.

use linkway_control::Caller;
use linkway_wire::ec2::*;
use linkway_wire::elbv2::{DeleteLoadBalancerInput, Elbv2};

use crate::world::{REGION, World, caller, consumer, provider, refusal, text};

fn input(balancers: &[&String]) -> CreateVpcEndpointServiceConfigurationRequest {
    CreateVpcEndpointServiceConfigurationRequest {
        network_load_balancer_arns: balancers.iter().map(|arn| (*arn).clone()).collect(),
        ..Default::default()
    }
}

#[test]
fn a_service_has_the_shape_that_aws_gives_it() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "ba");
    let balancer = world.balancer(&provider(), "db", &subnets);
    let tags = vec![Tag { key: text("team"), value: text("data") }];
    let input = CreateVpcEndpointServiceConfigurationRequest {
        tag_specifications: vec![TagSpecification {
            resource_type: text("vpc-endpoint-service"),
            tags: tags.clone(),
        }],
        ..input(&[&balancer])
    };
    let service = world.make_service(&provider(), input).unwrap();
    let id = service.service_id.clone().unwrap();
    assert_eq!(id.len(), "vpce-svc-".len() + 17);
    assert_eq!(service.service_name, Some(format!("com.amazonaws.vpce.{REGION}.{id}")));
    assert_eq!(service.base_endpoint_dns_names, [format!("{id}.{REGION}.vpce.amazonaws.com")]);
    assert_eq!(service.availability_zones, ["us-east-1a", "us-east-1b"]);
    assert_eq!(service.availability_zone_ids, ["use1-az6", "use1-az1"]);
    assert_eq!(service.acceptance_required, Some(true));
    assert_eq!(service.service_type[0].service_type.as_deref(), Some("Interface"));
    assert_eq!(service.supported_ip_address_types, ["ipv4"]);
    assert_eq!(service.network_load_balancer_arns, [balancer]);
    assert_eq!(service.private_dns_name, None);
    assert_eq!(service.tags, tags);

    // Available with its balancer, which is active once packets to it are delivered.
    assert_eq!(service.service_state.as_deref(), Some("Pending"));
    world.reconcile_unapplied();
    assert_eq!(world.described_service(&provider(), &id).service_state.as_deref(), Some("Pending"));
    world.settle();
    assert_eq!(world.described_service(&provider(), &id).service_state.as_deref(), Some("Available"));
}

#[test]
fn balancers_are_the_providers_and_have_one_service() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "a");
    let balancer = world.balancer(&provider(), "db", &subnets);
    let make = |caller: &Caller, input| world.make_service(caller, input);
    assert_eq!(
        refusal(make(&provider(), input(&[]))),
        (
            "InvalidParameter".into(),
            "exactly one of network_load_balancer_arn or gateway_load_balancer_arn is a required member"
                .into()
        )
    );
    assert_eq!(refusal(make(&consumer(), input(&[&balancer]))).0, "InvalidNetworkLoadBalancerArn.NotFound");
    let malformed = balancer.replace("/net/", "/app/");
    assert_eq!(refusal(make(&provider(), input(&[&malformed]))).0, "InvalidNetworkLoadBalancerArn.Malformed");
    let service = make(&provider(), input(&[&balancer])).unwrap();
    let (code, message) = refusal(make(&provider(), input(&[&balancer])));
    assert_eq!(code, "InvalidParameter");
    assert!(message.contains(service.service_id.as_ref().unwrap()), "{message}");
    let gateway = CreateVpcEndpointServiceConfigurationRequest {
        gateway_load_balancer_arns: vec!["arn".into()],
        ..Default::default()
    };
    assert_eq!(refusal(make(&provider(), gateway)).0, "UnsupportedOperation");

    // The balancer cannot go while the service has it.
    let delete = || {
        let input = DeleteLoadBalancerInput { load_balancer_arn: Some(balancer.clone()) };
        world.control.delete_load_balancer(&provider(), input).map(|_| ())
    };
    assert_eq!(
        refusal(delete()),
        (
            "ResourceInUse".into(),
            format!(
                "Load balancer '{balancer}' cannot be deleted because it is currently associated with another \
                 service"
            )
        )
    );
    assert_eq!(world.delete_services(&provider(), &[service.service_id.as_ref().unwrap()]), []);
    delete().unwrap();
}

#[test]
fn a_token_makes_one_service() {
    let world = World::new();
    let (_, subnets) = world.network(&provider(), "a");
    let balancer = world.balancer(&provider(), "db", &subnets);
    let with = |acceptance| CreateVpcEndpointServiceConfigurationRequest {
        client_token: text("token"),
        acceptance_required: Some(acceptance),
        ..input(&[&balancer])
    };
    let first = world.make_service(&provider(), with(true)).unwrap();
    assert_eq!(world.make_service(&provider(), with(true)).unwrap(), first);
    assert_eq!(refusal(world.make_service(&provider(), with(false))).0, "IdempotentParameterMismatch");
}

#[test]
fn balancers_are_added_and_removed_unless_endpoints_lead_to_them() {
    let world = World::new();
    let service = world.service(&provider(), "a", false);
    let id = service.service_id.as_deref().unwrap();
    let first = service.network_load_balancer_arns[0].clone();
    let (_, subnets) = world.network(&provider(), "b");
    let second = world.balancer(&provider(), "second", &subnets);
    let add = |arn: &str| ModifyVpcEndpointServiceConfigurationRequest {
        add_network_load_balancer_arns: vec![arn.to_owned()],
        ..Default::default()
    };
    let remove = |arn: &str| ModifyVpcEndpointServiceConfigurationRequest {
        remove_network_load_balancer_arns: vec![arn.to_owned()],
        ..Default::default()
    };
    world.modify_service(&provider(), id, add(&second)).unwrap();
    let described = world.described_service(&provider(), id);
    assert_eq!(described.availability_zones, ["us-east-1a", "us-east-1b"]);
    assert_eq!(described.service_state.as_deref(), Some("Pending"));
    world.settle();

    let (vpc, subnets) = world.network(&provider(), "a");
    let endpoint = world.endpoint(&provider(), &service, &vpc, &subnets).vpc_endpoint_id.unwrap();
    assert_eq!(
        refusal(world.modify_service(&provider(), id, remove(&first))),
        (
            "ExistingVpcEndpointConnections".into(),
            "Service has existing active VPC Endpoint connections!".into()
        )
    );
    // The endpoint is in the other balancer's zone only.
    world.modify_service(&provider(), id, remove(&second)).unwrap();
    assert_eq!(world.described_service(&provider(), id).availability_zones, ["us-east-1a"]);
    assert_eq!(
        refusal(world.modify_service(&provider(), id, remove(&second))).0,
        "InvalidNetworkLoadBalancerArn.NotFound"
    );
    assert_eq!(world.delete_endpoints(&provider(), &[&endpoint]), []);
    assert_eq!(refusal(world.modify_service(&provider(), id, remove(&first))).0, "InvalidParameter");
}

#[test]
fn private_dns_names_are_verified_on_request() {
    let world = World::new();
    let service = world.service(&provider(), "a", true);
    let id = service.service_id.as_deref().unwrap();
    let name = |name: &str| ModifyVpcEndpointServiceConfigurationRequest {
        private_dns_name: text(name),
        ..Default::default()
    };
    let start = || {
        let input = StartVpcEndpointServicePrivateDnsVerificationRequest {
            service_id: text(id),
            ..Default::default()
        };
        world.control.start_vpc_endpoint_service_private_dns_verification(&provider(), input)
    };
    let record = || world.described_service(&provider(), id).private_dns_name_configuration.unwrap();
    let state = || record().state.unwrap();
    assert_eq!(refusal(start()).0, "InvalidParameter");
    assert_eq!(refusal(world.modify_service(&provider(), id, name("Db.example.com"))).0, "InvalidParameter");

    world.modify_service(&provider(), id, name("*.example.com")).unwrap();
    assert_eq!(state(), "pendingVerification");
    assert_eq!(record().type_.as_deref(), Some("TXT"));
    assert_eq!(world.control.verifications_due(), []);
    start().unwrap();
    let due = world.control.verifications_due();
    assert_eq!(due.len(), 1);
    let label = record().name.unwrap();
    assert_eq!(due[0].names, [format!("{label}.example.com"), "example.com".to_owned()]);
    assert_eq!(Some(&due[0].expected), record().value.as_ref());

    world.control.record_verification(&due[0], false);
    assert_eq!(state(), "failed");
    assert_eq!(world.control.verifications_due(), []);
    start().unwrap();
    assert_eq!(state(), "pendingVerification");
    world.control.record_verification(&due[0], true);
    assert_eq!(state(), "verified");

    // The same name keeps its record; another one has to be verified; an answer about the old one is too late.
    world.modify_service(&provider(), id, name("*.example.com")).unwrap();
    assert_eq!(state(), "verified");
    world.modify_service(&provider(), id, name("db.example.net")).unwrap();
    assert_eq!(state(), "pendingVerification");
    world.control.record_verification(&due[0], true);
    assert_eq!(state(), "pendingVerification");

    let remove = |name: Option<String>| ModifyVpcEndpointServiceConfigurationRequest {
        remove_private_dns_name: Some(true),
        private_dns_name: name,
        ..Default::default()
    };
    assert_eq!(
        refusal(world.modify_service(&provider(), id, remove(text("a.example.com")))).0,
        "InvalidParameterCombination"
    );
    world.modify_service(&provider(), id, remove(None)).unwrap();
    assert_eq!(world.described_service(&provider(), id).private_dns_name, None);
}

#[test]
fn a_name_that_endpoints_resolve_cannot_change_under_them() {
    let world = World::new();
    let service = world.service(&provider(), "a", false);
    let id = service.service_id.as_deref().unwrap();
    world.verified_name(&provider(), id, "db.example.com");
    let (vpc, subnets) = world.network(&provider(), "a");
    world.enable_dns(&provider(), &vpc);
    let endpoint = world.endpoint(&provider(), &service, &vpc, &subnets);
    assert_eq!(endpoint.private_dns_enabled, Some(true));
    let endpoint = endpoint.vpc_endpoint_id.unwrap();
    let changes = || {
        [
            ModifyVpcEndpointServiceConfigurationRequest {
                private_dns_name: text("www.example.org"),
                ..Default::default()
            },
            ModifyVpcEndpointServiceConfigurationRequest {
                remove_private_dns_name: Some(true),
                ..Default::default()
            },
        ]
    };
    for change in changes() {
        assert_eq!(
            refusal(world.modify_service(&provider(), id, change)).0,
            "ExistingVpcEndpointConnections"
        );
    }
    // A verification that fails later on denies new endpoints the name, and leaves this one alone.
    world.verify(&provider(), id, false);
    let names = |endpoint: VpcEndpoint| -> Vec<String> {
        endpoint.dns_entries.into_iter().filter_map(|entry| entry.dns_name).collect()
    };
    let described = || world.described_endpoint(&provider(), &endpoint).unwrap();
    assert!(names(described()).contains(&"db.example.com".to_owned()));

    // Rejected, it does not hold the name, and does not get the next one.
    assert_eq!(world.reject(&provider(), id, &endpoint), []);
    for change in changes() {
        world.modify_service(&provider(), id, change).unwrap();
    }
    world.verified_name(&provider(), id, "www.example.org");
    assert_eq!(world.accept(&provider(), id, &endpoint), []);
    assert_eq!(described().private_dns_enabled, Some(false));
    assert_eq!(names(described()).len(), 2);
}

#[test]
fn permissions_have_ids_and_types() {
    let world = World::new();
    let service = world.service(&provider(), "a", true);
    let id = service.service_id.as_deref().unwrap();
    let modify = |caller: &Caller, add: &[&str], remove: &[&str]| {
        let all = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        let input = ModifyVpcEndpointServicePermissionsRequest {
            service_id: text(id),
            add_allowed_principals: all(add),
            remove_allowed_principals: all(remove),
            ..Default::default()
        };
        world.control.modify_vpc_endpoint_service_permissions(caller, input)
    };
    let described = |filters: Vec<Filter>| {
        let input = DescribeVpcEndpointServicePermissionsRequest {
            service_id: text(id),
            filters,
            ..Default::default()
        };
        world.control.describe_vpc_endpoint_service_permissions(&provider(), input)
    };
    let account = "arn:aws:iam::222222222222:root";
    let role = "arn:aws:iam::333333333333:role/deploy";
    let added = modify(&provider(), &[account, role], &[]).unwrap();
    assert_eq!(added.return_value, Some(true));
    assert_eq!(added.added_principals.len(), 2);
    let first = &added.added_principals[0];
    assert_eq!(
        (first.principal.as_deref(), first.principal_type.as_deref()),
        (Some(account), Some("Account"))
    );
    assert!(first.service_permission_id.as_ref().unwrap().starts_with("vpce-svc-perm-"));
    // What is there already is not added again, and keeps its id.
    assert_eq!(modify(&provider(), &[account], &[]).unwrap().added_principals, []);
    let all = described(Vec::new()).unwrap().allowed_principals;
    assert_eq!(all.len(), 2);
    assert!(all.iter().any(|one| one.service_permission_id == first.service_permission_id));

    let filter = |name: &str, value: &str| vec![Filter { name: text(name), values: vec![value.to_owned()] }];
    assert_eq!(described(filter("principal-type", "Role")).unwrap().allowed_principals.len(), 1);
    assert_eq!(
        refusal(described(filter("principal", account))),
        ("InvalidFilter".into(), format!("The filter value {account} contains unsupported characters"))
    );
    modify(&provider(), &[], &[role]).unwrap();
    assert_eq!(described(Vec::new()).unwrap().allowed_principals.len(), 1);
    assert_eq!(refusal(modify(&provider(), &["everybody"], &[])).0, "InvalidParameter");
    assert_eq!(refusal(modify(&consumer(), &["*"], &[])).0, "InvalidVpcEndpointServiceId.NotFound");
}

#[test]
fn deleting_names_what_stands_against_it() {
    let world = World::new();
    let service = world.service(&provider(), "a", true);
    let id = service.service_id.as_deref().unwrap();
    let (vpc, subnets) = world.network(&provider(), "a");
    let endpoint = world.endpoint(&provider(), &service, &vpc, &subnets).vpc_endpoint_id.unwrap();
    let missing = "vpce-svc-00000000000000000";
    let existing = (
        "ExistingVpcEndpointConnections".to_owned(),
        "Service has existing active VPC Endpoint connections!".to_owned(),
    );
    assert_eq!(
        world.delete_services(&provider(), &[missing, id]),
        [
            (
                "InvalidVpcEndpointService.NotFound".into(),
                format!("The VpcEndpointService Id '{missing}' does not exist")
            ),
            existing.clone()
        ]
    );
    assert_eq!(world.accept(&provider(), id, &endpoint), []);
    world.settle();
    assert_eq!(world.delete_services(&provider(), &[id]), [existing]);
    assert_eq!(world.delete_services(&consumer(), &[id])[0].0, "InvalidVpcEndpointService.NotFound");

    // A rejected connection does not hold the service, and outlives it.
    assert_eq!(world.reject(&provider(), id, &endpoint), []);
    assert_eq!(world.delete_services(&provider(), &[id]), []);
    assert_eq!(world.endpoint_state(&provider(), &endpoint), "rejected");
    let describe = |caller: &Caller| {
        let input = DescribeVpcEndpointServiceConfigurationsRequest {
            service_ids: vec![id.to_owned()],
            ..Default::default()
        };
        world.control.describe_vpc_endpoint_service_configurations(caller, input)
    };
    assert_eq!(refusal(describe(&provider())).0, "InvalidVpcEndpointServiceId.NotFound");
    assert_eq!(world.delete_endpoints(&provider(), &[&endpoint]), []);
    world.settle();
    assert_eq!(world.endpoint_state(&provider(), &endpoint), "deleted");
}

#[test]
fn services_are_described_to_their_owner_only() {
    let world = World::new();
    world.service(&provider(), "a", true);
    let count = |caller: &Caller, filters: Vec<Filter>| {
        let input = DescribeVpcEndpointServiceConfigurationsRequest { filters, ..Default::default() };
        let found = world.control.describe_vpc_endpoint_service_configurations(caller, input).unwrap();
        found.service_configurations.len()
    };
    let state = |value: &str| vec![Filter { name: text("service-state"), values: vec![value.to_owned()] }];
    assert_eq!(count(&provider(), state("Available")), 1);
    assert_eq!(count(&provider(), state("Pending")), 0);
    assert_eq!(count(&consumer(), Vec::new()), 0);
    let elsewhere = Caller { region: "eu-west-1".into(), ..caller("111111111111") };
    assert_eq!(count(&elsewhere, Vec::new()), 0);
}
