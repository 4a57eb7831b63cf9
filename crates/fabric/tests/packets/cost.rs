//! What the programs cost: the verifier to load them, a packet to pass them. Run with `--nocapture` to see.

use std::mem::MaybeUninit;
use std::time::Duration;

use libbpf_rs::query::ProgInfoIter;
use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use linkway_fabric::layout::Port;
use linkway_fabric::programs::LinkwaySkelBuilder;

use crate::frame::{ACK, Frame, SYN};
use crate::world::*;

/// The verifier gives up at a million instructions; older kernels walk more of them than newer ones.
#[test]
fn the_verifier_has_room_to_spare() {
    let mut object = MaybeUninit::uninit();
    let _loaded = LinkwaySkelBuilder::default().open(&mut object).unwrap().load().unwrap();
    let mut found = 0;
    for program in ProgInfoIter::default() {
        let name = program.name.to_string_lossy().into_owned();
        if name == "from_workload" || name == "from_service" {
            println!("{name}: the verifier walked {} instructions", program.verified_insns);
            assert!(program.verified_insns < 250_000);
            found += 1;
        }
    }
    assert!(found >= 2);
}

#[test]
fn a_packet_of_an_open_flow_takes_well_under_two_microseconds() {
    let world = World::new();
    // Repeated on the same bytes, of which the source MAC changes, so that must not matter.
    let port =
        Port { interface: CLIENT, vpc: CONSUMER, groups: 101, subnet: CONSUMER.into(), ..Port::default() };
    world.put(&world.skeleton.maps.ports, &device(CLIENT), &port);
    world.send(CLIENT, &Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), SYN)).frame();
    let frame = Frame::tcp((CLIENT_IP, 40000), (NEIGHBOUR_IP, 80), ACK).macs(mac(CLIENT), ROUTER_MAC).bytes();
    let (_, duration) = world.run(CLIENT, &frame, 0, 200_000);
    println!("a packet between workloads: {duration:?}");
    assert_eq!(world.pair().0.1.packets, 200_001);
    assert!(duration < Duration::from_micros(2), "{duration:?}");
}
