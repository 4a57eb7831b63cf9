//! RST as the answer to what belongs to no connection (RFC 9293, 3.10.7.1).

use crate::frame::{ACK, FIN, Frame, PSH, RST, SYN, Transport};
use crate::world::*;

/// What a stray segment to the endpoint is answered with.
fn answered(flags: u8, payload: &[u8]) -> Frame {
    let world = World::new();
    let stray = Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), flags).payload(payload);
    let answer = world.send(CLIENT, &stray).frame();
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_FLOW, 1)]);
    assert_eq!(world.flows(), []);
    answer
}

fn reset(flags: u8, sequence: u32, acknowledgment: u32) -> Frame {
    let transport = Transport::Tcp {
        source: 443,
        destination: 40000,
        flags,
        sequence,
        acknowledgment,
        options: vec![],
        payload: vec![],
    };
    let frame = Frame::new(ENDPOINT_IP, CLIENT_IP, transport).macs(ROUTER_MAC, mac(CLIENT));
    Frame { ttl: 64, ..frame }
}

#[test]
fn a_segment_with_ack_is_answered_with_its_number() {
    assert_eq!(answered(ACK, b""), reset(RST, 7000, 0));
    assert_eq!(answered(ACK | PSH, &[7; 999]), reset(RST, 7000, 0));
    assert_eq!(answered(FIN | ACK, b""), reset(RST, 7000, 0));
    assert_eq!(answered(SYN | ACK, b""), reset(RST, 7000, 0));
}

#[test]
fn a_segment_without_ack_is_acknowledged() {
    assert_eq!(answered(PSH, b"four"), reset(RST | ACK, 0, 1004));
    assert_eq!(answered(FIN, b"four"), reset(RST | ACK, 0, 1005));
}

#[test]
fn a_reset_is_never_answered_nor_anything_off_an_endpoint() {
    let world = World::new();
    for flags in [RST, RST | ACK] {
        let stray = Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), flags);
        assert_eq!(world.send(CLIENT, &stray), Outcome::Dropped);
    }
    for elsewhere in [NEIGHBOUR_IP, NOWHERE_IP, RESOLVER_IP] {
        assert_eq!(world.send(CLIENT, &Frame::tcp((CLIENT_IP, 1), (elsewhere, 53), ACK)), Outcome::Dropped);
    }
    assert_eq!(world.send(SECOND, &Frame::tcp((SECOND_IP, 1), (NODE_IP, 443), ACK)), Outcome::Dropped);
    let forged = Frame::tcp((NEIGHBOUR_IP, 1), (ENDPOINT_IP, 443), ACK);
    assert_eq!(world.send(CLIENT, &forged), Outcome::Dropped);
    world.assert_drops(&[
        (CLIENT, Drop::DROP_NO_FLOW, 5),
        (SECOND, Drop::DROP_NO_FLOW, 1),
        (CLIENT, Drop::DROP_SPOOFED_SOURCE, 1),
    ]);
}

#[test]
fn a_segment_behind_options_of_ipv4_is_answered_with_such_that_do_nothing() {
    for length in [4, 12, 40] {
        let world = World::new();
        // Record route, as far as there is room, and nothing else.
        let options = [vec![7, length as u8, 4], vec![0; length - 3]].concat();
        let stray = Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), ACK | PSH).payload(b"odd");
        let answer = world.send(CLIENT, &Frame { options, ..stray }).frame();
        assert_eq!(answer, Frame { options: vec![1; length], ..reset(RST, 7000, 0) });
        world.assert_drops(&[(CLIENT, Drop::DROP_NO_FLOW, 1)]);
    }
}

#[test]
fn options_of_tcp_are_not_answered() {
    let world = World::new();
    let stray =
        Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), FIN).tcp_options(&[1; 40]).payload(b"four");
    assert_eq!(world.send(CLIENT, &stray).frame(), reset(RST | ACK, 0, 1005));
}
