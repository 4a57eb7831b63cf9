//! Fragments: they follow their first one, and none goes where that one may not.

use std::time::Duration;

use libbpf_rs::{MapCore, MapFlags};
use linkway_fabric::flows::{Collector, clock};
use linkway_fabric::layout::{Fragment, Layout};

use crate::collector::walk;
use crate::frame::{ACK, Frame, PSH, SYN, Transport, checksum};
use crate::frame6::Frame6;
use crate::ipv6::{CLIENT_IP6, ENDPOINT_IP6, NODE_IP6, TARGET_IP6, dual_stack};
use crate::world::*;

const MORE: u16 = 0x2000;

/// A frame in fragments with up to `size` bytes each.
fn split(frame: &Frame, id: u16, size: usize) -> Vec<Vec<u8>> {
    let length = frame.bytes().len() - 34 - frame.options.len();
    (0..length).step_by(size).map(|from| frame.part(id, from, length.min(from + size))).collect()
}

/// The datagram that these fragments are, and its identification.
#[track_caller]
fn joined(fragments: &[Vec<u8>]) -> (u16, Frame) {
    let id = |bytes: &[u8]| u16::from_be_bytes([bytes[18], bytes[19]]);
    let mut whole = fragments[0].clone();
    for fragment in fragments {
        assert_eq!(checksum(&[&fragment[14..34]]), 0, "IPv4 checksum");
        assert_eq!((id(fragment), &fragment[26..34]), (id(&whole), &whole[26..34]), "one datagram");
        assert_eq!(fragment[..12], whole[..12], "one receiver");
    }
    fragments[1..].iter().for_each(|fragment| whole.extend(&fragment[34..]));
    let length = (whole.len() - 14) as u16;
    whole[16..18].copy_from_slice(&length.to_be_bytes());
    whole[20..22].copy_from_slice(&[0, 0]);
    let sum = checksum(&[&whole[14..24], &whole[26..34]]);
    whole[24..26].copy_from_slice(&sum.to_be_bytes());
    (id(&whole), Frame::read(&whole))
}

/// A long datagram of the client's to the endpoint.
fn datagram(port: u16) -> Frame {
    let payload: Vec<u8> = (0..3001u16).map(|number| (number * 7) as u8).collect();
    Frame { fragment: 0, ..Frame::udp((CLIENT_IP, port), (ENDPOINT_IP, 443)).payload(&payload) }
        .macs(mac(CLIENT), ROUTER_MAC)
}

#[track_caller]
fn passed(outcome: Outcome) -> Vec<u8> {
    let Outcome::Sent(bytes) = outcome else { panic!("the fragment was dropped") };
    bytes
}

/// Sends all of these, which are to arrive.
#[track_caller]
fn send_all(world: &World, interface: u32, fragments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    fragments.iter().map(|fragment| passed(world.send_bytes(interface, fragment))).collect()
}

#[test]
fn a_datagram_in_fragments_goes_through_an_endpoint_and_back() {
    let world = World::new();
    let sent = datagram(5001);
    let fragments = split(&sent, 7, 1480);
    assert_eq!(fragments.len(), 3);
    let (id, seen) = joined(&send_all(&world, CLIENT, &fragments));
    let Transport::Udp { payload, .. } = &sent.transport else { unreachable!() };
    let there = Frame::udp((NODE_IP, 5001), (TARGET_IP, 8443)).payload(payload).macs(ROUTER_MAC, mac(TARGET));
    assert_eq!(seen, Frame { fragment: 0, ..there });

    let answer = Frame::udp((TARGET_IP, 8443), (NODE_IP, 5001)).payload(payload);
    let answer = Frame { fragment: 0, ..answer }.macs(mac(TARGET), ROUTER_MAC);
    let (_, seen) = joined(&send_all(&world, TARGET, &split(&answer, 7, 800)));
    let back = Frame::udp((ENDPOINT_IP, 443), (CLIENT_IP, 5001)).payload(payload);
    assert_eq!(seen, Frame { fragment: 0, ..back }.macs(ROUTER_MAC, mac(CLIENT)));

    // Behind the balancer's address, one identification of two clients' would mix what they send.
    let (other, _) = joined(&send_all(&world, CLIENT, &split(&datagram(5002), 7, 1480)));
    assert_ne!(id, other);
    assert_eq!(world.flows().iter().map(|(_, flow)| flow.packets).sum::<u64>(), 3 + 4 + 3);
    assert_eq!(world.traffic(ENDPOINT), (4, 6, 2));
    world.assert_drops(&[]);
    assert_eq!(world.events(), []);
}

#[test]
fn without_translation_nothing_of_them_changes() {
    let world = World::new();
    let datagram = Frame::udp((CLIENT_IP, 1), (NEIGHBOUR_IP, 5000)).payload(&[7; 100]);
    let ping = Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 9);
    for (frame, id) in [(&datagram, 7), (&ping, 8)] {
        let fragments = split(&frame.clone().macs(mac(CLIENT), ROUTER_MAC), id, 8);
        let fragments = if fragments.len() == 1 { pinged(id) } else { fragments };
        let seen = send_all(&world, CLIENT, &fragments);
        for (seen, sent) in seen.iter().zip(&fragments) {
            assert_eq!(seen[..12], [mac(NEIGHBOUR), ROUTER_MAC].concat());
            assert_eq!(seen[12..], sent[12..]);
        }
    }
    assert_eq!(world.flows().len(), 4);
    world.assert_drops(&[]);
}

/// A ping with eight bytes of payload, in two.
fn pinged(id: u16) -> Vec<Vec<u8>> {
    let mut bytes = vec![8, 0, 0, 0, 0, 9, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8];
    let sum = checksum(&[&bytes]);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    let frame = Frame::new(CLIENT_IP, NEIGHBOUR_IP, Transport::Other { protocol: 1, bytes });
    split(&frame.macs(mac(CLIENT), ROUTER_MAC), id, 8)
}

#[test]
fn a_fragment_that_follows_nothing_known_is_dropped() {
    let world = World::new();
    let sent = datagram(5001);
    let [first, middle, last] = &split(&sent, 7, 1480)[..] else { unreachable!() };
    let from = |frame: Frame| frame.macs(mac(CLIENT), ROUTER_MAC).part(7, 1480, 2960);
    assert_eq!(world.send_bytes(CLIENT, middle), Outcome::Dropped, "before the first one");
    passed(world.send_bytes(CLIENT, first));
    for (what, fragment) in [
        ("of another datagram", sent.part(8, 1480, 2960)),
        ("in the same slot", sent.part(7 + 256, 1480, 2960)),
        ("to another address", from(Frame { destination: AWS_IP, ..sent.clone() })),
        ("of another protocol", {
            let bytes = vec![0; 3009];
            from(Frame { transport: Transport::Other { protocol: 6, bytes }, ..sent.clone() })
        }),
    ] {
        assert_eq!(world.send_bytes(CLIENT, &fragment), Outcome::Dropped, "{what}");
    }
    let others = sent.clone().macs(mac(NEIGHBOUR), ROUTER_MAC);
    assert_eq!(
        world.send_bytes(NEIGHBOUR, &others.part(7, 1480, 2960)),
        Outcome::Dropped,
        "of another sender"
    );
    assert_eq!(world.send_bytes(CLIENT, &others.part(7, 1480, 2960)), Outcome::Dropped, "a forged MAC");
    passed(world.send_bytes(CLIENT, middle));
    passed(world.send_bytes(CLIENT, last));

    age_notes(&world, 31);
    assert_eq!(world.send_bytes(CLIENT, last), Outcome::Dropped, "too late");
    world.assert_drops(&[
        (CLIENT, Drop::DROP_FRAGMENT, 6),
        (NEIGHBOUR, Drop::DROP_FRAGMENT, 1),
        (CLIENT, Drop::DROP_SPOOFED_SOURCE, 1),
    ]);
    let events = world.events();
    assert!(events.iter().all(|event| (event.key.source_port, event.key.destination_port) == (0, 0)));
    assert_eq!(world.pair().0.1.packets, 3);
    assert_eq!(world.traffic(ENDPOINT), (0, 3, 1));
}

/// Lets time pass for what is noted of first fragments.
fn age_notes(world: &World, seconds: u64) {
    let map = &world.skeleton.maps.fragments;
    for key in map.keys().collect::<Vec<_>>() {
        let mut note = Fragment::read(&map.lookup(&key, MapFlags::ANY).unwrap().unwrap()).unwrap();
        note.seen -= seconds * 1_000_000_000;
        map.update(&key, note.bytes(), MapFlags::ANY).unwrap();
    }
}

#[test]
fn none_overwrites_what_was_judged() {
    let world = World::new();
    // Bytes 8 to 16 of TCP are sequence numbers and flags: RFC 1858's attack on filters.
    let syn = Frame { fragment: 0, ..Frame::tcp((CLIENT_IP, 1), (NEIGHBOUR_IP, 80), SYN).payload(&[7; 100]) }
        .macs(mac(CLIENT), ROUTER_MAC);
    for from in [8, 16] {
        assert_eq!(world.send_bytes(CLIENT, &syn.part(7, from, 120)), Outcome::Dropped);
    }
    assert_eq!(world.send_bytes(CLIENT, &syn.part(7, 0, 16)), Outcome::Dropped, "tiny");
    passed(world.send_bytes(CLIENT, &syn.part(7, 0, 40)));
    for from in [8, 16, 24, 32] {
        assert_eq!(world.send_bytes(CLIENT, &syn.part(7, from, 120)), Outcome::Dropped, "{from}");
    }
    passed(world.send_bytes(CLIENT, &syn.part(7, 40, 120)));
    // Another first one, to a port that no rule allows, is judged as such; what follows is the one's that was let through.
    let denied =
        Frame { fragment: 0, ..Frame::tcp((CLIENT_IP, 1), (NEIGHBOUR_IP, 22), SYN).payload(&[7; 100]) };
    let denied = denied.macs(mac(CLIENT), ROUTER_MAC);
    assert_eq!(world.send_bytes(CLIENT, &denied.part(7, 0, 40)), Outcome::Dropped);
    world.assert_drops(&[
        (CLIENT, Drop::DROP_FRAGMENT, 6),
        (CLIENT, Drop::DROP_MALFORMED, 1),
        (CLIENT, Drop::DROP_INGRESS_DENIED, 1),
    ]);
    assert_eq!(world.pair().0.1.packets, 2);
}

#[test]
fn lengths_that_cannot_be_are_malformed() {
    let world = World::new();
    let sent = datagram(5001);
    let changed = |mut bytes: Vec<u8>, fragment: u16| {
        bytes[20..22].copy_from_slice(&fragment.to_be_bytes());
        bytes
    };
    for (what, bytes) in [
        ("more to come, but not in units of eight bytes", sent.part(7, 0, 1001)),
        ("more to come, of nothing", sent.part(7, 1480, 1480)),
        ("beyond 64 KiB", changed(sent.part(7, 1480, 2960), 0x1fff)),
        ("a first one that is all of it", changed(sent.bytes(), MORE)),
        ("a first one without its header", sent.part(7, 0, 0)),
    ] {
        assert_eq!(world.send_bytes(CLIENT, &bytes), Outcome::Dropped, "{what}");
    }
    // Whose datagram says to end before its second one.
    let short = changed(Frame { transport: udp(72), ..sent.clone() }.part(7, 0, 80), MORE);
    assert_eq!(world.send_bytes(CLIENT, &short), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_MALFORMED, 6)]);
    assert_eq!(world.flows(), []);
    assert_eq!(world.skeleton.maps.fragments.keys().count(), 0);
}

fn udp(length: usize) -> Transport {
    Transport::Udp { source: 1, destination: 443, checksum: true, payload: vec![7; length] }
}

#[test]
fn what_may_not_pass_takes_its_fragments_along() {
    let world = World::new();
    world.rules(103, INGRESS, &[]);
    for fragment in split(&datagram(5001), 7, 1480) {
        assert_eq!(world.send_bytes(CLIENT, &fragment), Outcome::Dropped);
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_INGRESS_DENIED, 1), (CLIENT, Drop::DROP_FRAGMENT, 2)]);

    // A flow that ends between two fragments; and no fragment is answered by RST.
    let world = World::new();
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 1), (ENDPOINT_IP, 443), SYN)).frame();
    world.send(TARGET, &Frame::tcp((TARGET_IP, 8443), (NODE_IP, 1), SYN | ACK)).frame();
    let data = Frame::tcp((CLIENT_IP, 1), (ENDPOINT_IP, 443), ACK | PSH).payload(&[7; 1000]);
    let data = Frame { fragment: 0, ..data }.macs(mac(CLIENT), ROUTER_MAC);
    let [first, second] = &split(&data, 7, 800)[..] else { unreachable!() };
    passed(world.send_bytes(CLIENT, first));
    world.rules(103, INGRESS, &[]);
    world.raise_epoch();
    assert_eq!(world.send_bytes(CLIENT, second), Outcome::Dropped);
    assert_eq!(world.send_bytes(CLIENT, second), Outcome::Dropped);
    assert_eq!(world.send_bytes(CLIENT, first), Outcome::Dropped);
    assert_eq!(world.flows(), []);
    world.assert_drops(&[(CLIENT, Drop::DROP_INGRESS_DENIED, 1), (CLIENT, Drop::DROP_NO_FLOW, 2)]);
}

#[test]
fn a_flood_of_first_fragments_takes_nobody_elses_place() {
    let world = World::new();
    let [first, middle, _] = &split(&datagram(5001), 7, 1480)[..] else { unreachable!() };
    passed(world.send_bytes(CLIENT, first));
    for id in 0..2000 {
        let flood = Frame::udp((SECOND_IP, 1), (NODE_IP, 443)).payload(&[7; 100]);
        let flood = Frame { fragment: 0, ..flood }.macs(mac(SECOND), ROUTER_MAC);
        passed(world.send_bytes(SECOND, &flood.part(id, 0, 16)));
    }
    assert_eq!(world.skeleton.maps.fragments.keys().count(), 1 + 256);
    passed(world.send_bytes(CLIENT, middle));
    // Of its own, as many at once as there are slots.
    for id in 0..256 {
        passed(world.send_bytes(CLIENT, &datagram(5001).part(id, 0, 1480)));
    }
    for id in 0..256 {
        passed(world.send_bytes(CLIENT, &datagram(5001).part(id, 1480, 2960)));
    }
    world.assert_drops(&[]);
}

#[test]
fn notes_go_when_their_time_is_up() {
    let world = World::with(Room::Flows(1024));
    passed(world.send_bytes(CLIENT, &split(&datagram(5001), 7, 1480)[0]));
    let mut collector = Collector::new(world.skeleton).unwrap();
    let left = |seconds, collector: &mut Collector| {
        walk(collector, clock() + Duration::from_secs(seconds));
        world.skeleton.maps.fragments.keys().count()
    };
    assert_eq!(left(29, &mut collector), 1);
    assert_eq!(left(31, &mut collector), 0);
}

/// One fragment of an IPv6 frame: bytes `from` to `to` of what follows the IPv6 header.
pub fn part_of6(frame: &Frame6, id: u32, from: usize, to: usize) -> Vec<u8> {
    let whole = frame.bytes();
    let more = u16::from(54 + to != whole.len());
    let mut bytes =
        [&whole[..54], &[whole[20], 0], &(from as u16 | more).to_be_bytes(), &id.to_be_bytes()].concat();
    bytes.extend(&whole[54 + from..54 + to]);
    bytes[20] = 44;
    let length = (bytes.len() - 54) as u16;
    bytes[18..20].copy_from_slice(&length.to_be_bytes());
    bytes
}

#[test]
fn those_of_ipv6_too() {
    let world = dual_stack();
    let sent = Frame6::udp((CLIENT_IP6, 5001), (ENDPOINT_IP6, 443)).macs(mac(CLIENT), ROUTER_MAC);
    let sent = Frame6 {
        transport: Transport::Udp { source: 5001, destination: 443, checksum: true, payload: vec![7; 3000] },
        ..sent
    };
    assert_eq!(world.send_bytes(CLIENT, &part_of6(&sent, 70_000, 1480, 2960)), Outcome::Dropped);
    let fragments =
        [(0, 1480), (1480, 2960), (2960, 3008)].map(|(from, to)| part_of6(&sent, 70_000, from, to));
    let seen = send_all(&world, CLIENT, &fragments);
    let mut whole = seen[0][..54].to_vec();
    for fragment in &seen {
        assert_eq!(fragment[58..62], seen[0][58..62], "one identification");
        assert_ne!(fragment[58..62], 70_000u32.to_be_bytes());
        whole.extend(&fragment[62..]);
    }
    whole[20] = 17;
    whole[18..20].copy_from_slice(&3008u16.to_be_bytes());
    let seen = Frame6::read(&whole);
    assert_eq!((seen.source, seen.destination), (NODE_IP6, TARGET_IP6));
    assert!(matches!(seen.transport, Transport::Udp { source: 5001, destination: 8443, .. }));
    assert_eq!(world.send_bytes(CLIENT, &part_of6(&sent, 70_000, 1472, 2960)), Outcome::Dropped, "overlaps");
    // One that is all of its datagram (RFC 6946).
    passed(world.send_bytes(CLIENT, &part_of6(&sent, 70_001, 0, 3008)));
    world.assert_drops(&[(CLIENT, Drop::DROP_FRAGMENT, 2)]);
    assert_eq!(world.traffic(ENDPOINT), (0, 4, 1));
}
