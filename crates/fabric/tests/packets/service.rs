//! The daemon's own namespace: the resolver and health checks.

use std::net::Ipv4Addr;

use linkway_fabric::layout::{Probe, address};

use crate::frame::{ACK, Frame, RST, SYN, Transport};
use crate::world::*;

#[test]
fn the_resolver_is_asked_by_the_interfaces_own_address() {
    let world = World::new();
    world.rules(101, EGRESS, &[]); // groups do not apply to the resolver
    let question = Frame::udp((CLIENT_IP, 40000), (RESOLVER_IP, 53));
    let there =
        Frame::udp((SERVICE_CLIENT_IP, 40000), (SERVICE_RESOLVER_IP, 53)).macs(ROUTER_MAC, mac(SERVICE));
    assert_eq!(world.send(CLIENT, &question).frame(), there);
    let answer = Frame::udp((SERVICE_RESOLVER_IP, 53), (SERVICE_CLIENT_IP, 40000));
    let back = Frame::udp((RESOLVER_IP, 53), (CLIENT_IP, 40000)).macs(ROUTER_MAC, mac(CLIENT));
    assert_eq!(world.send(SERVICE, &answer).frame(), back);

    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!((forward.sender, forward.receiver), (CLIENT, SERVICE));
    assert_eq!((forward.device, reverse.device), (device(SERVICE), device(CLIENT)));
    assert_eq!((forward.packets, reverse.packets), (1, 1));
    world.assert_drops(&[]);
}

#[test]
fn the_resolver_over_tcp_and_by_its_other_address_from_the_same_port() {
    let world = World::new();
    let other = Ipv4Addr::new(169, 254, 169, 253);
    world.place(CONSUMER, other, 0, linkway_fabric::programs::types::place_kind::PLACE_RESOLVER);
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (RESOLVER_IP, 53), SYN)).frame();
    let out = world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (other, 53), SYN)).frame();
    let Transport::Tcp { source: port, .. } = out.transport else { unreachable!() };
    assert_ne!(port, 40000, "two flows, one answer's key");
    let answer = Frame::tcp((SERVICE_RESOLVER_IP, 53), (SERVICE_CLIENT_IP, port), SYN | ACK);
    assert_eq!(world.send(SERVICE, &answer).frame().source, other);
}

#[test]
fn the_resolver_serves_dns_only() {
    let world = World::new();
    assert_eq!(world.send(CLIENT, &Frame::udp((CLIENT_IP, 1), (RESOLVER_IP, 54))), Outcome::Dropped);
    assert_eq!(world.send(CLIENT, &Frame::tcp((CLIENT_IP, 1), (RESOLVER_IP, 853), SYN)), Outcome::Dropped);
    assert_eq!(world.send(CLIENT, &Frame::echo(CLIENT_IP, RESOLVER_IP, false, 1)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_LISTENER, 3)]);
}

#[test]
fn metadata_is_asked_by_the_interfaces_own_address_over_http_only() {
    let world = World::new();
    world.rules(101, EGRESS, &[]); // groups do not apply to it
    let syn = Frame::tcp((CLIENT_IP, 40000), (METADATA_IP, 80), SYN);
    let there =
        Frame::tcp((SERVICE_CLIENT_IP, 40000), (SERVICE_METADATA_IP, 80), SYN).macs(ROUTER_MAC, mac(SERVICE));
    assert_eq!(world.send(CLIENT, &syn).frame(), there);
    let answer = Frame::tcp((SERVICE_METADATA_IP, 80), (SERVICE_CLIENT_IP, 40000), SYN | ACK);
    let back = Frame::tcp((METADATA_IP, 80), (CLIENT_IP, 40000), SYN | ACK).macs(ROUTER_MAC, mac(CLIENT));
    assert_eq!(world.send(SERVICE, &answer).frame(), back);
    for elsewhere in [
        Frame::tcp((CLIENT_IP, 1), (METADATA_IP, 443), SYN),
        Frame::udp((CLIENT_IP, 1), (METADATA_IP, 80)),
        Frame::echo(CLIENT_IP, METADATA_IP, false, 1),
    ] {
        assert_eq!(world.send(CLIENT, &elsewhere), Outcome::Dropped);
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_LISTENER, 3)]);
}

#[test]
fn a_health_check_comes_from_the_balancer() {
    let world = World::new();
    let syn = Frame::tcp((SERVICE_IP, 50000), (PROBE_IP, 8443), SYN);
    let there = Frame::tcp((NODE_IP, 50000), (TARGET_IP, 8443), SYN).macs(ROUTER_MAC, mac(TARGET));
    assert_eq!(world.send(SERVICE, &syn).frame(), there);
    let answer = Frame::tcp((TARGET_IP, 8443), (NODE_IP, 50000), SYN | ACK);
    let back = Frame::tcp((PROBE_IP, 8443), (SERVICE_IP, 50000), SYN | ACK).macs(ROUTER_MAC, mac(SERVICE));
    assert_eq!(world.send(TARGET, &answer).frame(), back);
    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!((forward.sender, forward.receiver, forward.via), (SERVICE, TARGET, 0));
    assert_eq!((forward.device, reverse.device), (device(TARGET), device(SERVICE)));

    world.raise_epoch();
    world.send(TARGET, &answer).frame();
    world.send(SERVICE, &Frame::tcp((SERVICE_IP, 50000), (PROBE_IP, 8443), ACK)).frame();
    world.assert_drops(&[]);
}

#[test]
fn a_connection_of_the_gateways_may_be_idle_for_as_long_as_the_listeners() {
    let world = World::new();
    let probe = Probe { address: address(TARGET_IP), interface: TARGET, node: NODE, idle_seconds: 6000 };
    world.put(&world.skeleton.maps.probes, &9u32, &probe);
    world.send(SERVICE, &Frame::tcp((SERVICE_IP, 50000), (PROBE_IP, 8443), SYN)).frame();
    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!((forward.idle_seconds, reverse.idle_seconds), (6000, 6000));
}

#[test]
fn the_service_namespace_reaches_targets_of_probes_and_nothing_else() {
    let world = World::new();
    let elsewhere = [
        Ipv4Addr::new(100, 64, 0, 10),
        Ipv4Addr::new(100, 128, 0, 9),
        Ipv4Addr::new(100, 63, 255, 255),
        TARGET_IP,
        SERVICE_CLIENT_IP,
    ];
    for address in elsewhere {
        let syn = Frame::tcp((SERVICE_IP, 50000), (address, 8443), SYN);
        assert_eq!(world.send(SERVICE, &syn), Outcome::Dropped, "{address}");
    }
    assert_eq!(world.send(SERVICE, &Frame::echo(SERVICE_IP, PROBE_IP, false, 1)), Outcome::Dropped);
    assert_eq!(world.send(SERVICE, &Frame::tcp((SERVICE_IP, 1), (PROBE_IP, 22), SYN)), Outcome::Dropped);
    let reset = world.send(SERVICE, &Frame::tcp((SERVICE_IP, 1), (PROBE_IP, 8443), ACK)).frame();
    assert!(matches!(reset.transport, Transport::Tcp { flags: RST, .. }), "it shall fail at once: {reset:?}");
    world.assert_drops(&[
        (SERVICE, Drop::DROP_NO_ROUTE, elsewhere.len() as u64 + 1),
        (SERVICE, Drop::DROP_TARGET_DENIED, 1),
        (SERVICE, Drop::DROP_NO_FLOW, 1),
    ]);
}
