//! AWS's own services: found by everyone, connected to like a customer's, with policies and several names.

use linkway_control::{BackendRequest, Caller};
use linkway_model::aws_service::AwsService;
use linkway_model::service_backend::{Backend, Tls, UnknownKeys};
use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{REGION, World, consumer, provider, refusal, text};

const NARROW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"rds:Describe*","Resource":"*"}]}"#;

fn name(service: &str) -> String {
    format!("com.amazonaws.{REGION}.{service}")
}

fn describe(
    world: &World,
    input: DescribeVpcEndpointServicesRequest,
) -> Result<DescribeVpcEndpointServicesResult, ApiError> {
    world.control.describe_vpc_endpoint_services(&consumer(), input)
}

/// The service as interface endpoints have it.
fn named(world: &World, service: &str) -> ServiceDetail {
    let input =
        DescribeVpcEndpointServicesRequest { service_names: vec![name(service)], ..Default::default() };
    describe(world, input).unwrap().service_details.into_iter().find(is_for_interfaces).unwrap()
}

fn is_for_interfaces(detail: &ServiceDetail) -> bool {
    detail.service_type[0].service_type.as_deref() == Some("Interface")
}

fn input(service: &str, vpc: &str, subnets: &[String]) -> CreateVpcEndpointRequest {
    CreateVpcEndpointRequest {
        vpc_endpoint_type: text("Interface"),
        service_name: Some(name(service)),
        vpc_id: text(vpc),
        subnet_ids: subnets.to_vec(),
        ..Default::default()
    }
}

/// A world with a consumer's VPC with DNS, and its subnets in zones a and b.
fn world() -> (World, String, Vec<String>) {
    let world = World::new();
    let (vpc, subnets) = world.network(&consumer(), "ab");
    world.enable_dns(&consumer(), &vpc);
    (world, vpc, subnets)
}

fn backend(service: &str, backend: &str, tls: Tls) -> BackendRequest {
    BackendRequest {
        service: service.into(),
        backend: backend.into(),
        ca: None,
        unknown_keys: UnknownKeys::Reject,
        tls,
    }
}

#[test]
fn everyone_finds_them_beside_customers_services() {
    let world = World::new();
    let customers = world.service(&consumer(), "a", true);
    let all = describe(&world, Default::default()).unwrap();
    assert_eq!(all.service_names.len(), AwsService::all().len() + 1);
    assert!(all.service_names.is_sorted());
    assert!(all.service_names.contains(customers.service_name.as_ref().unwrap()));

    let rds = named(&world, "rds");
    assert_eq!(rds.owner.as_deref(), Some("amazon"));
    assert_eq!(rds.service_type[0].service_type.as_deref(), Some("Interface"));
    assert_eq!(rds.base_endpoint_dns_names, ["rds.us-east-1.vpce.amazonaws.com"]);
    assert_eq!(rds.private_dns_name.as_deref(), Some("rds.us-east-1.amazonaws.com"));
    assert_eq!(rds.private_dns_name_verification_state.as_deref(), Some("verified"));
    assert_eq!(rds.vpc_endpoint_policy_supported, Some(true));
    assert_eq!((rds.acceptance_required, rds.manages_vpc_endpoints), (Some(false), Some(false)));
    assert_eq!(rds.supported_ip_address_types, ["ipv4", "ipv6"]);
    assert_eq!((rds.availability_zones.len(), rds.availability_zone_ids.len()), (6, 6));
    assert_eq!(rds.service_id, named(&world, "rds").service_id);
    let s3 = named(&world, "s3").private_dns_names;
    let names: Vec<_> = s3.iter().filter_map(|name| name.private_dns_name.as_deref()).collect();
    assert_eq!(names[..2], ["s3.us-east-1.amazonaws.com", "*.s3.us-east-1.amazonaws.com"]);
    assert_eq!(named(&world, "dynamodb").private_dns_names, []);
    assert_eq!(named(&world, "transfer.server").vpc_endpoint_policy_supported, Some(false));

    for unknown in ["com.amazonaws.us-west-2.rds", "com.amazonaws.us-east-1.none", "rds"] {
        let input =
            DescribeVpcEndpointServicesRequest { service_names: vec![unknown.into()], ..Default::default() };
        assert_eq!(
            refusal(describe(&world, input)),
            ("InvalidServiceName".into(), format!("The Vpc Endpoint Service '{unknown}' does not exist"))
        );
    }
}

#[test]
fn filters_and_pages_cover_both_kinds() {
    let world = World::new();
    world.service(&consumer(), "a", true);
    let count = |filter: &str, value: &str| {
        let filters = vec![Filter { name: text(filter), values: vec![value.into()] }];
        let input = DescribeVpcEndpointServicesRequest { filters, ..Default::default() };
        describe(&world, input).unwrap().service_names.len()
    };
    let aws = AwsService::all().len();
    assert_eq!(count("owner", "amazon"), aws);
    assert_eq!(count("owner", consumer().account.as_str()), 1);
    assert_eq!(count("service-name", &name("rds")), 1);
    assert_eq!(count("service-name", "com.amazonaws.us-east-1.*"), aws_named_for_the_region());
    assert_eq!(count("service-type", "Interface"), aws + 1);
    assert_eq!(count("service-type", "Gateway"), 2);
    assert_eq!(count("service-region", REGION), aws + 1);
    assert_eq!(count("supported-ip-address-types", "ipv6"), aws);
    assert_eq!(count("tag-key", "*"), 0);
    let regions = |region: &str| {
        let service_regions = vec![region.into()];
        let input = DescribeVpcEndpointServicesRequest { service_regions, ..Default::default() };
        describe(&world, input).unwrap().service_names.len()
    };
    assert_eq!((regions(REGION), regions("eu-west-1")), (aws + 1, 0));

    let mut names = Vec::new();
    let mut next_token = None;
    // A page of one more than half: two pages.
    let max_results = i32::try_from(aws / 2 + 1).ok();
    for _ in 0..2 {
        let input = DescribeVpcEndpointServicesRequest { max_results, next_token, ..Default::default() };
        let page = describe(&world, input).unwrap();
        assert_eq!(
            page.service_names.len(),
            page.service_details.iter().filter(|it| is_for_interfaces(it)).count()
        );
        names.extend(page.service_names);
        next_token = page.next_token;
    }
    assert_eq!(next_token, None);
    assert_eq!(names, describe(&world, Default::default()).unwrap().service_names);
}

fn aws_named_for_the_region() -> usize {
    AwsService::all().iter().filter(|service| service.pattern.starts_with("com.amazonaws.{region}.")).count()
}

#[test]
fn an_endpoint_becomes_available_with_all_of_its_names() {
    let (world, vpc, subnets) = world();
    let made = world.make_endpoint(&consumer(), input("rds", &vpc, &subnets)).unwrap();
    assert_eq!(made.state.as_deref(), Some("pending"));
    assert_eq!(made.private_dns_enabled, Some(true));
    assert_eq!(made.service_name, Some(name("rds")));
    let id = made.vpc_endpoint_id.as_deref().unwrap();
    let names: Vec<_> = made.dns_entries.iter().filter_map(|entry| entry.dns_name.as_deref()).collect();
    assert_eq!(names.len(), 4);
    assert!(names[0].starts_with(id) && names[0].ends_with(".rds.us-east-1.vpce.amazonaws.com"), "{names:?}");
    assert!(names[1].contains("-us-east-1a.rds.") && names[2].contains("-us-east-1b.rds."), "{names:?}");
    assert_eq!(names[3], "rds.us-east-1.amazonaws.com");

    world.reconcile_unapplied();
    assert_eq!(world.endpoint_state(&consumer(), id), "pending");
    world.settle();
    assert_eq!(world.endpoint_state(&consumer(), id), "available");
    assert_eq!(world.interfaces(&consumer()).len(), 2);
    // Nobody provides it, so nobody has a connection to see.
    let input = DescribeVpcEndpointConnectionsRequest::default();
    assert_eq!(
        world.control.describe_vpc_endpoint_connections(&provider(), input).unwrap(),
        Default::default()
    );

    assert_eq!(world.delete_endpoints(&consumer(), &[id]), []);
    world.settle();
    assert_eq!(world.interfaces(&consumer()).len(), 0);
}

#[test]
fn the_names_of_s3_stand_for_those_below_them() {
    let (world, vpc, subnets) = world();
    let made = world.make_endpoint(&consumer(), input("s3", &vpc, &subnets[..1])).unwrap();
    let names: Vec<_> = made.dns_entries.iter().filter_map(|entry| entry.dns_name.clone()).collect();
    assert!(names[..2].iter().all(|name| name.starts_with("*.vpce-")), "{names:?}");
    assert_eq!(names[2..4], ["s3.us-east-1.amazonaws.com", "*.s3.us-east-1.amazonaws.com"]);
    let zones: Vec<_> = made.dns_entries.iter().map(|entry| entry.hosted_zone_id.clone()).collect();
    assert_eq!((zones[0].clone(), zones[2].clone()), (zones[1].clone(), zones[3].clone()));
    assert_ne!(zones[0], zones[2]);
}

#[test]
fn private_dns_needs_the_vpcs_attributes_and_no_rival() {
    let (world, vpc, subnets) = world();
    let input = |subnets: &[String], private_dns_enabled| CreateVpcEndpointRequest {
        private_dns_enabled,
        ..input("s3", &vpc, subnets)
    };
    let first = world.make_endpoint(&consumer(), input(&subnets[..1], None)).unwrap();
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), input(&subnets[1..], None))),
        (
            "InvalidParameter".into(),
            format!(
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for \
                 s3.us-east-1.amazonaws.com in the VPC {vpc}"
            )
        )
    );
    let second = world.make_endpoint(&consumer(), input(&subnets[1..], Some(false))).unwrap();
    assert_eq!(second.dns_entries.len(), 2);
    let id = second.vpc_endpoint_id.as_deref().unwrap();
    let on = || ModifyVpcEndpointRequest { private_dns_enabled: Some(true), ..Default::default() };
    assert_eq!(refusal(world.modify_endpoint(&consumer(), id, on())).0, "InvalidParameter");
    world.delete_endpoints(&consumer(), &[first.vpc_endpoint_id.as_deref().unwrap()]);
    world.modify_endpoint(&consumer(), id, on()).unwrap();

    // A customer's wildcard is in the same zone as the name.
    let service = world.service(&consumer(), "a", false);
    world.verified_name(&consumer(), service.service_id.as_deref().unwrap(), "*.s3.us-east-1.amazonaws.com");
    let rival = CreateVpcEndpointRequest {
        private_dns_enabled: Some(true),
        ..crate::world::endpoint_input(&service, &vpc, &subnets[..1])
    };
    assert_eq!(refusal(world.make_endpoint(&consumer(), rival)).0, "InvalidParameter");

    let (plain, plain_subnets) = world.network(&consumer(), "a");
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), self::input("sts", &plain, &plain_subnets))).1,
        format!(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true \
             for {plain}"
        )
    );
}

#[test]
fn every_service_has_endpoints_with_the_names_that_are_listed() {
    let world = World::new();
    let mut all = describe(&world, Default::default()).unwrap().service_details;
    all.retain(is_for_interfaces);
    // A VPC has at most fifty.
    for details in all.chunks(50) {
        let (vpc, subnets) = world.network(&consumer(), "a");
        world.enable_dns(&consumer(), &vpc);
        for detail in details {
            let listed: Vec<_> =
                detail.private_dns_names.iter().map(|name| name.private_dns_name.clone()).collect();
            let input = CreateVpcEndpointRequest {
                service_name: detail.service_name.clone(),
                ..input("", &vpc, &subnets)
            };
            let made = world.make_endpoint(&consumer(), input).unwrap();
            let names: Vec<_> = made.dns_entries.iter().map(|entry| entry.dns_name.clone()).collect();
            assert_eq!(names[2..], listed, "{:?}", detail.service_name);
            assert_eq!(made.private_dns_enabled, Some(!listed.is_empty()), "{:?}", detail.service_name);
            let base = format!(".{}", detail.base_endpoint_dns_names[0]);
            assert!(names[..2].iter().flatten().all(|name| name.ends_with(&base)), "{names:?}");
        }
    }
    world.settle();
    let states = world.store.snapshot();
    let mut endpoints = states.all::<linkway_model::vpc_endpoint::VpcEndpoint>();
    assert!(endpoints.all(|endpoint| endpoint.state.name() == "available"));
}

#[test]
fn a_service_without_names_has_no_private_dns() {
    let (world, vpc, subnets) = world();
    let input = |private_dns_enabled| CreateVpcEndpointRequest {
        private_dns_enabled,
        ..input("dynamodb", &vpc, &subnets[..1])
    };
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), input(Some(true)))),
        (
            "InvalidParameter".into(),
            format!(
                "Private DNS can't be enabled because the service {} does not provide a private DNS name.",
                name("dynamodb")
            )
        )
    );
    let made = world.make_endpoint(&consumer(), input(None)).unwrap();
    assert_eq!((made.private_dns_enabled, made.dns_entries.len()), (Some(false), 2));
}

#[test]
fn a_service_of_all_regions_is_offered_in_each() {
    let world = World::new();
    for region in [REGION, "eu-west-1"] {
        let caller = Caller { region: region.into(), ..consumer() };
        let service_names = vec!["com.amazonaws.iam".to_owned()];
        let input = DescribeVpcEndpointServicesRequest { service_names, ..Default::default() };
        let found = world.control.describe_vpc_endpoint_services(&caller, input).unwrap();
        let iam = &found.service_details[0];
        assert_eq!(iam.service_region.as_deref(), Some(region));
        assert_eq!(iam.base_endpoint_dns_names, [format!("iam.{region}.vpce.amazonaws.com")]);
        assert_eq!(iam.private_dns_name.as_deref(), Some("iam.amazonaws.com"));
        assert!(iam.availability_zones.iter().all(|zone| zone.starts_with(region)));
    }
}

#[test]
fn a_policy_is_refused_by_a_service_that_takes_none() {
    let (world, vpc, subnets) = world();
    let input = CreateVpcEndpointRequest {
        policy_document: text(NARROW),
        ..input("transfer.server", &vpc, &subnets)
    };
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), input)),
        (
            "InvalidParameter".into(),
            format!("Service {} only supports the full-access endpoint policy.", name("transfer.server"))
        )
    );
}

#[test]
fn policies_are_taken_read_and_reset() {
    let (world, vpc, subnets) = world();
    let with = |policy: &str| CreateVpcEndpointRequest {
        policy_document: text(policy),
        ..input("rds", &vpc, &subnets)
    };
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), with(r#"{"Statement": oops}"#))),
        (
            "InvalidPolicyDocument".into(),
            "The Policy Document is not valid. Syntax error at position (1,15)".into()
        )
    );
    let nobody = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    assert_eq!(refusal(world.make_endpoint(&consumer(), with(nobody))).0, "InvalidPolicyDocument");
    let large = format!("{NARROW}{}", " ".repeat(20_481 - NARROW.len()));
    assert_eq!(refusal(world.make_endpoint(&consumer(), with(&large))).0, "InvalidParameter");
    assert_eq!(world.interfaces(&consumer()).len(), 0);

    let made = world.make_endpoint(&consumer(), with(&large[..20_480])).unwrap();
    let id = made.vpc_endpoint_id.as_deref().unwrap();
    assert_eq!(made.policy_document.as_deref(), Some(&large[..20_480]));
    let policy = || world.described_endpoint(&consumer(), id).unwrap().policy_document.unwrap();
    let change =
        |policy: &str| ModifyVpcEndpointRequest { policy_document: text(policy), ..Default::default() };
    assert_eq!(refusal(world.modify_endpoint(&consumer(), id, change(nobody))).0, "InvalidPolicyDocument");
    world.modify_endpoint(&consumer(), id, change(NARROW)).unwrap();
    assert_eq!(policy(), NARROW);
    world.settle();
    assert_eq!(world.endpoint_state(&consumer(), id), "available");
    let reset = ModifyVpcEndpointRequest { reset_policy: Some(true), ..Default::default() };
    world.modify_endpoint(&consumer(), id, reset).unwrap();
    assert!(policy().contains("\"Action\": \"*\""), "{}", policy());
}

#[test]
fn behind_passthrough_there_is_no_policy_but_full_access() {
    let (world, vpc, subnets) = world();
    let with = |policy: Option<&str>| CreateVpcEndpointRequest {
        policy_document: policy.map(str::to_owned),
        private_dns_enabled: Some(false),
        ..input("rds", &vpc, &subnets)
    };
    let narrow = world.make_endpoint(&consumer(), with(Some(NARROW))).unwrap().vpc_endpoint_id.unwrap();
    let passthrough = || backend(&name("rds"), "https://rds.internal", Tls::Passthrough);
    let error = world.control.set_backend(passthrough()).unwrap_err();
    assert_eq!(error.code(), "OperationNotPermitted");
    assert!(error.to_string().contains(&narrow), "{error}");
    assert_eq!(world.control.backends(), []);

    world.delete_endpoints(&consumer(), &[&narrow]);
    world.control.set_backend(passthrough()).unwrap();
    let refused = (
        "InvalidParameter".to_owned(),
        format!(
            "Service {} only supports the full-access endpoint policy: its TLS is passed through to its backend, \
             where no request can be held against a policy.",
            name("rds")
        ),
    );
    assert_eq!(refusal(world.make_endpoint(&consumer(), with(Some(NARROW)))), refused);
    let full = world.make_endpoint(&consumer(), with(None)).unwrap().vpc_endpoint_id.unwrap();
    let change = ModifyVpcEndpointRequest { policy_document: text(NARROW), ..Default::default() };
    assert_eq!(refusal(world.modify_endpoint(&consumer(), &full, change.clone())), refused);
    world.control.unset_backend(&name("rds")).unwrap();
    world.modify_endpoint(&consumer(), &full, change).unwrap();
}

#[test]
fn other_types_are_refused() {
    let (world, vpc, subnets) = world();
    let of_type = |service: &str, endpoint_type: &str| CreateVpcEndpointRequest {
        vpc_endpoint_type: text(endpoint_type),
        ..input(service, &vpc, &[])
    };
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), of_type("s3", "Resource"))).0,
        "UnsupportedOperation"
    );
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), of_type("rds", "Gateway"))),
        (
            "InvalidServiceName".into(),
            format!(
                "The Vpc Endpoint Service '{}' does not support the endpoint type 'Gateway'.",
                name("rds")
            )
        )
    );
    let elsewhere = CreateVpcEndpointRequest {
        service_name: text("com.amazonaws.eu-west-1.rds"),
        ..input("rds", &vpc, &subnets)
    };
    assert_eq!(refusal(world.make_endpoint(&consumer(), elsewhere)).0, "InvalidServiceName");
}

#[test]
fn backends_are_set_listed_and_forgotten() {
    let world = World::new();
    let set = |service: &str, to: &str, tls| world.control.set_backend(backend(service, to, tls));
    let s3 = name("s3");
    set(&s3, "http://127.0.0.1:9000", Tls::Terminate).unwrap();
    let replaced = set(&s3, "https://minio:9443", Tls::Passthrough).unwrap();
    assert_eq!(replaced.backend, Backend::Https { authority: "minio:9443".into(), ca: None });
    assert_eq!(world.control.backends(), [replaced]);
    let code = |service: &str, to: &str, tls| set(service, to, tls).unwrap_err().code().to_owned();
    assert_eq!(code("s3", "aws", Tls::Terminate), "NoSuchEntity");
    assert_eq!(code("com.amazonaws.vpce.us-east-1.vpce-svc-1", "aws", Tls::Terminate), "NoSuchEntity");
    assert_eq!(code(&s3, "127.0.0.1:9000", Tls::Terminate), "ValidationError");
    assert_eq!(code(&s3, "http://127.0.0.1:9000", Tls::Passthrough), "ValidationError");
    assert_eq!(
        world.control.backends()[0].backend,
        Backend::Https { authority: "minio:9443".into(), ca: None }
    );
    // What Linkway serves itself may be served elsewhere.
    set(&name("sts"), "aws", Tls::Terminate).unwrap();
    world.control.unset_backend(&s3).unwrap();
    assert_eq!(world.control.unset_backend(&s3).unwrap_err().code(), "NoSuchEntity");
    assert_eq!(world.control.backends().len(), 1);
}
