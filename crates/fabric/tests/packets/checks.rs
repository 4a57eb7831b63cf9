//! What is refused before any rule is asked, and how drops are told.

use std::net::Ipv4Addr;

use linkway_fabric::layout::{Interface, address, ip};

use crate::frame::{ACK, Frame, SYN, Transport};
use crate::world::*;

fn syn() -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN).macs(mac(CLIENT), ROUTER_MAC)
}

/// The bytes, changed.
fn changed(frame: &Frame, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = frame.bytes();
    change(&mut bytes);
    bytes
}

#[test]
fn frames_that_are_not_sound_are_dropped_with_their_reason() {
    let world = World::new();
    let udp = Frame::udp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 5000)).macs(mac(CLIENT), ROUTER_MAC);
    let other = |protocol, bytes: &[u8]| {
        Frame::new(CLIENT_IP, NEIGHBOUR_IP, Transport::Other { protocol, bytes: bytes.to_vec() })
            .macs(mac(CLIENT), ROUTER_MAC)
            .bytes()
    };
    let cases: Vec<(&str, Vec<u8>, Drop)> = vec![
        (
            "version 4 in IPv6",
            changed(&syn(), |b| b[12..14].copy_from_slice(&[0x86, 0xdd])),
            Drop::DROP_MALFORMED,
        ),
        ("a short frame of another kind", vec![2; 30], Drop::DROP_UNSUPPORTED_PROTOCOL),
        ("version 6 in IPv4", changed(&syn(), |b| b[14] = 0x65), Drop::DROP_MALFORMED),
        ("header length below 20", changed(&syn(), |b| b[14] = 0x44), Drop::DROP_MALFORMED),
        ("header longer than the packet", changed(&syn(), |b| b[14] = 0x4f), Drop::DROP_MALFORMED),
        ("total length above the frame's", changed(&syn(), |b| b[17] += 1), Drop::DROP_MALFORMED),
        ("total length below the header's", changed(&syn(), |b| b[17] = 19), Drop::DROP_MALFORMED),
        ("total length zero", changed(&syn(), |b| b[17] = 0), Drop::DROP_MALFORMED),
        ("TCP header cut short", changed(&syn(), |b| b[17] = 39), Drop::DROP_MALFORMED),
        ("TCP offset below 5", changed(&syn(), |b| b[46] = 0x40), Drop::DROP_MALFORMED),
        ("TCP offset above the packet's end", changed(&syn(), |b| b[46] = 0x60), Drop::DROP_MALFORMED),
        ("UDP length above the packet's", changed(&udp, |b| b[39] += 1), Drop::DROP_MALFORMED),
        ("UDP length below 8", changed(&udp, |b| b[39] = 7), Drop::DROP_MALFORMED),
        ("UDP header cut short", changed(&udp, |b| b[17] = 27), Drop::DROP_MALFORMED),
        ("ICMP header cut short", other(1, &[8, 0, 0, 0]), Drop::DROP_MALFORMED),
        ("ICMP redirect", other(1, &[5, 1, 0, 0, 0, 0, 0, 0]), Drop::DROP_UNSUPPORTED_PROTOCOL),
        ("ICMP echo with a code", other(1, &[8, 1, 0, 0, 0, 0, 0, 0]), Drop::DROP_UNSUPPORTED_PROTOCOL),
        ("SCTP", other(132, &[0; 12]), Drop::DROP_UNSUPPORTED_PROTOCOL),
        ("later fragment", Frame { fragment: 0x0001, ..syn() }.bytes(), Drop::DROP_FRAGMENT),
        ("source MAC", syn().macs(mac(NEIGHBOUR), ROUTER_MAC).bytes(), Drop::DROP_SPOOFED_SOURCE),
        ("source address", Frame { source: NEIGHBOUR_IP, ..syn() }.bytes(), Drop::DROP_SPOOFED_SOURCE),
        (
            "source address of nobody",
            Frame { source: NOWHERE_IP, ..syn() }.bytes(),
            Drop::DROP_SPOOFED_SOURCE,
        ),
    ];
    let mut expected = std::collections::BTreeMap::new();
    for (what, bytes, reason) in &cases {
        assert_eq!(world.send_bytes(CLIENT, bytes), Outcome::Dropped, "{what}");
        *expected.entry((CLIENT, reason.0)).or_insert(0) += 1;
        assert_eq!(world.drops(), expected, "{what}");
    }
    assert_eq!(world.flows(), []);
    let told: Vec<_> = world.events().iter().map(|event| event.reason).collect();
    assert_eq!(told, cases.iter().map(|case| case.2.0).collect::<Vec<_>>());
}

#[test]
fn membership_of_multicast_groups_is_housekeeping() {
    let world = World::new();
    let igmp = |destination| {
        let transport = Transport::Other { protocol: 2, bytes: vec![0x22, 0, 0, 0, 0, 0, 0, 0] };
        Frame { options: vec![148, 4, 0, 0], ..Frame::new(CLIENT_IP, destination, transport) }
    };
    let groups = igmp(Ipv4Addr::new(224, 0, 0, 22));
    assert_eq!(world.send(CLIENT, &groups), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_LINK_HOUSEKEEPING, 1)]);
    assert!(world.events().is_empty());
    assert_eq!(world.send(CLIENT, &igmp(NEIGHBOUR_IP)), Outcome::Dropped);
    let forged = groups.macs(mac(NEIGHBOUR), ROUTER_MAC);
    assert_eq!(world.send_bytes(CLIENT, &forged.bytes()), Outcome::Dropped);
    world.assert_drops(&[
        (CLIENT, Drop::DROP_LINK_HOUSEKEEPING, 1),
        (CLIENT, Drop::DROP_UNSUPPORTED_PROTOCOL, 2),
    ]);
}

#[test]
fn a_device_of_nobody_sends_nothing() {
    let world = World::new();
    assert_eq!(world.send_bytes(STRANGER, &syn().bytes()), Outcome::Dropped);
    world.assert_drops(&[(0, Drop::DROP_UNKNOWN_PORT, 1)]);
}

#[test]
fn options_are_stepped_over() {
    let world = World::new();
    let frame = Frame { options: vec![1; 40], ..syn() };
    assert_eq!(world.send(CLIENT, &frame).frame(), frame.macs(ROUTER_MAC, mac(NEIGHBOUR)));
    let ((key, _), _) = world.pair();
    assert_eq!((key.source_port, key.destination_port), (40000u16.to_be(), 80u16.to_be()));
}

#[test]
fn padding_after_the_packet_is_no_part_of_it() {
    let world = World::new();
    let padded = changed(&syn(), |bytes| bytes.extend([0; 6]));
    assert!(matches!(world.send_bytes(CLIENT, &padded), Outcome::Sent(_)));
}

#[test]
fn a_flow_is_its_senders_alone() {
    let world = World::new();
    world.send(CLIENT, &syn()).frame();
    let forged = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), ACK);
    assert_eq!(world.send(NEIGHBOUR, &forged), Outcome::Dropped);
    world.assert_drops(&[(NEIGHBOUR, Drop::DROP_SPOOFED_SOURCE, 1)]);
    assert_eq!(world.pair().0.1.packets, 1);
}

#[test]
fn an_address_that_moves_leaves_its_flows_behind() {
    let world = World::new();
    world.send(CLIENT, &syn()).frame();
    world.interface(STRANGER, CONSUMER, CLIENT_IP, 101, Kind::INTERFACE_WORKLOAD);
    let stray = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), ACK);
    assert_eq!(world.send(STRANGER, &stray), Outcome::Dropped, "no flow of its own");
    assert_eq!(world.flows(), []);
    world.send(STRANGER, &syn()).frame();
    assert_eq!(world.pair().0.1.sender, STRANGER);
    world.assert_drops(&[(STRANGER, Drop::DROP_NO_FLOW, 1)]);
}

#[test]
fn nothing_at_the_address() {
    let world = World::new();
    for nowhere in [NOWHERE_IP, NODE_IP, ROUTER_IP, Ipv4Addr::new(1, 1, 1, 1), Ipv4Addr::BROADCAST] {
        let frame = Frame::tcp((CLIENT_IP, 40000), (nowhere, 80), SYN);
        assert_eq!(world.send(CLIENT, &frame), Outcome::Dropped, "{nowhere}");
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_ROUTE, 5)]);
}

#[test]
fn a_receiver_without_a_device() {
    let world = World::new();
    let there = Interface {
        address: address(NEIGHBOUR_IP),
        subnet: CONSUMER.into(),
        vpc: CONSUMER,
        kind: Kind::INTERFACE_WORKLOAD.0 as u8,
        ..Interface::default()
    };
    world.put(&world.skeleton.maps.interfaces, &NEIGHBOUR, &there);
    assert_eq!(world.send(CLIENT, &syn()), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NOT_DELIVERED, 1)]);
    assert_eq!(world.flows(), []);
}

#[test]
fn counters_are_exact_and_events_are_bounded() {
    let world = World::new();
    let frame = Frame::tcp((CLIENT_IP, 40000), (NOWHERE_IP, 80), SYN).macs(mac(CLIENT), ROUTER_MAC).bytes();
    let repeat = 100_000;
    world.run(CLIENT, &frame, 0, repeat);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_ROUTE, u64::from(repeat))]);
    let events = world.events();
    assert!((256..50_000).contains(&events.len()), "{} events", events.len());
    let event = events[0];
    assert_eq!((event.interface, event.reason, event.length), (CLIENT, Drop::DROP_NO_ROUTE.0, 54));
    assert_eq!(ip(&event.key.destination), NOWHERE_IP.to_ipv6_mapped());

    let told = events.len() as u64 + events.iter().map(|event| u64::from(event.suppressed)).sum::<u64>();
    assert!(told <= u64::from(repeat), "{told} told of {repeat}");
}

#[test]
fn a_frame_that_stands_for_many_packets_counts_as_many() {
    let world = World::new();
    world.send(CLIENT, &syn()).frame();
    let large = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), ACK).macs(mac(CLIENT), ROUTER_MAC);
    world.run(CLIENT, &large.payload(&[7; 3000]).bytes(), 3, 1);
    assert_eq!(world.pair().0.1.packets, 4);
}
