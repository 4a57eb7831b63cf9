//! Names of AWS's services and of databases, for whom.

mod common;

use std::net::Ipv4Addr;

use common::net::{NameServer, Server, has_start_of_authority, response_to};
use common::world::Shop;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use linkway_model::aws_service::AwsService;
use linkway_model::database::{DbInstance, DbStatus};
use linkway_model::network_interface::InterfaceRole;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{SubnetId, VpcEndpointId};

/// Addresses of the endpoint in its zones.
const PLACES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 1, 40), Ipv4Addr::new(10, 0, 2, 40)];

/// The shop's consumer with an endpoint to one of AWS's services in both of its zones.
fn with_endpoint(service: &str) -> (Shop, VpcEndpointId) {
    let mut shop = Shop::new(None);
    let subnets: Vec<SubnetId> = subnets(&shop);
    let places: Vec<(&SubnetId, &str)> = subnets.iter().zip(["10.0.1.40", "10.0.2.40"]).collect();
    let endpoint = shop.world.aws_endpoint(&format!("com.amazonaws.us-east-1.{service}"), &places);
    (shop, endpoint)
}

fn subnets(shop: &Shop) -> Vec<SubnetId> {
    let endpoint = shop.world.get::<VpcEndpoint>(&shop.endpoint);
    endpoint.subnets.iter().map(|place| place.subnet.clone()).collect()
}

#[tokio::test]
async fn an_endpoints_own_names_resolve_from_every_vpc() {
    let (mut shop, id) = with_endpoint("rds");
    let server = Server::start(shop.world.snapshot(), None).await;
    let endpoint = shop.world.get::<VpcEndpoint>(&id);
    let (regional, zonal) = (endpoint.regional_name(), endpoint.zonal_name("us-east-1b"));
    assert!(regional.ends_with(".rds.us-east-1.vpce.amazonaws.com"), "{regional}");
    for client in [shop.client, shop.stranger] {
        assert_eq!(server.addresses(client, &regional).await, PLACES);
        assert_eq!(server.addresses(client, &zonal).await, PLACES[1..]);
    }
    let none = server.ask(shop.client, &regional, RecordType::AAAA).await;
    assert_eq!(none.metadata.response_code, ResponseCode::NoError);
    assert!(none.answers.is_empty() && has_start_of_authority(&none));
    let wrong_label = regional.replace(&endpoint.dns_label, "aaaaaaaa");
    let wrong_zone = endpoint.zonal_name("us-east-1c");
    for wrong in [wrong_label, wrong_zone, format!("a.{regional}")] {
        assert_eq!(server.code(shop.client, &wrong).await, ResponseCode::NXDomain, "{wrong}");
    }

    // DNS leads to what is delivered.
    shop.world.change::<VpcEndpoint>(&id, |endpoint| {
        endpoint.state = EndpointState::Pending;
        endpoint.subnets[1].delivered = false;
    });
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, &regional).await, PLACES[..1]);
    assert_eq!(server.addresses(shop.client, "rds.us-east-1.amazonaws.com").await, PLACES[..1]);
    shop.world.change::<VpcEndpoint>(&id, |endpoint| endpoint.state = EndpointState::Deleting);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.code(shop.client, &regional).await, ResponseCode::NXDomain);
}

#[tokio::test]
async fn private_names_lead_to_the_endpoint_itself_in_its_vpc_only() {
    let (mut shop, id) = with_endpoint("rds");
    let public = Ipv4Addr::new(192, 0, 2, 1);
    let upstream = NameServer::start(move |query, _| {
        let mut response = response_to(query, ResponseCode::NoError);
        let owner = query.queries[0].name.clone();
        let address = hickory_proto::rr::RData::A(public.into());
        response.answers.push(hickory_proto::rr::Record::from_rdata(owner, 60, address));
        Some(response)
    })
    .await;
    let server = Server::start(shop.world.snapshot(), Some(upstream.upstream())).await;
    let name = "rds.us-east-1.amazonaws.com";
    let answer = server.ask(shop.client, "RDS.us-east-1.amazonaws.com", RecordType::A).await;
    assert_eq!(answer.answers.len(), 2);
    assert!(answer.answers.iter().all(|record| record.record_type() == RecordType::A && record.ttl == 60));
    assert_eq!(server.addresses(shop.client, name).await, PLACES);
    let none = server.ask(shop.client, name, RecordType::AAAA).await;
    assert!(none.answers.is_empty() && has_start_of_authority(&none));
    assert_eq!(server.code(shop.client, "a.rds.us-east-1.amazonaws.com").await, ResponseCode::NXDomain);
    // Other names of AWS, also of the same service elsewhere, and endpoints that are not known here.
    let unknown = "vpce-0a1b2c3d4e5f60718-abcdefgh.rds.us-east-1.vpce.amazonaws.com";
    for other in ["rds.eu-west-1.amazonaws.com", "sts.us-east-1.amazonaws.com", unknown] {
        assert_eq!(server.addresses(shop.client, other).await, [public], "{other}");
    }
    assert_eq!(server.addresses(shop.stranger, name).await, [public]);

    shop.world.change::<VpcEndpoint>(&id, |endpoint| endpoint.private_dns_enabled = false);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, name).await, [public]);
    shop.world.change::<VpcEndpoint>(&id, |endpoint| endpoint.private_dns_enabled = true);
    shop.world.change::<Vpc>(&shop.vpc, |vpc| vpc.enable_dns_hostnames = false);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, name).await, [public]);
}

#[tokio::test]
async fn buckets_have_names_of_their_own() {
    let (shop, id) = with_endpoint("s3");
    let server = Server::start(shop.world.snapshot(), None).await;
    let endpoint = shop.world.get::<VpcEndpoint>(&id);
    for name in
        ["s3.us-east-1.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com", "a.b.s3.us-east-1.amazonaws.com"]
    {
        assert_eq!(server.addresses(shop.client, name).await, PLACES, "{name}");
    }
    assert_eq!(server.code(shop.client, "s3.amazonaws.com").await, ResponseCode::Refused);
    let bucket = format!("my.bucket.{}", endpoint.regional_name());
    assert_eq!(server.addresses(shop.stranger, &bucket).await, PLACES);
    let bucket = format!("bucket.{}", endpoint.zonal_name("us-east-1a"));
    assert_eq!(server.addresses(shop.stranger, &bucket).await, PLACES[..1]);
    // A bucket may be called like an endpoint.
    let bucket = format!("vpce-0a1b2c3d4e5f60718-abcdefgh.{}", endpoint.regional_name());
    assert_eq!(server.addresses(shop.client, &bucket).await, PLACES);
}

#[tokio::test]
async fn public_names_lead_to_public_addresses_where_a_gateway_endpoint_is() {
    let mut shop = Shop::new(None);
    let subnet = subnets(&shop)[0].clone();
    let s3 = shop.world.gateway_endpoint("com.amazonaws.us-east-1.s3", &subnet);
    shop.world.gateway_endpoint("com.amazonaws.us-east-1.dynamodb", &subnet);
    let server = Server::start(shop.world.snapshot(), None).await;
    let address = |text: &str| vec![text.parse::<Ipv4Addr>().unwrap()];
    for name in ["s3.us-east-1.amazonaws.com", "a.b.s3.us-east-1.amazonaws.com", "s3.amazonaws.com"] {
        assert_eq!(server.addresses(shop.client, name).await, address("3.5.0.1"), "{name}");
        assert_eq!(server.code(shop.stranger, name).await, ResponseCode::Refused, "{name}");
    }
    let dynamodb = "dynamodb.us-east-1.amazonaws.com";
    assert_eq!(server.addresses(shop.client, dynamodb).await, address("3.218.180.1"));
    // It has no names of its own, and one with private DNS comes first.
    let regional = shop.world.get::<VpcEndpoint>(&s3).regional_name();
    assert_eq!(server.code(shop.client, &regional).await, ResponseCode::NXDomain);
    shop.world.aws_endpoint("com.amazonaws.us-east-1.s3", &[(&subnet, "10.0.1.40")]);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.addresses(shop.client, "s3.us-east-1.amazonaws.com").await, address("10.0.1.40"));
}

#[tokio::test]
async fn every_name_of_every_service_leads_to_its_endpoint() {
    let mut shop = Shop::new(None);
    let subnet = shop.subnet.clone();
    let mut expected = Vec::new();
    for (index, service) in AwsService::all().iter().enumerate() {
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 8, 0)) + index as u32);
        let name = service.name("us-east-1");
        let id = shop.world.aws_endpoint(&name, &[(&subnet, &address.to_string())]);
        let endpoint = shop.world.get::<VpcEndpoint>(&id);
        let below = |name: String| name.replace("*.", "any.");
        expected
            .extend(service.private_dns_names("us-east-1").into_iter().map(|name| (below(name), address)));
        expected.push((endpoint.regional_name(), address));
        expected.push((endpoint.zonal_name("us-east-1a"), address));
    }
    let server = Server::start(shop.world.snapshot(), None).await;
    for (name, address) in expected {
        assert_eq!(server.addresses(shop.client, &name).await, [address], "{name}");
    }
}

#[tokio::test]
async fn databases_have_names_once_they_are_made() {
    let mut shop = Shop::new(None);
    let subnet = shop.subnet.clone();
    let interface = shop.world.interface(&subnet, "10.0.1.40", InterfaceRole::Available);
    let name = "db.c0ffee.us-east-1.rds.amazonaws.com";
    let arn = shop.world.database(name, DbStatus::Creating, interface);
    let server = Server::start(shop.world.snapshot(), None).await;
    assert_eq!(server.code(shop.client, name).await, ResponseCode::NXDomain);
    for status in [DbStatus::Available, DbStatus::Stopped, DbStatus::Modifying] {
        shop.world.change::<DbInstance>(&arn, |database| database.status = status);
        server.resolver.publish(shop.world.snapshot());
        for client in [shop.client, shop.stranger] {
            assert_eq!(server.addresses(client, "DB.c0ffee.us-east-1.rds.amazonaws.com").await, [PLACES[0]]);
        }
    }
    shop.world.change::<DbInstance>(&arn, |database| database.status = DbStatus::Deleting);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(server.code(shop.client, name).await, ResponseCode::NXDomain);
    assert_eq!(
        server.code(shop.client, "other.c0ffee.us-east-1.rds.amazonaws.com").await,
        ResponseCode::Refused
    );
}
