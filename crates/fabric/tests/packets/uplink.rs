//! What leaves a VPC by an internet gateway or through a NAT gateway, where there is an uplink, and what comes back.

use std::net::Ipv4Addr;

use linkway_fabric::layout::Rule;

use crate::frame::{ACK, FIN, Frame, RST, SYN};
use crate::frame6::Frame6;
use crate::ipv6::{CLIENT_IP6, dual_stack};
use crate::world::*;

/// The route table of `CLIENT`'s subnet, and that of the NAT gateway's.
const TABLE: u32 = 1;
const NAT_TABLE: u32 = 2;

/// The NAT gateway's subnet.
const NAT_SUBNET: u64 = 15;
const NAT_RANGE: Ipv4Addr = Ipv4Addr::new(10, 0, 5, 0);

const INTERNET: u32 = 40;
const NAT: u32 = 41;
const NAT_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 5, 9);

const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const ANYWHERE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const ALL: &str = "0.0.0.0/0";

/// `CLIENT` has an elastic address, and its subnet's table leads to an internet gateway.
fn public() -> World {
    let world = World::new();
    world.gateway(INTERNET, u64::MAX, ANYWHERE, Kind::INTERFACE_INTERNET);
    world.use_routes(CONSUMER.into(), TABLE);
    world.route(TABLE, "10.0.0.0/16", RouteKind::ROUTE_LOCAL, 0);
    world.route(TABLE, ALL, RouteKind::ROUTE_UPLINK, INTERNET);
    world.public(CONSUMER, CLIENT_IP, true);
    world
}

/// `CLIENT`'s table leads to a NAT gateway, whose own leads to an internet gateway. `NEIGHBOUR` is let out, too.
fn private() -> World {
    let world = public();
    world.public(CONSUMER, CLIENT_IP, false);
    world.subnet(NAT_SUBNET, NAT_RANGE, 24, [None, None]);
    world.gateway(NAT, NAT_SUBNET, NAT_IP, Kind::INTERFACE_NAT);
    world.public(CONSUMER, NAT_IP, true);
    world.use_routes(NAT_SUBNET, NAT_TABLE);
    world.route(NAT_TABLE, "10.0.0.0/16", RouteKind::ROUTE_LOCAL, 0);
    world.route(NAT_TABLE, ALL, RouteKind::ROUTE_UPLINK, INTERNET);
    world.route(TABLE, ALL, RouteKind::ROUTE_UPLINK, NAT);
    world.rules(102, EGRESS, &[rule(1, 0, (0, 0)).peer_cidr(ANYWHERE, 0)]);
    world
}

fn out(flags: u8) -> Frame {
    Frame::tcp((CLIENT_IP, 40000), (FAR, 443), flags)
}

fn back(flags: u8) -> Frame {
    Frame::tcp((FAR, 443), (UPLINK_IP, 40000), flags)
}

/// The port that a frame comes from.
fn source_port(frame: &Frame) -> u16 {
    let (crate::frame::Transport::Tcp { source, .. } | crate::frame::Transport::Udp { source, .. }) =
        frame.transport
    else {
        panic!("no port: {frame:?}")
    };
    source
}

#[test]
fn what_has_a_public_address_goes_out_by_the_internet_gateway_and_answers_come_back() {
    let world = public();
    let there = Frame::tcp((UPLINK_SOURCE, 40000), (FAR, 443), SYN);
    assert_eq!(world.send(CLIENT, &out(SYN)).frame(), there.macs(ROUTER_MAC, mac(BEYOND)));
    let answer = Frame::tcp((FAR, 443), (CLIENT_IP, 40000), SYN | ACK);
    assert_eq!(world.send(BEYOND, &back(SYN | ACK)).frame(), answer.macs(ROUTER_MAC, mac(CLIENT)));
    world.send(CLIENT, &out(ACK)).frame();
    assert_eq!(world.traffic(INTERNET), (1, 2, 1), "counted at the gateway");
    world.send(CLIENT, &Frame::udp((CLIENT_IP, 1), (FAR, 53))).frame();
    world.send(CLIENT, &Frame::echo(CLIENT_IP, FAR, false, 7)).frame();
    world.send(BEYOND, &Frame::echo(FAR, UPLINK_IP, true, 7)).frame();
    assert_eq!(world.traffic(INTERNET), (2, 4, 3));
    world.assert_drops(&[]);
}

#[test]
fn what_has_none_does_not() {
    let world = public();
    world.send(NEIGHBOUR, &Frame::tcp((NEIGHBOUR_IP, 40000), (FAR, 443), SYN));
    world.rules(102, EGRESS, &[rule(1, 0, (0, 0)).peer_cidr(ANYWHERE, 0)]);
    world.send(NEIGHBOUR, &Frame::tcp((NEIGHBOUR_IP, 40000), (FAR, 443), SYN));
    // An address that is taken away ends what it has let out.
    world.send(CLIENT, &out(SYN)).frame();
    world.send(BEYOND, &back(SYN | ACK)).frame();
    world.public(CONSUMER, CLIENT_IP, false);
    world.raise_epoch();
    assert_eq!(world.send(BEYOND, &back(ACK)), Outcome::Dropped);
    assert_eq!(world.flows(), []);
    world.assert_drops(&[
        (NEIGHBOUR, Drop::DROP_EGRESS_DENIED, 1),
        (NEIGHBOUR, Drop::DROP_NO_PUBLIC_ADDRESS, 1),
        (BEYOND, Drop::DROP_NO_PUBLIC_ADDRESS, 1),
    ]);
    assert_eq!(world.traffic(INTERNET).2, 1, "one flow");
}

#[test]
fn through_a_nat_gateway_anyone_goes_out_as_one() {
    let world = private();
    let ports = [(CLIENT, CLIENT_IP), (NEIGHBOUR, NEIGHBOUR_IP)].map(|(who, ip)| {
        let there = world.send(who, &Frame::tcp((ip, 40000), (FAR, 443), SYN)).frame();
        assert_eq!(
            (there.source, there.destination, there.destination_mac),
            (UPLINK_SOURCE, FAR, mac(BEYOND))
        );
        source_port(&there)
    });
    assert_eq!(ports[0], 40000);
    assert_ne!(ports[0], ports[1], "they want the same port");
    let answer = Frame::tcp((FAR, 443), (UPLINK_IP, ports[1]), SYN | ACK);
    let delivered = Frame::tcp((FAR, 443), (NEIGHBOUR_IP, 40000), SYN | ACK);
    assert_eq!(world.send(BEYOND, &answer).frame(), delivered.macs(ROUTER_MAC, mac(NEIGHBOUR)));
    assert_eq!(world.traffic(NAT), (1, 2, 2));
    assert_eq!(world.traffic(INTERNET), (0, 0, 0), "counted once");
    world.assert_drops(&[]);
}

/// Both ask with one identifier, and each gets its own answer.
#[test]
fn echoes_of_one_identifier_are_told_apart() {
    let world = private();
    let ids = [(CLIENT, CLIENT_IP), (NEIGHBOUR, NEIGHBOUR_IP)].map(|(who, ip)| {
        let there = world.send(who, &Frame::echo(ip, FAR, false, 7)).frame();
        let crate::frame::Transport::Echo { id, .. } = there.transport else { panic!("{there:?}") };
        assert_eq!(there, Frame::echo(UPLINK_SOURCE, FAR, false, id).macs(ROUTER_MAC, mac(BEYOND)));
        id
    });
    assert_eq!(ids[0], 7);
    assert_ne!(ids[0], ids[1]);
    for (id, who, ip) in [(ids[1], NEIGHBOUR, NEIGHBOUR_IP), (ids[0], CLIENT, CLIENT_IP)] {
        let answer = world.send(BEYOND, &Frame::echo(FAR, UPLINK_IP, true, id)).frame();
        assert_eq!(answer, Frame::echo(FAR, ip, true, 7).macs(ROUTER_MAC, mac(who)));
    }
    world.assert_drops(&[]);
}

#[test]
fn nothing_opens_a_flow_from_outside() {
    let world = public();
    for frame in [
        back(SYN),
        Frame::udp((FAR, 53), (UPLINK_IP, 40000)),
        Frame::echo(FAR, UPLINK_IP, false, 7),
        Frame::tcp((FAR, 443), (CLIENT_IP, 80), SYN),
        Frame::udp((CLIENT_IP, 53), (NEIGHBOUR_IP, 53)),
    ] {
        assert_eq!(world.send(BEYOND, &frame), Outcome::Dropped);
    }
    // Nor does an answer from elsewhere, or to another port, belong to one that is open.
    world.send(CLIENT, &out(SYN)).frame();
    for frame in [
        Frame::tcp((Ipv4Addr::new(192, 0, 2, 10), 443), (UPLINK_IP, 40000), SYN | ACK),
        Frame::tcp((FAR, 443), (UPLINK_IP, 40001), SYN | ACK),
        Frame::tcp((FAR, 444), (UPLINK_IP, 40000), SYN | ACK),
    ] {
        assert_eq!(world.send(BEYOND, &frame), Outcome::Dropped);
    }
    world.assert_drops(&[(BEYOND, Drop::DROP_NO_FLOW, 8)]);
    assert_eq!(world.flows().len(), 2);
}

#[test]
fn addresses_that_are_nobodys_on_the_internet_are_not_led_out() {
    for world in [public(), private()] {
        let private = [
            "0.0.0.1",
            "10.9.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "172.31.255.254",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
        ];
        // As far as the VPC's own range is concerned, nothing leads to it.
        world.remove_route(TABLE, "10.0.0.0/16");
        for address in private {
            let frame = Frame::udp((CLIENT_IP, 1), (address.parse().unwrap(), 53));
            assert_eq!(world.send(CLIENT, &frame), Outcome::Dropped, "{address}");
        }
        world.assert_drops(&[(CLIENT, Drop::DROP_PRIVATE_DESTINATION, private.len() as u64)]);
        let no_single_ones = ["169.254.1.1", "224.0.0.251", "240.0.0.1", "241.0.0.5", "255.255.255.255"];
        for address in no_single_ones {
            world.send(CLIENT, &Frame::udp((CLIENT_IP, 1), (address.parse().unwrap(), 53)));
        }
        assert_eq!(world.drops()[&(CLIENT, Drop::DROP_NO_ROUTE.0)], no_single_ones.len() as u64);
        for address in
            ["1.1.1.1", "9.255.255.255", "11.0.0.1", "100.128.0.1", "172.32.0.1", "198.20.0.1", "223.9.9.9"]
        {
            world.send(CLIENT, &Frame::udp((CLIENT_IP, 1), (address.parse().unwrap(), 53))).frame();
        }
    }
}

#[test]
fn without_an_uplink_nothing_goes_out() {
    for world in [public(), private()] {
        world.send(CLIENT, &out(SYN)).frame();
        world.send(BEYOND, &back(SYN | ACK)).frame();
        world.settings(|settings| {
            settings.uplink_device = 0;
            settings.epoch = 2;
        });
        assert_eq!(world.send(CLIENT, &out(ACK)), Outcome::Dropped);
        assert_eq!(world.send(CLIENT, &out(SYN)), Outcome::Dropped);
        world.assert_drops(&[(CLIENT, Drop::DROP_NO_UPLINK, 2)]);
        assert_eq!(world.flows(), []);
    }
}

#[test]
fn a_nat_gateway_needs_a_way_out_of_its_own() {
    type Case = (fn(&World), Drop);
    let cases: [Case; 7] = [
        (|w| w.remove_route(NAT_TABLE, ALL), Drop::DROP_NO_ROUTE),
        (|w| w.route(NAT_TABLE, ALL, RouteKind::ROUTE_BLACKHOLE, 0), Drop::DROP_BLACKHOLE_ROUTE),
        (|w| w.route(NAT_TABLE, ALL, RouteKind::ROUTE_UPLINK, NAT), Drop::DROP_NO_UPLINK),
        (|w| w.route(NAT_TABLE, ALL, RouteKind::ROUTE_UPLINK, 0), Drop::DROP_NO_UPLINK),
        (|w| w.lead(NAT, 0, false), Drop::DROP_NO_UPLINK),
        // A private one has no elastic address.
        (|w| w.public(CONSUMER, NAT_IP, false), Drop::DROP_NO_PUBLIC_ADDRESS),
        (
            |w| {
                w.check_source(NEIGHBOUR, false);
                w.route(NAT_TABLE, ALL, RouteKind::ROUTE_INTERFACE, NEIGHBOUR);
            },
            Drop::DROP_NO_UPLINK,
        ),
    ];
    for (change, reason) in cases {
        let world = private();
        change(&world);
        assert_eq!(world.send(CLIENT, &out(SYN)), Outcome::Dropped, "{reason:?}");
        world.assert_drops(&[(CLIENT, reason, 1)]);
    }
}

#[test]
fn the_acls_of_both_subnets_are_asked_each_way() {
    let nothing: Option<&[Rule]> = Some(&[]);
    let subnet = Ipv4Addr::new(10, 0, 0, 0);
    let cases = [
        (CONSUMER.into(), subnet, TABLE, [None, nothing], CLIENT, Drop::DROP_ACL_EGRESS_DENIED),
        (CONSUMER.into(), subnet, TABLE, [nothing, None], BEYOND, Drop::DROP_ACL_INGRESS_DENIED),
        (NAT_SUBNET, NAT_RANGE, NAT_TABLE, [nothing, None], CLIENT, Drop::DROP_ACL_INGRESS_DENIED),
        (NAT_SUBNET, NAT_RANGE, NAT_TABLE, [None, nothing], CLIENT, Drop::DROP_ACL_EGRESS_DENIED),
    ];
    for (number, network, table, acl, who, reason) in cases {
        let world = private();
        world.subnet(number, network, 24, acl);
        world.use_routes(number, table);
        if who == BEYOND {
            world.send(CLIENT, &out(SYN)).frame();
            assert_eq!(world.send(BEYOND, &back(SYN | ACK)), Outcome::Dropped);
        } else {
            assert_eq!(world.send(CLIENT, &out(SYN)), Outcome::Dropped);
        }
        world.assert_drops(&[(who, reason, 1)]);
    }
    // To the gateway's subnet, answers come in to the gateway's port, and leave to the client's.
    let world = private();
    let all = rule(2, 0, (0, 0)).peer_cidr(ANYWHERE, 0);
    let (no_answers, to_internet) = (Rule { denies: 1, ..rule(1, 6, (1024, 65535)).peer_cidr(FAR, 32) }, all);
    world.subnet(NAT_SUBNET, NAT_RANGE, 24, [Some(&[no_answers, all]), Some(&[to_internet])]);
    world.use_routes(NAT_SUBNET, NAT_TABLE);
    world.send(CLIENT, &out(SYN)).frame();
    assert_eq!(world.send(BEYOND, &back(SYN | ACK)), Outcome::Dropped);
    world.assert_drops(&[(BEYOND, Drop::DROP_ACL_INGRESS_DENIED, 1)]);
}

/// As AWS's do: "returns an RST packet to any resources behind the NAT gateway that attempt to continue the connection".
#[test]
fn an_idle_connection_ends_on_both_sides() {
    let world = private();
    for sender in [CLIENT, BEYOND] {
        world.send(CLIENT, &out(SYN)).frame();
        world.send(BEYOND, &back(SYN | ACK)).frame();
        world.age(351);
        let late = if sender == CLIENT { out(ACK) } else { back(ACK) };
        let crate::frame::Transport::Tcp { flags, .. } = world.send(sender, &late).frame().transport else {
            panic!("no TCP")
        };
        assert_eq!(flags & RST, RST);
        assert_eq!(world.flows(), []);
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_EXPIRED, 1), (BEYOND, Drop::DROP_FLOW_EXPIRED, 1)]);
    // What never was a connection is not answered.
    assert_eq!(world.send(BEYOND, &back(ACK | FIN)), Outcome::Dropped);
}

#[test]
fn datagrams_ways_out_last_350_seconds_too() {
    for world in [private(), public()] {
        let datagram = Frame::udp((CLIENT_IP, 40000), (FAR, 53));
        world.send(CLIENT, &datagram).frame();
        let answer = Frame::udp((FAR, 53), (UPLINK_IP, 40000));
        world.age(349);
        world.send(BEYOND, &answer).frame();
        world.age(351);
        assert_eq!(world.send(BEYOND, &answer), Outcome::Dropped);
        world.assert_drops(&[(BEYOND, Drop::DROP_NO_FLOW, 1)]);
    }
}

#[test]
fn a_nat_gateway_whose_subnet_leads_to_a_gateway_endpoint_is_its_client() {
    let world = private();
    world.interface(AWS, CONSUMER, ANYWHERE, 0, Kind::INTERFACE_ENDPOINT);
    world.route(NAT_TABLE, "192.0.2.0/24", RouteKind::ROUTE_ENDPOINT, AWS);
    let nat = Ipv4Addr::new(11, 0, 0, NAT as u8);
    let ports = [(CLIENT, CLIENT_IP), (NEIGHBOUR, NEIGHBOUR_IP)].map(|(who, ip)| {
        let there = world.send(who, &Frame::tcp((ip, 40000), (FAR, 443), SYN)).frame();
        assert_eq!(
            (there.source, there.destination, there.destination_mac),
            (nat, SERVICE_AWS_IP, mac(SERVICE))
        );
        source_port(&there)
    });
    assert_ne!(ports[0], ports[1], "they want the same port of the gateway's");
    let answer = Frame::tcp((SERVICE_AWS_IP, 443), (nat, ports[1]), SYN | ACK);
    let delivered = Frame::tcp((FAR, 443), (NEIGHBOUR_IP, 40000), SYN | ACK);
    assert_eq!(world.send(SERVICE, &answer).frame(), delivered.macs(ROUTER_MAC, mac(NEIGHBOUR)));
    // Judged anew, it stays where it is.
    world.raise_epoch();
    let more = Frame::tcp((NEIGHBOUR_IP, 40000), (FAR, 443), ACK);
    assert_eq!(source_port(&world.send(NEIGHBOUR, &more).frame()), ports[1]);
    assert_eq!(world.traffic(AWS), (1, 3, 2), "counted at the endpoint");
    assert_eq!(world.traffic(NAT), (0, 0, 0));
    world.assert_drops(&[]);
    // The ACL of the gateway's subnet is asked, and what is elsewhere goes out.
    let elsewhere = Frame::tcp((CLIENT_IP, 40000), (Ipv4Addr::new(198, 51, 100, 1), 443), SYN);
    assert_eq!(world.send(CLIENT, &elsewhere).frame().source, UPLINK_SOURCE);
    world.subnet(NAT_SUBNET, NAT_RANGE, 24, [None, Some(&[])]);
    world.use_routes(NAT_SUBNET, NAT_TABLE);
    world.raise_epoch();
    assert_eq!(world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40001), (FAR, 443), SYN)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_ACL_EGRESS_DENIED, 1)]);
    world.subnet(NAT_SUBNET, NAT_RANGE, 24, [None, None]);
    world.use_routes(NAT_SUBNET, NAT_TABLE);
    world.lead(NAT, 0, false);
    assert_eq!(world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40002), (FAR, 443), SYN)), Outcome::Dropped);
    world.lead(NAT, 0, true);
    // A route that comes to lead out ends the flow to the endpoint.
    world.remove_route(NAT_TABLE, "192.0.2.0/24");
    world.settings(|settings| settings.epoch = 9);
    assert_eq!(world.send(NEIGHBOUR, &more), Outcome::Dropped);
    world.assert_drops(&[
        (CLIENT, Drop::DROP_ACL_EGRESS_DENIED, 1),
        (CLIENT, Drop::DROP_NO_UPLINK, 1),
        (NEIGHBOUR, Drop::DROP_FLOW_REVOKED, 1),
    ]);
}

#[test]
fn another_address_of_the_uplink_ends_its_flows() {
    let world = public();
    world.send(CLIENT, &out(SYN)).frame();
    world.settings(|settings| {
        settings.uplink_source = u32::from_ne_bytes([0, 0, 0, 6]);
        settings.epoch = 2;
    });
    assert_eq!(world.send(CLIENT, &out(ACK)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_REVOKED, 1)]);
}

#[test]
fn nothing_stands_at_a_nat_gateways_own_address() {
    let world = private();
    assert_eq!(world.send(CLIENT, &Frame::tcp((CLIENT_IP, 1), (NAT_IP, 80), SYN)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_NO_ROUTE, 1)]);
}

/// Whose source is not its own goes by the elastic address of that source, as an internet gateway knows addresses only.
#[test]
fn what_is_forwarded_goes_by_its_own_source() {
    let world = public();
    world.rules(102, EGRESS, &[rule(1, 0, (0, 0)).peer_cidr(ANYWHERE, 0)]);
    world.check_source(NEIGHBOUR, false);
    world.send(NEIGHBOUR, &out(SYN)).frame();
    world.send(NEIGHBOUR, &Frame::tcp((OTHER_SUBNET_IP, 40000), (FAR, 443), SYN));
    world.send(NEIGHBOUR, &Frame::tcp((NEIGHBOUR_IP, 40000), (FAR, 443), SYN));
    world.assert_drops(&[(NEIGHBOUR, Drop::DROP_NO_PUBLIC_ADDRESS, 2)]);
}

#[test]
fn ipv6_does_not_leave_by_it() {
    for gateway in [INTERNET, NAT] {
        let world = dual_stack();
        world.gateway(INTERNET, u64::MAX, ANYWHERE, Kind::INTERFACE_INTERNET);
        world.subnet(NAT_SUBNET, NAT_RANGE, 24, [None, None]);
        world.gateway(NAT, NAT_SUBNET, NAT_IP, Kind::INTERFACE_NAT);
        world.public(CONSUMER, CLIENT_IP, true);
        world.route(0, "::/0", RouteKind::ROUTE_UPLINK, gateway);
        let far = "2001:db8:ffff::1".parse().unwrap();
        let frame = Frame6::tcp((CLIENT_IP6, 40000), (far, 443), SYN).macs(mac(CLIENT), ROUTER_MAC);
        assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped);
        world.assert_drops(&[(CLIENT, Drop::DROP_NO_UPLINK, 1)]);
    }
}
