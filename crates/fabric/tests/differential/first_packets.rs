//! One first packet at a time, and an answer to it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use linkway_fabric::endpoint_interface;
use linkway_fabric::layout::address;
use linkway_fabric::reference::{Verdict, decide};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::built::build;
use crate::kernel::{Kernel, Seen, clear};
use crate::plan::{network, packet};
use crate::{answered, compose};

const NETWORKS: u32 = 300;

#[test]
fn the_programs_decide_as_the_reference_does() {
    let kernel = Kernel::new();
    let mut runner =
        TestRunner::new(Config { cases: NETWORKS, failure_persistence: None, ..Config::default() });
    let cases = (network(), prop::collection::vec(packet(), 40));
    let verdicts = RefCell::new(BTreeSet::new());
    let outcome = runner.run(&cases, |(network, packets)| {
        let built = build(&network);
        kernel.hold(&built.tables);
        for plan in &packets {
            let (packet, frame) = compose(&built, plan);
            let expected = decide(&built.tables, &packet);
            let sender = built.tables.ports.get(&plan.device).map_or(0, |port| port.interface);
            let seen = kernel.send(plan.device, sender, &frame.bytes());
            verdicts.borrow_mut().insert(seen.name());
            if matches!(&seen, Seen::Delivered(frame) if endpoint_interface(frame.destination).is_some()) {
                verdicts.borrow_mut().insert("DeliveredToGateway");
            }
            if matches!(&seen, Seen::Delivered(frame) if !built.tables.places.keys().any(|key| {
                address(frame.destination) == key.address
            }) && built.is_workload(frame.destination_mac))
            {
                verdicts.borrow_mut().insert("DeliveredToForwarder");
            }
            prop_assert!(
                expected.iter().any(|verdict| seen.is(verdict)),
                "{:?}\nprograms: {:?}\nreference: {:?}",
                packet,
                seen,
                expected
            );
            let Seen::Delivered(frame) = &seen else { continue };
            let ways = expected.iter().filter(|verdict| seen.is(verdict));
            let Some(Verdict::Delivered(delivery)) = ways.into_iter().next() else { continue };
            let receiver = built.tables.ports.get(&delivery.device).map_or(0, |port| port.interface);
            let answer = kernel.send(delivery.device, receiver, &answered(frame).bytes());
            verdicts.borrow_mut().insert(match answer {
                Seen::Dropped(_) => "AnswerDropped",
                Seen::Delivered(_) => "Answered",
            });
            let came_to = if let Seen::Dropped(reason) = answer { Some(reason) } else { None };
            prop_assert_eq!(came_to, delivery.answer, "an answer to {:?}", packet);
            clear(&kernel.0.maps.flows);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // All kinds of packets were among them, so that agreeing means something.
    for common in [
        "AclEgressDenied",
        "AclIngressDenied",
        "AnswerDropped",
        "Answered",
        "BalancerDenied",
        "BlackholeRoute",
        "Delivered",
        "DeliveredToForwarder",
        "DeliveredToGateway",
        "EgressDenied",
        "EndpointUnavailable",
        "IngressDenied",
        "NoFlow",
        "NoListener",
        "NoRoute",
        "NoUplink",
        "NotDelivered",
        "NotForwarded",
        "SpoofedSource",
        "TargetDenied",
        "UnknownPort",
    ] {
        assert!(verdicts.borrow().contains(common), "no packet was {common}");
    }
}
