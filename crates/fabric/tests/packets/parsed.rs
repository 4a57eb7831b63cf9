//! What a frame is to a parser that is not ours, and its checksums.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

use crate::frame::{Mac, part};

/// An IP packet in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The receiver's and the sender's.
    pub macs: (Mac, Mac),
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    /// Source and destination. An echo has one, at who asks; there are none of later fragments and of errors.
    pub ports: (u16, u16),
    /// In units of 8 bytes, and whether more come.
    pub fragment: Option<(u16, bool)>,
    /// Where in the frame the transport header begins.
    pub at: usize,
    /// Bytes of the packet from there on.
    pub left: usize,
    /// How long the transport header is.
    header: usize,
    /// ICMP's; 255 of others.
    kind: u8,
    /// Of an error: the packet that it is about, behind 14 bytes as a frame has.
    pub inside: Vec<u8>,
}

impl Parsed {
    /// Where in the frame the payload begins.
    pub fn payload(&self) -> usize {
        self.at + self.header
    }

    /// Is it about another packet?
    pub fn is_error(&self) -> bool {
        match self.protocol {
            1 => matches!(self.kind, 3 | 11 | 12),
            58 => matches!(self.kind, 1..=4),
            _ => false,
        }
    }
}

fn number(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(part(bytes, at))
}

/// Reads a frame. What is not sound is an error.
pub fn parse(bytes: &[u8]) -> Result<Parsed, String> {
    let packet = SlicedPacket::from_ethernet(bytes).map_err(|error| format!("not parsed: {error}"))?;
    if packet.vlan().is_some() {
        return Err("a VLAN's".into());
    }
    let payload = packet.ip_payload().ok_or("no IP packet")?;
    let at = payload.payload.as_ptr().addr() - bytes.as_ptr().addr();
    let left = payload.payload.len();
    let (source, destination, offset) = match &packet.net {
        Some(NetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let offset = (header.fragments_offset().value(), header.more_fragments());
            (header.source_addr().into(), header.destination_addr().into(), offset)
        }
        Some(NetSlice::Ipv6(ip)) => {
            let header = ip.header();
            let field = if payload.fragmented { number(bytes, at - 6) } else { 0 };
            (
                IpAddr::from(header.source_addr()),
                header.destination_addr().into(),
                (field >> 3, field & 1 == 1),
            )
        }
        other => return Err(format!("not IP: {other:?}")),
    };
    let fragment = payload.fragmented.then_some(offset);
    let protocol = payload.ip_number.0;
    let (ports, header, kind) = match (packet.transport, fragment) {
        (Some(TransportSlice::Tcp(tcp)), _) => {
            ((tcp.source_port(), tcp.destination_port()), tcp.slice().len() - tcp.payload().len(), 255)
        }
        (Some(TransportSlice::Udp(udp)), _) => ((udp.source_port(), udp.destination_port()), 8, 255),
        (Some(TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_)), _) => {
            (ports_of_icmp(protocol, bytes, at), 8, bytes[at])
        }
        // Nothing but addresses says where it belongs.
        (None, Some((1.., _))) => ((0, 0), 0, 255),
        (None, Some(_)) if matches!(protocol, 6 | 17) && left >= 8 => {
            ((number(bytes, at), number(bytes, at + 2)), if protocol == 6 { 20 } else { 8 }, 255)
        }
        (None, Some(_)) if matches!(protocol, 1 | 58) && left >= 8 => {
            (ports_of_icmp(protocol, bytes, at), 8, bytes[at])
        }
        (other, _) => return Err(format!("no transport header that is known: {other:?}")),
    };
    let inside = bytes[..14].iter().chain(&bytes[(at + 8).min(at + left)..at + left]).copied().collect();
    let macs = (part(bytes, 0), part(bytes, 6));
    Ok(Parsed { macs, source, destination, protocol, ports, fragment, at, left, header, kind, inside })
}

fn ports_of_icmp(protocol: u8, bytes: &[u8], at: usize) -> (u16, u16) {
    match (protocol, bytes[at]) {
        (1, 8) | (58, 128) => (number(bytes, at + 4), 0),
        (1, 0) | (58, 129) => (0, number(bytes, at + 4)),
        _ => (0, 0),
    }
}

/// The packet inside of an error, of which there may be only the first bytes: addresses, protocol and ports.
pub fn quoted(bytes: &[u8]) -> (IpAddr, IpAddr, u8, (u16, u16)) {
    let (source, destination, protocol, at): (IpAddr, IpAddr, _, _) = if bytes[12] == 8 {
        let [source, destination] = [26, 30].map(|at| Ipv4Addr::from(part::<4>(bytes, at)).into());
        (source, destination, bytes[23], 14 + usize::from(bytes[14] & 15) * 4)
    } else {
        let [source, destination] = [22, 38].map(|at| Ipv6Addr::from(part::<16>(bytes, at)).into());
        (source, destination, bytes[20], 54)
    };
    let ports = match protocol {
        1 | 58 => ports_of_icmp(protocol, bytes, at),
        _ => (number(bytes, at), number(bytes, at + 2)),
    };
    (source, destination, protocol, ports)
}

/// Sums that are a multiple of 0xffff where the checksum is right: of IPv4's header, and of what the transport's
/// checksum is about, as far as it is here. However addresses and ports change, what is over stays the same, unless
/// there is no checksum: of UDP, 0 says so.
pub fn checksums(bytes: &[u8], packet: &Parsed) -> Vec<u64> {
    let sum = |bytes: &[u8]| -> u64 {
        bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0))).sum()
    };
    let mut sums = Vec::new();
    let addresses = if packet.source.is_ipv4() {
        sums.push(sum(&bytes[14..14 + usize::from(bytes[14] & 15) * 4]));
        &bytes[26..34]
    } else {
        &bytes[22..54]
    };
    let body = &bytes[packet.at..packet.at + packet.left];
    if packet.fragment.is_some_and(|(offset, _)| offset > 0) {
        return sums;
    }
    if packet.protocol == 17 && body[6..8] == [0, 0] {
        sums.push(0);
        return sums;
    }
    let pseudo = if packet.protocol == 1 {
        0
    } else {
        sum(addresses) + u64::from(packet.protocol) + packet.left as u64
    };
    sums.push(pseudo + sum(body));
    sums
}
