//! What the programs cost: the verifier to load them, a packet to pass them. Run with `--nocapture` to see.

use std::mem::MaybeUninit;
use std::net::Ipv4Addr;
use std::time::Duration;

use libbpf_rs::query::ProgInfoIter;
use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{MapCore, MapFlags};
use linkway_fabric::flows::{Collector, clock};
use linkway_fabric::layout::{Address, Flow, FlowKey, Layout, Port};
use linkway_fabric::programs::LinkwaySkelBuilder;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::frame::{ACK, FIN, Frame, PSH, SYN};
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

/// The packets of a connection that a client opens, asks one thing by, and has closed by the server: whether the client
/// sends it, and its flags.
const CONNECTION: [(&str, bool, u8); 10] = [
    ("SYN", true, SYN),
    ("SYN, ACK", false, SYN | ACK),
    ("ACK", true, ACK),
    ("request", true, PSH | ACK),
    ("ACK of it", false, ACK),
    ("answer", false, PSH | ACK),
    ("FIN", false, FIN | ACK),
    ("ACK of it", true, ACK),
    ("FIN", true, FIN | ACK),
    ("ACK of it", false, ACK),
];

/// Connections that are open at a time.
const AT_ONCE: usize = 16;

/// Many connections through an endpoint, each packet timed by itself: the kernel's clock is read twice for it, which is
/// in what is printed. Others may run on the machine, so that medians are looked at.
#[test]
#[ignore = "measures, for those who change the programs; LINKWAY_FLOWS and LINKWAY_RULES say how many others there are"]
fn what_the_packets_of_a_connection_cost() {
    let world = World::with(Room::Full);
    let [others, rules] = ["LINKWAY_FLOWS", "LINKWAY_RULES"]
        .map(|name| std::env::var(name).map_or(0, |text| text.parse().unwrap()));
    fill(&world, others);
    for (groups, direction) in [(101, EGRESS), (103, INGRESS), (104, INGRESS)] {
        let mut list: Vec<_> =
            (1..=rules).map(|id| rule(id, 6, (1, 1)).peer_cidr(OTHER_SUBNET_IP, 32)).collect();
        list.push(rule(rules + 1, 0, (0, 0)).peer_cidr(Ipv4Addr::UNSPECIFIED, 0));
        world.rules(groups, direction, &list);
    }
    let mut times = vec![Vec::new(); CONNECTION.len()];
    let ports: Vec<u16> = (2000..22_000).collect();
    for batch in ports.chunks(AT_ONCE) {
        for (packet, (_, from_client, flags)) in CONNECTION.into_iter().enumerate() {
            for &port in batch {
                let (sender, frame) = if from_client {
                    (CLIENT, Frame::tcp((CLIENT_IP, port), (ENDPOINT_IP, 443), flags))
                } else {
                    (TARGET, Frame::tcp((TARGET_IP, 8443), (NODE_IP, port), flags))
                };
                let (outcome, time) = world.run(sender, &frame.macs(mac(sender), ROUTER_MAC).bytes(), 0, 1);
                assert!(matches!(outcome, Outcome::Sent(_)), "port {port}");
                times[packet].push(time.as_nanos());
            }
        }
    }
    let mut sum = 0;
    for ((name, from_client, _), times) in CONNECTION.into_iter().zip(&mut times) {
        times.sort_unstable();
        let [low, median, high] = [1, 2, 3].map(|quarter| times[times.len() * quarter / 4]);
        sum += median;
        let from = if from_client { "client" } else { "server" };
        println!("{name:<10} of the {from}: median {median:>5} ns, quarters {low} … {high}");
    }
    println!("all: {sum} ns, with {others} other flows and {rules} other rules in each list");
    let mut collector = Collector::new(world.skeleton).unwrap();
    let (mut seen, started) = (0, cpu_time());
    loop {
        let step = collector.step(clock()).unwrap();
        seen += step.seen;
        if step.finished {
            break;
        }
    }
    println!(
        "the collector's walk: {} ns for each of {seen} entries",
        (cpu_time() - started).as_nanos() / seen as u128
    );
}

/// Flows that none of the packets belongs to.
fn fill(world: &World, flows: u32) {
    let seen = clock().as_nanos() as u64;
    for number in 0..flows {
        let key = |direction| {
            let source = Address { word: [0, 0, direction, number] };
            FlowKey { vpc: 77, protocol: 17, source, destination: source, ..FlowKey::default() }
        };
        for (one, other) in [(0, 1), (1, 0)] {
            let flow = Flow { peer: key(other), seen, idle_seconds: 3600, ..Flow::default() };
            world.skeleton.maps.flows.update(key(one).bytes(), flow.bytes(), MapFlags::ANY).unwrap();
        }
    }
}

/// What this thread has had of a CPU.
fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| Duration::from_micros(time.num_microseconds() as u64))
        .sum()
}
