//! Random sequences: opens, answers, closes, late FINs, ICMP errors, fragments, rules that change, time, and the
//! collector. Verdict and packet agree with the model at each step, the tables now and then.
//!
//! `$LINKWAY_DIFFERENTIAL_STEPS`: how many steps. `$LINKWAY_SEED`: where to begin, as a failure tells.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Instant;

use libbpf_rs::{MapCore, MapFlags};
use linkway_fabric::Reason;
use linkway_fabric::flows::{Collector, clock};
use linkway_fabric::layout::{Flow, FlowKey, Layout, Share, ip};
use linkway_fabric::programs::types::drop_reason;
use linkway_fabric::ranges::router_mac;
use linkway_fabric::reference::{Packet, Transport};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::built::{Built, build};
use crate::compose;
use crate::frame::{self, ACK, FIN, Frame, Mac, PSH, RST, SYN, checksum};
use crate::kernel::{Kernel, put};
use crate::loaded::clear;
use crate::model::{Arrived, Conversation, End, Key, Model, SHARE, TCP, opens};
use crate::plan::{Network, PacketPlan, RulePlan, network, packet, rule};
use crate::seed::{Seed, meet, number};

const STEPS_PER_NETWORK: usize = 250;

/// What is counted of flows that a rule's change ended.
const ENDED: &str = "EndedByChange";

/// From so many ports a sender sends first packets.
const PORTS: u16 = 3;

/// After so many steps the tables are compared, too.
const LOOK: usize = 25;

/// For `make test`: seconds. A million, `make differential`, take some minutes.
const STEPS: usize = 30_000;

#[derive(Debug, Clone)]
enum Step {
    First(PacketPlan),
    /// Of a flow that there is, if there is one: there or back.
    Along(Index, bool, u8),
    /// Its receiver tells that it could not be delivered.
    Error(Index, bool),
    /// In two fragments, or only the second one.
    Fragments(Index, bool, bool),
    Wait(u64),
    /// All flows are judged anew, and nothing has changed.
    Epoch,
    /// One rule becomes another, in whatever group.
    Rule(Index, RulePlan),
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let flags = select(vec![SYN, SYN, SYN | ACK, ACK, ACK | PSH, FIN | ACK, FIN | ACK, RST, RST | ACK]);
    let flow = || (any::<Index>(), any::<bool>());
    prop_oneof![
        12 => packet(PORTS).prop_map(Step::First),
        20 => (flow(), flags).prop_map(|((flow, back), flags)| Step::Along(flow, back, flags)),
        4 => flow().prop_map(|(flow, back)| Step::Error(flow, back)),
        4 => (flow(), prop::bool::weighted(0.8)).prop_map(|((flow, back), whole)| Step::Fragments(flow, back, whole)),
        // Multiples of eleven, whose sums are no time-out: so what passes meanwhile does not matter.
        2 => select(vec![11, 22, 44, 132, 363]).prop_map(Step::Wait),
        1 => Just(Step::Epoch),
        1 => (any::<Index>(), rule()).prop_map(|(which, rule)| Step::Rule(which, rule)),
        1 => Just(Step::Collect),
    ]
}

/// One run through a sequence.
struct Run<'a> {
    kernel: &'a Kernel,
    network: Network,
    model: Model,
    collector: Collector,
    /// Identifications of datagrams in fragments.
    datagrams: u16,
    met: &'a RefCell<BTreeMap<&'static str, usize>>,
}

impl<'a> Run<'a> {
    fn new(kernel: &'a Kernel, network: Network, met: &'a RefCell<BTreeMap<&'static str, usize>>) -> Self {
        let maps = &kernel.0.maps;
        clear(&maps.flows);
        clear(&maps.shares);
        clear(&maps.fragments);
        let built = Rc::new(build(&network));
        kernel.hold(&built.tables);
        let collector = Collector::new(kernel.0).unwrap();
        let run = Self { kernel, network, model: Model::new(built), collector, datagrams: 0, met };
        run.settings();
        run
    }

    fn built(&self) -> &Built {
        &self.model.built
    }

    /// Has all flows be judged anew.
    fn raise_epoch(&mut self) {
        self.model.epoch += 1;
        self.settings();
    }

    /// The network with another rule, for packets and for the model.
    fn change_rule(&mut self, which: &Index, rule: &RulePlan) {
        if self.network.rules.is_empty() {
            return;
        }
        let index = which.index(self.network.rules.len());
        self.network.rules[index] = rule.clone();
        let built = build(&self.network);
        assert_eq!(built.senders, self.built().senders, "all are who they were");
        self.kernel.hold(&built.tables);
        self.model.built = Rc::new(built);
        self.raise_epoch();
    }

    fn settings(&self) {
        let mut settings = self.built().tables.settings;
        (settings.flow_share, settings.half_open_share) = (SHARE.0 as u32, SHARE.1 as u32);
        settings.epoch = self.model.epoch;
        put(&self.kernel.0.maps.settings, [(&0u32, &settings)]);
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::First(plan) => {
                let (packet, frame) = compose(self.built(), plan);
                let flags = if let frame::Transport::Tcp { flags, .. } = frame.transport { flags } else { 0 };
                self.send(&packet, flags, &frame.bytes())
            }
            Step::Along(flow, back, flags) => self.on_flow(flow, *back, |run, index, way| {
                let conversation = &run.model.conversations[index];
                let flags = if conversation.ways[way].key.protocol == TCP { *flags } else { 0 };
                let (packet, frame) = run.packet(conversation, way, flags);
                run.send(&packet, flags, &frame.bytes())
            }),
            Step::Error(flow, back) => self.on_flow(flow, *back, Self::error),
            Step::Fragments(flow, back, whole) => {
                self.on_flow(flow, *back, |run, index, way| run.fragments(index, way, *whole))
            }
            Step::Wait(seconds) => {
                self.model.wait(*seconds);
                self.age(*seconds);
                Ok(())
            }
            Step::Epoch => {
                self.raise_epoch();
                Ok(())
            }
            Step::Rule(which, rule) => {
                self.change_rule(which, rule);
                Ok(())
            }
            Step::Collect => {
                self.model.collect();
                while !self.collector.step(clock()).unwrap().finished {}
                self.compare()
            }
        }
    }

    fn on_flow(
        &mut self,
        flow: &Index,
        back: bool,
        act: impl FnOnce(&mut Self, usize, usize) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.model.conversations.is_empty() {
            return Ok(());
        }
        let index = flow.index(self.model.conversations.len());
        act(self, index, usize::from(back))
    }

    /// The MAC and the address of who is behind a device.
    fn sender(&self, device: u32) -> (Mac, Ipv4Addr) {
        let sender = self.built().senders.iter().find(|(other, ..)| *other == device);
        sender.map(|(_, mac, own)| (*mac, *own)).expect("flows are of devices that there are")
    }

    /// A packet that goes this way.
    fn packet(&self, conversation: &Conversation, way: usize, flags: u8) -> (Packet, Frame) {
        let way = &conversation.ways[way];
        let frame = frame_of(&way.key, flags);
        let (source_mac, _) = self.sender(way.device);
        let (port, request) = (way.key.destination.1, way.key.destination.1 == 0);
        let transport = match way.key.protocol {
            TCP => Transport::Tcp { port, opens: opens(flags) },
            17 => Transport::Udp { port },
            _ => Transport::Echo { request },
        };
        let packet = Packet {
            device: way.device,
            source_mac,
            source: way.key.source.0.into(),
            source_port: way.key.source.1,
            destination: way.key.destination.0.into(),
            transport,
        };
        (packet, frame.macs(source_mac, router_mac().0))
    }

    fn pass(&self, device: u32, bytes: &[u8]) -> Result<Vec<u8>, Reason> {
        let sender = self.built().tables.ports.get(&device).map_or(0, |port| port.interface);
        let seen = self.kernel.pass(device, sender, bytes);
        let name = seen.as_ref().map_or_else(|reason| reason.name(), |_| "Delivered");
        *self.met.borrow_mut().entry(name).or_default() += 1;
        seen
    }

    fn send(&mut self, packet: &Packet, flags: u8, bytes: &[u8]) -> Result<(), String> {
        let seen = self.pass(packet.device, bytes);
        let seen = seen.map(|bytes| {
            Frame::read(&bytes);
            arrived(&bytes)
        });
        self.model.follow(packet, flags, seen).map_err(|error| format!("{packet:?} {flags:#x}\n{error}"))
    }

    /// An error about a packet that went the other way, as this way's sender got it.
    fn error(&mut self, index: usize, way: usize) -> Result<(), String> {
        let conversation = self.model.conversations[index].clone();
        let (this, other) = (&conversation.ways[way], &conversation.ways[1 - way]);
        let (mac, own) = self.sender(this.device);
        let got = Key { source: this.key.destination, destination: this.key.source, ..this.key };
        let bytes = error_of(own, &frame_of(&got, ACK)).macs(mac, router_mac().0).bytes();
        let seen = self.pass(this.device, &bytes);
        let outcome = seen.as_ref().map(|_| ()).map_err(|reason| *reason);
        if !self.model.tell(index, way, outcome)? {
            return Ok(());
        }
        let translated = this.key.source.0 != other.key.destination.0;
        let teller = if translated { other.key.destination.0 } else { own };
        let arrival = conversation.arrival(way);
        let expected = error_of(teller, &frame_of(&other.key, ACK)).macs(router_mac().0, arrival.mac);
        let seen = Frame::read(&seen.expect("told"));
        if seen == expected { Ok(()) } else { Err(format!("programs: {seen:?}\nmodel: {expected:?}")) }
    }

    fn fragments(&mut self, index: usize, way: usize, whole: bool) -> Result<(), String> {
        let conversation = &self.model.conversations[index];
        if conversation.ways[way].key.protocol == 1 {
            return Ok(());
        }
        let (packet, frame) = self.packet(conversation, way, ACK);
        let frame = Frame { fragment: 0, ..frame }.payload(&[7; 41]);
        self.datagrams += 1;
        let first = frame.part(self.datagrams, 0, 24);
        let length = frame.bytes().len() - 34;
        let second = frame.part(self.datagrams, 24, length);
        let mut expected = Err(Reason(drop_reason::DROP_FRAGMENT.0));
        let mut id = None;
        if whole {
            let seen = self.pass(packet.device, &first);
            id = seen.as_ref().ok().map(|bytes| [bytes[18], bytes[19]]);
            let seen = seen.map(|bytes| arrived(&bytes));
            self.model.follow(&packet, 0, seen)?;
            if let Ok(arrived) = seen {
                expected = Ok((arrived.mac, arrived.source.0, arrived.destination.0));
            }
        }
        let seen = self.pass(packet.device, &second);
        if seen.as_ref().is_ok_and(|bytes| id != Some([bytes[18], bytes[19]])) {
            return Err("two fragments of one datagram have two identifications".into());
        }
        let seen =
            seen.map(|bytes| arrived(&bytes)).map(|seen| (seen.mac, seen.source.0, seen.destination.0));
        if seen == expected { Ok(()) } else { Err(format!("a later fragment: {seen:?}, not {expected:?}")) }
    }

    /// Lets time pass for all flows.
    fn age(&self, seconds: u64) {
        let flows = &self.kernel.0.maps.flows;
        for key in flows.keys().collect::<Vec<_>>() {
            let mut flow = Flow::read(&flows.lookup(&key, MapFlags::ANY).unwrap().unwrap()).unwrap();
            flow.seen = flow.seen.wrapping_sub(seconds * 1_000_000_000);
            flows.update(&key, flow.bytes(), MapFlags::ANY).unwrap();
        }
    }

    /// Are the tables what they should be?
    fn compare(&self) -> Result<(), String> {
        let maps = &self.kernel.0.maps;
        let mut held: Vec<(Key, u32)> = Vec::new();
        for key in maps.flows.keys() {
            let flow = Flow::read(&maps.flows.lookup(&key, MapFlags::ANY).unwrap().unwrap()).unwrap();
            held.push((key_of(&FlowKey::read(&key).unwrap()), flow.flags));
        }
        held.sort();
        let mut expected: Vec<(Key, u32)> = Vec::new();
        let mut shares = BTreeMap::new();
        for conversation in &self.model.conversations {
            let both = u32::from(conversation.answered) * 2 + u32::from(conversation.closing) * 8;
            for (way, forward) in conversation.ways.iter().zip([1, 0]) {
                expected.push((way.key, both + forward + u32::from(way.fin) * 4));
            }
            let share = shares.entry(conversation.opener()).or_insert((0i64, 0i64));
            *share = (share.0 + 1, share.1 + i64::from(conversation.half_open()));
        }
        expected.sort();
        if held != expected {
            return Err(format!("flows: {held:#?}\nmodel: {expected:#?}"));
        }
        for key in maps.shares.keys() {
            let share = Share::read(&maps.shares.lookup(&key, MapFlags::ANY).unwrap().unwrap()).unwrap();
            let number = u32::read(&key).unwrap();
            let (held, expected) = ((share.flows.in_use(), share.half_open.in_use()), shares.get(&number));
            if held != expected.copied().unwrap_or_default() {
                return Err(format!("share of {number}: {held:?}, not {expected:?}"));
            }
        }
        Ok(())
    }
}

fn key_of(key: &FlowKey) -> Key {
    let end = |address, port: u16| -> End { (ip(address).to_ipv4_mapped().unwrap(), u16::from_be(port)) };
    Key {
        vpc: key.vpc,
        protocol: key.protocol,
        forwarded: key.forwarded != 0,
        source: end(&key.source, key.source_port),
        destination: end(&key.destination, key.destination_port),
    }
}

/// A packet with this key.
fn frame_of(key: &Key, flags: u8) -> Frame {
    match key.protocol {
        TCP => Frame::tcp(key.source, key.destination, flags),
        17 => Frame::udp(key.source, key.destination),
        _ => Frame::echo(key.source.0, key.destination.0, key.destination.1 != 0, 7),
    }
}

/// That a port is closed, of whoever got this.
fn error_of(from: Ipv4Addr, about: &Frame) -> Frame {
    let mut bytes = [&[3, 3, 0, 0, 0, 0, 0, 0], &about.bytes()[14..]].concat();
    let sum = checksum(&[&bytes]);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    Frame::new(from, about.source, frame::Transport::Other { protocol: 1, bytes })
}

/// Where a packet, or a first fragment, has come to.
fn arrived(bytes: &[u8]) -> Arrived {
    let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
    let (from, to) = match (bytes[23], bytes[34]) {
        (1, 8) => (number(38), 0),
        (1, _) => (0, number(38)),
        _ => (number(34), number(36)),
    };
    let mac = bytes[..6].try_into().unwrap();
    Arrived { mac, source: (address(26), from), destination: (address(30), to) }
}

#[test]
fn sequences_go_as_the_model_does() {
    let steps = number("LINKWAY_DIFFERENTIAL_STEPS").map_or(STEPS, |steps| steps as usize);
    let seed = Seed::new();
    let networks_a_round = steps.div_ceil(STEPS_PER_NETWORK) as u32;
    let (kernel, taken, start) = (Kernel::new(), Cell::new(0), Instant::now());
    let met = RefCell::<BTreeMap<&'static str, usize>>::default();
    // The model knows no flows that leave by an uplink.
    let networks = network().prop_map(|network| Network { uplink: false, ..network });
    let cases = (networks, prop::collection::vec(step(), STEPS_PER_NETWORK));
    let round = |number| {
        seed.run(number, networks_a_round, &cases, |(network, steps)| {
            let mut run = Run::new(&kernel, network, &met);
            for (number, step) in steps.iter().enumerate() {
                let looks = number % LOOK == LOOK - 1 || number + 1 == steps.len();
                let taken = run.take(step).and_then(|()| if looks { run.compare() } else { Ok(()) });
                taken.map_err(|error| TestCaseError::fail(format!("at step {number}: {error}")))?;
            }
            if run.model.ended > 0 {
                *met.borrow_mut().entry(ENDED).or_default() += run.model.ended;
            }
            taken.set(taken.get() + steps.len());
            Ok(())
        });
        let rate = taken.get() as f64 / start.elapsed().as_secs_f64();
        println!("{} steps, {rate:.0} a second: {:?}", taken.get(), met.borrow());
    };
    let common = [
        "Delivered",
        "FlowExpired",
        "FlowTableShare",
        "Fragment",
        "HalfOpenShare",
        "NoFlow",
        "AclIngressDenied",
        ENDED,
    ];
    meet(&common, |kind| met.borrow().contains_key(kind), round);
}
