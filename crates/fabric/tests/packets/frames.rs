//! Frames to begin with, and what may be done to them: for `noise.rs`.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::fragments::part_of6;
use crate::frame::{ACK, Arp, FIN, Frame, PSH, RST, SYN, Transport, checksum};
use crate::frame6::Frame6;
use crate::ipv6::{
    AWS_IP6, CLIENT_IP6, ENDPOINT_IP6, NEIGHBOUR_IP6, NODE_IP6, RESOLVER_IP6, TARGET_IP6, service,
};
use crate::world::*;

/// Outside of any VPC.
pub const FAR_IP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);

const MORE: u16 = 0x2000;

/// Bytes of the shortest frame.
const LEAST: usize = 15;

/// Sound frames, each with who sends it: what opens flows, what answers, and what is about them.
pub fn sound() -> Vec<(u32, Vec<u8>)> {
    let mut all = Vec::new();
    let mut add = |by: u32, frame: Frame| all.push((by, frame.macs(mac(by), ROUTER_MAC).bytes()));
    let segment_size = [2, 4, 0x22, 0xb8, 1, 1, 1, 0];
    // There, by whom, and what answers it.
    for (by, from, to, at, back) in [
        (CLIENT, CLIENT_IP, (NEIGHBOUR_IP, 80), NEIGHBOUR, ((NEIGHBOUR_IP, 80), CLIENT_IP)),
        (CLIENT, CLIENT_IP, (ENDPOINT_IP, 444), TARGET, ((TARGET_IP, 8443), NODE_IP)),
        (CLIENT, CLIENT_IP, (AWS_IP, 443), SERVICE, ((SERVICE_AWS_IP, 443), SERVICE_CLIENT_IP)),
        (CLIENT, CLIENT_IP, (METADATA_IP, 80), SERVICE, ((SERVICE_METADATA_IP, 80), SERVICE_CLIENT_IP)),
        (CLIENT, CLIENT_IP, (FAR_IP, 443), BEYOND, ((FAR_IP, 443), UPLINK_IP)),
        (SERVICE, SERVICE_IP, (PROBE_IP, 8443), TARGET, ((TARGET_IP, 8443), NODE_IP)),
    ] {
        add(by, Frame::tcp((from, 40000), to, SYN).tcp_options(&segment_size));
        add(at, Frame::tcp(back.0, (back.1, 40000), SYN | ACK).tcp_options(&segment_size));
        add(by, Frame::tcp((from, 40000), to, ACK | PSH).payload(b"some bytes of a stream"));
        add(at, Frame::tcp(back.0, (back.1, 40000), ACK | PSH).payload(b"others"));
        add(by, Frame::tcp((from, 40000), to, FIN | ACK));
        add(at, Frame::tcp(back.0, (back.1, 40000), RST));
    }
    for (by, from, to, at, back) in [
        (CLIENT, CLIENT_IP, (NEIGHBOUR_IP, 5000), NEIGHBOUR, ((NEIGHBOUR_IP, 5000), CLIENT_IP)),
        (CLIENT, CLIENT_IP, (ENDPOINT_IP, 444), TARGET, ((TARGET_IP, 8443), NODE_IP)),
        (CLIENT, CLIENT_IP, (RESOLVER_IP, 53), SERVICE, ((SERVICE_RESOLVER_IP, 53), SERVICE_CLIENT_IP)),
        (CLIENT, CLIENT_IP, (FAR_IP, 53), BEYOND, ((FAR_IP, 53), UPLINK_IP)),
    ] {
        let there = Frame::udp((from, 40000), to);
        let answer = Frame::udp(back.0, (back.1, 40000));
        add(by, there.clone());
        add(at, answer.clone());
        add(at, port_unreachable(back.0.0, &Frame::udp((back.1, 40000), back.0)));
        add(by, port_unreachable(from, &Frame::udp(to, (from, 40000))));
        add(by, Frame { options: vec![7, 7, 4, 0, 0, 0, 0, 0], ..there });
    }
    add(CLIENT, Frame::echo(CLIENT_IP, NEIGHBOUR_IP, false, 7));
    add(NEIGHBOUR, Frame::echo(NEIGHBOUR_IP, CLIENT_IP, true, 7));
    add(CLIENT, Frame::echo(CLIENT_IP, FAR_IP, false, 9));
    add(BEYOND, Frame::echo(FAR_IP, UPLINK_IP, true, 9));
    for (from, to) in [((CLIENT_IP, 41000), (NEIGHBOUR_IP, 5000)), ((CLIENT_IP, 41000), (ENDPOINT_IP, 444))] {
        let long =
            Frame { fragment: 0, ..Frame::udp(from, to) }.payload(&[7; 41]).macs(mac(CLIENT), ROUTER_MAC);
        all.extend([(CLIENT, long.part(77, 0, 24)), (CLIENT, long.part(77, 24, 49))]);
    }
    all.push((CLIENT, Arp::request((mac(CLIENT), CLIENT_IP), NEIGHBOUR_IP).bytes()));
    all.extend(sound6());
    all
}

/// Those of IPv6.
fn sound6() -> Vec<(u32, Vec<u8>)> {
    let mut all = Vec::new();
    let mut add = |by: u32, frame: Frame6| all.push((by, frame.macs(mac(by), ROUTER_MAC).bytes()));
    let gateway = (service(SERVICE_AWS_IP), service(SERVICE_CLIENT_IP));
    let resolver = (service(SERVICE_RESOLVER_IP), service(SERVICE_CLIENT_IP));
    for (to, at, back) in [
        ((NEIGHBOUR_IP6, 80), NEIGHBOUR, ((NEIGHBOUR_IP6, 80), CLIENT_IP6)),
        ((ENDPOINT_IP6, 443), TARGET, ((TARGET_IP6, 8443), NODE_IP6)),
        ((AWS_IP6, 443), SERVICE, ((gateway.0, 443), gateway.1)),
    ] {
        add(CLIENT, Frame6::tcp((CLIENT_IP6, 40000), to, SYN));
        add(at, Frame6::tcp(back.0, (back.1, 40000), SYN | ACK));
        add(CLIENT, Frame6::tcp((CLIENT_IP6, 40000), to, FIN | ACK));
    }
    for (to, at, back) in [
        ((NEIGHBOUR_IP6, 5000), NEIGHBOUR, ((NEIGHBOUR_IP6, 5000), CLIENT_IP6)),
        ((ENDPOINT_IP6, 443), TARGET, ((TARGET_IP6, 8443), NODE_IP6)),
        ((RESOLVER_IP6, 53), SERVICE, ((resolver.0, 53), resolver.1)),
    ] {
        let there = Frame6::udp((CLIENT_IP6, 40000), to);
        let about = Frame6::udp((back.1, 40000), back.0);
        add(CLIENT, there.clone());
        add(at, Frame6::udp(back.0, (back.1, 40000)));
        let error = [&[1, 4, 0, 0, 0, 0, 0, 0], &about.bytes()[14..]].concat();
        add(at, Frame6 { hop_limit: 64, ..Frame6::message(back.0.0, back.1, error) });
        let options = |number| (number, vec![0, 1, 4, 0, 0, 0, 0]);
        add(CLIENT, Frame6 { extensions: vec![options(0), options(60)], ..there.clone() });
    }
    add(CLIENT, Frame6::echo(CLIENT_IP6, NEIGHBOUR_IP6, false, 7));
    add(NEIGHBOUR, Frame6::echo(NEIGHBOUR_IP6, CLIENT_IP6, true, 7));
    let mut question = vec![135, 0, 0, 0, 0, 0, 0, 0];
    question.extend(NEIGHBOUR_IP6.octets());
    question.extend([1, 1]);
    question.extend(mac(CLIENT));
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0x20);
    add(CLIENT, Frame6::message(CLIENT_IP6, group, question));
    for to in [(NEIGHBOUR_IP6, 5000), (ENDPOINT_IP6, 443)] {
        let long = Frame6::udp((CLIENT_IP6, 41000), to).macs(mac(CLIENT), ROUTER_MAC);
        let long = Frame6 {
            transport: Transport::Udp {
                source: 41000,
                destination: to.1,
                checksum: true,
                payload: vec![7; 41],
            },
            ..long
        };
        all.extend([(0, 24), (24, 49), (0, 49)].map(|(from, to)| (CLIENT, part_of6(&long, 77, from, to))));
    }
    all
}

fn port_unreachable(from: Ipv4Addr, about: &Frame) -> Frame {
    let mut bytes = [&[3, 3, 0, 0, 0, 0, 0, 0], &about.bytes()[14..]].concat();
    let sum = checksum(&[&bytes]);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    Frame { fragment: 0, ..Frame::new(from, about.source, Transport::Other { protocol: 1, bytes }) }
}

/// Whether `BPF_PROG_TEST_RUN` takes a frame: newer kernels want IP's header to be there. `tests/test_isolation.py` sends
/// shorter ones, too.
pub fn is_taken(bytes: &[u8]) -> bool {
    match bytes[12..14] {
        [8, 0] => bytes.len() >= 34,
        [0x86, 0xdd] => bytes.len() >= 54,
        _ => true,
    }
}

/// What is done to a frame.
#[derive(Debug, Clone)]
pub enum Change {
    Byte(Index, u8),
    /// A number's two bytes.
    Word(usize, u16),
    Bit(Index, u8),
    Cut(Index),
    Append(Vec<u8>),
    /// A tag of this kind behind the MACs.
    Tag(u16, u16),
    /// An extension header of IPv6 before the rest, with so many units of 8 bytes, or that says that it has.
    Extension(u8, u8, usize, u8),
    /// Options of IPv4.
    Options(Vec<u8>),
    /// From there on it is another frame.
    Rest(Index, Index),
    /// The packet's length becomes what there is.
    Length,
}

pub fn change() -> impl Strategy<Value = Change> {
    let numbers = || {
        select(vec![0, 1, 7, 8, 20, 39, 40, 53, 80, 443, 1500, 0x1fff, MORE, 0x3fff, 0x7fff, 0x8000, 0xffff])
    };
    let kinds = || select(vec![0u8, 1, 6, 17, 43, 44, 50, 51, 58, 59, 60, 135, 255]);
    prop_oneof![
        4 => (any::<Index>(), prop_oneof![any::<u8>(), kinds()]).prop_map(|(at, byte)| Change::Byte(at, byte)),
        4 => (12usize..100, prop_oneof![numbers(), any::<u16>()]).prop_map(|(at, word)| Change::Word(at, word)),
        4 => (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Change::Bit(at, bit)),
        3 => any::<Index>().prop_map(Change::Cut),
        1 => prop::collection::vec(any::<u8>(), 0..80).prop_map(Change::Append),
        1 => (select(vec![0x8100, 0x88a8, 0x9100]), any::<u16>()).prop_map(|(kind, tag)| Change::Tag(kind, tag)),
        3 => (kinds(), any::<u8>(), 1usize..5, any::<u8>()).prop_map(|(kind, says, units, fill)| {
            Change::Extension(kind, if says < 200 { units as u8 - 1 } else { says }, units, fill)
        }),
        2 => prop::collection::vec(any::<u32>(), 1..11).prop_map(|words| {
            Change::Options(words.into_iter().flat_map(u32::to_be_bytes).collect())
        }),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(other, at)| Change::Rest(other, at)),
        4 => Just(Change::Length),
    ]
}

impl Change {
    /// Frames stay as long as the kernel takes any: it wants more than the 14 bytes of Ethernet.
    pub fn apply(&self, bytes: &mut Vec<u8>, sound: &[(u32, Vec<u8>)]) {
        let length = bytes.len();
        match self {
            Self::Byte(at, byte) => bytes[at.index(length)] = *byte,
            Self::Bit(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Word(at, word) if at + 1 < length => {
                bytes[*at..at + 2].copy_from_slice(&word.to_be_bytes());
            }
            Self::Cut(at) => bytes.truncate(LEAST + at.index(length - LEAST + 1)),
            Self::Append(more) => bytes.extend(more),
            Self::Tag(kind, tag) => {
                bytes.splice(12..12, kind.to_be_bytes().into_iter().chain(tag.to_be_bytes()));
            }
            Self::Extension(kind, says, units, fill) if length >= 54 && bytes[12] == 0x86 => {
                let mut header = vec![*fill; units * 8];
                (header[0], header[1]) = (bytes[20], *says);
                bytes[20] = *kind;
                bytes.splice(54..54, header);
                Self::Length.apply(bytes, sound);
            }
            Self::Options(options) if length >= 34 && bytes[12] == 8 && bytes[14] == 0x45 => {
                bytes.splice(34..34, options.iter().copied());
                bytes[14] = 0x45 + (options.len() / 4) as u8;
                Self::Length.apply(bytes, sound);
            }
            Self::Rest(other, at) => {
                let (_, other) = &sound[other.index(sound.len())];
                let at = at.index(length.min(other.len()));
                bytes.truncate(at.max(LEAST));
                bytes.extend(&other[at.max(LEAST)..]);
            }
            Self::Length if length >= 54 && bytes[12] == 0x86 => {
                bytes[18..20].copy_from_slice(&((length - 54) as u16).to_be_bytes());
            }
            Self::Length if length >= 34 && bytes[12] == 8 => {
                bytes[16..18].copy_from_slice(&((length - 14) as u16).to_be_bytes());
            }
            Self::Word(..) | Self::Extension(..) | Self::Options(..) | Self::Length => {}
        }
    }
}
