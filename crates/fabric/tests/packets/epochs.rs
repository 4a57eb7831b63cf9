//! Changes under live flows.

use libbpf_rs::MapCore;
use linkway_fabric::layout::{Interface, Layout, ListenerKey, address};

use crate::frame::{ACK, Frame, RST, SYN, Transport};
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

#[test]
fn what_still_holds_goes_on() {
    let world = established();
    world.raise_epoch();
    world.send(CLIENT, &out(ACK)).frame();
    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!((forward.epoch, reverse.epoch), (2, 2));
    assert_eq!((forward.packets, reverse.packets), (2, 1));
    world.settings(|settings| settings.epoch = 3);
    world.send(TARGET, &back(ACK)).frame();
    assert_eq!(world.pair().0.1.epoch, 3, "judged by an answer");
    world.assert_drops(&[]);
}

/// Everything that lets a flow in, taken away: the next packet of either side ends it.
#[test]
fn what_no_longer_holds_ends_at_the_next_packet() {
    type Change = fn(&World);
    let changes: [(&str, Change, Drop); 9] = [
        ("client's egress rule", |w| w.rules(101, EGRESS, &[]), Drop::DROP_EGRESS_DENIED),
        ("endpoint's ingress rule", |w| w.rules(103, INGRESS, &[]), Drop::DROP_INGRESS_DENIED),
        ("target's ingress rule", |w| w.rules(104, INGRESS, &[]), Drop::DROP_TARGET_DENIED),
        ("endpoint", |w| w.endpoint(NODE, false), Drop::DROP_ENDPOINT_UNAVAILABLE),
        ("balancer's groups", |w| w.ask_balancer(105), Drop::DROP_BALANCER_DENIED),
        ("target", |w| w.listener(6, 443, &[(SECOND_IP, SECOND)], 0, 0), Drop::DROP_FLOW_REVOKED),
        ("target's interface", |w| w.listener(6, 443, &[(TARGET_IP, SECOND)], 0, 0), Drop::DROP_FLOW_REVOKED),
        (
            "listener",
            |w| {
                let key = ListenerKey { node: NODE, port: 443u16.to_be(), protocol: 6, pad: 0 };
                w.skeleton.maps.listeners.delete(key.bytes()).unwrap();
            },
            Drop::DROP_NO_LISTENER,
        ),
        (
            "endpoint's address",
            |w| w.interface(NEIGHBOUR, CONSUMER, ENDPOINT_IP, 0, Kind::INTERFACE_WORKLOAD),
            Drop::DROP_FLOW_REVOKED,
        ),
    ];
    for (what, change, reason) in changes {
        let world = established();
        change(&world);
        world.send(CLIENT, &out(ACK)).frame();
        world.raise_epoch();
        world.send(CLIENT, &out(ACK));
        assert_eq!(world.flows(), [], "{what}, noticed by the client");
        world.assert_drops(&[(CLIENT, reason, 1)]);

        let world = established();
        change(&world);
        world.raise_epoch();
        assert_eq!(world.send(TARGET, &back(ACK)), Outcome::Dropped, "{what}");
        assert_eq!(world.flows(), [], "{what}, noticed by the target");
        world.assert_drops(&[(TARGET, reason, 1)]);
    }
}

#[test]
fn the_client_is_told_by_a_reset() {
    let world = established();
    world.rules(103, INGRESS, &[]);
    world.raise_epoch();
    let answer = world.send(CLIENT, &out(ACK)).frame();
    assert_eq!((answer.source, answer.destination), (ENDPOINT_IP, CLIENT_IP));
    assert!(matches!(answer.transport, Transport::Tcp { flags: RST, sequence: 7000, .. }), "{answer:?}");
    let event = world.events()[0];
    assert_eq!((event.other, event.rule), (ENDPOINT, 1031), "the rule that had let it in");
}

#[test]
fn a_draining_target_keeps_its_flows_and_gets_no_new_ones() {
    let world = established();
    world.listener(6, 443, &[(SECOND_IP, SECOND), (TARGET_IP, TARGET)], 1, 0);
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &out(ACK)).frame().destination, TARGET_IP);
    for port in 1..20 {
        let syn = Frame::tcp((CLIENT_IP, port), (ENDPOINT_IP, 443), SYN);
        assert_eq!(world.send(CLIENT, &syn).frame().destination, SECOND_IP);
    }
    world.assert_drops(&[]);
}

#[test]
fn a_revoked_rule_stops_flows_between_workloads_both_ways() {
    let world = World::new();
    let there = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), ACK);
    let back = Frame::tcp((NEIGHBOUR_IP, 80), (CLIENT_IP, 40000), SYN | ACK);
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN)).frame();
    world.send(NEIGHBOUR, &back).frame();
    world.rules(102, INGRESS, &[]);
    world.raise_epoch();
    assert_eq!(world.send(NEIGHBOUR, &back), Outcome::Dropped);
    assert_eq!(world.send(CLIENT, &there), Outcome::Dropped);
    world.assert_drops(&[(NEIGHBOUR, Drop::DROP_INGRESS_DENIED, 1), (CLIENT, Drop::DROP_NO_FLOW, 1)]);
}

#[test]
fn a_workload_that_gets_another_device_keeps_its_flows() {
    let world = established();
    let target = Interface {
        address: address(TARGET_IP),
        groups: 104,
        subnet: PROVIDER.into(),
        vpc: PROVIDER,
        device: 77,
        mac: [9; 6],
        kind: Kind::INTERFACE_WORKLOAD.0 as u8,
        ..Interface::default()
    };
    world.put(&world.skeleton.maps.interfaces, &TARGET, &target);
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &out(ACK)).frame().destination_mac, [9; 6]);
    assert_eq!(world.pair().0.1.device, 77);
}
