//! Route tables: where what leaves a subnet is led, and what it is dropped for where that is nowhere.

use std::net::Ipv4Addr;

use linkway_fabric::layout::Rule;

use crate::frame::{ACK, Frame, PSH, SYN};
use crate::world::*;

/// `NEIGHBOUR`'s subnet, whose range its address is in.
const OTHER: u64 = 11;
const RANGE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 16);
const OTHER_RANGE: &str = "10.0.0.16/28";

/// The route table of `CLIENT`'s subnet, and that of `OTHER`.
const TABLE: u32 = 1;
const OTHER_TABLE: u32 = 2;

/// An interface in a third subnet that sends on what is not for itself.
const FORWARDER: u32 = STRANGER;
const FORWARDER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 7);
const FORWARDERS: u64 = 12;

const OUTSIDE_IP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const ANYWHERE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

fn world() -> World {
    let world = World::new();
    world.subnet(OTHER, RANGE, 28, [None, None]);
    world.move_to(NEIGHBOUR, OTHER);
    for (subnet, table) in [(CONSUMER.into(), TABLE), (OTHER, OTHER_TABLE)] {
        world.use_routes(subnet, table);
        world.route(table, "10.0.0.0/16", RouteKind::ROUTE_LOCAL, 0);
    }
    world
}

/// With `FORWARDER`, whose groups let everything through, as those of `CLIENT` and `NEIGHBOUR` do.
fn with_forwarder() -> World {
    let world = world();
    world.interface(FORWARDER, CONSUMER, FORWARDER_IP, 106, Kind::INTERFACE_WORKLOAD);
    world.subnet(FORWARDERS, Ipv4Addr::new(10, 0, 2, 0), 24, [None, None]);
    world.move_to(FORWARDER, FORWARDERS);
    world.check_source(FORWARDER, false);
    for (groups, id) in [(101, 1), (102, 2), (106, 6)] {
        world.rules(groups, EGRESS, &[rule(10 + id, 0, (0, 0)).peer_cidr(ANYWHERE, 0)]);
        world.rules(groups, INGRESS, &[rule(20 + id, 0, (0, 0)).peer_cidr(ANYWHERE, 0)]);
    }
    world
}

fn to(address: Ipv4Addr, flags: u8) -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (address, 80), flags)
}

fn from(address: Ipv4Addr, flags: u8) -> Frame {
    Frame::tcp((address, 80), (CLIENT_IP, 40000), flags)
}

#[test]
fn the_longest_prefix_decides() {
    let world = world();
    world.route(TABLE, OTHER_RANGE, RouteKind::ROUTE_BLACKHOLE, 0);
    world.route(TABLE, "10.0.0.20/32", RouteKind::ROUTE_LOCAL, 0);
    world.route(TABLE, "0.0.0.0/0", RouteKind::ROUTE_UPLINK, 0);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)).frame();
    world.remove_route(TABLE, "10.0.0.20/32");
    let again = Frame::tcp((CLIENT_IP, 40001), (NEIGHBOUR_IP, 80), SYN);
    assert_eq!(world.send(CLIENT, &again), Outcome::Dropped);
    world.remove_route(TABLE, OTHER_RANGE);
    world.send(CLIENT, &again).frame();
    world.assert_drops(&[(CLIENT, Drop::DROP_BLACKHOLE_ROUTE, 1)]);
}

#[test]
fn there_is_a_reason_for_each_way_that_leads_nowhere() {
    let world = world();
    world.route(TABLE, "192.0.2.0/24", RouteKind::ROUTE_UPLINK, 0);
    world.route(TABLE, "198.51.100.0/24", RouteKind::ROUTE_BLACKHOLE, 0);
    world.route(TABLE, "203.0.113.0/24", RouteKind::ROUTE_INTERFACE, NEIGHBOUR);
    let cases = [
        (OUTSIDE_IP, Drop::DROP_NO_UPLINK),
        (Ipv4Addr::new(198, 51, 100, 1), Drop::DROP_BLACKHOLE_ROUTE),
        (Ipv4Addr::new(203, 0, 113, 1), Drop::DROP_NOT_FORWARDED),
        (Ipv4Addr::new(8, 8, 8, 8), Drop::DROP_NO_ROUTE),
        (OTHER_SUBNET_IP, Drop::DROP_NO_ROUTE),
        (NOWHERE_IP, Drop::DROP_NO_ROUTE),
    ];
    for (address, reason) in cases {
        let before = world.drops().get(&(CLIENT, reason.0)).copied().unwrap_or(0);
        assert_eq!(world.send(CLIENT, &to(address, SYN)), Outcome::Dropped);
        assert_eq!(world.drops()[&(CLIENT, reason.0)], before + 1, "{address}");
    }
    assert_eq!(world.flows(), []);
}

#[test]
fn no_route_leads_out_for_link_local_addresses_and_those_of_the_own_subnet() {
    let world = world();
    world.route(TABLE, "0.0.0.0/0", RouteKind::ROUTE_UPLINK, 0);
    world.route(TABLE, "10.0.0.0/24", RouteKind::ROUTE_BLACKHOLE, 0);
    world.subnet(CONSUMER.into(), Ipv4Addr::new(10, 0, 0, 0), 24, [None, Some(&[])]);
    for address in [Ipv4Addr::new(169, 254, 169, 123), NOWHERE_IP, ROUTER_IP] {
        world.send(CLIENT, &to(address, SYN));
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_ROUTE, 3)]);
}

#[test]
fn within_a_subnet_no_route_is_asked_for() {
    let world = world();
    world.move_to(NEIGHBOUR, CONSUMER.into());
    world.route(TABLE, "10.0.0.20/32", RouteKind::ROUTE_BLACKHOLE, 0);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)).frame();
    world.send(NEIGHBOUR, &from(NEIGHBOUR_IP, SYN | ACK)).frame();
    world.assert_drops(&[]);
}

#[test]
fn it_is_asked_between_the_acls() {
    let world = world();
    let nothing: Option<&[Rule]> = Some(&[]);
    world.route(TABLE, OTHER_RANGE, RouteKind::ROUTE_BLACKHOLE, 0);
    world.subnet(OTHER, RANGE, 28, [nothing, None]);
    world.subnet(CONSUMER.into(), Ipv4Addr::new(10, 0, 0, 0), 24, [None, nothing]);
    world.use_routes(CONSUMER.into(), TABLE);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN));
    world.subnet(CONSUMER.into(), Ipv4Addr::new(10, 0, 0, 0), 24, [None, None]);
    world.use_routes(CONSUMER.into(), TABLE);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN));
    world.remove_route(TABLE, OTHER_RANGE);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN));
    world.assert_drops(&[
        (CLIENT, Drop::DROP_ACL_EGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_BLACKHOLE_ROUTE, 1),
        (CLIENT, Drop::DROP_ACL_INGRESS_DENIED, 1),
    ]);
}

#[test]
fn answers_need_a_route_of_their_own() {
    type Case = (fn(&World), Drop);
    let cases: [Case; 4] = [
        (|w| w.route(OTHER_TABLE, "10.0.0.0/28", RouteKind::ROUTE_BLACKHOLE, 0), Drop::DROP_BLACKHOLE_ROUTE),
        (|w| w.route(OTHER_TABLE, "10.0.0.10/32", RouteKind::ROUTE_UPLINK, 0), Drop::DROP_NO_UPLINK),
        (
            |w| w.route(OTHER_TABLE, "10.0.0.10/32", RouteKind::ROUTE_INTERFACE, TARGET),
            Drop::DROP_NOT_FORWARDED,
        ),
        (|w| w.remove_route(OTHER_TABLE, "10.0.0.0/16"), Drop::DROP_NO_ROUTE),
    ];
    for (change, reason) in cases {
        let world = world();
        change(&world);
        world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)).frame();
        assert_eq!(world.send(NEIGHBOUR, &from(NEIGHBOUR_IP, SYN | ACK)), Outcome::Dropped);
        world.assert_drops(&[(NEIGHBOUR, reason, 1)]);
    }
}

#[test]
fn a_route_that_comes_to_lead_nowhere_stops_a_flow_until_it_is_gone() {
    let world = world();
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)).frame();
    world.send(NEIGHBOUR, &from(NEIGHBOUR_IP, SYN | ACK)).frame();
    world.route(TABLE, OTHER_RANGE, RouteKind::ROUTE_BLACKHOLE, 0);
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &to(NEIGHBOUR_IP, ACK)), Outcome::Dropped);
    world.send(NEIGHBOUR, &from(NEIGHBOUR_IP, ACK)).frame();
    // Another table, which has no such route.
    world.use_routes(CONSUMER.into(), OTHER_TABLE);
    world.settings(|settings| settings.epoch = 3);
    world.send(CLIENT, &to(NEIGHBOUR_IP, ACK)).frame();
    world.assert_drops(&[(CLIENT, Drop::DROP_BLACKHOLE_ROUTE, 1)]);
}

/// The endpoint's subnet routes its answers, the node's and the target's their packets to each other.
#[test]
fn an_endpoints_a_nodes_and_a_targets_route_tables_are_asked() {
    let elsewhere = Ipv4Addr::new(10, 0, 9, 0);
    let cases = [
        (CLIENT, "10.0.0.30/32", CLIENT),
        (NODE, "10.0.0.10/32", CLIENT),
        (TARGET, "10.0.0.50/32", TARGET),
        (ENDPOINT, "10.0.0.10/32", TARGET),
    ];
    for (whose, destination, sender) in cases {
        let world = World::new();
        world.subnet(OTHER, elsewhere, 24, [None, None]);
        world.move_to(whose, OTHER);
        world.use_routes(OTHER, TABLE);
        world.route(TABLE, "10.0.0.0/16", RouteKind::ROUTE_LOCAL, 0);
        world.route(TABLE, destination, RouteKind::ROUTE_BLACKHOLE, 0);
        if let Outcome::Sent(_) = world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN))
        {
            world.send(TARGET, &Frame::tcp((TARGET_IP, 8443), (NODE_IP, 40000), SYN | ACK));
        }
        world.assert_drops(&[(sender, Drop::DROP_BLACKHOLE_ROUTE, 1)]);
    }
}

#[test]
fn an_interface_that_forwards_gets_what_is_for_others() {
    let world = with_forwarder();
    world.route(TABLE, "192.0.2.0/24", RouteKind::ROUTE_INTERFACE, FORWARDER);
    let syn = to(OUTSIDE_IP, SYN);
    assert_eq!(world.send(CLIENT, &syn).frame(), syn.macs(ROUTER_MAC, mac(FORWARDER)));
    let answer = from(OUTSIDE_IP, SYN | ACK);
    assert_eq!(world.send(FORWARDER, &answer).frame(), answer.macs(ROUTER_MAC, mac(CLIENT)));
    world.send(CLIENT, &to(OUTSIDE_IP, ACK | PSH)).frame();
    let ((_, forward), _) = world.pair();
    assert_eq!((forward.receiver, forward.egress_rule, forward.ingress_rule), (FORWARDER, 11, 26));

    // And from outside, on its own account; what comes back needs the route, too.
    world.send(FORWARDER, &Frame::udp((OUTSIDE_IP, 1), (CLIENT_IP, 9))).frame();
    world.send(CLIENT, &Frame::udp((CLIENT_IP, 9), (OUTSIDE_IP, 1))).frame();
    world.send(FORWARDER, &Frame::udp((Ipv4Addr::new(198, 51, 100, 1), 1), (CLIENT_IP, 9))).frame();
    let answer = Frame::udp((CLIENT_IP, 9), (Ipv4Addr::new(198, 51, 100, 1), 1));
    assert_eq!(world.send(CLIENT, &answer), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_ROUTE, 1)]);
}

#[test]
fn an_interface_that_checks_sources_forwards_nothing() {
    let world = with_forwarder();
    world.route(TABLE, "192.0.2.0/24", RouteKind::ROUTE_INTERFACE, FORWARDER);
    world.check_source(FORWARDER, true);
    assert_eq!(world.send(CLIENT, &to(OUTSIDE_IP, SYN)), Outcome::Dropped);
    // Nor does an endpoint's, whatever its flags; nor is anything sent back to where it came from.
    world.check_source(ENDPOINT, false);
    world.route(TABLE, "192.0.2.0/24", RouteKind::ROUTE_INTERFACE, ENDPOINT);
    assert_eq!(world.send(CLIENT, &to(OUTSIDE_IP, SYN)), Outcome::Dropped);
    world.route(TABLE, "192.0.2.0/24", RouteKind::ROUTE_INTERFACE, CLIENT);
    world.check_source(CLIENT, false);
    assert_eq!(world.send(CLIENT, &to(OUTSIDE_IP, SYN)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NOT_FORWARDED, 3)]);
}

/// What an interface has an address for needs no forwarding.
#[test]
fn a_route_to_the_receiver_itself_is_no_redirection() {
    let world = world();
    world.route(TABLE, OTHER_RANGE, RouteKind::ROUTE_INTERFACE, NEIGHBOUR);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)).frame();
    world.send(NEIGHBOUR, &from(NEIGHBOUR_IP, SYN | ACK)).frame();
    world.assert_drops(&[]);
}

/// From `CLIENT` to `NEIGHBOUR` by `FORWARDER`, where a route more specific than the local one says so.
fn between(world: &World) {
    world.route(TABLE, OTHER_RANGE, RouteKind::ROUTE_INTERFACE, FORWARDER);
    world.route(OTHER_TABLE, "10.0.0.0/28", RouteKind::ROUTE_INTERFACE, FORWARDER);
}

#[test]
fn a_forwarder_stands_between_two_subnets_both_ways() {
    let world = with_forwarder();
    between(&world);
    let there = [to(NEIGHBOUR_IP, SYN), to(NEIGHBOUR_IP, ACK)];
    let back = [from(NEIGHBOUR_IP, SYN | ACK), from(NEIGHBOUR_IP, ACK | PSH)];
    for (there, back) in there.into_iter().zip(back) {
        for (sender, frame, receiver) in [
            (CLIENT, &there, FORWARDER),
            (FORWARDER, &there, NEIGHBOUR),
            (NEIGHBOUR, &back, FORWARDER),
            (FORWARDER, &back, CLIENT),
        ] {
            let delivered = world.send(sender, frame).frame();
            assert_eq!(delivered, frame.clone().macs(ROUTER_MAC, mac(receiver)));
        }
    }
    assert_eq!(world.flows().len(), 4, "a flow to it, and one from it");
    world.raise_epoch();
    world.send(CLIENT, &to(NEIGHBOUR_IP, ACK)).frame();
    world.send(FORWARDER, &to(NEIGHBOUR_IP, ACK)).frame();
    world.send(NEIGHBOUR, &from(NEIGHBOUR_IP, ACK)).frame();
    world.send(FORWARDER, &from(NEIGHBOUR_IP, ACK)).frame();
    world.assert_drops(&[]);
}

#[test]
fn a_forwarded_packet_is_its_senders_by_address_and_not_the_forwarders_by_group() {
    let world = with_forwarder();
    between(&world);
    world.rules(102, INGRESS, &[rule(1, 0, (0, 0)).peer_group(6)]);
    world.put(
        &world.skeleton.maps.members,
        &linkway_fabric::layout::MemberKey { groups: 106, group: 6, pad: 0 },
        &1u32,
    );
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)).frame();
    assert_eq!(world.send(FORWARDER, &to(NEIGHBOUR_IP, SYN)), Outcome::Dropped);
    world.send(FORWARDER, &Frame::udp((FORWARDER_IP, 1), (NEIGHBOUR_IP, 9))).frame();
    world.rules(102, INGRESS, &[rule(2, 0, (0, 0)).peer_cidr(CLIENT_IP, 32)]);
    world.send(FORWARDER, &to(NEIGHBOUR_IP, SYN)).frame();
    world.assert_drops(&[(FORWARDER, Drop::DROP_INGRESS_DENIED, 1)]);
}

#[test]
fn a_flow_whose_route_leads_elsewhere_now_begins_anew() {
    let world = with_forwarder();
    let datagram = Frame::udp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 5000));
    assert_eq!(world.send(CLIENT, &datagram).frame().destination_mac, mac(NEIGHBOUR));
    between(&world);
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &datagram), Outcome::Dropped);
    assert_eq!(world.send(CLIENT, &datagram).frame().destination_mac, mac(FORWARDER));
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_REVOKED, 1)]);
}

#[test]
fn another_interface_takes_over_what_one_has_forwarded() {
    let world = with_forwarder();
    between(&world);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)).frame();
    world.send(FORWARDER, &to(NEIGHBOUR_IP, SYN)).frame();
    // An endpoint's device and number do for another instance's.
    world.interface(ENDPOINT, CONSUMER, Ipv4Addr::new(10, 0, 2, 8), 106, Kind::INTERFACE_WORKLOAD);
    world.move_to(ENDPOINT, FORWARDERS);
    world.check_source(ENDPOINT, false);
    for table in [TABLE, OTHER_TABLE] {
        let destination = if table == TABLE { OTHER_RANGE } else { "10.0.0.0/28" };
        world.route(table, destination, RouteKind::ROUTE_INTERFACE, ENDPOINT);
    }
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)), Outcome::Dropped);
    for (sender, frame, receiver) in [
        (CLIENT, to(NEIGHBOUR_IP, SYN), ENDPOINT),
        (ENDPOINT, to(NEIGHBOUR_IP, SYN), NEIGHBOUR),
        (NEIGHBOUR, from(NEIGHBOUR_IP, SYN | ACK), ENDPOINT),
        (ENDPOINT, from(NEIGHBOUR_IP, SYN | ACK), CLIENT),
    ] {
        assert_eq!(world.send(sender, &frame).frame().destination_mac, mac(receiver));
    }
    // Who checks its source has nothing to do with either flow.
    world.check_source(FORWARDER, true);
    assert_eq!(world.send(FORWARDER, &to(NEIGHBOUR_IP, ACK)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_REVOKED, 1), (FORWARDER, Drop::DROP_SPOOFED_SOURCE, 1)]);
}

#[test]
fn the_forwarders_acl_and_groups_are_asked_too() {
    let world = with_forwarder();
    between(&world);
    let nothing: Option<&[Rule]> = Some(&[]);
    world.subnet(FORWARDERS, Ipv4Addr::new(10, 0, 2, 0), 24, [nothing, None]);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN));
    world.subnet(FORWARDERS, Ipv4Addr::new(10, 0, 2, 0), 24, [None, nothing]);
    world.send(CLIENT, &to(NEIGHBOUR_IP, SYN)).frame();
    world.send(FORWARDER, &to(NEIGHBOUR_IP, SYN));
    world.rules(106, INGRESS, &[]);
    world.send(CLIENT, &Frame::udp((CLIENT_IP, 1), (NEIGHBOUR_IP, 5000)));
    world.assert_drops(&[
        (CLIENT, Drop::DROP_ACL_INGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_INGRESS_DENIED, 1),
        (FORWARDER, Drop::DROP_ACL_EGRESS_DENIED, 1),
    ]);
}

#[test]
fn an_endpoint_is_reached_through_a_forwarder() {
    let world = with_forwarder();
    world.move_to(ENDPOINT, OTHER);
    world.route(TABLE, OTHER_RANGE, RouteKind::ROUTE_INTERFACE, FORWARDER);
    world.rules(103, INGRESS, &[rule(1, 0, (0, 0)).peer_cidr(CLIENT_IP, 32)]);
    let out = Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN);
    assert_eq!(world.send(CLIENT, &out).frame().destination_mac, mac(FORWARDER));
    assert_eq!(world.send(FORWARDER, &out).frame().destination, TARGET_IP);
    let answer = Frame::tcp((TARGET_IP, 8443), (NODE_IP, 40000), SYN | ACK);
    let back = world.send(TARGET, &answer).frame();
    assert_eq!((back.source, back.destination_mac), (ENDPOINT_IP, mac(FORWARDER)));
    assert_eq!(world.send(FORWARDER, &back).frame().destination_mac, mac(CLIENT));
    world.assert_drops(&[]);
}
