//! Idle flows. Time passes by moving the entries' time of last use.

use crate::frame::{ACK, FIN, Frame, RST, SYN, Transport};
use crate::world::*;

fn out(flags: u8) -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), flags)
}

fn back(flags: u8) -> Frame {
    Frame::tcp((TARGET_IP, 8443), (NODE_IP, 40000), flags)
}

fn established() -> World {
    let world = World::new();
    world.send(CLIENT, &out(SYN)).frame();
    world.send(TARGET, &back(SYN | ACK)).frame();
    world
}

#[track_caller]
fn assert_reset(outcome: &Outcome) {
    let frame = outcome.frame();
    assert!(matches!(frame.transport, Transport::Tcp { flags, .. } if flags & RST != 0), "{frame:?}");
}

#[test]
fn an_established_connection_lasts_350_seconds() {
    let world = established();
    world.age(349);
    world.send(CLIENT, &out(ACK)).frame();
    world.age(351);
    assert_reset(&world.send(CLIENT, &out(ACK)));
    assert_eq!(world.flows(), []);
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_EXPIRED, 1)]);
}

#[test]
fn the_target_is_told_as_well() {
    let world = established();
    world.age(351);
    assert_reset(&world.send(TARGET, &back(ACK)));
    assert_eq!(world.flows(), []);
    world.assert_drops(&[(TARGET, Drop::DROP_FLOW_EXPIRED, 1)]);
}

#[test]
fn traffic_one_way_keeps_both_entries() {
    let world = established();
    for _ in 0..3 {
        world.age(200);
        world.send(CLIENT, &out(ACK)).frame();
    }
    world.send(TARGET, &back(ACK)).frame();
    world.assert_drops(&[]);
}

#[test]
fn a_connection_that_was_never_answered_lasts_30_seconds() {
    let world = World::new();
    world.send(CLIENT, &out(SYN)).frame();
    world.age(29);
    world.send(CLIENT, &out(SYN)).frame();
    assert_eq!(world.pair().0.1.packets, 2);
    world.age(31);
    world.send(CLIENT, &out(SYN)).frame();
    assert_eq!(world.pair().0.1.packets, 1, "a new flow");
    world.assert_drops(&[]);
}

#[test]
fn a_closing_connection_lasts_30_seconds() {
    for end in [RST | ACK, FIN | ACK] {
        let world = established();
        world.send(CLIENT, &out(end)).frame();
        world.send(TARGET, &back(end)).frame();
        world.age(29);
        world.send(CLIENT, &out(ACK)).frame();
        world.age(31);
        assert_reset(&world.send(CLIENT, &out(ACK)));
        world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_EXPIRED, 1)]);
    }
}

#[test]
fn one_fin_alone_does_not_close() {
    let world = established();
    world.send(CLIENT, &out(FIN | ACK)).frame();
    world.age(300);
    world.send(TARGET, &back(ACK)).frame();
    world.assert_drops(&[]);
}

#[test]
fn datagrams_120_seconds_and_pings_30() {
    let world = World::new();
    let datagram = Frame::udp((CLIENT_IP, 1), (NEIGHBOUR_IP, 5000));
    let answer = Frame::udp((NEIGHBOUR_IP, 5000), (CLIENT_IP, 1));
    world.send(CLIENT, &datagram).frame();
    world.age(119);
    world.send(NEIGHBOUR, &answer).frame();
    world.age(121);
    assert_eq!(world.send(NEIGHBOUR, &answer), Outcome::Dropped);
    assert_eq!(world.flows(), []);
    world.send(CLIENT, &datagram).frame();
    world.age(121);
    world.send(CLIENT, &datagram).frame();
    assert_eq!(world.pair().0.1.packets, 1, "a new flow");

    let world = World::new();
    world.send(CLIENT, &Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 1)).frame();
    world.age(31);
    assert_eq!(world.send(NEIGHBOUR, &Frame::echo(NEIGHBOUR_IP, CLIENT_IP, true, 1)), Outcome::Dropped);
    world.assert_drops(&[(NEIGHBOUR, Drop::DROP_NO_FLOW, 1)]);
}

#[test]
fn a_listener_may_say_how_long() {
    let world = World::new();
    world.listener(6, 443, &[(TARGET_IP, TARGET)], 0, 60);
    world.send(CLIENT, &out(SYN)).frame();
    world.send(TARGET, &back(SYN | ACK)).frame();
    world.age(59);
    world.send(CLIENT, &out(ACK)).frame();
    world.age(61);
    assert_reset(&world.send(CLIENT, &out(ACK)));
}
