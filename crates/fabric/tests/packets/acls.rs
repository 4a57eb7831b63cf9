//! Network ACLs: what may leave a subnet and enter another, and which way.

use libbpf_rs::MapCore;
use linkway_fabric::layout::{Layout, Rule};

use std::net::Ipv4Addr;

use crate::frame::{ACK, Frame, PSH, SYN, Transport};
use crate::world::*;

/// Another subnet of the VPC. Whoever is moved there keeps an address that another subnet's range has, too; only
/// where nothing stands does the range matter.
const OTHER: u64 = 11;
const RANGE: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);
const TEN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);

fn allow(number: u32, protocol: u8, ports: (u16, u16)) -> Rule {
    rule(number, protocol, ports).peer_cidr(TEN, 8)
}

fn deny(number: u32, protocol: u8, ports: (u16, u16)) -> Rule {
    Rule { denies: 1, ..allow(number, protocol, ports) }
}

const EVERYTHING: (u16, u16) = (0, u16::MAX);

fn syn() -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN)
}

fn data() -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), ACK | PSH)
}

fn answer(flags: u8) -> Frame {
    Frame::tcp((NEIGHBOUR_IP, 80), (CLIENT_IP, 40000), flags)
}

/// A world whose `NEIGHBOUR` is in another subnet, with this ACL; `CLIENT`'s subnet has none.
fn apart(acl: [Option<&[Rule]>; 2]) -> World {
    let world = World::new();
    world.subnet(OTHER, RANGE, 24, acl);
    world.move_to(NEIGHBOUR, OTHER);
    world
}

/// Whether `CLIENT`'s subnet lets a frame to `NEIGHBOUR` out, by these entries.
fn lets_out(entries: &[Rule], frame: &Frame) -> bool {
    let world = apart([None, None]);
    world.subnet(CONSUMER.into(), TEN, 24, [None, Some(entries)]);
    match world.send(CLIENT, frame) {
        Outcome::Sent(_) => true,
        Outcome::Dropped => {
            world.assert_drops(&[(CLIENT, Drop::DROP_ACL_EGRESS_DENIED, 1)]);
            assert_eq!(world.flows(), []);
            false
        }
    }
}

#[test]
fn the_first_entry_that_matches_decides_and_none_denies() {
    let udp = Frame::udp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 5000));
    let ping = Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 7);
    let elsewhere = |entry: Rule| entry.peer_cidr(Ipv4Addr::new(10, 0, 0, 128), 25);
    let cases: Vec<(&str, Vec<Rule>, Frame, bool)> = vec![
        ("no entry", vec![], syn(), false),
        ("everything", vec![allow(100, 0, EVERYTHING)], syn(), true),
        ("the port", vec![allow(100, 6, (80, 80))], syn(), true),
        ("a range of ports", vec![allow(100, 6, (22, 443))], syn(), true),
        ("another port", vec![allow(100, 6, (81, 90))], syn(), false),
        ("another protocol", vec![allow(100, 17, EVERYTHING)], syn(), false),
        ("UDP", vec![allow(100, 17, (5000, 5000))], udp, true),
        ("another range", vec![elsewhere(allow(100, 0, EVERYTHING))], syn(), false),
        ("denied first", vec![deny(90, 6, (80, 80)), allow(100, 0, EVERYTHING)], syn(), false),
        ("allowed first", vec![allow(90, 6, (80, 80)), deny(100, 0, EVERYTHING)], syn(), true),
        ("denied to others", vec![elsewhere(deny(90, 0, EVERYTHING)), allow(100, 6, (80, 80))], syn(), true),
        ("echo requests", vec![allow(100, 1, (8, ANY_ICMP))], ping.clone(), true),
        ("echo replies", vec![allow(100, 1, (0, ANY_ICMP))], ping.clone(), false),
        ("any ICMP", vec![allow(100, 1, (ANY_ICMP, ANY_ICMP))], ping.clone(), true),
        ("another code", vec![allow(100, 1, (8, 3))], ping, false),
    ];
    for (what, entries, frame, out) in cases {
        assert_eq!(lets_out(&entries, &frame), out, "{what}");
    }
}

#[test]
fn an_acl_of_forty_entries_is_read_to_its_end() {
    let mut entries: Vec<Rule> = (1..40).map(|number| deny(number, 6, (1000, 2000))).collect();
    assert!(!lets_out(&entries, &syn()));
    entries.push(allow(40, 6, (80, 80)));
    assert!(lets_out(&entries, &syn()));
}

#[test]
fn both_subnets_are_asked() {
    let world = apart([Some(&[deny(100, 6, (80, 80)), allow(200, 0, EVERYTHING)]), None]);
    assert_eq!(world.send(CLIENT, &syn()), Outcome::Dropped);
    world.send(CLIENT, &Frame::udp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 5000))).frame();
    world.assert_drops(&[(CLIENT, Drop::DROP_ACL_INGRESS_DENIED, 1)]);
    assert_eq!(world.events()[0].other, NEIGHBOUR);
}

#[test]
fn within_a_subnet_nothing_is_asked() {
    let world = World::new();
    world.subnet(CONSUMER.into(), TEN, 24, [Some(&[]), Some(&[])]);
    world.send(CLIENT, &syn()).frame();
    world.send(NEIGHBOUR, &answer(SYN | ACK)).frame();
    world.assert_drops(&[]);
}

#[test]
fn the_first_that_denies_is_the_reason() {
    let nothing: [Option<&[Rule]>; 2] = [Some(&[]), Some(&[])];
    let world = apart(nothing);
    world.subnet(CONSUMER.into(), TEN, 24, nothing);
    world.rules(101, EGRESS, &[]);
    world.rules(102, INGRESS, &[]);
    world.send(CLIENT, &syn());
    world.rules(101, EGRESS, &[rule(1, 0, (0, 0)).peer_cidr(TEN, 8)]);
    world.send(CLIENT, &syn());
    world.subnet(CONSUMER.into(), TEN, 24, [Some(&[]), None]);
    world.send(CLIENT, &syn());
    world.subnet(OTHER, RANGE, 24, [None, None]);
    world.send(CLIENT, &syn());
    world.assert_drops(&[
        (CLIENT, Drop::DROP_EGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_ACL_EGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_ACL_INGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_INGRESS_DENIED, 1),
    ]);
}

#[test]
fn it_comes_before_what_stands_nowhere_but_not_within_the_subnet() {
    let world = World::new();
    world.subnet(CONSUMER.into(), TEN, 24, [None, Some(&[])]);
    for address in [NOWHERE_IP, ROUTER_IP, OTHER_SUBNET_IP] {
        assert_eq!(world.send(CLIENT, &Frame::udp((CLIENT_IP, 1), (address, 9))), Outcome::Dropped);
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_ROUTE, 2), (CLIENT, Drop::DROP_ACL_EGRESS_DENIED, 1)]);
}

#[test]
fn the_resolver_is_nobody_for_an_acl_to_keep_away() {
    let world = World::new();
    world.subnet(CONSUMER.into(), TEN, 24, [Some(&[]), Some(&[])]);
    world.send(CLIENT, &Frame::udp((CLIENT_IP, 40000), (RESOLVER_IP, 53))).frame();
    world.send(SERVICE, &Frame::udp((SERVICE_RESOLVER_IP, 53), (SERVICE_CLIENT_IP, 40000))).frame();
    world.assert_drops(&[]);
}

#[test]
fn an_answer_needs_the_port_that_it_goes_to() {
    for (ports, comes_back) in [((1024, 65535), true), ((40001, 65535), false), ((80, 80), false)] {
        // Of the one that answers: what leaves; and of the one that asked: what enters.
        let out = apart([None, Some(&[allow(100, 6, ports)])]);
        let back = apart([None, None]);
        back.subnet(CONSUMER.into(), TEN, 24, [Some(&[allow(100, 6, ports)]), None]);
        for (world, reason) in [(out, Drop::DROP_ACL_EGRESS_DENIED), (back, Drop::DROP_ACL_INGRESS_DENIED)] {
            world.send(CLIENT, &syn()).frame();
            let outcome = world.send(NEIGHBOUR, &answer(SYN | ACK));
            if comes_back {
                outcome.frame();
                world.assert_drops(&[]);
            } else {
                assert_eq!(outcome, Outcome::Dropped);
                world.assert_drops(&[(NEIGHBOUR, reason, 1)]);
                assert_eq!(world.events()[0].other, CLIENT);
                // What it refuses is no end of the flow: the other way is open.
                world.send(CLIENT, &syn()).frame();
            }
        }
    }
}

#[test]
fn an_echo_needs_its_reply_let_through() {
    for (entry, comes_back) in [(allow(1, 1, (0, ANY_ICMP)), true), (allow(1, 1, (8, ANY_ICMP)), false)] {
        let world = apart([None, Some(&[entry])]);
        world.send(CLIENT, &Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 7)).frame();
        let reply = world.send(NEIGHBOUR, &Frame::echo(NEIGHBOUR_IP, CLIENT_IP, true, 7));
        assert_eq!(matches!(reply, Outcome::Sent(_)), comes_back);
    }
}

#[test]
fn what_an_acl_comes_to_refuse_stops_and_goes_on_when_it_allows_it_again() {
    let world = apart([None, None]);
    world.send(CLIENT, &syn()).frame();
    world.send(NEIGHBOUR, &answer(SYN | ACK)).frame();

    world.subnet(OTHER, RANGE, 24, [Some(&[]), None]);
    world.send(CLIENT, &data()).frame();
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &data()), Outcome::Dropped);
    assert_eq!(world.send(CLIENT, &data()), Outcome::Dropped);
    world.send(NEIGHBOUR, &answer(ACK)).frame();
    world.assert_drops(&[(CLIENT, Drop::DROP_ACL_INGRESS_DENIED, 2)]);

    world.subnet(OTHER, RANGE, 24, [None, Some(&[])]);
    world.settings(|settings| settings.epoch = 3);
    assert_eq!(world.send(NEIGHBOUR, &answer(ACK)), Outcome::Dropped);
    world.send(CLIENT, &data()).frame();

    world.subnet(OTHER, RANGE, 24, [None, None]);
    world.settings(|settings| settings.epoch = 4);
    world.send(NEIGHBOUR, &answer(ACK)).frame();
    world.send(CLIENT, &data()).frame();
    world.assert_drops(&[
        (CLIENT, Drop::DROP_ACL_INGRESS_DENIED, 2),
        (NEIGHBOUR, Drop::DROP_ACL_EGRESS_DENIED, 1),
    ]);
}

#[test]
fn a_revoked_rule_ends_a_flow_whatever_an_acl_says() {
    let world = apart([None, None]);
    world.send(CLIENT, &syn()).frame();
    world.subnet(OTHER, RANGE, 24, [Some(&[]), None]);
    world.rules(102, INGRESS, &[]);
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &data()), Outcome::Dropped);
    assert_eq!(world.flows(), []);
    world.assert_drops(&[(CLIENT, Drop::DROP_ACL_INGRESS_DENIED, 1)]);
}

/// Each side of an endpoint has its subnets: the client's and the endpoint's, the node's and the target's.
#[test]
fn an_endpoints_and_a_targets_subnets_are_asked() {
    let elsewhere = Ipv4Addr::new(10, 0, 9, 0);
    let out = |flags| Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), flags);
    let back = |flags| Frame::tcp((TARGET_IP, 8443), (NODE_IP, 40000), flags);
    let only = |port| [allow(100, 6, (port, port))];
    // Of which interface the subnet has the ACL, for which direction, and the port that it must let through.
    type Case = (u32, u32, u16, u32, Drop);
    let cases: [Case; 8] = [
        (CLIENT, EGRESS, 443, CLIENT, Drop::DROP_ACL_EGRESS_DENIED),
        (ENDPOINT, INGRESS, 443, CLIENT, Drop::DROP_ACL_INGRESS_DENIED),
        (NODE, EGRESS, 8443, CLIENT, Drop::DROP_ACL_EGRESS_DENIED),
        (TARGET, INGRESS, 8443, CLIENT, Drop::DROP_ACL_INGRESS_DENIED),
        (TARGET, EGRESS, 40000, TARGET, Drop::DROP_ACL_EGRESS_DENIED),
        (NODE, INGRESS, 40000, TARGET, Drop::DROP_ACL_INGRESS_DENIED),
        (ENDPOINT, EGRESS, 40000, TARGET, Drop::DROP_ACL_EGRESS_DENIED),
        (CLIENT, INGRESS, 40000, TARGET, Drop::DROP_ACL_INGRESS_DENIED),
    ];
    for (whose, direction, port, sender, reason) in cases {
        for let_through in [true, false] {
            let world = World::new();
            let entries = only(if let_through { port } else { port + 1 });
            let mut acl: [Option<&[Rule]>; 2] = [None, None];
            acl[direction as usize] = Some(&entries);
            world.subnet(OTHER, elsewhere, 24, acl);
            world.move_to(whose, OTHER);
            let first = world.send(CLIENT, &out(SYN));
            if let Outcome::Sent(_) = first {
                world.send(TARGET, &back(SYN | ACK));
            }
            let expected: &[_] = if let_through { &[] } else { &[(sender, reason, 1)] };
            world.assert_drops(expected);
        }
    }
}

#[test]
fn a_target_answers_to_the_port_that_the_node_took() {
    let world = World::new();
    // Another client of the same port, so that the node takes another one for this flow.
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN)).frame();
    world.subnet(OTHER, RANGE, 24, [None, Some(&[allow(100, 6, (40000, 40000))])]);
    world.move_to(TARGET, OTHER);
    world.rules(103, INGRESS, &[rule(1, 0, (0, 0)).peer_cidr(TEN, 8)]);
    world.rules(102, EGRESS, &[rule(1, 0, (0, 0)).peer_cidr(TEN, 8)]);
    let out = world.send(NEIGHBOUR, &Frame::tcp((NEIGHBOUR_IP, 40000), (ENDPOINT_IP, 443), SYN)).frame();
    let Transport::Tcp { source: port, .. } = out.transport else { unreachable!() };
    assert_ne!(port, 40000);
    let answer = |port| Frame::tcp((TARGET_IP, 8443), (NODE_IP, port), SYN | ACK);
    assert_eq!(world.send(TARGET, &answer(port)), Outcome::Dropped);
    world.send(TARGET, &answer(40000)).frame();
    world.assert_drops(&[(TARGET, Drop::DROP_ACL_EGRESS_DENIED, 1)]);
    // And judged anew it is the same.
    world.raise_epoch();
    assert_eq!(world.send(TARGET, &answer(port)), Outcome::Dropped);
}

#[test]
fn an_aws_services_endpoint_has_a_subnet_too() {
    let world = World::new();
    world.subnet(OTHER, RANGE, 24, [Some(&[allow(100, 6, (443, 443))]), Some(&[])]);
    world.move_to(AWS, OTHER);
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (AWS_IP, 443), SYN)).frame();
    let answer = Frame::tcp((SERVICE_AWS_IP, 443), (SERVICE_CLIENT_IP, 40000), SYN | ACK);
    assert_eq!(world.send(SERVICE, &answer), Outcome::Dropped);
    assert_eq!(world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (AWS_IP, 80), SYN)), Outcome::Dropped);
    world.assert_drops(&[
        (SERVICE, Drop::DROP_ACL_EGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_ACL_INGRESS_DENIED, 1),
    ]);
}

#[test]
fn health_checks_come_from_the_nodes_subnet() {
    let world = World::new();
    world.subnet(OTHER, RANGE, 24, [Some(&[]), None]);
    world.move_to(TARGET, OTHER);
    let syn = Frame::tcp((SERVICE_IP, 50000), (PROBE_IP, 8443), SYN);
    assert_eq!(world.send(SERVICE, &syn), Outcome::Dropped);
    world.subnet(OTHER, RANGE, 24, [None, Some(&[])]);
    world.send(SERVICE, &syn).frame();
    let answer = Frame::tcp((TARGET_IP, 8443), (NODE_IP, 50000), SYN | ACK);
    assert_eq!(world.send(TARGET, &answer), Outcome::Dropped);
    world.assert_drops(&[
        (SERVICE, Drop::DROP_ACL_INGRESS_DENIED, 1),
        (TARGET, Drop::DROP_ACL_EGRESS_DENIED, 1),
    ]);
}

#[test]
fn a_subnet_that_is_gone_lets_nothing_through() {
    for (gone, reason) in [(CONSUMER.into(), Drop::DROP_NO_ROUTE), (OTHER, Drop::DROP_ACL_INGRESS_DENIED)] {
        let world = apart([None, None]);
        world.skeleton.maps.subnets.delete(gone.bytes()).unwrap();
        assert_eq!(world.send(CLIENT, &syn()), Outcome::Dropped);
        world.assert_drops(&[(CLIENT, reason, 1)]);
    }
}
