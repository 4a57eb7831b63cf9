//! Whatever is sent: it is dropped and counted once, or answered, or delivered where the tables allow. What is
//! delivered is a packet to a parser that is not ours, and has the checksums, right or wrong, that its sender gave it.
//!
//! `$LINKWAY_NOISE`: how many frames. `$LINKWAY_SEED`: where to begin, as a failure tells.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use linkway_fabric::Reason;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::frame::Arp;
use crate::frame6::Frame6;
use crate::frames::{Change, change, is_taken, sound};
use crate::ipv6::give_ipv6;
use crate::parsed::{Parsed, checksums, parse};
use crate::seed::{Seed, meet, number};
use crate::site::{Site, set_up};
use crate::world::*;

/// For `make test`: seconds. `make fuzz` has more.
const FRAMES: usize = 10_000;

const FRAMES_A_CASE: usize = 50;

/// One frame of the sound ones, changed, from its own sender or another, for so many packets.
#[derive(Debug, Clone)]
struct Shot {
    frame: Index,
    changes: Vec<Change>,
    by: Option<u32>,
    segments: u32,
}

fn shot() -> impl Strategy<Value = Shot> {
    let changes = prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::collection::vec(change(), 1..5),
    ];
    let by = prop::option::weighted(
        0.05,
        prop::sample::select(vec![CLIENT, NEIGHBOUR, TARGET, SECOND, SERVICE, BEYOND, STRANGER]),
    );
    let segments = prop_oneof![9 => Just(0u32), 1 => 1u32..4];
    (any::<Index>(), changes, by, segments).prop_map(|(frame, changes, by, segments)| Shot {
        frame,
        changes,
        by,
        segments,
    })
}

/// What became of a frame.
enum Came {
    Dropped(Reason),
    /// A drop that was answered by RST.
    Reset,
    Answered,
    Delivered,
}

impl Came {
    fn name(&self) -> &'static str {
        match self {
            Self::Dropped(reason) => reason.name(),
            Self::Reset => "Reset",
            Self::Answered => "Answered",
            Self::Delivered => "Delivered",
        }
    }
}

/// The one reason that was counted more often, and how much.
fn counted(before: &BTreeMap<(u32, u32), u64>, after: &BTreeMap<(u32, u32), u64>) -> Vec<((u32, u32), u64)> {
    let more = |(key, count): (&(u32, u32), &u64)| (*key, count - before.get(key).unwrap_or(&0));
    after.iter().map(more).filter(|(_, count)| *count > 0).collect()
}

/// Sends a frame and judges what came of it.
fn send(world: &World, site: &mut Site, by: u32, bytes: &[u8], segments: u32) -> Result<Came, String> {
    let before = world.drops();
    let (outcome, _) = world.run(by, bytes, segments, 1);
    let counted = counted(&before, &world.drops());
    let reason = match counted[..] {
        [] => None,
        [((interface, reason), count)] => {
            let interface_of = if by == STRANGER { 0 } else { by };
            if (interface, count) != (interface_of, segments.max(1).into()) {
                return Err(format!("counted {count} times, of interface {interface}"));
            }
            Some(Reason(reason))
        }
        _ => return Err(format!("counted for several reasons: {counted:?}")),
    };
    let out = match (outcome, reason) {
        (Outcome::Dropped, None) => return Err("dropped, and not counted".into()),
        (Outcome::Dropped, Some(reason)) => return Ok(Came::Dropped(reason)),
        (Outcome::Sent(out), _) => out,
    };
    if reason.is_some() {
        return is_reset(bytes, &out).map(|()| Came::Reset);
    }
    if is_answer(bytes, &out)? {
        return Ok(Came::Answered);
    }
    let (sent, seen) = (parse(bytes)?, parse(&out)?);
    same_packet(bytes, &sent, &out, &seen)?;
    site.expects(by, &sent, &seen)?;
    Ok(Came::Delivered)
}

/// A RST that answers this segment, with right checksums.
fn is_reset(asked: &[u8], answer: &[u8]) -> Result<(), String> {
    const RST: u8 = 4;
    let (sent, seen) = (parse(asked)?, parse(answer)?);
    let turned = (sent.destination, sent.source) == (seen.source, seen.destination)
        && (sent.ports.1, sent.ports.0) == seen.ports
        && (seen.protocol, seen.fragment) == (6, None);
    let sums = checksums(answer, &seen);
    if turned
        && asked[6..12] == answer[..6]
        && answer[seen.at + 13] & RST != 0
        && sums.iter().all(|sum| sum % 0xffff == 0)
    {
        Ok(())
    } else {
        Err(format!("no RST to it: {seen:?}, {sums:?}"))
    }
}

/// The router's answer to who has an address. `false`: this is none.
fn is_answer(asked: &[u8], answer: &[u8]) -> Result<bool, String> {
    let is = |bytes: &[u8], kind: [u8; 2]| bytes[12..14] == kind;
    if is(answer, [8, 6]) {
        let (question, answer) = (Arp::read(asked), Arp::read(answer));
        let told = (answer.reply, answer.sender, answer.target, answer.destination_mac);
        let expected = (true, (ROUTER_MAC, question.target.1), question.sender, question.sender.0);
        return if told == expected { Ok(true) } else { Err(format!("{answer:?}")) };
    }
    if is(answer, [0x86, 0xdd]) && answer.len() == 86 && answer[20] == 58 && answer[54] == 136 {
        // It reads no frame whose checksum is wrong.
        let told = Frame6::read(answer);
        let right = told.source.octets() == asked[62..78]
            && answer[62..78] == asked[62..78]
            && answer[80..86] == ROUTER_MAC
            && told.destination_mac == asked[6..12];
        return if right { Ok(true) } else { Err(format!("{told:?}")) };
    }
    Ok(false)
}

/// Is what has arrived the packet that was sent, but for addresses, ports, identification and sizes of segments?
fn same_packet(sent_bytes: &[u8], sent: &Parsed, bytes: &[u8], seen: &Parsed) -> Result<(), String> {
    if (sent_bytes.len(), sent.at, sent.protocol, sent.fragment)
        != (bytes.len(), seen.at, seen.protocol, seen.fragment)
    {
        return Err(format!("another packet: {seen:?}"));
    }
    let (before, after) = (checksums(sent_bytes, sent), checksums(bytes, seen));
    if before.iter().map(|sum| sum % 0xffff).ne(after.iter().map(|sum| sum % 0xffff)) {
        return Err(format!("checksums: {before:?} became {after:?}"));
    }
    let payload = sent.payload();
    if !sent.is_error() && sent_bytes[payload..] != bytes[payload..] {
        return Err("the payload has changed".into());
    }
    Ok(())
}

#[test]
fn nothing_passes_unparsed_and_nothing_goes_where_it_may_not() {
    let frames = number("LINKWAY_NOISE").map_or(FRAMES, |frames| frames as usize);
    let seed = Seed::new();
    let world = World::with(Room::Flows(4096));
    give_ipv6(&world);
    set_up(&world);
    let sound = sound();
    let met = RefCell::<BTreeMap<&'static str, usize>>::default();
    let sent = Cell::new(0);
    let cases = prop::collection::vec(shot(), 1..2 * FRAMES_A_CASE);
    let round = |number| {
        seed.run(number, frames.div_ceil(FRAMES_A_CASE) as u32, &cases, |shots| {
            world.forget_flows();
            let mut site = Site::default();
            for (number, shot) in shots.iter().enumerate() {
                let (by, bytes) = &sound[shot.frame.index(sound.len())];
                let (by, mut bytes) = (shot.by.unwrap_or(*by), bytes.clone());
                shot.changes.iter().for_each(|change| change.apply(&mut bytes, &sound));
                if !is_taken(&bytes) {
                    continue;
                }
                let came = send(&world, &mut site, by, &bytes, shot.segments).map_err(|error| {
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    TestCaseError::fail(format!("frame {number} of {by}: {hex}\n{error}"))
                })?;
                *met.borrow_mut().entry(came.name()).or_default() += 1;
            }
            sent.set(sent.get() + shots.len());
            Ok(())
        });
        println!("{} frames: {:?}", sent.get(), met.borrow());
    };
    let kinds = [
        "Delivered",
        "Answered",
        "Reset",
        "Malformed",
        "UnsupportedProtocol",
        "Fragment",
        "NoFlow",
        "NoRoute",
        "SpoofedSource",
        "IngressDenied",
        "PrivateDestination",
        "UnknownPort",
    ];
    meet(&kinds, |kind| met.borrow().contains_key(kind), round);
}
