//! Names of what has IPv6 addresses, and queries that come by IPv6.

mod common;

use std::net::{IpAddr, Ipv6Addr};

use common::net::{Server, has_start_of_authority, query, receive};
use common::world::{DOWN, NODES, PLACES, Shop, TARGETS};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, RecordType};
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::LoadBalancer;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::{Vpc, VpcIpv6Cidr};
use linkway_model::vpc_endpoint::{DnsRecordIpType, VpcEndpoint};
use linkway_model::{AttachmentId, InstanceId, NetworkInterfaceId, Timestamp, VpcCidrAssociationId};
use tokio::net::{TcpListener, UdpSocket};

/// An address of 2001:db8::/32.
fn six(host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host)
}

/// The endpoint's and the balancer's, in the order of zones.
fn places6() -> [Ipv6Addr; 2] {
    [six(0x10), six(0x11)]
}

fn nodes6() -> [Ipv6Addr; 2] {
    [six(0x20), six(0x21)]
}

/// A shop whose endpoint and balancer have both families.
fn shop(private_name: Option<&str>) -> Shop {
    let mut shop = Shop::new(private_name);
    let endpoint = shop.world.get::<VpcEndpoint>(&shop.endpoint);
    let balancer = shop.world.get::<LoadBalancer>(&shop.balancer);
    let give = |shop: &mut Shop, id: &NetworkInterfaceId, address| {
        shop.world.change::<NetworkInterface>(id, |its| its.ipv6_addresses = vec![address]);
    };
    for (place, address) in endpoint.subnets.iter().zip(places6()) {
        give(&mut shop, &place.interface, address);
    }
    for (node, address) in balancer.nodes.iter().zip(nodes6()) {
        give(&mut shop, &node.interface, address);
    }
    shop.world.change::<LoadBalancer>(&shop.balancer, |its| its.ip_address_type = IpAddressType::Dualstack);
    record(&mut shop, DnsRecordIpType::Dualstack);
    shop
}

fn record(shop: &mut Shop, kind: DnsRecordIpType) {
    shop.world.change::<VpcEndpoint>(&shop.endpoint, |endpoint| {
        endpoint.ip_address_type = IpAddressType::Dualstack;
        endpoint.dns_record_ip_type = kind;
    });
}

fn found(answer: &Message) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = answer
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(a) => Some(a.0.into()),
            RData::AAAA(aaaa) => Some(aaaa.0.into()),
            _ => None,
        })
        .collect();
    found.sort();
    found
}

fn all(addresses: &[impl Into<IpAddr> + Copy]) -> Vec<IpAddr> {
    addresses.iter().map(|address| (*address).into()).collect()
}

#[tokio::test]
async fn an_endpoints_names_have_the_records_that_its_options_say() {
    let mut shop = shop(Some("db.example.com"));
    let server = Server::start(shop.world.snapshot(), None).await;
    for (kind, has_ipv4, has_ipv6) in [
        (DnsRecordIpType::Dualstack, true, true),
        (DnsRecordIpType::Ipv4, true, false),
        (DnsRecordIpType::Ipv6, false, true),
        (DnsRecordIpType::ServiceDefined, true, true),
    ] {
        record(&mut shop, kind);
        server.resolver.publish(shop.world.snapshot());
        let names = [
            (shop.regional_name(), 0..2),
            (shop.zonal_name("us-east-1b"), 1..2),
            ("db.example.com".into(), 0..2),
        ];
        for (name, zones) in names {
            // Of the service's own name, a service-defined endpoint has A only.
            let has_ipv6 = has_ipv6 && (kind != DnsRecordIpType::ServiceDefined || !name.starts_with("db."));
            let wanted = [
                (RecordType::A, has_ipv4, all(&PLACES[zones.clone()])),
                (RecordType::AAAA, has_ipv6, all(&places6()[zones])),
            ];
            for (asked, is_there, addresses) in wanted {
                let answer = server.ask(shop.client, &name, asked).await;
                assert_eq!(answer.metadata.response_code, ResponseCode::NoError, "{kind:?} {name} {asked}");
                assert_eq!(
                    found(&answer),
                    if is_there { addresses } else { vec![] },
                    "{kind:?} {name} {asked}"
                );
                assert_eq!(has_start_of_authority(&answer), !is_there, "{kind:?} {name} {asked}");
            }
        }
    }
}

#[tokio::test]
async fn balancers_of_both_families_have_both_records() {
    let mut shop = shop(None);
    let name = shop.world.get::<LoadBalancer>(&shop.balancer).dns_name.clone();
    let server = Server::start(shop.world.snapshot(), None).await;
    assert_eq!(found(&server.ask(shop.client, &name, RecordType::AAAA).await), all(&nodes6()));
    let both = found(&server.ask(shop.client, &format!("us-east-1a.{name}"), RecordType::ANY).await);
    assert_eq!(both, [all(&NODES[..1]), all(&nodes6()[..1])].concat());

    shop.world.set_health(&shop.target_group, TARGETS[0], DOWN);
    server.resolver.publish(shop.world.snapshot());
    assert_eq!(found(&server.ask(shop.client, &name, RecordType::AAAA).await), all(&nodes6()[1..]));
    assert_eq!(
        found(&server.ask(shop.client, &shop.regional_name(), RecordType::AAAA).await),
        all(&places6()[1..])
    );

    shop.world.change::<LoadBalancer>(&shop.balancer, |its| its.ip_address_type = IpAddressType::Ipv4);
    server.resolver.publish(shop.world.snapshot());
    assert!(found(&server.ask(shop.client, &name, RecordType::AAAA).await).is_empty());
}

#[tokio::test]
async fn resource_names_have_the_records_that_the_subnet_asks_for() {
    let mut shop = shop(None);
    let (instance, subnet) = (InstanceId::random(), shop.subnet.clone());
    let role = InterfaceRole::Instance {
        instance: instance.clone(),
        attachment: AttachmentId::random(),
        device_index: 0,
        attached: Timestamp::UNIX_EPOCH,
        delete_on_termination: true,
    };
    let interface = shop.world.interface(&subnet, "10.0.1.7", role);
    shop.world.instance(&instance, &subnet, &interface);
    shop.world.change::<Vpc>(&shop.vpc, |vpc| {
        vpc.ipv6_cidrs = vec![VpcIpv6Cidr {
            association: VpcCidrAssociationId::random(),
            cidr: "2001:db8::/56".parse().unwrap(),
        }];
    });
    shop.world.change::<NetworkInterface>(&interface, |its| its.ipv6_addresses = vec![six(7), six(8)]);
    let (by_id, by_address) = (format!("{instance}.ec2.internal"), "ip-10-0-1-7.ec2.internal");
    let server = Server::start(shop.world.snapshot(), None).await;
    for (has_ipv4, has_ipv6) in [(false, false), (true, false), (false, true), (true, true)] {
        shop.world.change::<Subnet>(&subnet, |subnet| {
            subnet.resource_name_a_record = has_ipv4;
            subnet.resource_name_aaaa_record = has_ipv6;
        });
        server.resolver.publish(shop.world.snapshot());
        let ipv4 = server.ask(shop.client, &by_id, RecordType::A).await;
        let ipv6 = server.ask(shop.client, &by_id, RecordType::AAAA).await;
        assert_eq!(found(&ipv4).len(), usize::from(has_ipv4));
        assert_eq!(found(&ipv6), if has_ipv6 { all(&[six(7)]) } else { vec![] });
        let code = if has_ipv4 || has_ipv6 { ResponseCode::NoError } else { ResponseCode::NXDomain };
        assert_eq!((ipv4.metadata.response_code, ipv6.metadata.response_code), (code, code));
        let none = server.ask(shop.client, by_address, RecordType::AAAA).await;
        assert!(none.metadata.response_code == ResponseCode::NoError && none.answers.is_empty());

        // An address has a name where the name has the address.
        let back = server.ask(shop.client, &reverse(six(7)), RecordType::PTR).await;
        let names: Vec<_> = back.answers.iter().map(|record| record.data.to_string()).collect();
        if has_ipv6 {
            assert_eq!(names, [format!("{by_id}.")]);
        } else {
            assert_eq!((back.metadata.response_code, names), (ResponseCode::NXDomain, vec![]));
        }
    }
    assert_eq!(server.code(shop.client, &reverse(six(7))).await, ResponseCode::NoError, "no address record");
    for (asker, address, code) in [
        (shop.client, six(8), ResponseCode::NXDomain),
        (shop.client, "2001:db8:9::7".parse().unwrap(), ResponseCode::Refused),
        (shop.stranger, six(7), ResponseCode::Refused),
    ] {
        let answer = server.ask(asker, &reverse(address), RecordType::PTR).await;
        assert_eq!(answer.metadata.response_code, code, "{asker} {address}: none there, or the upstream's");
    }
}

/// The name that an address is asked about by.
fn reverse(address: Ipv6Addr) -> String {
    let digits = format!("{:032x}", u128::from(address));
    digits.chars().rev().map(|digit| format!("{digit}.")).collect::<String>() + "ip6.arpa"
}

#[tokio::test]
async fn who_asks_by_ipv6_is_known() {
    let shop = shop(Some("db.example.com"));
    assert_eq!(shop.client, 1, "::1 stands for interface 1");
    let server = Server::start(shop.world.snapshot(), None).await;
    let udp = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let address = udp.local_addr().unwrap();
    let tcp = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let resolver = server.resolver.clone();
    let serving = tokio::spawn(async move { resolver.serve(udp, tcp).await });
    let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect(address).await.unwrap();
    socket.send(&query("db.example.com", RecordType::AAAA).to_vec().unwrap()).await.unwrap();
    let answer = Message::from_vec(&receive(&socket).await).unwrap();
    assert_eq!(found(&answer), all(&places6()), "the private name of its own VPC");
    serving.abort();
}
