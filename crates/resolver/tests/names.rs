//! What each name resolves to, for whom.

mod common;

use std::net::Ipv4Addr;

use common::net::{Server, addresses, has_start_of_authority};
use common::world::{DOWN, HEALTHY, NODES, PLACES, Shop, TARGETS};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};
use linkway_model::load_balancer::{
    ALWAYS_OWN_ZONE, CLIENT_ROUTING_POLICY, LoadBalancer, MOSTLY_OWN_ZONE, TargetGroup, TargetHealth,
};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{AttachmentId, InstanceId, Timestamp};

#[tokio::test]
async fn endpoint_names_resolve_from_every_vpc() {
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    for client in [shop.client, shop.stranger] {
        assert_eq!(server.addresses(client, &shop.regional_name()).await, PLACES);
        assert_eq!(server.addresses(client, &shop.zonal_name("us-east-1a")).await, PLACES[..1]);
        assert_eq!(server.addresses(client, &shop.zonal_name("us-east-1b")).await, PLACES[1..]);
    }
    let answer = server.ask(shop.client, &shop.regional_name(), RecordType::A).await;
    assert!(answer.answers.iter().all(|record| record.ttl == 60));
    assert!(answer.metadata.authoritative && answer.metadata.recursion_available);
}

#[tokio::test]
async fn zones_take_turns_at_the_head_of_a_regional_name() {
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    let mut heads = Vec::new();
    for _ in 0..4 {
        // Stub resolvers ask for both kinds of address, one after the other.
        server.ask(shop.client, &shop.regional_name(), RecordType::AAAA).await;
        heads.push(addresses(&server.ask(shop.client, &shop.regional_name(), RecordType::A).await)[0]);
    }
    assert_eq!(heads[..2], heads[2..]);
    assert_ne!(heads[0], heads[1]);
}

#[tokio::test]
async fn a_regional_name_leads_to_zones_with_healthy_targets_and_to_all_if_there_are_none() {
    let mut shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;

    shop.world.set_health(&shop.target_group, TARGETS[0], DOWN);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, &shop.regional_name()).await, PLACES[1..]);
    let balancer = shop.world.get::<LoadBalancer>(&shop.balancer).dns_name.clone();
    assert_eq!(server.addresses(shop.client, &balancer).await, NODES[1..]);
    assert_eq!(server.addresses(shop.client, &shop.zonal_name("us-east-1a")).await, PLACES[..1]);

    shop.world.set_health(&shop.target_group, TARGETS[1], TargetHealth::Initial);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, &shop.regional_name()).await, PLACES);
    assert_eq!(server.addresses(shop.client, &balancer).await, NODES);

    shop.world.set_health(&shop.target_group, TARGETS[1], HEALTHY);
    shop.world.change::<LoadBalancer>(&shop.balancer, |balancer| {
        balancer.attributes.insert("load_balancing.cross_zone.enabled".into(), "true".into());
    });
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, &shop.regional_name()).await, PLACES);
}

#[tokio::test]
async fn a_zone_without_targets_of_its_own_leads_to_those_of_another() {
    let mut shop = Shop::new(None);
    shop.world.change::<TargetGroup>(&shop.target_group, |group| group.targets.truncate(1));
    let server = Server::start(shop.world.snapshot(), None).await;
    assert_eq!(server.addresses(shop.client, &shop.regional_name()).await, PLACES);

    // A target that is being drained is none.
    shop.world.change::<TargetGroup>(&shop.target_group, |group| {
        let mut draining = group.targets[0].clone();
        draining.id = linkway_model::load_balancer::TargetId::Ip(TARGETS[1].parse().unwrap());
        draining.draining_since = Some(Timestamp::UNIX_EPOCH);
        group.targets.push(draining);
        group.targets[0].health = DOWN;
    });
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, &shop.regional_name()).await, PLACES, "none is healthy: all");
}

#[tokio::test]
async fn a_zone_counts_as_healthy_when_every_listener_has_somewhere_to_send() {
    let mut shop = Shop::new(None);
    let second = shop.world.listener(&shop.balancer, 5433, &TARGETS.map(|target| (target, HEALTHY)));
    shop.world.listener(&shop.balancer, 5434, &[]);
    let server = Server::start(shop.world.snapshot(), None).await;
    assert_eq!(
        server.addresses(shop.client, &shop.regional_name()).await,
        PLACES,
        "empty groups do not count"
    );

    shop.world.set_health(&second, TARGETS[1], DOWN);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, &shop.regional_name()).await, PLACES[..1]);
}

#[tokio::test]
async fn only_available_endpoints_have_names_and_their_names_are_looked_for_nowhere_else() {
    let mut shop = Shop::new(Some("db.example.com"));
    for state in [EndpointState::Pending, EndpointState::Rejected, EndpointState::Deleting] {
        shop.world.change::<VpcEndpoint>(&shop.endpoint, |endpoint| {
            endpoint.state = state;
            endpoint.subnets.iter_mut().for_each(|place| place.delivered = state == EndpointState::Deleting);
        });
        let server = Server::start(shop.world.snapshot(), None).await;
        let answer = server.ask(shop.client, &shop.regional_name(), RecordType::A).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
        assert!(has_start_of_authority(&answer));
        assert_eq!(server.code(shop.client, &shop.zonal_name("us-east-1a")).await, ResponseCode::NXDomain);
        assert_eq!(server.code(shop.client, "db.example.com").await, ResponseCode::Refused);
    }
    let server = Server::start(shop.world.snapshot(), None).await;
    let elsewhere = "vpce-0123.vpce-svc-0123.eu-west-1.vpce.amazonaws.com";
    assert_eq!(server.code(shop.client, elsewhere).await, ResponseCode::Refused, "goes to the upstream");
}

#[tokio::test]
async fn a_change_adds_an_address_once_packets_reach_it_and_takes_none_away_meanwhile() {
    let mut shop = Shop::new(Some("db.example.com"));
    shop.world.change::<VpcEndpoint>(&shop.endpoint, |endpoint| {
        endpoint.state = EndpointState::Pending;
        endpoint.subnets[1].delivered = false;
    });
    let server = Server::start(shop.world.snapshot(), None).await;
    for name in [&shop.regional_name(), &shop.zonal_name("us-east-1a"), "db.example.com"] {
        assert_eq!(server.addresses(shop.client, name).await, PLACES[..1], "{name}");
    }
    assert_eq!(server.code(shop.client, &shop.zonal_name("us-east-1b")).await, ResponseCode::NXDomain);

    shop.world.change::<VpcEndpoint>(&shop.endpoint, |endpoint| endpoint.state = EndpointState::Available);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, "db.example.com").await, PLACES);
}

#[tokio::test]
async fn a_private_name_is_an_alias_of_the_regional_name_in_the_endpoints_vpc() {
    let mut shop = Shop::new(Some("db.example.com"));
    let server = Server::start(shop.world.snapshot(), None).await;

    let answer = server.ask(shop.client, "DB.Example.com", RecordType::A).await;
    let RData::CNAME(target) = &answer.answers[0].data else { panic!("no alias: {answer}") };
    assert_eq!(target.0.to_ascii(), format!("{}.", shop.regional_name()));
    assert!(answer.answers[0].name.eq_case(&answer.queries[0].name), "the client's own capitals");
    assert!(answer.answers[1..].iter().all(|record| record.name == target.0));
    let mut found = addresses(&answer);
    found.sort();
    assert_eq!(found, PLACES);

    let none = server.ask(shop.client, "db.example.com", RecordType::AAAA).await;
    assert_eq!(none.metadata.response_code, ResponseCode::NoError);
    assert!(none.answers.len() == 1 && has_start_of_authority(&none), "the alias, and no address");

    assert_eq!(server.code(shop.stranger, "db.example.com").await, ResponseCode::Refused);
    assert_eq!(server.code(shop.client, "example.com").await, ResponseCode::Refused);
    assert_eq!(server.code(shop.client, "a.db.example.com").await, ResponseCode::NXDomain);

    shop.world.change::<VpcEndpoint>(&shop.endpoint, |endpoint| endpoint.private_dns_enabled = false);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.code(shop.client, "db.example.com").await, ResponseCode::Refused);
}

#[tokio::test]
async fn a_wildcard_covers_every_name_below_it() {
    let mut shop = Shop::new(Some("*.example.com"));
    let server = Server::start(shop.world.snapshot(), None).await;
    assert_eq!(server.addresses(shop.client, "db.example.com").await, PLACES);
    assert_eq!(server.addresses(shop.client, "a.b.example.com").await, PLACES);
    assert_eq!(server.code(shop.client, "example.com").await, ResponseCode::Refused);
    assert_eq!(server.code(shop.client, "badexample.com").await, ResponseCode::Refused);

    shop.world.change::<Vpc>(&shop.vpc, |vpc| vpc.enable_dns_hostnames = false);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.code(shop.client, "db.example.com").await, ResponseCode::Refused);
}

#[tokio::test]
async fn other_types_of_a_name_that_exists_are_empty_answers() {
    let shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    let service = format!("{}.us-east-1.vpce.amazonaws.com", shop.service);
    let balancer = shop.world.get::<LoadBalancer>(&shop.balancer).dns_name.clone();
    for name in [shop.regional_name(), service, balancer, "ip-10-0-1-5.ec2.internal".into()] {
        for kind in [RecordType::AAAA, RecordType::TXT, RecordType::HTTPS] {
            let answer = server.ask(shop.client, &name, kind).await;
            assert_eq!(answer.metadata.response_code, ResponseCode::NoError, "{name} {kind}");
            assert!(answer.answers.is_empty() && has_start_of_authority(&answer), "{name} {kind}");
        }
    }
}

#[tokio::test]
async fn balancers_have_a_name_and_one_a_zone_once_they_are_active() {
    let mut shop = Shop::new(None);
    let name = shop.world.get::<LoadBalancer>(&shop.balancer).dns_name.clone();
    let server = Server::start(shop.world.snapshot(), None).await;
    assert_eq!(server.addresses(shop.stranger, &name.to_uppercase()).await, NODES);
    assert_eq!(server.addresses(shop.client, &format!("us-east-1b.{name}")).await, NODES[1..]);
    assert_eq!(server.code(shop.client, &format!("us-east-1c.{name}")).await, ResponseCode::NXDomain);

    shop.world.change::<LoadBalancer>(&shop.balancer, |balancer| balancer.active = false);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.code(shop.client, &name).await, ResponseCode::NXDomain);
}

#[tokio::test]
async fn a_balancer_may_lead_clients_to_their_own_zone() {
    let mut shop = Shop::new(None);
    let name = shop.world.get::<LoadBalancer>(&shop.balancer).dns_name.clone();
    let server = Server::start(shop.world.snapshot(), None).await;
    let route = |shop: &mut Shop, policy: &str| {
        shop.world.change::<LoadBalancer>(&shop.balancer, |balancer| {
            balancer.attributes.insert(CLIENT_ROUTING_POLICY.into(), policy.into());
        });
        server.resolver.publish(shop.world.snapshot());
    };
    route(&mut shop, ALWAYS_OWN_ZONE);
    for _ in 0..3 {
        assert_eq!(server.addresses(shop.client, &name).await, NODES[..1], "also from another VPC");
    }
    route(&mut shop, MOSTLY_OWN_ZONE);
    let mut own = 0;
    for _ in 0..20 {
        own += usize::from(server.addresses(shop.client, &name).await == NODES[..1]);
    }
    assert_eq!(own, 17);
    shop.world.set_health(&shop.target_group, TARGETS[0], DOWN);
    route(&mut shop, ALWAYS_OWN_ZONE);
    assert_eq!(server.addresses(shop.client, &name).await, NODES[1..], "its own is not healthy");
}

#[tokio::test]
async fn instance_names_belong_to_their_vpc_and_lead_both_ways() {
    let mut shop = Shop::new(None);
    let server = Server::start(shop.world.snapshot(), None).await;
    let (name, reverse) = ("ip-10-0-1-5.ec2.internal", "5.1.0.10.in-addr.arpa");
    assert_eq!(server.addresses(shop.client, name).await, [Ipv4Addr::new(10, 0, 1, 5)]);
    assert_eq!(server.code(shop.stranger, name).await, ResponseCode::NXDomain, "same range, other VPC");
    for unknown in ["ip-10-0-1-99.ec2.internal", "ip-010-0-1-5.ec2.internal", "x.eu-west-1.compute.internal"]
    {
        assert_eq!(server.code(shop.client, unknown).await, ResponseCode::NXDomain, "{unknown}");
    }

    let answer = server.ask(shop.client, reverse, RecordType::PTR).await;
    let RData::PTR(target) = &answer.answers[0].data else { panic!("no name: {answer}") };
    assert_eq!(target.0.to_ascii(), format!("{name}."));
    let free = server.ask(shop.client, "99.1.0.10.in-addr.arpa", RecordType::PTR).await;
    assert_eq!(free.metadata.response_code, ResponseCode::NXDomain);
    let outside = server.ask(shop.client, "5.1.0.11.in-addr.arpa", RecordType::PTR).await;
    assert_eq!(outside.metadata.response_code, ResponseCode::Refused, "goes to the upstream");

    shop.world.change::<Vpc>(&shop.vpc, |vpc| vpc.enable_dns_hostnames = false);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.code(shop.client, name).await, ResponseCode::NXDomain);
    let answer = server.ask(shop.client, reverse, RecordType::PTR).await;
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn names_outside_us_east_1_carry_their_region() {
    let mut shop = Shop::new(None);
    let vpc = shop.world.vpc("eu-west-1", "10.7.0.0/16");
    let subnet = shop.world.subnet(&vpc, "eu-west-1a", "10.7.1.0/24");
    let client = shop.world.workload(&subnet, "10.7.1.5");
    let server = Server::start(shop.world.snapshot(), None).await;
    let name = "ip-10-7-1-5.eu-west-1.compute.internal";
    assert_eq!(server.addresses(client, name).await, [Ipv4Addr::new(10, 7, 1, 5)]);
    assert_eq!(server.code(client, "ip-10-7-1-5.ec2.internal").await, ResponseCode::NXDomain);
}

#[tokio::test]
async fn resource_names_exist_where_the_subnet_asks_for_them() {
    let mut shop = Shop::new(None);
    let instance = InstanceId::random();
    let role = InterfaceRole::Instance {
        instance: instance.clone(),
        attachment: AttachmentId::random(),
        device_index: 0,
        attached: Timestamp::UNIX_EPOCH,
        delete_on_termination: true,
    };
    let interface = shop.world.interface(&shop.subnet.clone(), "10.0.1.7", role);
    shop.world.instance(&instance, &shop.subnet.clone(), &interface);
    let name = format!("{instance}.ec2.internal");
    let server = Server::start(shop.world.snapshot(), None).await;
    assert_eq!(server.code(shop.client, &name).await, ResponseCode::NXDomain);

    shop.world.change::<Subnet>(&shop.subnet.clone(), |subnet| subnet.resource_name_a_record = true);
    server.resolver.publish(shop.world.snapshot());
    let address = shop.world.get::<NetworkInterface>(&interface).address;
    assert_eq!(server.addresses(shop.client, &name).await, [address]);
}
