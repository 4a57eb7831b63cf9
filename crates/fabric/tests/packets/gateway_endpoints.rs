//! Gateway endpoints: a route leads to a service's public addresses, for which the gateway answers.

use std::net::Ipv4Addr;

use linkway_fabric::layout::Rule;

use crate::frame::{ACK, Frame, SYN};
use crate::world::*;

/// The route table of `CLIENT`'s subnet.
const TABLE: u32 = 1;

/// One of the service's public addresses. Towards the gateway the endpoint is `AWS`, without groups.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const RANGE: &str = "192.0.2.0/24";

const SUBNET: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);
const ANYWHERE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

fn world() -> World {
    let world = World::new();
    world.interface(AWS, CONSUMER, ANYWHERE, 0, Kind::INTERFACE_ENDPOINT);
    world.rules(101, EGRESS, &[rule(1, 0, (0, 0)).peer_cidr(ANYWHERE, 0)]);
    world.route(TABLE, "10.0.0.0/16", RouteKind::ROUTE_LOCAL, 0);
    world.route(TABLE, RANGE, RouteKind::ROUTE_ENDPOINT, AWS);
    ask(&world, [None, None]);
    world
}

/// Gives `CLIENT`'s subnet an ACL: ingress, egress.
fn ask(world: &World, acl: [Option<&[Rule]>; 2]) {
    world.subnet(CONSUMER.into(), SUBNET, 24, acl);
    world.use_routes(CONSUMER.into(), TABLE);
}

fn out(flags: u8) -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (PUBLIC, 443), flags)
}

fn back(flags: u8) -> Frame {
    Frame::tcp((SERVICE_AWS_IP, 443), (SERVICE_CLIENT_IP, 40000), flags)
}

#[test]
fn the_gateway_answers_for_the_public_addresses() {
    let world = world();
    let there = Frame::tcp((SERVICE_CLIENT_IP, 40000), (SERVICE_AWS_IP, 443), SYN);
    assert_eq!(world.send(CLIENT, &out(SYN)).frame(), there.macs(ROUTER_MAC, mac(SERVICE)));
    let answer = Frame::tcp((PUBLIC, 443), (CLIENT_IP, 40000), SYN | ACK);
    assert_eq!(world.send(SERVICE, &back(SYN | ACK)).frame(), answer.macs(ROUTER_MAC, mac(CLIENT)));
    world.send(CLIENT, &out(ACK)).frame();
    assert_eq!(world.traffic(AWS), (1, 2, 1), "counted at the endpoint");
    world.assert_drops(&[]);
}

#[test]
fn it_answers_nothing_but_http() {
    let world = world();
    for frame in [
        Frame::tcp((CLIENT_IP, 40000), (PUBLIC, 22), SYN),
        Frame::udp((CLIENT_IP, 40000), (PUBLIC, 443)),
        Frame::echo(CLIENT_IP, PUBLIC, false, 1),
    ] {
        assert_eq!(world.send(CLIENT, &frame), Outcome::Dropped);
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_LISTENER, 3)]);
}

#[test]
fn the_senders_groups_and_the_acl_of_its_subnet_are_asked() {
    let world = world();
    let (nothing, all): (&[Rule], _) = (&[], [rule(1, 0, (0, 0)).peer_cidr(ANYWHERE, 0)]);
    ask(&world, [None, Some(nothing)]);
    world.send(CLIENT, &out(SYN));
    // Answers come in to the sender's port.
    ask(&world, [Some(&[rule(1, 6, (443, 443)).peer_cidr(ANYWHERE, 0)]), Some(&all)]);
    world.send(CLIENT, &out(SYN)).frame();
    assert_eq!(world.send(SERVICE, &back(SYN | ACK)), Outcome::Dropped);
    ask(&world, [Some(&[rule(1, 6, (40000, 40000)).peer_cidr(PUBLIC, 32)]), Some(&all)]);
    world.raise_epoch();
    world.send(SERVICE, &back(SYN | ACK)).frame();
    world.rules(101, EGRESS, &[]);
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40001), (PUBLIC, 443), SYN));
    world.assert_drops(&[
        (CLIENT, Drop::DROP_ACL_EGRESS_DENIED, 1),
        (SERVICE, Drop::DROP_ACL_INGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_EGRESS_DENIED, 1),
    ]);
}

#[test]
fn without_the_route_or_the_endpoint_nothing_goes_on() {
    let world = world();
    world.send(CLIENT, &out(SYN)).frame();
    world.send(SERVICE, &back(SYN | ACK)).frame();
    world.remove_route(TABLE, RANGE);
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &out(ACK)), Outcome::Dropped);
    world.route(TABLE, RANGE, RouteKind::ROUTE_ENDPOINT, AWS);
    world.lead(AWS, AWS, false);
    world.settings(|settings| settings.epoch = 3);
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40001), (PUBLIC, 443), SYN));
    let reasons: Vec<_> = world.drops().into_keys().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, [Drop::DROP_NO_ROUTE.0, Drop::DROP_ENDPOINT_UNAVAILABLE.0]);
}
