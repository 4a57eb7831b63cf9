//! Who finds a service, and who may connect to it.

use linkway_control::Caller;
use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, caller, consumer, endpoint_input, provider, refusal, text};

fn services(
    world: &World,
    caller: &Caller,
    names: &[&str],
    filters: Vec<Filter>,
) -> Result<DescribeVpcEndpointServicesResult, ApiError> {
    let service_names = names.iter().map(|name| (*name).to_owned()).collect();
    let input = DescribeVpcEndpointServicesRequest { service_names, filters, ..Default::default() };
    world.control.describe_vpc_endpoint_services(caller, input)
}

/// Names of customers' services that a caller finds.
fn customers(world: &World, caller: &Caller) -> Vec<String> {
    let mut found = services(world, caller, &[], Vec::new()).unwrap().service_names;
    found.retain(|name| name.starts_with("com.amazonaws.vpce."));
    found
}

#[test]
fn who_is_not_permitted_sees_nothing_at_all() {
    let world = World::new();
    let service = world.service(&provider(), "a", false);
    let (id, name) = (service.service_id.as_deref().unwrap(), service.service_name.as_deref().unwrap());
    let (vpc, subnets) = world.network(&consumer(), "a");
    let connect = || world.make_endpoint(&consumer(), endpoint_input(&service, &vpc, &subnets));
    let unknown =
        ("InvalidServiceName".to_owned(), format!("The Vpc Endpoint Service '{name}' does not exist"));
    assert_eq!(refusal(connect()), unknown);
    assert_eq!(refusal(services(&world, &consumer(), &[name], Vec::new())), unknown);
    assert_eq!(customers(&world, &consumer()), Vec::<String>::new());

    // A user's permission is not the account's.
    world.permit(&provider(), id, "arn:aws:iam::222222222222:user/alice");
    assert_eq!(refusal(connect()), unknown);
    let alice = Caller { principal: "arn:aws:iam::222222222222:user/alice".into(), ..consumer() };
    assert_eq!(customers(&world, &alice), [name]);

    world.permit(&provider(), id, "arn:aws:iam::222222222222:root");
    connect().unwrap();
    assert_eq!(refusal(services(&world, &caller("333333333333"), &[name], Vec::new())), unknown);
    world.permit(&provider(), id, "*");
    assert_eq!(services(&world, &caller("333333333333"), &[name], Vec::new()).unwrap().service_names, [name]);
    let elsewhere = Caller { region: "eu-west-1".into(), ..consumer() };
    assert_eq!(refusal(services(&world, &elsewhere, &[name], Vec::new())), unknown);
}

#[test]
fn a_permission_that_goes_leaves_connections_alone() {
    let world = World::new();
    let service = world.service(&provider(), "a", false);
    let id = service.service_id.as_deref().unwrap();
    world.permit(&provider(), id, "*");
    let (vpc, subnets) = world.network(&consumer(), "a");
    let endpoint = world.endpoint(&consumer(), &service, &vpc, &subnets).vpc_endpoint_id.unwrap();
    let input = ModifyVpcEndpointServicePermissionsRequest {
        service_id: text(id),
        remove_allowed_principals: vec!["*".into()],
        ..Default::default()
    };
    world.control.modify_vpc_endpoint_service_permissions(&provider(), input).unwrap();
    world.settle();
    assert_eq!(world.endpoint_state(&consumer(), &endpoint), "available");
    assert_eq!(
        refusal(world.make_endpoint(&consumer(), endpoint_input(&service, &vpc, &subnets))).0,
        "InvalidServiceName"
    );
}

#[test]
fn the_catalog_says_what_consumers_need() {
    let world = World::new();
    let service = world.service(&provider(), "ab", true);
    world.service(&consumer(), "a", true);
    let (id, name) = (service.service_id.as_deref().unwrap(), service.service_name.as_deref().unwrap());
    world.permit(&provider(), id, "*");
    world.verified_name(&provider(), id, "db.example.com");
    assert_eq!(customers(&world, &consumer()).len(), 2);
    let detail = services(&world, &consumer(), &[name], Vec::new()).unwrap().service_details.remove(0);
    assert_eq!(detail.owner.as_deref(), Some("111111111111"));
    assert_eq!(detail.availability_zones, ["us-east-1a", "us-east-1b"]);
    assert_eq!(detail.acceptance_required, Some(true));
    assert_eq!(detail.private_dns_name.as_deref(), Some("db.example.com"));
    assert_eq!(detail.private_dns_name_verification_state.as_deref(), Some("verified"));
    assert_eq!(detail.vpc_endpoint_policy_supported, Some(false));
    assert_eq!(detail.service_type[0].service_type.as_deref(), Some("Interface"));

    let owned_by = |owner: &str| {
        let filters = vec![Filter { name: text("owner"), values: vec![owner.to_owned()] }];
        services(&world, &consumer(), &[], filters).unwrap().service_names.len()
    };
    assert_eq!((owned_by("111111111111"), owned_by("333333333333")), (1, 0));
    let unknown = vec![Filter { name: text("colour"), values: vec!["red".into()] }];
    assert_eq!(refusal(services(&world, &consumer(), &[], unknown)).0, "InvalidFilter");
}
