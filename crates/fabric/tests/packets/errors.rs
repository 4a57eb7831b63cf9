//! ICMP errors: they go to the other end of the flow that they are about, and say there what it can understand.

use std::net::Ipv4Addr;

use crate::frame::{ACK, FIN, Frame, PSH, RST, SYN, Transport, checksum};
use crate::frame6::Frame6;
use crate::ipv6::{CLIENT_IP6, ENDPOINT_IP6, NODE_IP6, TARGET_IP6, dual_stack};
use crate::world::*;

/// Type and code of an error.
const PORT_UNREACHABLE: [u8; 2] = [3, 3];
const FRAGMENTATION_NEEDED: [u8; 2] = [3, 4];
const TIME_EXCEEDED: [u8; 2] = [11, 0];
const PARAMETER_PROBLEM: [u8; 2] = [12, 0];

const CLIENT_PORT: u16 = 40000;

fn sum_in(message: &mut [u8], sum: impl Fn(&[u8]) -> u16) {
    message[2..4].copy_from_slice(&[0, 0]);
    let sum = sum(message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
}

/// An error of `from`'s about a packet that it got, of which it has as many bytes as that.
fn error_of(from: Ipv4Addr, to: Ipv4Addr, what: [u8; 2], about: &Frame, length: usize) -> Frame {
    let inside = &about.bytes()[14..];
    let mut bytes = [&what[..], &[0, 0, 0, 0, 5, 0xdc], &inside[..length.min(inside.len())]].concat();
    sum_in(&mut bytes, |bytes| checksum(&[bytes]));
    Frame { fragment: 0, ..Frame::new(from, to, Transport::Other { protocol: 1, bytes }) }
}

/// About all of it.
fn error(from: Ipv4Addr, what: [u8; 2], about: &Frame) -> Frame {
    error_of(from, about.source, what, about, 576)
}

/// The bytes after the IPv4 header, whose checksum must be right.
#[track_caller]
fn message(frame: &Frame) -> &[u8] {
    let Transport::Other { protocol: 1, bytes } = &frame.transport else { panic!("no error: {frame:?}") };
    assert_eq!(checksum(&[bytes]), 0, "ICMP checksum");
    bytes
}

/// Has the error arrive, and be about exactly this.
#[track_caller]
fn assert_about(frame: &Frame, what: [u8; 2], about: &Frame, length: usize) {
    let bytes = message(frame);
    assert_eq!(bytes[..8], [&what[..], &bytes[2..4], &[0, 0, 5, 0xdc]].concat());
    let inside = &about.bytes()[14..];
    assert_eq!(bytes[8..], inside[..length.min(inside.len())]);
    assert_eq!(frame.destination, about.source);
}

fn datagram() -> Frame {
    Frame::udp((CLIENT_IP, CLIENT_PORT), (ENDPOINT_IP, 443))
}

#[test]
fn a_targets_errors_reach_the_client_as_the_endpoints() {
    for (what, reset) in
        [(PORT_UNREACHABLE, 0), (FRAGMENTATION_NEEDED, 1), (TIME_EXCEEDED, 2), (PARAMETER_PROBLEM, 3)]
    {
        for length in [28, 576] {
            let world = World::new();
            let seen = world.send(CLIENT, &datagram()).frame();
            let told = world.send(TARGET, &error_of(TARGET_IP, NODE_IP, what, &seen, length)).frame();
            assert_eq!(told.source, ENDPOINT_IP, "{reset}");
            assert_eq!((told.source_mac, told.destination_mac), (ROUTER_MAC, mac(CLIENT)));
            assert_about(&told, what, &datagram(), length);
            world.assert_drops(&[]);
            assert_eq!(world.traffic(ENDPOINT), (1, 1, 1));
            assert_eq!(world.events(), []);
            let ((_, forward), (_, reverse)) = world.pair();
            assert_eq!((forward.packets, reverse.packets), (1, 1));
        }
    }
}

#[test]
fn a_clients_errors_reach_the_target_as_the_balancers() {
    let world = World::new();
    world.send(CLIENT, &datagram()).frame();
    let answer = Frame::udp((TARGET_IP, 8443), (NODE_IP, CLIENT_PORT));
    let seen = world.send(TARGET, &answer).frame();
    let told = world.send(CLIENT, &error(CLIENT_IP, PORT_UNREACHABLE, &seen)).frame();
    assert_eq!((told.source, told.destination_mac), (NODE_IP, mac(TARGET)));
    assert_about(&told, PORT_UNREACHABLE, &answer, 576);
    world.assert_drops(&[]);
    assert_eq!(world.traffic(ENDPOINT), (1, 2, 1));
}

#[test]
fn of_tcp_with_its_checksum_and_without() {
    for length in [28, 36, 38, 40, 576] {
        let world = World::new();
        let syn = Frame::tcp((CLIENT_IP, CLIENT_PORT), (ENDPOINT_IP, 443), SYN);
        let seen = world.send(CLIENT, &syn).frame();
        let told = world.send(TARGET, &error_of(TARGET_IP, NODE_IP, [3, 1], &seen, length)).frame();
        assert_about(&told, [3, 1], &syn, length);
        // It answers nothing: the connection is half-open still.
        let ((_, forward), (_, reverse)) = world.pair();
        assert_eq!((forward.flags, reverse.flags), (1, 0));
        assert_eq!(world.share(CLIENT), (1, 1));
        world.assert_drops(&[]);
    }
}

#[test]
fn a_checksum_of_none_stays_none() {
    let world = World::new();
    let mut sent = datagram();
    let Transport::Udp { checksum, .. } = &mut sent.transport else { unreachable!() };
    *checksum = false;
    let seen = world.send(CLIENT, &sent).frame();
    let told = world.send(TARGET, &error(TARGET_IP, PORT_UNREACHABLE, &seen)).frame();
    assert_about(&told, PORT_UNREACHABLE, &sent, 576);
}

#[test]
fn options_outside_and_inside_are_stepped_over() {
    let world = World::new();
    let sent = Frame { options: vec![1; 40], ..datagram() };
    let seen = world.send(CLIENT, &sent).frame();
    let told = Frame { options: vec![1; 12], ..error(TARGET_IP, PORT_UNREACHABLE, &seen) };
    let told = world.send(TARGET, &told).frame();
    assert_eq!(told.options, [1; 12]);
    assert_about(&told, PORT_UNREACHABLE, &sent, 576);
}

#[test]
fn between_workloads_nothing_of_it_changes() {
    let world = World::new();
    let datagram = Frame::udp((CLIENT_IP, 1), (NEIGHBOUR_IP, 5000));
    let ping = Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 7);
    for sent in [datagram, ping] {
        let seen = world.send(CLIENT, &sent).frame();
        let told = error(NEIGHBOUR_IP, PORT_UNREACHABLE, &seen);
        assert_eq!(world.send(NEIGHBOUR, &told).frame(), told.macs(ROUTER_MAC, mac(CLIENT)));
    }
    let reply = Frame::echo(NEIGHBOUR_IP, CLIENT_IP, true, 7);
    let seen = world.send(NEIGHBOUR, &reply).frame();
    let told = error(CLIENT_IP, PORT_UNREACHABLE, &seen);
    assert_eq!(world.send(CLIENT, &told).frame(), told.macs(ROUTER_MAC, mac(NEIGHBOUR)));
    world.assert_drops(&[]);
}

#[test]
fn one_that_is_about_no_flow_of_its_senders_goes_nowhere() {
    let world = World::new();
    let seen = world.send(CLIENT, &datagram()).frame();
    let about = |from: (Ipv4Addr, u16), to| error(TARGET_IP, PORT_UNREACHABLE, &Frame::udp(from, to));
    let dropped: [(&str, u32, Frame); 9] = [
        ("another port", TARGET, about((NODE_IP, CLIENT_PORT + 1), (TARGET_IP, 8443))),
        ("another address", TARGET, about((NODE_IP, CLIENT_PORT), (SECOND_IP, 8443))),
        ("the way back", TARGET, about((TARGET_IP, 8443), (NODE_IP, CLIENT_PORT))),
        ("the other's key", TARGET, about((CLIENT_IP, CLIENT_PORT), (ENDPOINT_IP, 443))),
        ("not to whose packet it was", TARGET, error_of(TARGET_IP, SECOND_IP, [3, 3], &seen, 576)),
        (
            "TCP",
            TARGET,
            error(TARGET_IP, [3, 3], &Frame::tcp((NODE_IP, CLIENT_PORT), (TARGET_IP, 8443), SYN)),
        ),
        ("another's flow", SECOND, error(SECOND_IP, PORT_UNREACHABLE, &seen)),
        ("an answer to nobody", NEIGHBOUR, error(NEIGHBOUR_IP, [3, 3], &datagram())),
        ("of one's own packet", CLIENT, error(CLIENT_IP, [3, 3], &datagram())),
    ];
    for (what, sender, frame) in &dropped {
        assert_eq!(world.send(*sender, frame), Outcome::Dropped, "{what}");
    }
    assert_eq!(
        world.send(SECOND, &error_of(TARGET_IP, NODE_IP, [3, 3], &seen, 576)),
        Outcome::Dropped,
        "forged"
    );
    world.assert_drops(&[
        (TARGET, Drop::DROP_NO_FLOW, 6),
        (NEIGHBOUR, Drop::DROP_NO_FLOW, 1),
        (CLIENT, Drop::DROP_NO_FLOW, 1),
        (SECOND, Drop::DROP_SPOOFED_SOURCE, 2),
    ]);
    assert_eq!(world.flows().len(), 2);
    assert_eq!(world.traffic(ENDPOINT), (0, 1, 1));
    // Of what is not found, the event tells the packet that it was about, turned round.
    let event = world.events()[0];
    assert_eq!((event.key.protocol, event.key.source_port), (17, 8443u16.to_be()));
}

#[test]
fn what_makes_no_sense_inside_is_dropped() {
    let world = World::new();
    let seen = world.send(CLIENT, &datagram()).frame();
    let whole = error(TARGET_IP, PORT_UNREACHABLE, &seen);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut frame = whole.clone();
        let Transport::Other { bytes, .. } = &mut frame.transport else { unreachable!() };
        change(bytes);
        frame
    };
    let malformed: [&dyn Fn(&mut Vec<u8>); 6] = [
        &|bytes| bytes.truncate(8),
        &|bytes| bytes.truncate(27),
        &|bytes| bytes.truncate(35),
        &|bytes| bytes[8] = 0x65,
        &|bytes| bytes[8] = 0x44,
        &|bytes| bytes[8] = 0x4f,
    ];
    for change in malformed {
        assert_eq!(world.send(TARGET, &changed(change)), Outcome::Dropped);
    }
    let unsupported: [&dyn Fn(&mut Vec<u8>); 3] = [
        // A later fragment, another protocol, an error about an error.
        &|bytes| bytes[15] = 1,
        &|bytes| bytes[17] = 132,
        &|bytes| (bytes[17], bytes[28]) = (1, 3),
    ];
    for change in unsupported {
        assert_eq!(world.send(TARGET, &changed(change)), Outcome::Dropped);
    }
    let fragment = Frame { fragment: 0x2000, ..changed(&|bytes| bytes.truncate(40)) };
    assert_eq!(world.send(TARGET, &fragment), Outcome::Dropped, "in fragments");
    world.assert_drops(&[(TARGET, Drop::DROP_MALFORMED, 6), (TARGET, Drop::DROP_UNSUPPORTED_PROTOCOL, 4)]);
    assert_eq!(world.traffic(ENDPOINT), (0, 1, 1));
}

#[test]
fn a_flow_that_may_be_no_more_has_no_errors_either() {
    let world = World::new();
    let syn = Frame::tcp((CLIENT_IP, CLIENT_PORT), (ENDPOINT_IP, 443), SYN);
    let seen = world.send(CLIENT, &syn).frame();
    world.rules(103, INGRESS, &[]);
    world.raise_epoch();
    let told = error(TARGET_IP, [3, 1], &seen);
    assert_eq!(world.send(TARGET, &told), Outcome::Dropped, "no RST answers it");
    assert_eq!(world.flows(), []);
    assert_eq!(world.send(TARGET, &told), Outcome::Dropped);
    world.assert_drops(&[(TARGET, Drop::DROP_INGRESS_DENIED, 1), (TARGET, Drop::DROP_NO_FLOW, 1)]);

    // It keeps none from its end, and one whose time is up has none.
    let world = World::new();
    let seen = world.send(CLIENT, &syn).frame();
    world.age(29);
    world.send(TARGET, &told).frame();
    world.age(2);
    assert_eq!(world.send(TARGET, &error(TARGET_IP, [3, 1], &seen)), Outcome::Dropped);
    assert_eq!(world.flows(), []);
    world.assert_drops(&[(TARGET, Drop::DROP_FLOW_EXPIRED, 1)]);
}

#[test]
fn it_closes_nothing() {
    let world = World::new();
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, CLIENT_PORT), (ENDPOINT_IP, 443), SYN)).frame();
    world.send(TARGET, &Frame::tcp((TARGET_IP, 8443), (NODE_IP, CLIENT_PORT), SYN | ACK)).frame();
    for flags in [ACK | PSH, ACK | FIN, RST] {
        let data = Frame::tcp((CLIENT_IP, CLIENT_PORT), (ENDPOINT_IP, 443), flags);
        let about = Frame::tcp((NODE_IP, CLIENT_PORT), (TARGET_IP, 8443), flags);
        let told = world.send(TARGET, &error(TARGET_IP, FRAGMENTATION_NEEDED, &about)).frame();
        assert_about(&told, FRAGMENTATION_NEEDED, &data, 576);
        let ((_, forward), (_, reverse)) = world.pair();
        assert_eq!((forward.flags, reverse.flags), (1 | 2, 2));
    }
    world.assert_drops(&[]);
}

#[test]
fn a_router_behind_an_interface_shows_as_itself_where_nothing_is_translated() {
    let world = World::new();
    let router = Ipv4Addr::new(192, 0, 2, 1);
    world.check_source(NEIGHBOUR, false);
    world.check_source(TARGET, false);
    let direct = Frame::udp((CLIENT_IP, 1), (NEIGHBOUR_IP, 5000));
    let seen = world.send(CLIENT, &direct).frame();
    let told = error(router, TIME_EXCEEDED, &seen);
    assert_eq!(world.send(NEIGHBOUR, &told).frame(), told.macs(ROUTER_MAC, mac(CLIENT)));

    let seen = world.send(CLIENT, &datagram()).frame();
    let told = world.send(TARGET, &error(router, FRAGMENTATION_NEEDED, &seen)).frame();
    assert_eq!(told.source, ENDPOINT_IP, "what is behind an endpoint is nobody's business");
    assert_about(&told, FRAGMENTATION_NEEDED, &datagram(), 576);
    world.assert_drops(&[]);
}

#[test]
fn from_and_to_the_service_namespace() {
    let world = World::new();
    let query = Frame::udp((CLIENT_IP, 5000), (RESOLVER_IP, 53));
    let seen = world.send(CLIENT, &query).frame();
    let told = world.send(SERVICE, &error(SERVICE_RESOLVER_IP, PORT_UNREACHABLE, &seen)).frame();
    assert_eq!(told.source, RESOLVER_IP);
    assert_about(&told, PORT_UNREACHABLE, &query, 576);

    let check = Frame::tcp((SERVICE_IP, 5000), (PROBE_IP, 8443), SYN);
    let seen = world.send(SERVICE, &check).frame();
    let told = world.send(TARGET, &error(TARGET_IP, [3, 1], &seen)).frame();
    assert_eq!((told.source, told.destination_mac), (PROBE_IP, mac(SERVICE)));
    assert_about(&told, [3, 1], &check, 576);
    world.assert_drops(&[]);
}

#[test]
fn those_of_ipv6_too() {
    for (what, length) in [([1, 4], 48), ([2, 0], 1232), ([3, 0], 1232), ([4, 1], 1232)] {
        let world = dual_stack();
        let sent = Frame6::udp((CLIENT_IP6, CLIENT_PORT), (ENDPOINT_IP6, 443));
        let told_of = |from, sent: &Frame6| {
            let inside = &sent.bytes()[54 - 40..];
            let head = [what[0], what[1], 0, 0, 0, 0, 5, 0xdc];
            let bytes = [&head, &inside[..length.min(inside.len())]].concat();
            Frame6 { hop_limit: 64, ..Frame6::message(from, sent.source, bytes) }
        };
        let as_sent = |frame: Frame6, by| frame.macs(mac(by), ROUTER_MAC).bytes();
        let Outcome::Sent(seen) = world.send_bytes(CLIENT, &as_sent(sent.clone(), CLIENT)) else { panic!() };
        let seen = Frame6::read(&seen);
        assert_eq!((seen.source, seen.destination), (NODE_IP6, TARGET_IP6));
        let told = as_sent(told_of(TARGET_IP6, &seen), TARGET);
        let Outcome::Sent(told) = world.send_bytes(TARGET, &told) else { panic!("{what:?} was dropped") };
        let expected = told_of(ENDPOINT_IP6, &sent).macs(ROUTER_MAC, mac(CLIENT));
        assert_eq!(told, expected.bytes());
        world.assert_drops(&[]);
        assert_eq!(world.traffic(ENDPOINT), (1, 1, 1));
    }
}
