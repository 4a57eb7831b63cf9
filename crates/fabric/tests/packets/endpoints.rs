//! From an endpoint to a target and back, and from the balancer's own address.

use std::net::Ipv4Addr;

use std::collections::BTreeMap;

use linkway_fabric::layout::{FlowKey, address};

use crate::frame::{ACK, Frame, PSH, SYN, Transport};
use crate::world::*;

#[test]
fn a_connection_through_an_endpoint() {
    let world = World::new();
    let from = (CLIENT_IP, 40000);
    let syn = Frame::tcp(from, (ENDPOINT_IP, 443), SYN);
    let there = Frame::tcp((NODE_IP, 40000), (TARGET_IP, 8443), SYN).macs(ROUTER_MAC, mac(TARGET));
    assert_eq!(world.send(CLIENT, &syn).frame(), there);

    let answer = Frame::tcp((TARGET_IP, 8443), (NODE_IP, 40000), SYN | ACK);
    let back = Frame::tcp((ENDPOINT_IP, 443), from, SYN | ACK).macs(ROUTER_MAC, mac(CLIENT));
    assert_eq!(world.send(TARGET, &answer).frame(), back);

    let data = Frame::tcp(from, (ENDPOINT_IP, 443), ACK | PSH).payload(b"odd");
    let there = Frame::tcp((NODE_IP, 40000), (TARGET_IP, 8443), ACK | PSH).payload(b"odd");
    assert_eq!(world.send(CLIENT, &data).frame(), there.macs(ROUTER_MAC, mac(TARGET)));

    let ((key, forward), (reverse_key, reverse)) = world.pair();
    assert_eq!((key.vpc, reverse_key.vpc), (CONSUMER, PROVIDER));
    assert_eq!((forward.sender, forward.receiver, forward.via), (CLIENT, TARGET, ENDPOINT));
    assert_eq!((reverse.sender, reverse.receiver, reverse.via), (TARGET, CLIENT, ENDPOINT));
    assert_eq!((forward.egress_rule, forward.ingress_rule), (1001, 1031));
    assert_eq!(forward.idle_seconds, 350);
    assert_eq!((forward.packets, reverse.packets), (2, 1));
    assert_eq!(world.traffic(ENDPOINT), (1, 2, 1));
    world.assert_drops(&[]);
}

#[test]
fn datagrams_through_an_endpoint_with_and_without_a_checksum() {
    let world = World::new();
    for (checksum, port) in [(true, 5001), (false, 5002)] {
        let mut sent = Frame::udp((CLIENT_IP, port), (ENDPOINT_IP, 443));
        let mut seen = Frame::udp((NODE_IP, port), (TARGET_IP, 8443)).macs(ROUTER_MAC, mac(TARGET));
        for frame in [&mut sent, &mut seen] {
            let Transport::Udp { checksum: has, .. } = &mut frame.transport else { unreachable!() };
            *has = checksum;
        }
        assert_eq!(world.send(CLIENT, &sent).frame(), seen);
        let answer = Frame::udp((TARGET_IP, 8443), (NODE_IP, port));
        let back = Frame::udp((ENDPOINT_IP, 443), (CLIENT_IP, port)).macs(ROUTER_MAC, mac(CLIENT));
        assert_eq!(world.send(TARGET, &answer).frame(), back);
    }
}

#[test]
fn checksums_are_right_whatever_the_bytes() {
    let world = World::new();
    for port in (1..=65535u16).step_by(257) {
        let sent =
            Frame::udp((CLIENT_IP, port), (ENDPOINT_IP, 443)).payload(&port.wrapping_mul(31).to_be_bytes());
        let seen = world.send(CLIENT, &sent).frame();
        assert_eq!(seen.destination, TARGET_IP);
    }
}

#[test]
fn ports_behind_options_are_rewritten() {
    let world = World::new();
    let options = vec![1; 8];
    let syn = Frame { options: options.clone(), ..Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN) };
    let there = Frame { options, ..Frame::tcp((NODE_IP, 40000), (TARGET_IP, 8443), SYN) };
    assert_eq!(world.send(CLIENT, &syn).frame(), there.macs(ROUTER_MAC, mac(TARGET)));
}

#[test]
fn the_balancers_own_address_inside_the_providers_vpc() {
    let world = World::new();
    let syn = Frame::tcp((SECOND_IP, 40000), (NODE_IP, 443), SYN);
    let there = Frame::tcp((NODE_IP, 40000), (TARGET_IP, 8443), SYN).macs(ROUTER_MAC, mac(TARGET));
    assert_eq!(world.send(SECOND, &syn).frame(), there);
    let ((_, forward), _) = world.pair();
    assert_eq!((forward.sender, forward.receiver, forward.via), (SECOND, TARGET, 0));
}

#[test]
fn a_target_reaches_itself_through_the_balancer() {
    let world = World::new();
    let syn = Frame::tcp((TARGET_IP, 40000), (NODE_IP, 443), SYN);
    let there = Frame::tcp((NODE_IP, 40000), (TARGET_IP, 8443), SYN).macs(ROUTER_MAC, mac(TARGET));
    assert_eq!(world.send(TARGET, &syn).frame(), there);
    let answer = Frame::tcp((TARGET_IP, 8443), (NODE_IP, 40000), SYN | ACK);
    let back = Frame::tcp((NODE_IP, 443), (TARGET_IP, 40000), SYN | ACK).macs(ROUTER_MAC, mac(TARGET));
    assert_eq!(world.send(TARGET, &answer).frame(), back);
}

#[test]
fn flows_spread_over_targets_and_not_over_draining_ones() {
    let world = World::new();
    let targets = [(TARGET_IP, TARGET), (SECOND_IP, SECOND), (NODE_IP, SECOND)];
    world.listener(6, 443, &targets, 1, 0);
    let mut hits = BTreeMap::new();
    for port in 10000..11000 {
        let out = world.send(CLIENT, &Frame::tcp((CLIENT_IP, port), (ENDPOINT_IP, 443), SYN)).frame();
        *hits.entry(out.destination).or_insert(0) += 1;
    }
    // A fair coin thrown a thousand times is this far off once in ten million.
    assert_eq!(hits.keys().copied().collect::<Vec<_>>(), [TARGET_IP, SECOND_IP]);
    assert!(hits.values().all(|hits| (415..=585).contains(hits)), "{hits:?}");
}

#[test]
fn every_way_that_leads_nowhere_has_its_reason() {
    let world = World::new();
    let tcp = |port| Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, port), SYN);
    assert_eq!(world.send(CLIENT, &tcp(444)), Outcome::Dropped, "nothing listens");
    assert_eq!(world.send(CLIENT, &Frame::echo(CLIENT_IP, ENDPOINT_IP, false, 1)), Outcome::Dropped, "ping");
    world.listener(6, 445, &[] as &[(Ipv4Addr, u32)], 0, 0);
    assert_eq!(world.send(CLIENT, &tcp(445)), Outcome::Dropped, "no targets");
    world.listener(6, 446, &[(TARGET_IP, TARGET)], 1, 0);
    assert_eq!(world.send(CLIENT, &tcp(446)), Outcome::Dropped, "only draining ones");
    world.rules(104, INGRESS, &[rule(1, 6, (8443, 8443)).peer_cidr(CLIENT_IP, 32)]);
    assert_eq!(world.send(CLIENT, &tcp(443)), Outcome::Dropped, "the target's groups ask for the balancer");
    world.rules(103, INGRESS, &[]);
    assert_eq!(world.send(CLIENT, &tcp(443)), Outcome::Dropped, "the endpoint's groups");
    world.rules(103, INGRESS, &[rule(1, 6, (443, 443)).peer_cidr(CLIENT_IP, 32)]);
    world.endpoint(NODE, false);
    assert_eq!(world.send(CLIENT, &tcp(443)), Outcome::Dropped, "not available");
    world.endpoint(99, true);
    assert_eq!(world.send(CLIENT, &tcp(443)), Outcome::Dropped, "no such node");
    world.rules(101, EGRESS, &[]);
    assert_eq!(world.send(CLIENT, &tcp(443)), Outcome::Dropped, "the client's groups");
    world.assert_drops(&[
        (CLIENT, Drop::DROP_NO_LISTENER, 3),
        (CLIENT, Drop::DROP_NO_HEALTHY_TARGET, 2),
        (CLIENT, Drop::DROP_TARGET_DENIED, 1),
        (CLIENT, Drop::DROP_INGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_ENDPOINT_UNAVAILABLE, 1),
        (CLIENT, Drop::DROP_EGRESS_DENIED, 1),
    ]);
    assert_eq!(world.flows(), []);
    assert_eq!(world.events()[0].other, ENDPOINT);
}

#[test]
fn the_targets_groups_may_name_the_balancers() {
    let world = World::new();
    world.rules(104, INGRESS, &[rule(1, 6, (8443, 8443)).peer_group(2)]);
    let syn = Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN);
    assert_eq!(world.send(CLIENT, &syn), Outcome::Dropped);
    world.interface(NODE, PROVIDER, NODE_IP, 102, Kind::INTERFACE_BALANCER);
    world.send(CLIENT, &syn).frame();
    world.assert_drops(&[(CLIENT, Drop::DROP_TARGET_DENIED, 1)]);
}

#[test]
fn a_balancers_groups_are_asked_about_the_client_where_it_says_so() {
    let world = World::new();
    let syn = |port| Frame::tcp((CLIENT_IP, port), (ENDPOINT_IP, 443), SYN);
    world.rules(105, INGRESS, &[rule(1, 6, (443, 443)).peer_cidr(CLIENT_IP, 32)]);
    world.rules(106, INGRESS, &[rule(2, 6, (443, 443)).peer_cidr(NODE_IP, 32)]);
    // A group has the same number in both VPCs here: a client is in none that a balancer's rule can name.
    world.rules(107, INGRESS, &[rule(3, 0, (0, 0)).peer_group(CLIENT_GROUP)]);
    world.ask_balancer(105);
    world.send(CLIENT, &syn(40000)).frame();
    for (groups, why) in [(106, "the node's own address"), (107, "a group"), (108, "no rules at all")] {
        world.ask_balancer(groups);
        assert_eq!(world.send(CLIENT, &syn(40001)), Outcome::Dropped, "{why}");
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_BALANCER_DENIED, 3)]);

    world.endpoint(NODE, true);
    world.send(CLIENT, &syn(40002)).frame();
    world.ask_balancer(0);
    world.send(CLIENT, &syn(40003)).frame();
}

#[test]
fn a_provider_opens_nothing_towards_a_consumer() {
    let world = World::new();
    world.rules(104, EGRESS, &[rule(1, 0, (0, 0)).peer_cidr(CLIENT_IP, 0)]);
    for address in [NODE_IP, CLIENT_IP, ENDPOINT_IP] {
        let syn = Frame::tcp((SECOND_IP, 8443), (address, 40000), SYN);
        assert_eq!(world.send(SECOND, &syn), Outcome::Dropped, "{address}");
    }
    world.assert_drops(&[
        (SECOND, Drop::DROP_NO_LISTENER, 1),
        (SECOND, Drop::DROP_INGRESS_DENIED, 1),
        (SECOND, Drop::DROP_NO_ROUTE, 1),
    ]);
}

#[test]
fn a_port_that_is_taken_is_changed_and_the_client_never_sees_it() {
    let world = World::new();
    // Both clients have the same port; to the target both are the balancer.
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN)).frame();
    world.rules(103, INGRESS, &[rule(1, 0, (0, 0)).peer_cidr(CLIENT_IP, 0)]);
    world.rules(102, EGRESS, &[rule(2, 0, (0, 0)).peer_cidr(CLIENT_IP, 0)]);
    let out = world.send(NEIGHBOUR, &Frame::tcp((NEIGHBOUR_IP, 40000), (ENDPOINT_IP, 443), SYN)).frame();
    let Transport::Tcp { source: port, .. } = out.transport else { unreachable!() };
    assert_eq!((out.source, out.destination), (NODE_IP, TARGET_IP));
    assert_ne!(port, 40000);
    assert!(port >= 1024);

    let answer = Frame::tcp((TARGET_IP, 8443), (NODE_IP, port), SYN | ACK);
    let back = Frame::tcp((ENDPOINT_IP, 443), (NEIGHBOUR_IP, 40000), SYN | ACK);
    assert_eq!(world.send(TARGET, &answer).frame(), back.macs(ROUTER_MAC, mac(NEIGHBOUR)));
}

#[test]
fn a_port_of_an_expired_flow_is_free() {
    let world = World::new();
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN)).frame();
    world.age(31);
    world.rules(103, INGRESS, &[rule(1, 0, (0, 0)).peer_cidr(CLIENT_IP, 0)]);
    world.rules(102, EGRESS, &[rule(2, 0, (0, 0)).peer_cidr(CLIENT_IP, 0)]);
    let out = world.send(NEIGHBOUR, &Frame::tcp((NEIGHBOUR_IP, 40000), (ENDPOINT_IP, 443), SYN)).frame();
    assert!(matches!(out.transport, Transport::Tcp { source: 40000, .. }));
    world.pair();
}

#[test]
fn all_ports_taken() {
    let world = World::new();
    let frame = Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN);
    world.send(CLIENT, &frame).frame();
    let ((_, forward), (mut key, reverse)) = world.pair();
    for port in 1..=65535u16 {
        key.destination_port = port.to_be();
        world.put(&world.skeleton.maps.flows, &key, &reverse);
    }
    let second = Frame::tcp((CLIENT_IP, 40001), (ENDPOINT_IP, 443), SYN);
    assert_eq!(world.send(CLIENT, &second), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_SOURCE_PORTS_EXHAUSTED, 1)]);
    let opened = FlowKey {
        vpc: CONSUMER,
        protocol: 6,
        source: address(CLIENT_IP),
        destination: address(ENDPOINT_IP),
        source_port: 40001u16.to_be(),
        destination_port: 443u16.to_be(),
        ..FlowKey::default()
    };
    assert!(world.flows().iter().all(|(key, _)| *key != opened), "half a flow was left");
    assert_eq!(forward.packets, 1);
}
