//! ARP: who is told what.

use crate::frame::{Arp, Mac};
use crate::world::*;

fn own(interface: u32) -> Mac {
    mac(interface)
}

#[test]
fn every_address_that_something_stands_at_or_may_stand_at_is_the_routers() {
    let world = World::new();
    for asked in [NEIGHBOUR_IP, ENDPOINT_IP, ROUTER_IP, RESOLVER_IP, NOWHERE_IP] {
        let request = Arp::request((own(CLIENT), CLIENT_IP), asked);
        let answer = world.send_bytes(CLIENT, &request.bytes()).arp();
        assert_eq!(
            answer,
            Arp {
                source_mac: ROUTER_MAC,
                destination_mac: own(CLIENT),
                reply: true,
                sender: (ROUTER_MAC, asked),
                target: (own(CLIENT), CLIENT_IP),
            }
        );
    }
    world.assert_drops(&[]);
}

#[test]
fn own_and_unknown_addresses_are_not_answered() {
    let world = World::new();
    let housekeeping = [
        ("own address, by a probe", Arp::request((own(CLIENT), std::net::Ipv4Addr::UNSPECIFIED), CLIENT_IP)),
        ("an announcement", Arp::request((own(CLIENT), CLIENT_IP), CLIENT_IP)),
        (
            "nothing there, by a probe",
            Arp::request((own(CLIENT), std::net::Ipv4Addr::UNSPECIFIED), NOWHERE_IP),
        ),
    ];
    let unanswered = [
        ("nothing there, in another subnet", Arp::request((own(CLIENT), CLIENT_IP), OTHER_SUBNET_IP)),
        ("an answer", Arp { reply: true, ..Arp::request((own(CLIENT), CLIENT_IP), NEIGHBOUR_IP) }),
    ];
    for (what, frame) in housekeeping.iter().chain(&unanswered) {
        assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped, "{what}");
    }
    world.assert_drops(&[
        (CLIENT, Drop::DROP_LINK_HOUSEKEEPING, housekeeping.len() as u64),
        (CLIENT, Drop::DROP_NO_ROUTE, unanswered.len() as u64),
    ]);
}

#[test]
fn a_forged_sender_is_dropped() {
    let world = World::new();
    let honest = Arp::request((own(CLIENT), CLIENT_IP), ROUTER_IP);
    let forged = [
        Arp { sender: (own(CLIENT), NEIGHBOUR_IP), ..honest.clone() },
        Arp { sender: (own(NEIGHBOUR), CLIENT_IP), ..honest.clone() },
        Arp { source_mac: own(NEIGHBOUR), ..honest.clone() },
        Arp { sender: (own(CLIENT), ROUTER_IP), ..honest.clone() },
    ];
    for frame in &forged {
        assert_eq!(world.send_bytes(CLIENT, &frame.bytes()), Outcome::Dropped, "{frame:?}");
    }
    world.assert_drops(&[(CLIENT, Drop::DROP_SPOOFED_SOURCE, 4)]);
    let mut cut = honest.bytes();
    cut.truncate(30);
    assert_eq!(world.send_bytes(CLIENT, &cut), Outcome::Dropped);
    let mut wide = honest.bytes();
    wide[18] = 8;
    assert_eq!(world.send_bytes(CLIENT, &wide), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_SPOOFED_SOURCE, 4), (CLIENT, Drop::DROP_MALFORMED, 2)]);
}

#[test]
fn the_service_namespace_is_answered_for_any_client() {
    let world = World::new();
    let request = Arp::request((own(SERVICE), SERVICE_IP), SERVICE_CLIENT_IP);
    let answer = world.send_bytes(SERVICE, &request.bytes()).arp();
    assert_eq!(answer.sender, (ROUTER_MAC, SERVICE_CLIENT_IP));
}
