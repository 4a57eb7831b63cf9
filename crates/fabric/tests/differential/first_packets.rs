//! Random first packets, and answers to those that are delivered: one verdict.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::IpAddr;

use linkway_fabric::layout::{PlaceKey, address};
use linkway_fabric::ranges::{UplinkAddresses, router_mac};
use linkway_fabric::reference::{Verdict, decide};
use linkway_fabric::{Reason, endpoint_interface};
use proptest::prelude::*;

use crate::built::build;
use crate::frame::{self, ACK, Frame, SYN};
use crate::kernel::Kernel;
use crate::loaded::clear;
use crate::plan::{network, packet};
use crate::seed::{Seed, meet};
use crate::{UPLINK, compose};

/// In a round.
const NETWORKS: u32 = 300;

const COMMON: [&str; 24] = [
    "AclEgressDenied",
    "AclIngressDenied",
    "AnswerDropped",
    "Answered",
    "BalancerDenied",
    "BlackholeRoute",
    "Delivered",
    "DeliveredOutside",
    "DeliveredToForwarder",
    "DeliveredToGateway",
    "EgressDenied",
    "EndpointUnavailable",
    "IngressDenied",
    "NoFlow",
    "NoListener",
    "NoPublicAddress",
    "NoRoute",
    "NoUplink",
    "NotDelivered",
    "NotForwarded",
    "PrivateDestination",
    "SpoofedSource",
    "TargetDenied",
    "UnknownPort",
];

#[derive(Debug)]
enum Seen {
    Dropped(Reason),
    Delivered(Frame),
}

impl Seen {
    fn of(passed: Result<Vec<u8>, Reason>) -> Self {
        passed.map_or_else(Self::Dropped, |bytes| Self::Delivered(Frame::read(&bytes)))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Dropped(reason) => reason.name(),
            Self::Delivered(_) => "Delivered",
        }
    }

    fn is(&self, verdict: &Verdict) -> bool {
        match (self, verdict) {
            (Self::Dropped(seen), Verdict::Dropped(reason)) => seen == reason,
            (Self::Delivered(frame), Verdict::Delivered(delivery)) => {
                let port = match frame.transport {
                    frame::Transport::Tcp { destination, .. } | frame::Transport::Udp { destination, .. } => {
                        destination
                    }
                    _ => 0,
                };
                frame.destination_mac == delivery.mac
                    && (IpAddr::V4(frame.source), IpAddr::V4(frame.destination), port)
                        == (delivery.source, delivery.destination, delivery.port)
            }
            _ => false,
        }
    }
}

/// What the receiver of a frame answers.
fn answered(frame: &Frame) -> Frame {
    let (source, destination) = (frame.destination, frame.source);
    let answer = match &frame.transport {
        frame::Transport::Tcp { source: to, destination: from, .. } => {
            Frame::tcp((source, *from), (destination, *to), SYN | ACK)
        }
        frame::Transport::Udp { source: to, destination: from, .. } => {
            Frame::udp((source, *from), (destination, *to))
        }
        _ => Frame::echo(source, destination, true, 7),
    };
    answer.macs(frame.destination_mac, router_mac().0)
}

#[test]
fn the_programs_decide_as_the_reference_does() {
    let kernel = Kernel::new();
    let seed = Seed::new();
    let cases = (network(), prop::collection::vec(packet(1), 40));
    let verdicts = RefCell::new(BTreeSet::new());
    let round = |number| {
        seed.run(number, NETWORKS, &cases, |(network, packets)| {
            let built = build(&network);
            kernel.hold(&built.tables);
            for plan in &packets {
                let (packet, frame) = compose(&built, plan);
                let expected = decide(&built.tables, &packet);
                let sender = built.tables.ports.get(&plan.device).map_or(0, |port| port.interface);
                let seen = Seen::of(kernel.pass(plan.device, sender, &frame.bytes()));
                verdicts.borrow_mut().insert(seen.name());
                if let Seen::Delivered(frame) = &seen {
                    let placed = |key: &PlaceKey| address(frame.destination) == key.address;
                    if endpoint_interface(frame.destination).is_some() {
                        verdicts.borrow_mut().insert("DeliveredToGateway");
                    } else if built.is_workload(frame.destination_mac)
                        && !built.tables.places.keys().any(placed)
                    {
                        verdicts.borrow_mut().insert("DeliveredToForwarder");
                    }
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
                let receiver = match delivery.device {
                    UPLINK => u32::MAX,
                    device => built.tables.ports.get(&device).map_or(0, |port| port.interface),
                };
                let mut answer = answered(frame);
                if delivery.device == UPLINK {
                    // The host puts the one address in the place of the other, both ways.
                    verdicts.borrow_mut().insert("DeliveredOutside");
                    answer.destination = UplinkAddresses::of(77).answers;
                }
                let answer = Seen::of(kernel.pass(delivery.device, receiver, &answer.bytes()));
                verdicts.borrow_mut().insert(match answer {
                    Seen::Dropped(_) => "AnswerDropped",
                    Seen::Delivered(_) => "Answered",
                });
                let came_to = if let Seen::Dropped(reason) = answer { Some(reason) } else { None };
                prop_assert_eq!(came_to, delivery.answer, "an answer to {:?}", packet);
                clear(&kernel.0.maps.flows);
            }
            Ok(())
        })
    };
    let met = |kind: &str| verdicts.borrow().contains(kind);
    meet(&COMMON, met, round);
}
