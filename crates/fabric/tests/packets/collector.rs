//! Flows whose time is up are removed in pairs; others stay.

use std::collections::BTreeSet;
use std::time::Duration;

use libbpf_rs::{MapCore, MapFlags};
use linkway_fabric::flows::{Collector, Step, clock};
use linkway_fabric::layout::{Flow, FlowKey, Layout};

use crate::frame::{ACK, Frame, SYN};
use crate::world::*;

/// One walk from start to end.
pub fn walk(collector: &mut Collector, now: Duration) -> Step {
    let mut sum = Step::default();
    while !sum.finished {
        let step = collector.step(now).unwrap();
        sum =
            Step { seen: sum.seen + step.seen, removed: sum.removed + step.removed, finished: step.finished };
    }
    sum
}

#[test]
fn a_pair_goes_when_both_ways_are_idle() {
    let world = World::new();
    let mut collector = Collector::new(world.skeleton).unwrap();
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (ENDPOINT_IP, 443), SYN)).frame();
    let later = |seconds| clock() + Duration::from_secs(seconds);
    assert_eq!(walk(&mut collector, later(29)), Step { seen: 2, removed: 0, finished: true });
    world.send(TARGET, &Frame::tcp((TARGET_IP, 8443), (NODE_IP, 40000), SYN | ACK)).frame();
    assert_eq!(walk(&mut collector, later(349)).removed, 0);
    let ((key, mut forward), _) = world.pair();
    forward.seen = forward.seen.wrapping_sub(200 * 1_000_000_000);
    world.put(&world.skeleton.maps.flows, &key, &forward);
    assert_eq!(walk(&mut collector, later(340)).removed, 0, "an answer was seen later");
    assert_eq!(walk(&mut collector, later(352)), Step { seen: 2, removed: 2, finished: true });
    assert_eq!(world.flows(), []);
}

#[test]
fn half_a_pair_goes_when_it_is_idle() {
    let world = World::new();
    world.send(CLIENT, &Frame::udp((CLIENT_IP, 40000), (ENDPOINT_IP, 443))).frame();
    let ((key, _), _) = world.pair();
    world.skeleton.maps.flows.delete(key.bytes()).unwrap();
    let mut collector = Collector::new(world.skeleton).unwrap();
    assert_eq!(walk(&mut collector, clock() + Duration::from_secs(119)).removed, 0);
    assert_eq!(walk(&mut collector, clock() + Duration::from_secs(121)).removed, 1);
}

#[test]
fn a_walk_sees_every_entry_of_a_large_table() {
    let world = World::new();
    let count = 20_000;
    let now = clock();
    for number in 0..count {
        // Every third is in use still.
        let seen = (now.as_nanos() as u64).saturating_sub(if number % 3 == 0 { 0 } else { 31_000_000_000 });
        let key = FlowKey { vpc: 9, protocol: 6, source_port: (number % 65536) as u16, ..FlowKey::default() };
        let key = FlowKey { destination_port: (number / 65536) as u16, ..key };
        let peer = FlowKey { vpc: 8, ..key };
        let flow = |peer| Flow { peer, seen, idle_seconds: 350, ..Flow::default() };
        world.put(&world.skeleton.maps.flows, &key, &flow(peer));
        world.put(&world.skeleton.maps.flows, &peer, &flow(key));
    }
    let mut collector = Collector::new(world.skeleton).unwrap();
    let step = walk(&mut collector, now);
    let idle = (0..count).filter(|number| number % 3 != 0).count();
    assert_eq!(step.removed, 2 * idle);
    // A pair whose one entry was removed before the walk came to it is not seen twice.
    assert!(step.seen <= 2 * count && step.seen >= 2 * (count - idle), "{step:?}");
    let left: BTreeSet<_> = world.skeleton.maps.flows.keys().collect();
    assert_eq!(left.len(), 2 * (count - idle));
    let key = left.first().unwrap();
    assert!(world.skeleton.maps.flows.lookup(key, MapFlags::ANY).unwrap().is_some());
    assert_eq!(walk(&mut collector, now), Step { seen: left.len(), removed: 0, finished: true });
}
