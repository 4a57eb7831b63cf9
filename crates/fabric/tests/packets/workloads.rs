//! From a workload to another one of its VPC.

use linkway_fabric::programs::types::drop_reason;

use crate::frame::{ACK, FIN, Frame, RST, SYN};
use crate::world::*;

#[test]
fn a_syn_opens_a_flow_and_the_answer_finds_it() {
    let world = World::new();
    let syn = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN);
    let out = world.send(CLIENT, &syn).frame();
    assert_eq!(out, syn.macs(ROUTER_MAC, mac(NEIGHBOUR)));

    let answer = Frame::tcp((NEIGHBOUR_IP, 80), (CLIENT_IP, 40000), SYN | ACK);
    let out = world.send(NEIGHBOUR, &answer).frame();
    assert_eq!(out, answer.macs(ROUTER_MAC, mac(CLIENT)));

    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!((forward.egress_rule, forward.ingress_rule), (1001, 1021));
    assert_eq!((forward.packets, reverse.packets), (1, 1));
    assert_eq!((forward.device, reverse.device), (device(NEIGHBOUR), device(CLIENT)));
    assert_eq!(forward.bytes, 54);
    assert_eq!(world.traffic(CLIENT), (1, 1, 1));
    assert_eq!(world.traffic(NEIGHBOUR), (1, 1, 0));
    world.assert_drops(&[]);
}

#[test]
fn fins_both_ways_close_and_a_syn_opens_anew() {
    let world = World::new();
    let out = |flags| Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), flags);
    let back = |flags| Frame::tcp((NEIGHBOUR_IP, 80), (CLIENT_IP, 40000), flags);
    world.send(CLIENT, &out(SYN)).frame();
    world.send(NEIGHBOUR, &back(SYN | ACK)).frame();
    world.send(CLIENT, &out(ACK | FIN)).frame();
    world.send(NEIGHBOUR, &back(ACK | FIN)).frame();
    world.send(CLIENT, &out(ACK)).frame();
    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!((forward.flags & 8, reverse.flags & 8), (8, 8), "closing");

    world.send(CLIENT, &out(SYN)).frame();
    let ((_, forward), _) = world.pair();
    assert_eq!((forward.flags, forward.packets), (1, 1), "a new flow");
    world.send(NEIGHBOUR, &back(RST | ACK)).frame();
    let ((_, forward), _) = world.pair();
    assert_eq!(forward.flags & 8, 8, "RST closes at once");
    world.assert_drops(&[]);
}

#[test]
fn what_cannot_open_a_flow_opens_none() {
    let world = World::new();
    for flags in [ACK, FIN, FIN | ACK, RST, RST | ACK, SYN | ACK, SYN | FIN, SYN | RST, 0] {
        let stray = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), flags);
        assert_eq!(world.send(CLIENT, &stray), Outcome::Dropped, "flags {flags:#x}");
    }
    world.send(CLIENT, &Frame::echo(CLIENT_IP, NEIGHBOUR_IP, true, 7));
    assert_eq!(world.flows(), []);
    world.assert_drops(&[(CLIENT, drop_reason::DROP_NO_FLOW, 10)]);
}
