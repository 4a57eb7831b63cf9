//! IPv6: what holds of IPv4 holds of it, and neither is ever taken for the other.

use std::net::Ipv6Addr;

use linkway_fabric::layout::*;

use crate::frame::{ACK, FIN, Frame, PSH, RST, SYN, Transport};
use crate::frame6::Frame6;
use crate::world::*;

pub const CLIENT_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x10);
pub const NEIGHBOUR_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x20);
pub const ENDPOINT_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x30);
pub const AWS_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x40);
pub const NOWHERE_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x99);
pub const OTHER_SUBNET_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 0x99);
const FAR_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);
pub const TARGET_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 1, 0, 0, 0, 0x10);
pub const NODE_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 1, 0, 0, 0, 0x50);
pub const RESOLVER_IP6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253);

/// What has this IPv4 address in the service namespace.
pub fn service(ipv4: std::net::Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = ipv4.octets();
    Ipv6Addr::new(0xfd6c, 0x7700, 0, 0, 0, 0, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

/// Everybody in the drawing of `world.rs`, with an IPv6 address beside the other.
pub fn dual_stack() -> World {
    let world = World::new();
    give_ipv6(&world);
    world
}

pub fn give_ipv6(world: &World) {
    for (vpc, network) in [(CONSUMER, "2001:db8:0:1::/64"), (PROVIDER, "2001:db8:1:1::/64")] {
        world.alter(&world.skeleton.maps.subnets, &u64::from(vpc), |row: &mut Subnet| {
            (row.address6, row.prefix6) = range(network.parse::<ipnet::Ipv6Net>().unwrap());
        });
        world.place(vpc, RESOLVER_IP6, 0, linkway_fabric::programs::types::place_kind::PLACE_RESOLVER);
    }
    for range in ["2001:db8::/56", "2001:db8:1::/56"] {
        world.route(0, range, RouteKind::ROUTE_LOCAL, 0);
    }
    for (number, vpc, ip) in [
        (CLIENT, CONSUMER, CLIENT_IP6),
        (NEIGHBOUR, CONSUMER, NEIGHBOUR_IP6),
        (ENDPOINT, CONSUMER, ENDPOINT_IP6),
        (AWS, CONSUMER, AWS_IP6),
        (TARGET, PROVIDER, TARGET_IP6),
        (NODE, PROVIDER, NODE_IP6),
    ] {
        let kind = linkway_fabric::programs::types::place_kind::PLACE_INTERFACE;
        world.place(vpc, ip, number, kind);
        world.alter(&world.skeleton.maps.interfaces, &number, |interface: &mut Interface| {
            interface.address6 = address(ip);
        });
    }
    world.rules(101, EGRESS, &[rule(1101, 0, (0, 0)).peer_range("::/0")]);
    world.rules(
        102,
        INGRESS,
        &[
            rule(1121, 6, (80, 81)).peer_group(CLIENT_GROUP),
            rule(1122, 17, (5000, 5000)).peer_range("2001:db8:0:1::/64"),
            rule(1123, 58, (128, ANY_ICMP)).peer_range("2001:db8:0:1::10/128"),
        ],
    );
    let ports = (8443, 8443);
    let node = "2001:db8:1:1::50/128";
    world.rules(
        104,
        INGRESS,
        &[rule(1141, 6, ports).peer_range(node), rule(1142, 17, ports).peer_range(node)],
    );
    for protocol in [6, 17] {
        world.listener(protocol, 443, &[(TARGET_IP6, TARGET)], 0, 0);
    }
}

fn send(world: &World, interface: u32, frame: &Frame6) -> Outcome {
    world.send_bytes(interface, &frame.clone().macs(mac(interface), ROUTER_MAC).bytes())
}

#[track_caller]
fn read(outcome: &Outcome) -> Frame6 {
    match outcome {
        Outcome::Sent(bytes) => Frame6::read(bytes),
        Outcome::Dropped => panic!("the packet was dropped"),
    }
}

#[test]
fn a_flow_between_workloads_goes_both_ways_unchanged() {
    let world = dual_stack();
    let syn = Frame6::tcp((CLIENT_IP6, 40000), (NEIGHBOUR_IP6, 80), SYN);
    assert_eq!(read(&send(&world, CLIENT, &syn)), syn.macs(ROUTER_MAC, mac(NEIGHBOUR)));
    let answer = Frame6::tcp((NEIGHBOUR_IP6, 80), (CLIENT_IP6, 40000), SYN | ACK);
    assert_eq!(read(&send(&world, NEIGHBOUR, &answer)), answer.macs(ROUTER_MAC, mac(CLIENT)));
    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!((forward.egress_rule, forward.ingress_rule), (1101, 1121));
    assert_eq!((forward.packets, reverse.packets), (1, 1));
    world.assert_drops(&[]);
}

#[test]
fn an_echo_is_answered_and_asked_about_by_its_own_types() {
    let world = dual_stack();
    let ask = Frame6::echo(CLIENT_IP6, NEIGHBOUR_IP6, false, 7);
    assert_eq!(read(&send(&world, CLIENT, &ask)), ask.macs(ROUTER_MAC, mac(NEIGHBOUR)));
    let reply = Frame6::echo(NEIGHBOUR_IP6, CLIENT_IP6, true, 7);
    assert_eq!(read(&send(&world, NEIGHBOUR, &reply)), reply.macs(ROUTER_MAC, mac(CLIENT)));
    assert_eq!(send(&world, CLIENT, &Frame6::echo(CLIENT_IP6, NEIGHBOUR_IP6, true, 8)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_FLOW, 1)]);
    // By ICMP's number, or IPv4's by ICMPv6's, they are nothing.
    let wrong = Frame6::new(
        CLIENT_IP6,
        NEIGHBOUR_IP6,
        Transport::Other { protocol: 1, bytes: vec![8, 0, 0, 0, 0, 1, 0, 1] },
    );
    assert_eq!(send(&world, CLIENT, &wrong), Outcome::Dropped);
    let other = Transport::Other { protocol: 58, bytes: vec![128, 0, 0, 0, 0, 1, 0, 1] };
    assert_eq!(world.send(CLIENT, &Frame::new(CLIENT_IP, NEIGHBOUR_IP, other)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_FLOW, 1), (CLIENT, Drop::DROP_UNSUPPORTED_PROTOCOL, 2)]);
}

#[test]
fn through_an_endpoint_both_ends_are_rewritten_and_checksums_hold() {
    let world = dual_stack();
    for udp in [false, true] {
        let (out, back) = if udp {
            (
                Frame6::udp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443)),
                Frame6::udp((TARGET_IP6, 8443), (NODE_IP6, 40000)),
            )
        } else {
            (
                Frame6::tcp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443), SYN),
                Frame6::tcp((TARGET_IP6, 8443), (NODE_IP6, 40000), SYN | ACK),
            )
        };
        let there = read(&send(&world, CLIENT, &out));
        assert_eq!((there.source, there.destination), (NODE_IP6, TARGET_IP6));
        assert_eq!((there.source_mac, there.destination_mac), (ROUTER_MAC, mac(TARGET)));
        let here = read(&send(&world, TARGET, &back));
        assert_eq!((here.source, here.destination), (ENDPOINT_IP6, CLIENT_IP6));
        let ports = match here.transport {
            Transport::Tcp { source, destination, .. } | Transport::Udp { source, destination, .. } => {
                (source, destination)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(ports, (443, 40000));
    }
    assert_eq!(world.traffic(ENDPOINT), (2, 2, 2));
    world.assert_drops(&[]);
}

#[test]
fn the_service_namespace_sees_who_asks_by_the_address() {
    let world = dual_stack();
    let ask = Frame6::udp((CLIENT_IP6, 5353), (RESOLVER_IP6, 53));
    let there = read(&send(&world, CLIENT, &ask));
    assert_eq!((there.source, there.destination), (service(SERVICE_CLIENT_IP), service(SERVICE_RESOLVER_IP)));
    let answer = Frame6::udp((service(SERVICE_RESOLVER_IP), 53), (service(SERVICE_CLIENT_IP), 5353));
    let here = read(&send(&world, SERVICE, &answer));
    assert_eq!((here.source, here.destination), (RESOLVER_IP6, CLIENT_IP6));

    let syn = Frame6::tcp((CLIENT_IP6, 40000), (AWS_IP6, 443), SYN);
    let there = read(&send(&world, CLIENT, &syn));
    assert_eq!((there.source, there.destination), (service(SERVICE_CLIENT_IP), service(SERVICE_AWS_IP)));
    world.assert_drops(&[]);
}

#[test]
fn where_client_and_target_differ_the_gateway_translates_streams() {
    let world = dual_stack();
    for protocol in [6, 17] {
        world.listener(protocol, 443, &[(TARGET_IP, TARGET)], 0, 0);
    }
    let syn = Frame6::tcp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443), SYN);
    let there = read(&send(&world, CLIENT, &syn));
    let gateway = service(std::net::Ipv4Addr::new(240, 0, 0, ENDPOINT as u8));
    assert_eq!((there.source, there.destination), (service(SERVICE_CLIENT_IP), gateway));
    let answer = Frame6::tcp((gateway, 443), (service(SERVICE_CLIENT_IP), 40000), SYN | ACK);
    assert_eq!(read(&send(&world, SERVICE, &answer)).source, ENDPOINT_IP6);
    let datagram = Frame6::udp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443));
    assert_eq!(send(&world, CLIENT, &datagram), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_HEALTHY_TARGET, 1)]);
}

#[test]
fn a_health_check_reaches_a_target_of_its_family_only() {
    let world = dual_stack();
    let probe = Probe { address: address(TARGET_IP6), interface: TARGET, node: NODE, idle_seconds: 0 };
    world.put(&world.skeleton.maps.probes, &9u32, &probe);
    let syn = Frame6::tcp((service(SERVICE_IP), 40000), (service(PROBE_IP), 8443), SYN);
    let there = read(&send(&world, SERVICE, &syn));
    assert_eq!((there.source, there.destination), (NODE_IP6, TARGET_IP6));
    let other = Frame::tcp((SERVICE_IP, 40001), (PROBE_IP, 8443), SYN);
    assert_eq!(world.send(SERVICE, &other), Outcome::Dropped);
    let elsewhere = Frame6::tcp((service(SERVICE_IP), 40000), (FAR_IP6, 8443), SYN);
    assert_eq!(send(&world, SERVICE, &elsewhere), Outcome::Dropped);
    world.assert_drops(&[(SERVICE, Drop::DROP_NO_ROUTE, 2)]);
}

#[test]
fn rules_and_routes_of_one_family_say_nothing_of_the_other() {
    let world = dual_stack();
    // 101 lets out ::/0, and nothing of IPv4.
    let syn = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN);
    assert_eq!(world.send(CLIENT, &syn), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_EGRESS_DENIED, 1)]);
    world.rules(101, EGRESS, &[rule(1001, 0, (0, 0)).peer_range("0.0.0.0/0")]);
    world.raise_epoch();
    let syn = Frame6::tcp((CLIENT_IP6, 40000), (NEIGHBOUR_IP6, 80), SYN);
    assert_eq!(send(&world, CLIENT, &syn), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_EGRESS_DENIED, 2)]);
    // A default route of IPv6 leads no IPv4 packet.
    world.route(0, "::/0", RouteKind::ROUTE_UPLINK, 0);
    let syn = Frame::tcp((CLIENT_IP, 40000), (std::net::Ipv4Addr::new(192, 0, 2, 1), 80), SYN);
    assert_eq!(world.send(CLIENT, &syn), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_EGRESS_DENIED, 2), (CLIENT, Drop::DROP_NO_ROUTE, 1)]);
}

#[test]
fn what_is_nowhere_is_dropped_as_such() {
    let world = dual_stack();
    world.route(0, "::/0", RouteKind::ROUTE_UPLINK, 0);
    let to = |destination| Frame6::udp((CLIENT_IP6, 40000), (destination, 5000));
    for nowhere in [NOWHERE_IP6, "fe80::7".parse().unwrap(), "ff02::1".parse().unwrap(), METADATA] {
        assert_eq!(send(&world, CLIENT, &to(nowhere)), Outcome::Dropped, "{nowhere}");
    }
    assert_eq!(send(&world, CLIENT, &to(FAR_IP6)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_ROUTE, 4), (CLIENT, Drop::DROP_NO_UPLINK, 1)]);
}

/// Of AWS's own range, with nothing there.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

#[test]
fn sources_are_ones_own_and_no_address_is_taken_for_ipv4s() {
    let world = dual_stack();
    for forged in [NEIGHBOUR_IP6, "fe80::10".parse().unwrap(), "::".parse().unwrap(), "::1".parse().unwrap()]
    {
        let frame = Frame6::udp((forged, 40000), (NEIGHBOUR_IP6, 5000));
        assert_eq!(send(&world, CLIENT, &frame), Outcome::Dropped, "{forged}");
    }
    let frame = Frame6::udp((CLIENT_IP6, 40000), (NEIGHBOUR_IP6, 5000)).macs(mac(NEIGHBOUR), ROUTER_MAC);
    assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_SPOOFED_SOURCE, 5)]);
    let mapped = CLIENT_IP.to_ipv6_mapped();
    for frame in [
        Frame6::tcp((mapped, 40000), (NEIGHBOUR_IP.to_ipv6_mapped(), 80), SYN),
        Frame6::tcp((mapped, 40000), (NEIGHBOUR_IP6, 80), SYN),
        Frame6::tcp((CLIENT_IP6, 40000), (NEIGHBOUR_IP.to_ipv6_mapped(), 80), SYN),
    ] {
        assert_eq!(send(&world, CLIENT, &frame), Outcome::Dropped);
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_SPOOFED_SOURCE, 5), (CLIENT, Drop::DROP_MALFORMED, 3)]);
    assert_eq!(world.flows(), []);
}

#[test]
fn options_are_stepped_over_and_other_extensions_refused() {
    let world = dual_stack();
    let base = Frame6::udp((CLIENT_IP6, 40000), (NEIGHBOUR_IP6, 5000));
    let with = |extensions: Vec<(u8, Vec<u8>)>| Frame6 { extensions, ..base.clone() };
    let pad = || vec![0, 1, 4, 0, 0, 0, 0];
    let long = || [&[3][..], &[0; 30]].concat();
    for passes in [vec![(0, pad())], vec![(60, pad())], vec![(0, pad()), (60, long()), (60, pad())]] {
        let Outcome::Sent(bytes) = send(&world, CLIENT, &with(passes.clone())) else { panic!("{passes:?}") };
        assert_eq!(bytes[..12], [mac(NEIGHBOUR), ROUTER_MAC].concat());
        assert_eq!(bytes[12..], with(passes).bytes()[12..]);
    }
    let ((_, forward), _) = world.pair();
    assert_eq!(forward.packets, 3, "all three are of the flow of their UDP ports");
    world.assert_drops(&[]);

    let unsupported = [
        ("routing", vec![(43, pad())]),
        ("authentication", vec![(51, pad())]),
        ("options of hops after others", vec![(60, pad()), (0, pad())]),
        ("five of them", vec![(60, pad()); 5]),
        ("too long ones", vec![(60, [&[20][..], &[0; 166]].concat())]),
    ];
    for (what, extensions) in &unsupported {
        assert_eq!(send(&world, CLIENT, &with(extensions.clone())), Outcome::Dropped, "{what}");
    }
    assert_eq!(send(&world, CLIENT, &with(vec![(44, vec![0, 0, 8, 0, 0, 0, 9])])), Outcome::Dropped);
    assert_eq!(send(&world, CLIENT, &with(vec![(60, vec![9, 1, 4, 0, 0, 0, 0])])), Outcome::Dropped);
    world.assert_drops(&[
        (CLIENT, Drop::DROP_UNSUPPORTED_PROTOCOL, unsupported.len() as u64),
        (CLIENT, Drop::DROP_FRAGMENT, 1),
        (CLIENT, Drop::DROP_MALFORMED, 1),
    ]);
}

#[test]
fn lengths_that_lie_are_malformed() {
    let world = dual_stack();
    let honest = Frame6::udp((CLIENT_IP6, 1), (NEIGHBOUR_IP6, 5000)).macs(mac(CLIENT), ROUTER_MAC).bytes();
    let altered = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = honest.clone();
        change(&mut bytes);
        bytes
    };
    let lies: [(&str, Vec<u8>); 5] = [
        ("version 4", altered(&|bytes| bytes[14] = 0x40)),
        ("a longer payload", altered(&|bytes| bytes[19] += 1)),
        ("no payload", altered(&|bytes| bytes[19] = 0)),
        ("a payload shorter than UDP's header", altered(&|bytes| bytes[19] = 7)),
        ("UDP longer than the packet", altered(&|bytes| bytes[59] += 1)),
    ];
    for (what, bytes) in &lies {
        assert_eq!(world.send_bytes(CLIENT, bytes), Outcome::Dropped, "{what}");
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_MALFORMED, lies.len() as u64)]);
}

#[test]
fn a_refused_segment_to_an_endpoint_is_answered_with_rst() {
    let world = dual_stack();
    for (flags, payload, expected, sequence, acknowledgment) in [
        (ACK, 0, RST, 7000, 0),
        (ACK | PSH, 999, RST, 7000, 0),
        (PSH, 4, RST | ACK, 0, 1004),
        (FIN, 4, RST | ACK, 0, 1005),
    ] {
        let mut stray = Frame6::tcp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443), flags);
        if let Transport::Tcp { payload: bytes, .. } = &mut stray.transport {
            *bytes = vec![7; payload];
        }
        let answer = read(&send(&world, CLIENT, &stray));
        let transport = Transport::Tcp {
            source: 443,
            destination: 40000,
            flags: expected,
            sequence,
            acknowledgment,
            options: Vec::new(),
            payload: Vec::new(),
        };
        let wanted = Frame6::new(ENDPOINT_IP6, CLIENT_IP6, transport).macs(ROUTER_MAC, mac(CLIENT));
        assert_eq!(answer, Frame6 { hop_limit: 64, ..wanted });
    }
    let reset = Frame6::tcp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443), RST);
    assert_eq!(send(&world, CLIENT, &reset), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_FLOW, 5)]);
}

#[test]
fn a_flow_ends_when_its_rule_goes() {
    let world = dual_stack();
    read(&send(&world, CLIENT, &Frame6::tcp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443), SYN)));
    read(&send(&world, TARGET, &Frame6::tcp((TARGET_IP6, 8443), (NODE_IP6, 40000), SYN | ACK)));
    world.raise_epoch();
    read(&send(&world, CLIENT, &Frame6::tcp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443), ACK)));
    world.rules(103, INGRESS, &[]);
    world.settings(|settings| settings.epoch = 3);
    let answer = read(&send(&world, CLIENT, &Frame6::tcp((CLIENT_IP6, 40000), (ENDPOINT_IP6, 443), ACK)));
    assert!(matches!(answer.transport, Transport::Tcp { flags: RST, .. }));
    assert_eq!(world.flows(), []);
    world.assert_drops(&[(CLIENT, Drop::DROP_INGRESS_DENIED, 1)]);
}
