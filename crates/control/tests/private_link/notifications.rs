//! Connection notifications, who pays, and associations that there are none of.

use linkway_wire::ApiError;
use linkway_wire::ec2::*;

use crate::world::{World, consumer, provider, refusal, text};

const TOPIC: &str = "arn:aws:sns:us-east-1:111111111111:connections";

fn create(
    world: &World,
    change: impl FnOnce(&mut CreateVpcEndpointConnectionNotificationRequest),
) -> Result<ConnectionNotification, ApiError> {
    let mut input = CreateVpcEndpointConnectionNotificationRequest {
        connection_events: vec!["Connect".into(), "Accept".into(), "Connect".into()],
        connection_notification_arn: text(TOPIC),
        ..Default::default()
    };
    change(&mut input);
    let answer = world.control.create_vpc_endpoint_connection_notification(&provider(), input)?;
    Ok(answer.connection_notification.unwrap())
}

fn describe(
    world: &World,
    change: impl FnOnce(&mut DescribeVpcEndpointConnectionNotificationsRequest),
) -> Result<Vec<ConnectionNotification>, ApiError> {
    let mut input = DescribeVpcEndpointConnectionNotificationsRequest::default();
    change(&mut input);
    let answer = world.control.describe_vpc_endpoint_connection_notifications(&provider(), input)?;
    Ok(answer.connection_notification_set)
}

fn filter(name: &str, value: &str) -> Filter {
    Filter { name: text(name), values: vec![value.to_owned()] }
}

#[test]
fn a_notification_is_made_shown_changed_and_deleted() {
    let world = World::new();
    let service = world.service(&provider(), "a", true).service_id.unwrap();
    let made = create(&world, |input| input.service_id = text(&service)).unwrap();
    assert_eq!(made.connection_events, ["Accept", "Connect"]);
    assert_eq!(made.connection_notification_state.as_deref(), Some("Enabled"));
    assert_eq!(made.connection_notification_type.as_deref(), Some("Topic"));
    assert_eq!((made.service_id.as_deref(), &made.vpc_endpoint_id), (Some(service.as_str()), &None));
    let id = made.connection_notification_id.clone().unwrap();
    assert!(id.starts_with("vpce-nfn-") && id.len() == "vpce-nfn-".len() + 17);
    for (name, value) in [("service-id", service.as_str()), ("connection-notification-arn", TOPIC)] {
        assert_eq!(
            describe(&world, |i| i.filters = vec![filter(name, value)]).unwrap(),
            std::slice::from_ref(&made)
        );
    }
    assert!(describe(&world, |i| i.filters = vec![filter("vpc-endpoint-id", "*")]).unwrap().is_empty());
    assert_eq!(refusal(describe(&world, |i| i.filters = vec![filter("state", "x")])).0, "InvalidFilter");

    let input = ModifyVpcEndpointConnectionNotificationRequest {
        connection_notification_id: text(&id),
        connection_events: vec!["Delete".into()],
        ..Default::default()
    };
    world.control.modify_vpc_endpoint_connection_notification(&provider(), input).unwrap();
    let shown = describe(&world, |i| i.connection_notification_id = text(&id)).unwrap().remove(0);
    assert_eq!(
        (shown.connection_events, shown.connection_notification_arn),
        (vec!["Delete".into()], text(TOPIC))
    );

    let delete = || {
        let input = DeleteVpcEndpointConnectionNotificationsRequest {
            connection_notification_ids: vec![id.clone()],
            ..Default::default()
        };
        world.control.delete_vpc_endpoint_connection_notifications(&provider(), input).unwrap().unsuccessful
    };
    assert!(delete().is_empty());
    assert_eq!(delete()[0].error.as_ref().unwrap().code.as_deref(), Some("InvalidConnectionNotification"));
    let (code, message) = refusal(describe(&world, |i| i.connection_notification_id = text(&id)));
    assert_eq!(code, "InvalidConnectionNotification");
    assert_eq!(message, format!("The connection notification '{id}' does not exist"));
}

#[test]
fn what_no_notification_can_be_is_refused() {
    let world = World::new();
    let service = world.service(&provider(), "a", true);
    let (vpc, subnets) = world.network(&provider(), "a");
    let endpoint = world.endpoint(&provider(), &service, &vpc, &subnets).vpc_endpoint_id.unwrap();
    let service = service.service_id.unwrap();
    let made = create(&world, |input| input.vpc_endpoint_id = text(&endpoint)).unwrap();
    assert_eq!((made.service_id, made.vpc_endpoint_id), (None, text(&endpoint)));
    let code = |change: &dyn Fn(&mut CreateVpcEndpointConnectionNotificationRequest)| {
        refusal(create(&world, |input| change(input))).0
    };
    assert_eq!(code(&|_| ()), "MissingParameter");
    assert_eq!(
        code(&|input| (input.service_id, input.vpc_endpoint_id) = (text(&service), text(&endpoint))),
        "InvalidParameterCombination"
    );
    let of_service =
        |input: &mut CreateVpcEndpointConnectionNotificationRequest| input.service_id = text(&service);
    assert_eq!(
        code(&|input| {
            of_service(input);
            input.connection_events = vec!["Modify".into()];
        }),
        "InvalidParameter"
    );
    assert_eq!(
        code(&|input| {
            of_service(input);
            input.connection_events.clear();
        }),
        "MissingParameter"
    );
    assert_eq!(
        code(&|input| {
            of_service(input);
            input.connection_notification_arn = text("arn:aws:sqs:us-east-1:111111111111:queue");
        }),
        "InvalidParameter"
    );
    let input = CreateVpcEndpointConnectionNotificationRequest {
        service_id: text(&service),
        connection_events: vec!["Accept".into()],
        connection_notification_arn: text(TOPIC),
        ..Default::default()
    };
    let foreign = world.control.create_vpc_endpoint_connection_notification(&consumer(), input);
    assert_eq!(refusal(foreign).0, "InvalidVpcEndpointServiceId.NotFound");
}

#[test]
fn who_pays_is_shown() {
    let world = World::new();
    let id = world.service(&provider(), "a", true).service_id.unwrap();
    let modify = |payer: &str| {
        let input = ModifyVpcEndpointServicePayerResponsibilityRequest {
            service_id: text(&id),
            payer_responsibility: text(payer),
            ..Default::default()
        };
        world.control.modify_vpc_endpoint_service_payer_responsibility(&provider(), input)
    };
    assert_eq!(world.described_service(&provider(), &id).payer_responsibility, None);
    modify("ServiceOwner").unwrap();
    assert_eq!(world.described_service(&provider(), &id).payer_responsibility, text("ServiceOwner"));
    assert_eq!(refusal(modify("Nobody")).0, "InvalidParameterValue");
}

#[test]
fn endpoints_have_no_associations() {
    let world = World::new();
    let service = world.service(&provider(), "a", false);
    let (vpc, subnets) = world.network(&provider(), "a");
    let endpoint = world.endpoint(&provider(), &service, &vpc, &subnets).vpc_endpoint_id.unwrap();
    let ask = |id: &str, filters: Vec<Filter>| {
        let input = DescribeVpcEndpointAssociationsRequest {
            vpc_endpoint_ids: vec![id.to_owned()],
            filters,
            ..Default::default()
        };
        world.control.describe_vpc_endpoint_associations(&provider(), input)
    };
    assert!(ask(&endpoint, vec![]).unwrap().vpc_endpoint_associations.is_empty());
    assert_eq!(refusal(ask("vpce-0123456789abcdef0", vec![])).0, "InvalidVpcEndpointId.NotFound");
    assert_eq!(refusal(ask(&endpoint, vec![filter("x", "y")])).0, "InvalidFilter");
}
