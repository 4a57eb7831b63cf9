//! From a workload to another one of its VPC.

use linkway_fabric::programs::types::drop_reason;

use libbpf_rs::MapCore;
use linkway_fabric::layout::Layout;

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

#[test]
fn a_full_table_takes_no_half_of_a_flow() {
    for entries in [2, 3] {
        let world = World::with(Room::Flows(entries));
        let syn = |port| Frame::tcp((CLIENT_IP, port), (NEIGHBOUR_IP, 80), SYN);
        world.send(CLIENT, &syn(40000)).frame();
        assert_eq!(world.send(CLIENT, &syn(40001)), Outcome::Dropped);
        assert_eq!(world.pair().0.0.source_port, 40000u16.to_be(), "the first flow alone is left");
        world.send(CLIENT, &syn(40000)).frame();
        world.assert_drops(&[(CLIENT, Drop::DROP_FLOW_TABLE_FULL, 1)]);
    }
}

#[test]
fn half_a_flow_is_completed_by_the_next_syn() {
    let world = World::new();
    let syn = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN);
    world.send(CLIENT, &syn).frame();
    let ((forward, _), _) = world.pair();
    world.skeleton.maps.flows.delete(forward.bytes()).unwrap();
    world.send(CLIENT, &syn).frame();
    world.pair();
    let ((_, _), (reverse, _)) = world.pair();
    world.skeleton.maps.flows.delete(reverse.bytes()).unwrap();
    let answer = Frame::tcp((NEIGHBOUR_IP, 80), (CLIENT_IP, 40000), SYN | ACK);
    assert_eq!(world.send(NEIGHBOUR, &answer), Outcome::Dropped);
    world.assert_drops(&[(NEIGHBOUR, Drop::DROP_NO_FLOW, 1)]);
}

#[test]
fn a_first_packet_on_two_cpus_makes_one_flow() {
    // Sixteen flows at a time from two threads each, over and over: whoever comes second goes by the first's.
    let world = World::new();
    let before = world.traffic(ENDPOINT).1;
    let rounds = 60;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let namespace = std::fs::File::open("/proc/thread-self/ns/net").unwrap();
            let world = &world;
            scope.spawn(move || {
                nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
                for round in 0..rounds {
                    for port in 0..16 {
                        let syn = Frame::tcp((CLIENT_IP, 1024 + round * 16 + port), (ENDPOINT_IP, 443), SYN);
                        world.send(CLIENT, &syn).frame();
                    }
                }
            });
        }
    });
    assert_eq!(world.traffic(ENDPOINT).1 - before, 2 * 16 * u64::from(rounds));
    let flows = world.flows();
    assert_eq!(flows.len(), 2 * 16 * usize::from(rounds), "pairs");
    for (key, flow) in &flows {
        let peer = flows.iter().find(|(other, _)| *other == flow.peer).expect("the other entry");
        assert_eq!(peer.1.peer, *key);
    }
    world.assert_drops(&[]);
}
