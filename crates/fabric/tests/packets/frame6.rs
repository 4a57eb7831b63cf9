//! The same of IPv6.

use std::net::Ipv6Addr;

use crate::frame::{Mac, Transport, checksum, part};

const ICMPV6: u8 = 58;

/// An IPv6 packet in an Ethernet frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame6 {
    pub source_mac: Mac,
    pub destination_mac: Mac,
    pub source: Ipv6Addr,
    pub destination: Ipv6Addr,
    pub hop_limit: u8,
    /// Extension headers, each with its number and all of its bytes but the first.
    pub extensions: Vec<(u8, Vec<u8>)>,
    /// An echo has ICMPv6's types.
    pub transport: Transport,
}

impl Frame6 {
    pub fn new(source: Ipv6Addr, destination: Ipv6Addr, transport: Transport) -> Self {
        let (source_mac, destination_mac) = ([0; 6], [0; 6]);
        Self {
            source_mac,
            destination_mac,
            source,
            destination,
            hop_limit: 63,
            extensions: Vec::new(),
            transport,
        }
    }

    pub fn tcp(from: (Ipv6Addr, u16), to: (Ipv6Addr, u16), flags: u8) -> Self {
        Self::new(from.0, to.0, Transport::tcp(from.1, to.1, flags))
    }

    pub fn udp(from: (Ipv6Addr, u16), to: (Ipv6Addr, u16)) -> Self {
        Self::new(from.0, to.0, Transport::udp(from.1, to.1))
    }

    pub fn echo(from: Ipv6Addr, to: Ipv6Addr, reply: bool, id: u16) -> Self {
        Self::new(from, to, Transport::Echo { reply, id, sequence: 1 })
    }

    /// A message of ICMPv6, its checksum left to be filled in.
    pub fn message(from: Ipv6Addr, to: Ipv6Addr, bytes: Vec<u8>) -> Self {
        let transport = Transport::Other { protocol: ICMPV6, bytes };
        Self { hop_limit: 255, ..Self::new(from, to, transport) }
    }

    pub fn macs(mut self, source: Mac, destination: Mac) -> Self {
        self.source_mac = source;
        self.destination_mac = destination;
        self
    }

    fn protocol(&self) -> u8 {
        if matches!(self.transport, Transport::Echo { .. }) { ICMPV6 } else { self.transport.protocol() }
    }

    /// The frame's bytes, with right checksums.
    pub fn bytes(&self) -> Vec<u8> {
        let mut transport = self.transport.bytes(|bytes| self.sum(bytes));
        if self.protocol() == ICMPV6 && transport.len() >= 4 {
            if let Transport::Echo { reply, .. } = self.transport {
                transport[0] = if reply { 129 } else { 128 };
            }
            transport[2..4].copy_from_slice(&[0, 0]);
            let sum = self.sum(&transport);
            transport[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        let numbers = self.extensions.iter().map(|(number, _)| *number).chain([self.protocol()]);
        let numbers: Vec<u8> = numbers.collect();
        let mut extensions = Vec::new();
        for ((_, bytes), next) in self.extensions.iter().zip(&numbers[1..]) {
            extensions.push(*next);
            extensions.extend(bytes);
        }
        let mut ip = vec![0x60, 0, 0, 0];
        ip.extend(((extensions.len() + transport.len()) as u16).to_be_bytes());
        ip.extend([numbers[0], self.hop_limit]);
        ip.extend(self.source.octets());
        ip.extend(self.destination.octets());
        [&self.destination_mac[..], &self.source_mac, &[0x86, 0xdd], &ip, &extensions, &transport].concat()
    }

    fn sum(&self, transport: &[u8]) -> u16 {
        let mut pseudo = [self.source.octets(), self.destination.octets()].concat();
        pseudo.extend((transport.len() as u32).to_be_bytes());
        pseudo.extend([0, 0, 0, self.protocol()]);
        checksum(&[&pseudo, transport])
    }

    /// Reads a frame without extension headers back. Panics where a length or checksum is wrong.
    pub fn read(bytes: &[u8]) -> Self {
        assert_eq!(&bytes[12..14], &[0x86, 0xdd], "not IPv6");
        assert_eq!(usize::from(u16::from_be_bytes(part(bytes, 18))), bytes.len() - 54, "payload length");
        let transport = match (bytes[20], bytes[54]) {
            (ICMPV6, 128 | 129) => Transport::Echo {
                reply: bytes[54] == 129,
                id: u16::from_be_bytes(part(bytes, 58)),
                sequence: u16::from_be_bytes(part(bytes, 60)),
            },
            (protocol, _) => Transport::read(protocol, &bytes[54..]),
        };
        let frame = Self {
            source_mac: part(bytes, 6),
            destination_mac: part(bytes, 0),
            source: Ipv6Addr::from(part::<16>(bytes, 22)),
            destination: Ipv6Addr::from(part::<16>(bytes, 38)),
            hop_limit: bytes[21],
            extensions: Vec::new(),
            transport,
        };
        assert_eq!(frame.sum(&bytes[54..]), 0, "checksum of {frame:?}");
        frame
    }
}
