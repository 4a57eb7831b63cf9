//! Modifying, deleting and describing endpoints.

use linkway_model::network_interface::NetworkInterface as Interface;
use linkway_model::vpc_endpoint::VpcEndpoint as Endpoint;
use linkway_wire::ec2::*;

use crate::world::{World, consumer, endpoint_input, provider, refusal, text};

struct Set {
    world: World,
    service: ServiceConfiguration,
    vpc: String,
    subnets: Vec<String>,
    id: String,
}

/// An available endpoint in zone a, and subnets in a, b and c.
fn set() -> Set {
    let world = World::new();
    let service = world.service(&provider(), "ab", false);
    world.permit(&provider(), service.service_id.as_deref().unwrap(), "*");
    let (vpc, subnets) = world.network(&consumer(), "abc");
    let id = world.endpoint(&consumer(), &service, &vpc, &subnets[..1]).vpc_endpoint_id.unwrap();
    world.settle();
    Set { world, service, vpc, subnets, id }
}

impl Set {
    fn modify(&self, change: ModifyVpcEndpointRequest) -> Result<(), linkway_wire::ApiError> {
        self.world.modify_endpoint(&consumer(), &self.id, change)
    }

    fn described(&self) -> VpcEndpoint {
        self.world.described_endpoint(&consumer(), &self.id).unwrap()
    }

    fn state(&self) -> String {
        self.described().state.unwrap()
    }

    /// Whether DNS leads to each of its interfaces.
    fn delivered(&self) -> Vec<bool> {
        let state = self.world.store.snapshot();
        state.get::<Endpoint>(&self.id).unwrap().subnets.iter().map(|place| place.delivered).collect()
    }
}

fn ids(ids: &[&String]) -> Vec<String> {
    ids.iter().map(|id| (*id).clone()).collect()
}

#[test]
fn a_change_makes_it_pending_until_packets_follow() {
    let set = set();
    let add = ModifyVpcEndpointRequest { add_subnet_ids: ids(&[&set.subnets[1]]), ..Default::default() };
    set.modify(add).unwrap();
    assert_eq!(set.state(), "pending");
    assert_eq!(set.described().subnet_ids, set.subnets[..2]);
    assert_eq!(set.described().dns_entries.len(), 3);
    set.world.reconcile_unapplied();
    assert_eq!(set.state(), "pending");
    assert_eq!(set.delivered(), [true, false]);
    set.world.settle();
    assert_eq!(set.state(), "available");
    assert_eq!(set.delivered(), [true, true]);
    // What changes nothing leaves it alone.
    let same = ModifyVpcEndpointRequest { private_dns_enabled: Some(false), ..Default::default() };
    set.modify(same).unwrap();
    assert_eq!(set.state(), "available");
}

#[test]
fn subnets_come_and_go_with_their_interfaces() {
    let set = set();
    let swap = ModifyVpcEndpointRequest {
        add_subnet_ids: ids(&[&set.subnets[1]]),
        remove_subnet_ids: ids(&[&set.subnets[0]]),
        ..Default::default()
    };
    set.modify(swap).unwrap();
    let interfaces = set.world.interfaces(&consumer());
    assert_eq!(interfaces.len(), 1);
    assert_eq!(interfaces[0].subnet_id.as_ref(), Some(&set.subnets[1]));
    assert_eq!(set.described().subnet_ids, set.subnets[1..2]);

    // Moving within a zone takes two calls: subnets are added before others are removed.
    let again = set.world.subnet(&consumer(), &set.vpc, 10, 'b');
    let within = ModifyVpcEndpointRequest {
        add_subnet_ids: ids(&[&again]),
        remove_subnet_ids: ids(&[&set.subnets[1]]),
        ..Default::default()
    };
    let (code, message) = refusal(set.modify(within));
    assert_eq!(code, "DuplicateSubnetsInSameZone");
    assert!(message.contains(&set.subnets[1]), "{message}");

    let code = |change| refusal(set.modify(change)).0;
    let remove =
        |id: &str| ModifyVpcEndpointRequest { remove_subnet_ids: vec![id.into()], ..Default::default() };
    assert_eq!(code(remove(&set.subnets[0])), "InvalidParameter");
    assert_eq!(code(remove("subnet-00000000000000000")), "InvalidSubnetId.NotFound");
    let add = ModifyVpcEndpointRequest { add_subnet_ids: ids(&[&set.subnets[2]]), ..Default::default() };
    assert_eq!(code(add), "InvalidParameter");
}

#[test]
fn another_address_is_another_interface() {
    let set = set();
    let before = set.described().network_interface_ids;
    let readdress = |address: &str| ModifyVpcEndpointRequest {
        subnet_configurations: vec![SubnetConfiguration {
            subnet_id: text(&set.subnets[0]),
            ipv4: text(address),
            ipv6: None,
        }],
        ..Default::default()
    };
    set.modify(readdress("10.0.0.200")).unwrap();
    let after = set.described().network_interface_ids;
    assert_ne!(before, after);
    let interfaces = set.world.interfaces(&consumer());
    assert_eq!(interfaces.len(), 1);
    assert_eq!(interfaces[0].private_ip_address.as_deref(), Some("10.0.0.200"));
    set.modify(readdress("10.0.0.200")).unwrap();
    assert_eq!(set.described().network_interface_ids, after);
}

#[test]
fn groups_reach_the_interfaces_and_one_stays() {
    let set = set();
    let default = set.described().groups[0].group_id.clone().unwrap();
    let web = set.world.group(&consumer(), &set.vpc, "web");
    let remove = |id: &str| ModifyVpcEndpointRequest {
        remove_security_group_ids: vec![id.into()],
        ..Default::default()
    };
    assert_eq!(
        refusal(set.modify(remove(&default))),
        (
            "InvalidParameter".into(),
            "An Interface VPC Endpoint must always have at least one Security Group.".into()
        )
    );
    assert_eq!(refusal(set.modify(remove(&web))).0, "InvalidParameter");
    assert_eq!(refusal(set.modify(remove("sg-00000000000000000"))).0, "InvalidGroup.NotFound");
    let swap = ModifyVpcEndpointRequest {
        add_security_group_ids: vec![web.clone()],
        remove_security_group_ids: vec![default],
        ..Default::default()
    };
    set.modify(swap).unwrap();
    let group_ids = |groups: &[SecurityGroupIdentifier]| -> Vec<String> {
        groups.iter().filter_map(|group| group.group_id.clone()).collect()
    };
    assert_eq!(group_ids(&set.described().groups), std::slice::from_ref(&web));
    assert_eq!(set.world.interfaces(&consumer())[0].groups[0].group_id, Some(web));
}

#[test]
fn policies_change_and_are_reset() {
    let set = set();
    let default = set.described().policy_document;
    let full = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
    let policy = |text: &str| ModifyVpcEndpointRequest {
        policy_document: Some(text.to_owned()),
        ..Default::default()
    };
    set.modify(policy(full)).unwrap();
    assert_eq!(set.described().policy_document.as_deref(), Some(full));
    assert_eq!(refusal(set.modify(policy("{"))).0, "InvalidPolicyDocument");
    let reset = || ModifyVpcEndpointRequest { reset_policy: Some(true), ..Default::default() };
    set.modify(reset()).unwrap();
    assert_eq!(set.described().policy_document, default);
    let both = ModifyVpcEndpointRequest { policy_document: text(full), ..reset() };
    assert_eq!(refusal(set.modify(both)).0, "InvalidParameterCombination");
}

#[test]
fn private_dns_is_switched() {
    let set = set();
    let switch = |on| ModifyVpcEndpointRequest { private_dns_enabled: Some(on), ..Default::default() };
    assert_eq!(refusal(set.modify(switch(true))).0, "InvalidParameter");
    set.world.enable_dns(&consumer(), &set.vpc);
    set.world.verified_name(&provider(), set.service.service_id.as_deref().unwrap(), "db.example.com");
    set.modify(switch(true)).unwrap();
    assert_eq!(set.described().dns_entries.last().unwrap().dns_name.as_deref(), Some("db.example.com"));
    set.modify(switch(false)).unwrap();
    assert_eq!(set.described().dns_entries.len(), 2);
}

#[test]
fn only_its_owner_may_touch_it() {
    let set = set();
    let switch = ModifyVpcEndpointRequest { reset_policy: Some(true), ..Default::default() };
    assert_eq!(
        refusal(set.world.modify_endpoint(&provider(), &set.id, switch)),
        ("InvalidVpcEndpointId.NotFound".into(), format!("The Vpc Endpoint Id '{}' does not exist", set.id))
    );
    assert_eq!(
        refusal(set.world.described_endpoint(&provider(), &set.id)).0,
        "InvalidVpcEndpointId.NotFound"
    );
    assert_eq!(
        refusal(set.world.described_endpoint(&consumer(), "vpce-x")).0,
        "InvalidVpcEndpointId.Malformed"
    );
    assert_eq!(
        set.world.delete_endpoints(&provider(), &[&set.id]),
        [("InvalidVpcEndpoint.NotFound".into(), format!("The Vpc Endpoint Id '{}' does not exist", set.id))]
    );
    assert_eq!(set.state(), "available");
    let routes = ModifyVpcEndpointRequest { add_route_table_ids: vec!["rtb-1".into()], ..Default::default() };
    assert_eq!(refusal(set.modify(routes)).0, "InvalidParameter");
}

#[test]
fn it_is_deleted_in_steps() {
    let set = set();
    let missing = "vpce-00000000000000000";
    assert_eq!(
        set.world.delete_endpoints(&consumer(), &[missing, &set.id]),
        [("InvalidVpcEndpoint.NotFound".into(), format!("The Vpc Endpoint Id '{missing}' does not exist"))]
    );
    // The address is the endpoint's until the packet path has let go of it.
    assert_eq!(set.state(), "deleting");
    set.world.reconcile_unapplied();
    assert_eq!(set.state(), "deleting");
    assert_eq!(set.world.interfaces(&consumer()).len(), 1);
    assert_eq!(set.world.delete_endpoints(&consumer(), &[&set.id]), []);
    let reset = || ModifyVpcEndpointRequest { reset_policy: Some(true), ..Default::default() };
    assert_eq!(refusal(set.modify(reset())).0, "InvalidState");

    set.world.settle();
    assert_eq!(set.state(), "deleted");
    assert_eq!(set.world.interfaces(&consumer()).len(), 0);
    assert_eq!(set.described().network_interface_ids.len(), 0);
    assert_eq!(set.world.delete_endpoints(&consumer(), &[&set.id])[0].0, "InvalidVpcEndpoint.NotFound");
    assert_eq!(refusal(set.modify(reset())).0, "InvalidVpcEndpointId.NotFound");

    // It is shown for a minute.
    set.world.pass_seconds(60);
    set.world.settle();
    assert_eq!(set.state(), "deleted");
    set.world.pass_seconds(1);
    set.world.settle();
    let state = set.world.store.snapshot();
    assert_eq!(state.all::<Endpoint>().count(), 0);
    assert_eq!(
        refusal(set.world.described_endpoint(&consumer(), &set.id)).0,
        "InvalidVpcEndpointId.NotFound"
    );
    // All that is left are the balancer's nodes.
    assert!(state.all::<Interface>().all(|interface| interface.owner.as_str() == "111111111111"));
}

#[test]
fn describing_filters_and_pages() {
    let set = set();
    let more: Vec<String> = (0..3)
        .map(|_| {
            let input = endpoint_input(&set.service, &set.vpc, &[]);
            set.world.make_endpoint(&consumer(), input).unwrap().vpc_endpoint_id.unwrap()
        })
        .collect();
    let found = |name: &str, value: &str| {
        let filters = vec![Filter { name: text(name), values: vec![value.to_owned()] }];
        let input = DescribeVpcEndpointsRequest { filters, ..Default::default() };
        set.world.control.describe_vpc_endpoints(&consumer(), input).map(|found| found.vpc_endpoints.len())
    };
    assert_eq!(found("vpc-endpoint-state", "available"), Ok(1));
    assert_eq!(found("vpc-endpoint-state", "pending"), Ok(3));
    assert_eq!(found("vpc-endpoint-id", &more[0]), Ok(1));
    assert_eq!(found("vpc-id", &set.vpc), Ok(4));
    assert_eq!(found("service-name", set.service.service_name.as_deref().unwrap()), Ok(4));
    assert_eq!(found("vpc-endpoint-type", "Interface"), Ok(4));
    assert_eq!(found("vpc-endpoint-type", "Gateway"), Ok(0));
    assert_eq!(
        refusal(found("colour", "red")),
        ("InvalidFilter".into(), "The filter colour is invalid".into())
    );

    let page = |next_token: Option<String>| {
        let input = DescribeVpcEndpointsRequest { max_results: Some(3), next_token, ..Default::default() };
        set.world.control.describe_vpc_endpoints(&consumer(), input).unwrap()
    };
    let first = page(None);
    let second = page(first.next_token.clone());
    assert_eq!((first.vpc_endpoints.len(), second.vpc_endpoints.len(), second.next_token), (3, 1, None));
}
