//! To the gateway in the service namespace: AWS services, and listeners that are marked so.

use std::net::Ipv4Addr;

use libbpf_rs::{MapCore, MapFlags};
use linkway_fabric::layout::{Layout, Listener, ListenerKey};
use linkway_fabric::programs::types::{listener_flag, place_kind};

use crate::frame::{ACK, Frame, PSH, RST, SYN, Transport};
use crate::world::*;

/// The node's address in the service namespace, and the endpoint's that leads to it.
const SERVICE_NODE_IP: Ipv4Addr = Ipv4Addr::new(240, 0, 0, NODE as u8);
const SERVICE_ENDPOINT_IP: Ipv4Addr = Ipv4Addr::new(240, 0, 0, ENDPOINT as u8);

fn out(flags: u8) -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (AWS_IP, 443), flags)
}

/// An answer of the gateway's.
fn back(flags: u8) -> Frame {
    Frame::tcp((SERVICE_AWS_IP, 443), (SERVICE_CLIENT_IP, 40000), flags)
}

fn is_reset(frame: &Frame) -> bool {
    matches!(frame.transport, Transport::Tcp { flags, .. } if flags & RST != 0)
}

fn established() -> World {
    let world = World::new();
    world.send(CLIENT, &out(SYN)).frame();
    world.send(SERVICE, &back(SYN | ACK)).frame();
    world
}

#[test]
fn the_gateway_sees_who_connects_and_to_which_endpoint() {
    let world = World::new();
    for (flows, port) in [(1, 443), (2, 80)] {
        let from = (CLIENT_IP, 40000);
        let syn = Frame::tcp(from, (AWS_IP, port), SYN);
        let there = Frame::tcp((SERVICE_CLIENT_IP, 40000), (SERVICE_AWS_IP, port), SYN);
        assert_eq!(world.send(CLIENT, &syn).frame(), there.macs(ROUTER_MAC, mac(SERVICE)));

        let answer = Frame::tcp((SERVICE_AWS_IP, port), (SERVICE_CLIENT_IP, 40000), SYN | ACK);
        let back = Frame::tcp((AWS_IP, port), from, SYN | ACK).macs(ROUTER_MAC, mac(CLIENT));
        assert_eq!(world.send(SERVICE, &answer).frame(), back);

        let data = Frame::tcp(from, (AWS_IP, port), ACK | PSH).payload(b"GET");
        let there = Frame::tcp((SERVICE_CLIENT_IP, 40000), (SERVICE_AWS_IP, port), ACK | PSH).payload(b"GET");
        assert_eq!(world.send(CLIENT, &data).frame(), there.macs(ROUTER_MAC, mac(SERVICE)));
        assert_eq!(world.traffic(AWS), (flows, 2 * flows, flows), "counted at the endpoint");
    }
    world.assert_drops(&[]);
}

#[test]
fn its_flows_are_the_endpoints() {
    let world = established();
    let ((key, forward), (reverse_key, reverse)) = world.pair();
    assert_eq!((key.vpc, reverse_key.vpc), (CONSUMER, 0));
    assert_eq!((forward.sender, forward.receiver, forward.via), (CLIENT, SERVICE, AWS));
    assert_eq!((reverse.sender, reverse.receiver, reverse.via), (SERVICE, CLIENT, AWS));
    assert_eq!((forward.device, reverse.device), (device(SERVICE), device(CLIENT)));
    assert_eq!((forward.egress_rule, forward.ingress_rule), (1001, 1031));
    assert_eq!((forward.idle_seconds, forward.counter), (350, AWS));
}

#[test]
fn every_way_that_leads_nowhere_has_its_reason() {
    let world = World::new();
    let refused = |frame: &Frame, why| assert_eq!(world.send(CLIENT, frame), Outcome::Dropped, "{why}");
    refused(&Frame::tcp((CLIENT_IP, 40000), (AWS_IP, 444), SYN), "another port");
    refused(&Frame::udp((CLIENT_IP, 40000), (AWS_IP, 443)), "QUIC");
    refused(&Frame::echo(CLIENT_IP, AWS_IP, false, 1), "ping");
    world.lead(AWS, AWS, false);
    refused(&out(SYN), "not available");
    world.rules(103, INGRESS, &[]);
    refused(&out(SYN), "the endpoint's groups");
    world.rules(101, EGRESS, &[]);
    refused(&out(SYN), "the client's groups");
    world.assert_drops(&[
        (CLIENT, Drop::DROP_NO_LISTENER, 3),
        (CLIENT, Drop::DROP_ENDPOINT_UNAVAILABLE, 1),
        (CLIENT, Drop::DROP_INGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_EGRESS_DENIED, 1),
    ]);
    assert_eq!(world.flows(), []);
}

#[test]
fn what_still_holds_goes_on() {
    let world = established();
    world.raise_epoch();
    world.send(CLIENT, &out(ACK)).frame();
    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!((forward.epoch, reverse.epoch), (2, 2));
    world.settings(|settings| settings.epoch = 3);
    world.send(SERVICE, &back(ACK)).frame();
    assert_eq!(world.pair().0.1.epoch, 3, "judged by an answer");
    world.assert_drops(&[]);
}

/// Everything that lets a flow in, taken away: the next packet of either side ends it.
#[test]
fn what_no_longer_holds_ends_at_the_next_packet() {
    type Change = fn(&World);
    let changes: [(&str, Change, Drop); 4] = [
        ("client's egress rule", |w| w.rules(101, EGRESS, &[]), Drop::DROP_EGRESS_DENIED),
        ("endpoint's ingress rule", |w| w.rules(103, INGRESS, &[]), Drop::DROP_INGRESS_DENIED),
        ("endpoint", |w| w.lead(AWS, AWS, false), Drop::DROP_ENDPOINT_UNAVAILABLE),
        (
            "listener",
            |w| {
                let key = ListenerKey { node: AWS, port: 443u16.to_be(), protocol: 6, pad: 0 };
                w.skeleton.maps.listeners.delete(key.bytes()).unwrap();
            },
            Drop::DROP_NO_LISTENER,
        ),
    ];
    for (what, change, reason) in changes {
        let world = established();
        change(&world);
        world.send(CLIENT, &out(ACK)).frame();
        world.raise_epoch();
        assert!(is_reset(&world.send(CLIENT, &out(ACK)).frame()), "{what}");
        assert_eq!(world.flows(), [], "{what}, noticed by the client");
        world.assert_drops(&[(CLIENT, reason, 1)]);

        let world = established();
        change(&world);
        world.raise_epoch();
        assert!(is_reset(&world.send(SERVICE, &back(ACK)).frame()), "{what}");
        assert_eq!(world.flows(), [], "{what}, noticed by the gateway");
        world.assert_drops(&[(SERVICE, reason, 1)]);
    }
}

#[test]
fn each_client_has_ports_of_its_own() {
    let world = World::new();
    world.rules(103, INGRESS, &[rule(1, 0, (0, 0)).peer_cidr(CLIENT_IP, 0)]);
    world.rules(102, EGRESS, &[rule(2, 0, (0, 0)).peer_cidr(CLIENT_IP, 0)]);
    for (number, ip) in [(CLIENT, CLIENT_IP), (NEIGHBOUR, NEIGHBOUR_IP)] {
        let seen = world.send(number, &Frame::tcp((ip, 40000), (AWS_IP, 443), SYN)).frame();
        let there = Frame::tcp((Ipv4Addr::new(11, 0, 0, number as u8), 40000), (SERVICE_AWS_IP, 443), SYN);
        assert_eq!(seen, there.macs(ROUTER_MAC, mac(SERVICE)));
    }
}

#[test]
fn two_addresses_of_one_client_with_the_same_port_are_told_apart() {
    let world = World::new();
    let second = Ipv4Addr::new(10, 0, 0, 11);
    world.place(CONSUMER, second, CLIENT, place_kind::PLACE_INTERFACE);
    world.send(CLIENT, &out(SYN)).frame();
    let seen = world.send(CLIENT, &Frame::tcp((second, 40000), (AWS_IP, 443), SYN)).frame();
    let Transport::Tcp { source: port, .. } = seen.transport else { unreachable!() };
    assert_eq!(seen.source, SERVICE_CLIENT_IP);
    assert_ne!(port, 40000, "two flows, one answer's key");
    let answer = Frame::tcp((SERVICE_AWS_IP, 443), (SERVICE_CLIENT_IP, port), SYN | ACK);
    let back = Frame::tcp((AWS_IP, 443), (second, 40000), SYN | ACK);
    assert_eq!(world.send(SERVICE, &answer).frame(), back.macs(ROUTER_MAC, mac(CLIENT)));
}

#[test]
fn the_gateway_opens_nothing_towards_clients() {
    let world = World::new();
    assert_eq!(world.send(SERVICE, &back(SYN)), Outcome::Dropped);
    assert!(
        is_reset(&world.send(SERVICE, &back(SYN | ACK)).frame()),
        "and learns at once that nobody is there"
    );
    world.assert_drops(&[(SERVICE, Drop::DROP_NO_ROUTE, 1), (SERVICE, Drop::DROP_NO_FLOW, 1)]);
}

#[test]
fn a_balancers_listener_that_is_marked_leads_there_through_an_endpoint_and_directly() {
    let world = World::new();
    world.gateway_listener(NODE, 443, 77);
    let through = Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN);
    let there = Frame::tcp((SERVICE_CLIENT_IP, 40000), (SERVICE_ENDPOINT_IP, 443), SYN);
    assert_eq!(world.send(CLIENT, &through).frame(), there.macs(ROUTER_MAC, mac(SERVICE)));
    let ((_, forward), _) = world.pair();
    assert_eq!((forward.via, forward.counter, forward.idle_seconds), (ENDPOINT, ENDPOINT, 77));

    let direct = Frame::tcp((SECOND_IP, 40000), (NODE_IP, 443), SYN);
    let there = Frame::tcp((Ipv4Addr::new(11, 0, 0, SECOND as u8), 40000), (SERVICE_NODE_IP, 443), SYN);
    assert_eq!(world.send(SECOND, &direct).frame(), there.macs(ROUTER_MAC, mac(SERVICE)));
    let answer =
        Frame::tcp((SERVICE_NODE_IP, 443), (Ipv4Addr::new(11, 0, 0, SECOND as u8), 40000), SYN | ACK);
    let back = Frame::tcp((NODE_IP, 443), (SECOND_IP, 40000), SYN | ACK).macs(ROUTER_MAC, mac(SECOND));
    assert_eq!(world.send(SERVICE, &answer).frame(), back);
    let forward = world.flows().into_iter().find(|(_, flow)| flow.sender == SECOND).unwrap().1;
    assert_eq!((forward.receiver, forward.via, forward.counter), (SERVICE, 0, 0));

    world.assert_drops(&[]);
}

/// As a target group gets PROXY protocol, or its first target outside of the VPC.
#[test]
fn open_flows_keep_their_way_when_a_listener_is_marked_or_no_more() {
    let world = World::new();
    let packet = |port, flags| Frame::tcp((CLIENT_IP, port), (ENDPOINT_IP, 443), flags);
    let at_target =
        |port, flags| Frame::tcp((NODE_IP, port), (TARGET_IP, 8443), flags).macs(ROUTER_MAC, mac(TARGET));
    let at_gateway = |port, flags| {
        Frame::tcp((SERVICE_CLIENT_IP, port), (SERVICE_ENDPOINT_IP, 443), flags)
            .macs(ROUTER_MAC, mac(SERVICE))
    };
    assert_eq!(world.send(CLIENT, &packet(1, SYN)).frame(), at_target(1, SYN));

    let marked = |targets: u32| {
        world.listener(6, 443, &[(TARGET_IP, TARGET)][..targets as usize], targets, 0);
        let key = ListenerKey { node: NODE, port: 443u16.to_be(), protocol: 6, pad: 0 };
        let listeners = &world.skeleton.maps.listeners;
        let listener = listeners.lookup(key.bytes(), MapFlags::ANY).unwrap().unwrap();
        let flags = listener_flag::LISTENER_GATEWAY.0;
        world.put(listeners, &key, &Listener { flags, ..Listener::read(&listener).unwrap() });
    };
    marked(1);
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &packet(1, ACK)).frame(), at_target(1, ACK));
    assert_eq!(world.send(CLIENT, &packet(2, SYN)).frame(), at_gateway(2, SYN));

    world.listener(6, 443, &[(TARGET_IP, TARGET)], 0, 0);
    world.settings(|settings| settings.epoch = 3);
    assert_eq!(world.send(CLIENT, &packet(1, ACK)).frame(), at_target(1, ACK));
    assert_eq!(world.send(CLIENT, &packet(2, ACK)).frame(), at_gateway(2, ACK));
    assert_eq!(world.send(CLIENT, &packet(3, SYN)).frame(), at_target(3, SYN));
    world.assert_drops(&[]);

    // A target that is one no more loses its flows, as ever.
    marked(0);
    world.settings(|settings| settings.epoch = 4);
    world.send(CLIENT, &packet(1, ACK)).frame();
    assert_eq!(world.send(CLIENT, &packet(2, ACK)).frame(), at_gateway(2, ACK));
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_REVOKED, 1)]);
}
