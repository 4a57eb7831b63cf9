//! Neighbour discovery: who is told what.

use std::net::Ipv6Addr;

use crate::frame::{Mac, Transport};
use crate::frame6::Frame6;
use crate::ipv6::{CLIENT_IP6, NEIGHBOUR_IP6, NOWHERE_IP6, OTHER_SUBNET_IP6, dual_stack};
use crate::world::*;

const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, CLIENT as u16);
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A question, as the kernel asks it: to the address's multicast group, with the asker's MAC unless nobody asks.
fn question(source: Ipv6Addr, target: Ipv6Addr) -> Frame6 {
    let mut bytes = vec![135, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(target.octets());
    if !source.is_unspecified() {
        bytes.extend([1, 1]);
        bytes.extend(mac(CLIENT));
    }
    let [.., a, b] = target.segments();
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (a & 0xff), b);
    Frame6::message(source, group, bytes).macs(mac(CLIENT), [0x33, 0x33, 0xff, 0, 0, 1])
}

fn answer(to: Ipv6Addr, target: Ipv6Addr, flags: u8) -> Frame6 {
    let mut bytes = vec![136, 0, 0, 0, flags, 0, 0, 0];
    bytes.extend(target.octets());
    bytes.extend([2, 1]);
    bytes.extend(ROUTER_MAC);
    let frame = Frame6::message(target, to, bytes).macs(ROUTER_MAC, mac(CLIENT));
    Frame6::read(&frame.bytes())
}

#[test]
fn every_address_that_something_stands_at_or_may_stand_at_is_the_routers() {
    let world = dual_stack();
    for asker in [CLIENT_IP6, LINK_LOCAL] {
        for asked in [NEIGHBOUR_IP6, NOWHERE_IP6, ROUTER, "fd00:ec2::253".parse().unwrap()] {
            let Outcome::Sent(bytes) = world.send_bytes(CLIENT, &question(asker, asked).bytes()) else {
                panic!("{asked} is not answered for {asker}")
            };
            assert_eq!(Frame6::read(&bytes), answer(asker, asked, 0x60));
        }
    }
    world.assert_drops(&[]);
    assert_eq!(world.flows(), []);
}

#[test]
fn who_tries_whether_an_address_is_free_is_told_by_all_if_it_is_not() {
    let world = dual_stack();
    let nobody = Ipv6Addr::UNSPECIFIED;
    let Outcome::Sent(bytes) = world.send_bytes(CLIENT, &question(nobody, NEIGHBOUR_IP6).bytes()) else {
        panic!("not answered")
    };
    assert_eq!(Frame6::read(&bytes), answer(ALL_NODES, NEIGHBOUR_IP6, 0x20));
    for free in [CLIENT_IP6, NOWHERE_IP6, OTHER_SUBNET_IP6, LINK_LOCAL] {
        assert_eq!(world.send_bytes(CLIENT, &question(nobody, free).bytes()), Outcome::Dropped, "{free}");
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_LINK_HOUSEKEEPING, 4)]);
}

#[test]
fn own_addresses_and_those_of_other_subnets_are_not_answered() {
    let world = dual_stack();
    let neighbour: Ipv6Addr = "fe80::ff:fe00:2".parse().unwrap();
    for asked in [CLIENT_IP6, OTHER_SUBNET_IP6, LINK_LOCAL, neighbour] {
        assert_eq!(
            world.send_bytes(CLIENT, &question(CLIENT_IP6, asked).bytes()),
            Outcome::Dropped,
            "{asked}"
        );
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_LINK_HOUSEKEEPING, 1), (CLIENT, Drop::DROP_NO_ROUTE, 3)]);
}

#[test]
fn nobody_asks_as_another_or_from_beyond_the_link() {
    let world = dual_stack();
    let other: Mac = mac(NEIGHBOUR);
    let honest = question(CLIENT_IP6, NEIGHBOUR_IP6);
    for (what, frame) in [
        ("a neighbour's address", question(NEIGHBOUR_IP6, ROUTER)),
        ("the router's address", question(ROUTER, ROUTER)),
        ("a neighbour's MAC", honest.clone().macs(other, ROUTER_MAC)),
    ] {
        assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped, "{what}");
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_SPOOFED_SOURCE, 3)]);
    let mut short = honest.clone();
    if let Transport::Other { bytes, .. } = &mut short.transport {
        bytes.truncate(20);
    }
    let routed = Frame6 { hop_limit: 254, ..honest.clone() };
    let wrapped = Frame6 { extensions: vec![(60, vec![0, 1, 4, 0, 0, 0, 0])], ..honest };
    for frame in [short, routed, wrapped] {
        assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped);
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_SPOOFED_SOURCE, 3), (CLIENT, Drop::DROP_MALFORMED, 3)]);
}

#[test]
fn what_routers_say_and_answers_nobody_asked_for_go_nowhere() {
    let world = dual_stack();
    for kind in [134u8, 136, 137, 130] {
        for to in [ALL_NODES, NEIGHBOUR_IP6] {
            let frame = message(kind, LINK_LOCAL, to);
            assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped, "type {kind} to {to}");
        }
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_UNSUPPORTED_PROTOCOL, 8)]);
}

/// A search for routers, and what multicast groups a system is in.
const HOUSEKEEPING: [u8; 4] = [133, 131, 132, 143];

fn message(kind: u8, source: Ipv6Addr, to: Ipv6Addr) -> Frame6 {
    let mut bytes = vec![kind, 0, 0, 0];
    bytes.extend([0; 44]);
    Frame6::message(source, to, bytes).macs(mac(CLIENT), mac(NEIGHBOUR))
}

#[test]
fn what_a_system_says_on_its_link_by_itself_is_counted_apart_and_told_nobody() {
    let world = dual_stack();
    let router_alert = vec![(0, vec![0, 5, 2, 0, 0, 1, 0])];
    for kind in HOUSEKEEPING {
        for source in [LINK_LOCAL, Ipv6Addr::UNSPECIFIED] {
            let bare = message(kind, source, "ff02::16".parse().unwrap());
            let alert = Frame6 { extensions: router_alert.clone(), ..bare.clone() };
            for frame in [bare, alert] {
                assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped, "type {kind}");
            }
        }
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_LINK_HOUSEKEEPING, 16)]);
    assert!(world.events().is_empty());
}

#[test]
fn what_only_looks_like_housekeeping_is_told_like_all_else() {
    let world = dual_stack();
    for kind in HOUSEKEEPING {
        let honest = message(kind, LINK_LOCAL, ALL_NODES);
        for frame in [
            honest.clone().macs(mac(NEIGHBOUR), ROUTER_MAC),
            message(kind, CLIENT_IP6, ALL_NODES),
            message(kind, LINK_LOCAL, NEIGHBOUR_IP6),
            message(kind, LINK_LOCAL, "ff05::16".parse().unwrap()),
        ] {
            assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped, "type {kind}");
        }
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_UNSUPPORTED_PROTOCOL, 16)]);
    assert_eq!(world.events().len(), 16);
}
