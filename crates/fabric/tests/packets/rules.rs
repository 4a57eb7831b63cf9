//! Security groups: who is let in by which rule.

use std::net::Ipv4Addr;

use linkway_fabric::layout::Rule;

use crate::frame::{Frame, SYN};
use crate::world::*;

fn tcp(port: u16) -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, port), SYN)
}

/// The rule by which the packet got in, with these rules at its receiver.
fn let_in_by(rules: &[Rule], frame: &Frame) -> Option<u32> {
    let world = World::new();
    world.rules(102, INGRESS, rules);
    match world.send(CLIENT, frame) {
        Outcome::Sent(_) => Some(world.pair().0.1.ingress_rule),
        Outcome::Dropped => {
            world.assert_drops(&[(CLIENT, Drop::DROP_INGRESS_DENIED, 1)]);
            assert_eq!(world.flows(), []);
            None
        }
    }
}

#[test]
fn a_rule_matches_by_protocol_ports_and_peer() {
    let ten = Ipv4Addr::new(10, 0, 0, 0);
    let echo = Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 9);
    let udp = Frame::udp((CLIENT_IP, 1), (NEIGHBOUR_IP, 80));
    let cases = [
        ("in the range's first port", rule(1, 6, (80, 90)).peer_cidr(ten, 8), tcp(80), true),
        ("in the range's last port", rule(1, 6, (80, 90)).peer_cidr(ten, 8), tcp(90), true),
        ("below it", rule(1, 6, (80, 90)).peer_cidr(ten, 8), tcp(79), false),
        ("above it", rule(1, 6, (80, 90)).peer_cidr(ten, 8), tcp(91), false),
        ("another protocol", rule(1, 6, (80, 90)).peer_cidr(ten, 8), udp.clone(), false),
        ("all traffic", rule(1, 0, (0, 0)).peer_cidr(ten, 8), udp, true),
        ("all traffic, ping", rule(1, 0, (0, 0)).peer_cidr(ten, 8), echo.clone(), true),
        ("one address", rule(1, 6, (80, 80)).peer_cidr(CLIENT_IP, 32), tcp(80), true),
        (
            "one bit beside it",
            rule(1, 6, (80, 80)).peer_cidr(Ipv4Addr::new(10, 0, 0, 11), 32),
            tcp(80),
            false,
        ),
        ("a /31 around it", rule(1, 6, (80, 80)).peer_cidr(Ipv4Addr::new(10, 0, 0, 10), 31), tcp(80), true),
        ("a /9 beside it", rule(1, 6, (80, 80)).peer_cidr(Ipv4Addr::new(10, 128, 0, 0), 9), tcp(80), false),
        ("everybody", rule(1, 6, (80, 80)).peer_cidr(Ipv4Addr::UNSPECIFIED, 0), tcp(80), true),
        ("the sender's group", rule(1, 6, (80, 80)).peer_group(CLIENT_GROUP), tcp(80), true),
        ("another group", rule(1, 6, (80, 80)).peer_group(2), tcp(80), false),
        ("ICMP type", rule(1, 1, (8, ANY_ICMP)).peer_cidr(ten, 8), echo.clone(), true),
        ("ICMP type and code", rule(1, 1, (8, 0)).peer_cidr(ten, 8), echo.clone(), true),
        ("another ICMP code", rule(1, 1, (8, 1)).peer_cidr(ten, 8), echo.clone(), false),
        ("another ICMP type", rule(1, 1, (0, ANY_ICMP)).peer_cidr(ten, 8), echo.clone(), false),
        ("any ICMP", rule(1, 1, (ANY_ICMP, ANY_ICMP)).peer_cidr(ten, 8), echo, true),
    ];
    for (what, rule, frame, allowed) in cases {
        assert_eq!(let_in_by(&[rule], &frame), allowed.then_some(1), "{what}");
    }
}

#[test]
fn the_first_that_matches_is_named_however_long_the_list() {
    let mut rules: Vec<_> = (0..1000).map(|id| rule(id + 1, 17, (80, 80)).peer_cidr(CLIENT_IP, 32)).collect();
    rules[999] = rule(1000, 6, (80, 80)).peer_cidr(CLIENT_IP, 32);
    assert_eq!(let_in_by(&rules, &tcp(80)), Some(1000));
    rules[8] = rule(9, 6, (80, 80)).peer_group(CLIENT_GROUP);
    rules[9] = rule(10, 6, (80, 80)).peer_group(CLIENT_GROUP);
    assert_eq!(let_in_by(&rules, &tcp(80)), Some(9));
    assert_eq!(let_in_by(&[], &tcp(80)), None);
}

#[test]
fn what_lies_behind_the_lists_end_does_not_count() {
    let world = World::new();
    // Two rules in the chunk, of which the list has one.
    let rules =
        [rule(1, 17, (80, 80)).peer_cidr(CLIENT_IP, 32), rule(2, 6, (80, 80)).peer_cidr(CLIENT_IP, 32)];
    world.rules(102, INGRESS, &rules);
    world.rules(102, INGRESS, &rules[..1]);
    let mut chunk = linkway_fabric::layout::RuleChunk::default();
    chunk.rule[..2].copy_from_slice(&rules);
    let hash = 5000 + 102 * 2 + u64::from(INGRESS);
    let key = linkway_fabric::layout::RuleKey { rules: hash, chunk: 0, pad: 0 };
    world.put(&world.skeleton.maps.rules, &key, &chunk);
    assert_eq!(world.send(CLIENT, &tcp(80)), Outcome::Dropped);
}

#[test]
fn no_groups_let_everything_through_and_a_set_without_rules_nothing() {
    let world = World::new();
    world.interface(CLIENT, CONSUMER, CLIENT_IP, 0, Kind::INTERFACE_WORKLOAD);
    world.interface(NEIGHBOUR, CONSUMER, NEIGHBOUR_IP, 0, Kind::INTERFACE_WORKLOAD);
    world.send(CLIENT, &tcp(22)).frame();
    let ((_, forward), _) = world.pair();
    assert_eq!((forward.egress_rule, forward.ingress_rule), (0, 0));

    world.interface(CLIENT, CONSUMER, CLIENT_IP, 999, Kind::INTERFACE_WORKLOAD);
    assert_eq!(world.send(CLIENT, &tcp(23)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_EGRESS_DENIED, 1)]);
}

#[test]
fn egress_is_judged_by_where_it_goes() {
    let world = World::new();
    world.rules(101, EGRESS, &[rule(1, 6, (80, 80)).peer_group(2)]);
    world.send(CLIENT, &tcp(80)).frame();
    assert_eq!(world.send(CLIENT, &Frame::tcp((CLIENT_IP, 1), (ENDPOINT_IP, 443), SYN)), Outcome::Dropped);
    world.rules(101, EGRESS, &[rule(2, 6, (443, 443)).peer_cidr(ENDPOINT_IP, 32)]);
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 1), (ENDPOINT_IP, 443), SYN)).frame();
    assert_eq!(world.send(CLIENT, &tcp(81)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_EGRESS_DENIED, 2)]);
}

#[test]
fn answers_need_no_rule() {
    let world = World::new();
    // NEIGHBOUR's groups let nothing out, CLIENT's nothing in.
    let ping = Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 77);
    assert_eq!(world.send(CLIENT, &ping).frame(), ping.macs(ROUTER_MAC, mac(NEIGHBOUR)));
    let pong = Frame::echo(NEIGHBOUR_IP, CLIENT_IP, true, 77);
    assert_eq!(world.send(NEIGHBOUR, &pong).frame(), pong.macs(ROUTER_MAC, mac(CLIENT)));
    let datagram = Frame::udp((CLIENT_IP, 1), (NEIGHBOUR_IP, 5000));
    world.send(CLIENT, &datagram).frame();
    world.send(NEIGHBOUR, &Frame::udp((NEIGHBOUR_IP, 5000), (CLIENT_IP, 1))).frame();
    // The same the other way round is a new flow.
    assert_eq!(world.send(NEIGHBOUR, &Frame::echo(NEIGHBOUR_IP, CLIENT_IP, false, 78)), Outcome::Dropped);
    assert_eq!(world.send(NEIGHBOUR, &Frame::udp((NEIGHBOUR_IP, 5000), (CLIENT_IP, 2))), Outcome::Dropped);
    world.assert_drops(&[(NEIGHBOUR, Drop::DROP_EGRESS_DENIED, 2)]);
}

#[test]
fn a_request_is_no_answer_even_with_identifier_zero() {
    let world = World::new();
    world.send(CLIENT, &Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 0)).frame();
    assert_eq!(world.send(NEIGHBOUR, &Frame::echo(NEIGHBOUR_IP, CLIENT_IP, false, 0)), Outcome::Dropped);
    world.send(NEIGHBOUR, &Frame::echo(NEIGHBOUR_IP, CLIENT_IP, true, 0)).frame();
    world.assert_drops(&[(NEIGHBOUR, Drop::DROP_NO_FLOW, 1)]);
}
