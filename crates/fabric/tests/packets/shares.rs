//! Shares of the flow table: what an interface may have, what it has, and that nobody else pays for it.

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use libbpf_rs::MapCore;
use linkway_fabric::flows::{Collector, clock};
use linkway_fabric::layout::{Layout, Share, Tally};
use nix::sched::{CloneFlags, setns};

use crate::collector::walk;
use crate::frame::{ACK, FIN, Frame, RST, SYN};
use crate::world::*;

fn syn(port: u16) -> Frame {
    Frame::tcp((CLIENT_IP, port), (ENDPOINT_IP, 443), SYN)
}

fn answer(port: u16, flags: u8) -> Frame {
    Frame::tcp((TARGET_IP, 8443), (NODE_IP, port), flags)
}

/// A world where interfaces may have so many flows, and so many half-open.
fn limited(flows: u32, half_open: u32) -> World {
    let world = World::new();
    world.settings(|settings| (settings.flow_share, settings.half_open_share) = (flows, half_open));
    world
}

#[test]
fn above_its_share_an_interface_opens_no_more_flows_and_others_do() {
    let world = limited(3, 3);
    let datagram = |port| Frame::udp((CLIENT_IP, port), (NEIGHBOUR_IP, 5000));
    for port in 1..=3 {
        world.send(CLIENT, &datagram(port)).frame();
    }
    assert_eq!(world.share(CLIENT), (3, 0));
    assert_eq!(world.send(CLIENT, &datagram(4)), Outcome::Dropped);
    assert_eq!(world.send(CLIENT, &syn(5)), Outcome::Dropped);
    // What is open goes on, and is answered by someone who pays nothing for it.
    world.send(CLIENT, &datagram(1)).frame();
    world.send(NEIGHBOUR, &Frame::udp((NEIGHBOUR_IP, 5000), (CLIENT_IP, 1))).frame();
    assert_eq!((world.share(CLIENT), world.share(NEIGHBOUR)), ((3, 0), (0, 0)));
    // Who has a share of its own opens flows still.
    world.send(SECOND, &Frame::tcp((SECOND_IP, 1), (NODE_IP, 443), SYN)).frame();
    assert_eq!(world.share(SECOND), (1, 1));
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_TABLE_SHARE, 2)]);
    assert_eq!(world.flows().len(), 2 * 4);
    assert_eq!(world.traffic(ENDPOINT), (0, 0, 0));

    let told: Vec<_> = world.events().iter().map(|event| (event.interface, event.reason)).collect();
    assert_eq!(told, [(CLIENT, Drop::DROP_FLOW_TABLE_SHARE.0); 2]);
}

#[test]
fn unanswered_connections_have_a_tighter_limit_and_an_answer_frees_a_place() {
    let world = limited(100, 2);
    world.send(CLIENT, &syn(1)).frame();
    world.send(CLIENT, &syn(2)).frame();
    assert_eq!(world.send(CLIENT, &syn(3)), Outcome::Dropped);
    world.send(CLIENT, &Frame::udp((CLIENT_IP, 3), (ENDPOINT_IP, 443))).frame();
    assert_eq!(world.share(CLIENT), (3, 2));
    world.send(CLIENT, &syn(1)).frame();
    assert_eq!(world.share(CLIENT), (3, 2), "sent again");

    for flags in [SYN | ACK, ACK, ACK | FIN] {
        world.send(TARGET, &answer(1, flags)).frame();
        assert_eq!(world.share(CLIENT), (3, 1), "an answer counts once");
    }
    world.send(CLIENT, &syn(3)).frame();
    assert_eq!(world.send(CLIENT, &syn(4)), Outcome::Dropped);
    // Refused is answered, too.
    world.send(TARGET, &answer(2, RST | ACK)).frame();
    assert_eq!(world.share(CLIENT), (4, 1));
    // Who gives up without an answer holds its place until the time is up.
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 3), (ENDPOINT_IP, 443), RST)).frame();
    assert_eq!(world.share(CLIENT), (4, 1));
    world.assert_drops(&[(CLIENT, Drop::DROP_HALF_OPEN_SHARE, 2)]);
    assert_eq!((world.share(TARGET), world.share(SERVICE)), ((0, 0), (0, 0)));
    assert_eq!(world.traffic(ENDPOINT), (4, 6, 4));
}

#[test]
fn every_way_that_a_flow_ends_gives_its_places_back() {
    let world = World::with(Room::Flows(4_096));
    let none = ((0, 0), 0);
    let left = || (world.share(CLIENT), world.flows().len());

    world.send(CLIENT, &syn(1)).frame();
    assert_eq!(left(), ((1, 1), 2));
    let mut collector = Collector::new(world.skeleton).unwrap();
    assert_eq!(walk(&mut collector, clock() + Duration::from_secs(31)).removed, 2);
    assert_eq!(left(), none, "collected while half-open");

    world.send(CLIENT, &syn(1)).frame();
    world.age(31);
    world.send(CLIENT, &syn(1)).frame();
    assert_eq!(left(), ((1, 1), 2), "opened anew after its time");

    world.send(TARGET, &answer(1, SYN | ACK)).frame();
    world.send(TARGET, &answer(1, RST)).frame();
    world.send(CLIENT, &syn(1)).frame();
    assert_eq!(left(), ((1, 1), 2), "opened anew after RST");

    world.send(TARGET, &answer(1, SYN | ACK)).frame();
    world.age(351);
    world.send(TARGET, &answer(1, ACK)).frame();
    assert_eq!(left(), none, "found expired by the other end, which gets RST");

    world.send(CLIENT, &syn(1)).frame();
    world.rules(103, INGRESS, &[]);
    world.raise_epoch();
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 1), (ENDPOINT_IP, 443), ACK)).frame();
    assert_eq!(left(), none, "revoked");
    world.assert_drops(&[(CLIENT, Drop::DROP_INGRESS_DENIED, 1), (TARGET, Drop::DROP_FLOW_EXPIRED, 1)]);
}

#[test]
fn what_cannot_be_opened_takes_no_place() {
    let world = World::with(Room::Flows(3));
    world.send(CLIENT, &syn(1)).frame();
    assert_eq!(world.send(CLIENT, &syn(2)), Outcome::Dropped);
    assert_eq!(world.share(CLIENT), (1, 1));
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_TABLE_FULL, 1)]);
}

#[test]
fn the_service_namespace_is_counted_and_not_limited() {
    let world = limited(0, 0);
    world.send(SERVICE, &Frame::tcp((SERVICE_IP, 1), (PROBE_IP, 8443), SYN)).frame();
    assert_eq!(world.share(SERVICE), (1, 1));
    assert_eq!(world.send(CLIENT, &syn(1)), Outcome::Dropped);
    world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_TABLE_SHARE, 1)]);
}

#[test]
fn a_flood_costs_the_one_who_sends_it() {
    let world = World::with(Room::Flows(4_000));
    world.settings(|settings| (settings.flow_share, settings.half_open_share) = (1_000, 100));
    let flood = 20_000;
    for number in 0..flood {
        world.send(CLIENT, &Frame::tcp((CLIENT_IP, 1 + number), (NEIGHBOUR_IP, 80), SYN));
        world.send(CLIENT, &Frame::udp((CLIENT_IP, 1 + number), (NEIGHBOUR_IP, 5000)));
    }
    assert_eq!(world.share(CLIENT), (1_000, 100));
    let refused = u64::from(flood);
    let drops = [
        (CLIENT, Drop::DROP_FLOW_TABLE_SHARE, 2 * refused - 1_000 - world.drops()[&(CLIENT, half_open())]),
        (CLIENT, Drop::DROP_HALF_OPEN_SHARE, world.drops()[&(CLIENT, half_open())]),
    ];
    world.assert_drops(&drops);
    for port in 1..=100 {
        world.send(SECOND, &Frame::tcp((SECOND_IP, port), (NODE_IP, 443), SYN)).frame();
    }
    assert_eq!(world.share(SECOND), (100, 100));
}

fn half_open() -> u32 {
    Drop::DROP_HALF_OPEN_SHARE.0
}

/// Two CPUs open, answer and reset the same flows while the collector takes them away, and what is counted in
/// the end is what is there.
#[test]
fn the_count_is_exact_whoever_removes_a_flow() {
    let world = World::with(Room::Flows(4_096));
    world.settings(|settings| (settings.flow_share, settings.half_open_share) = (40, 20));
    let (rounds, senders) = (400u16, AtomicUsize::new(2));
    thread::scope(|scope| {
        for _ in 0..2 {
            let namespace = File::open("/proc/thread-self/ns/net").unwrap();
            let (world, senders) = (&world, &senders);
            scope.spawn(move || {
                setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
                for round in 0..rounds {
                    for port in 1..=60 {
                        world.send(CLIENT, &syn(port));
                        if port % 3 == 0 {
                            world.send(TARGET, &answer(port, SYN | ACK));
                        }
                        if (port + round) % 5 == 0 {
                            world.send(TARGET, &answer(port, RST | ACK));
                        }
                        let (flows, half_open) = world.share(CLIENT);
                        // Each of two CPUs may just have drawn a number in vain.
                        assert!(
                            flows <= 40 + 2 && half_open <= 20 + 2,
                            "{flows} flows, {half_open} half-open"
                        );
                    }
                }
                senders.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let mut collector = Collector::new(world.skeleton).unwrap();
        // Everything's time is up, or nothing's.
        for ahead in [1_000, 0].into_iter().cycle().map(Duration::from_secs) {
            if senders.load(Ordering::Relaxed) == 0 {
                break;
            }
            walk(&mut collector, clock() + ahead);
        }
    });
    (1..=4).for_each(|port| drop(world.send(CLIENT, &syn(port))));
    let forward = world.flows().into_iter().filter(|(_, flow)| flow.flags & 1 != 0);
    let (mut flows, mut half_open) = (0, 0);
    forward.for_each(|(_, flow)| {
        flows += 1;
        half_open += i64::from(flow.flags & 2 == 0);
    });
    assert!(flows > 0);
    // An entry that was replaced while somebody deleted it may be counted twice: two walks put that right.
    let mut collector = Collector::new(world.skeleton).unwrap();
    walk(&mut collector, Duration::ZERO);
    walk(&mut collector, Duration::ZERO);
    assert_eq!(world.share(CLIENT), (flows, half_open));
}

#[test]
fn a_count_that_is_off_is_put_right_by_two_walks() {
    let world = World::with(Room::Flows(4_096));
    (1..=5).for_each(|port| drop(world.send(CLIENT, &syn(port)).frame()));
    world.send(TARGET, &answer(1, SYN | ACK)).frame();
    assert_eq!(world.share(CLIENT), (5, 4));
    let mut collector = Collector::new(world.skeleton).unwrap();
    for off in [Tally { taken: 100, given: 3 }, Tally { taken: 3, given: 9 }] {
        let share = Share { flows: off, half_open: off };
        world.put(&world.skeleton.maps.shares, &CLIENT, &share);
        walk(&mut collector, clock());
        assert_eq!(world.share(CLIENT), (off.in_use(), off.in_use()), "one walk may be mistaken");
        walk(&mut collector, clock());
        assert_eq!(world.share(CLIENT), (5, 4));
    }
    // An interface that is gone has its row until its flows are gone, too.
    world.skeleton.maps.interfaces.delete(CLIENT.bytes()).unwrap();
    walk(&mut collector, clock());
    assert_eq!(world.share(CLIENT), (5, 4));
    assert_eq!(walk(&mut collector, clock() + Duration::from_secs(1_000)).removed, 10);
    walk(&mut collector, clock());
    assert_eq!(world.skeleton.maps.shares.keys().count(), 0);
}
