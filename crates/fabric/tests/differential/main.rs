//! The packet programs against the reference: random small networks; random first packets, and random sequences of
//! whatever may come after them.
//!
//! It needs root, for the programs to be loaded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod built;
mod first_packets;
#[path = "../packets/frame.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with the programs' own tests, which use all of it")]
mod frame;
mod kernel;
#[path = "../packets/loaded.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with the programs' own tests, which use all of it")]
mod loaded;
mod model;
mod plan;
mod seed;
#[path = "../state/mod.rs"]
mod state;
mod steps;

use linkway_fabric::ranges::router_mac;
use linkway_fabric::reference::{Packet, Transport};

use built::Built;
use frame::{ACK, Frame, SYN};
use plan::PacketPlan;

const UPLINK: u32 = 19;
const SERVICE: u32 = 20;
const FIRST: u32 = 21;
const INSTANCES: usize = 3;
const SUBNETS: usize = 3;

/// Of each VPC: where instances are, where endpoints and the last instance are, where the balancer is.
const RANGES: [&str; SUBNETS] = ["10.0.0.0/28", "10.0.0.16/28", "10.0.0.48/28"];

/// Where the NAT gateways of each subnet are.
const NATS: [&str; SUBNETS] = ["10.0.0.14", "10.0.0.29", "10.0.0.62"];

/// The lowest port that first packets come from.
const SOURCE_PORT: u16 = 40_000;
const STRANGER: u32 = FIRST + 2 * INSTANCES as u32;

pub(crate) fn compose(built: &Built, plan: &PacketPlan) -> (Packet, Frame) {
    let nobody = (plan.device, [2, 0, 0, 0, 0, 1], state::ip("10.0.0.10"));
    let sender = built.senders.iter().find(|(device, ..)| *device == plan.device).unwrap_or(&nobody);
    let (_, mac, own) = *sender;
    let source = plan.source.unwrap_or(own);
    let source_mac = if plan.own_mac { mac } else { [2, 0, 0, 0, 0, 2] };
    let to_probe = built.probes.first().copied().filter(|_| plan.probe && plan.device == SERVICE);
    let destination = to_probe.unwrap_or(plan.destination);
    let from = (source, SOURCE_PORT + plan.port);
    let frame = match plan.transport {
        Transport::Tcp { port, opens } => {
            Frame::tcp(from, (destination, port), if opens { SYN } else { ACK })
        }
        Transport::Udp { port } => Frame::udp(from, (destination, port)),
        Transport::Echo { request } => Frame::echo(source, destination, !request, 7),
    };
    let packet = Packet {
        device: plan.device,
        source_mac,
        source: source.into(),
        source_port: from.1,
        destination: destination.into(),
        transport: plan.transport,
    };
    (packet, frame.macs(source_mac, router_mac().0))
}
