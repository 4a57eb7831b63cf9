//! Acceptance, rejection and acceptance again, with each side seeing its own.

use linkway_control::Caller;
use linkway_wire::ec2::*;

use crate::world::{World, caller, consumer, provider, refusal, text};

struct Set {
    world: World,
    service: String,
    endpoint: String,
}

/// An endpoint that waits for its acceptance.
fn set() -> Set {
    let world = World::new();
    let service = world.service(&provider(), "a", true);
    let id = service.service_id.clone().unwrap();
    world.permit(&provider(), &id, "arn:aws:iam::222222222222:root");
    let (vpc, subnets) = world.network(&consumer(), "a");
    let endpoint = world.endpoint(&consumer(), &service, &vpc, &subnets);
    assert_eq!(endpoint.state.as_deref(), Some("pendingAcceptance"));
    Set { world, service: id, endpoint: endpoint.vpc_endpoint_id.unwrap() }
}

impl Set {
    fn connections(&self, caller: &Caller, filters: &[(&str, &str)]) -> Vec<VpcEndpointConnection> {
        let filter =
            |(name, value): &(&str, &str)| Filter { name: text(name), values: vec![(*value).to_owned()] };
        let input = DescribeVpcEndpointConnectionsRequest {
            filters: filters.iter().map(filter).collect(),
            ..Default::default()
        };
        self.world.control.describe_vpc_endpoint_connections(caller, input).unwrap().vpc_endpoint_connections
    }

    fn state(&self) -> String {
        self.world.endpoint_state(&consumer(), &self.endpoint)
    }

    fn accept(&self) -> Vec<(String, String)> {
        self.world.accept(&provider(), &self.service, &self.endpoint)
    }

    fn reject(&self) -> Vec<(String, String)> {
        self.world.reject(&provider(), &self.service, &self.endpoint)
    }
}

#[test]
fn it_waits_is_accepted_rejected_and_accepted_again() {
    let set = set();
    set.world.settle();
    assert_eq!(set.state(), "pendingAcceptance");
    assert_eq!(set.accept(), []);
    set.world.reconcile_unapplied();
    assert_eq!(set.state(), "pending");
    set.world.settle();
    assert_eq!(set.state(), "available");
    assert_eq!(set.accept(), []);
    assert_eq!(set.state(), "available");

    assert_eq!(set.reject(), []);
    assert_eq!(set.state(), "rejected");
    set.world.settle();
    assert_eq!(set.state(), "rejected");
    // Its interfaces are its own until it is deleted.
    assert_eq!(set.world.interfaces(&consumer()).len(), 1);

    assert_eq!(set.accept(), []);
    // DNS does not lead there again before packets are delivered again.
    let state = set.world.store.snapshot();
    let endpoint = state.get::<linkway_model::vpc_endpoint::VpcEndpoint>(&set.endpoint).unwrap();
    assert!(endpoint.subnets.iter().all(|place| !place.delivered));
    set.world.settle();
    assert_eq!(set.state(), "available");
}

#[test]
fn the_provider_sees_the_connection_and_nobody_else_does() {
    let set = set();
    let seen = set.connections(&provider(), &[]);
    assert_eq!(seen.len(), 1);
    let connection = &seen[0];
    assert_eq!(connection.vpc_endpoint_id.as_ref(), Some(&set.endpoint));
    assert_eq!(connection.service_id.as_ref(), Some(&set.service));
    assert_eq!(connection.vpc_endpoint_owner.as_deref(), Some("222222222222"));
    assert_eq!(connection.vpc_endpoint_state.as_deref(), Some("pendingAcceptance"));
    assert_eq!(connection.network_load_balancer_arns.len(), 1);
    assert_eq!(connection.dns_entries.len(), 2);
    assert!(connection.vpc_endpoint_connection_id.as_ref().unwrap().starts_with("vpce-con-"));
    assert_eq!(set.connections(&consumer(), &[]), []);
    // The endpoint and its interfaces are the consumer's business.
    let input = DescribeVpcEndpointsRequest::default();
    assert_eq!(set.world.control.describe_vpc_endpoints(&provider(), input).unwrap().vpc_endpoints, []);

    let count = |name, value| set.connections(&provider(), &[(name, value)]).len();
    assert_eq!(count("service-id", &set.service), 1);
    assert_eq!(count("vpc-endpoint-state", "pendingAcceptance"), 1);
    assert_eq!(count("vpc-endpoint-state", "available"), 0);
    assert_eq!(count("vpc-endpoint-owner", "222222222222"), 1);
    assert_eq!(count("vpc-endpoint-id", &set.endpoint), 1);
}

#[test]
fn only_the_provider_decides() {
    let set = set();
    for stranger in [consumer(), caller("333333333333")] {
        let input = AcceptVpcEndpointConnectionsRequest {
            service_id: text(&set.service),
            vpc_endpoint_ids: vec![set.endpoint.clone()],
            ..Default::default()
        };
        assert_eq!(
            refusal(set.world.control.accept_vpc_endpoint_connections(&stranger, input)),
            (
                "InvalidVpcEndpointServiceId.NotFound".into(),
                format!("The VpcEndpointService Id '{}' does not exist", set.service)
            )
        );
    }
    let missing = "vpce-00000000000000000";
    let not_found = [(
        "InvalidVpcEndpointId.NotFound".to_owned(),
        format!("The Vpc Endpoint Id '{missing}' does not exist"),
    )];
    assert_eq!(set.world.accept(&provider(), &set.service, missing), not_found);
    assert_eq!(set.world.reject(&provider(), &set.service, missing), not_found);
    // Another service of the provider's has no say either.
    let other = set.world.service(&provider(), "a", true).service_id.unwrap();
    assert_eq!(set.world.accept(&provider(), &other, &set.endpoint)[0].0, "InvalidVpcEndpointId.NotFound");
    assert_eq!(set.state(), "pendingAcceptance");
}

#[test]
fn a_rejected_endpoint_can_be_deleted_and_a_deleted_one_not_accepted() {
    let set = set();
    assert_eq!(set.reject(), []);
    assert_eq!(set.world.delete_endpoints(&consumer(), &[&set.endpoint]), []);
    assert_eq!(set.accept()[0].0, "InvalidState");
    assert_eq!(set.reject()[0].0, "InvalidState");
    set.world.settle();
    assert_eq!(set.state(), "deleted");
    assert_eq!(set.accept()[0].0, "InvalidVpcEndpointId.NotFound");
}

#[test]
fn an_owner_connects_to_its_own_service() {
    let world = World::new();
    let service = world.service(&provider(), "a", false);
    let (vpc, subnets) = world.network(&provider(), "a");
    let endpoint = world.endpoint(&provider(), &service, &vpc, &subnets).vpc_endpoint_id.unwrap();
    world.settle();
    assert_eq!(world.endpoint_state(&provider(), &endpoint), "available");
}
