//! Frames as workloads send them: built from what matters, and read back with every checksum recomputed.

use std::net::Ipv4Addr;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

pub type Mac = [u8; 6];

/// What follows the IPv4 header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    Tcp {
        source: u16,
        destination: u16,
        flags: u8,
        sequence: u32,
        acknowledgment: u32,
        /// A multiple of four bytes.
        options: Vec<u8>,
        payload: Vec<u8>,
    },
    /// `checksum: false`: the field is 0, "none".
    Udp {
        source: u16,
        destination: u16,
        checksum: bool,
        payload: Vec<u8>,
    },
    Echo {
        reply: bool,
        id: u16,
        sequence: u16,
    },
    Other {
        protocol: u8,
        bytes: Vec<u8>,
    },
}

impl Transport {
    pub fn tcp(source: u16, destination: u16, flags: u8) -> Self {
        let acknowledgment = if flags & ACK == 0 { 0 } else { 7000 };
        let (options, payload) = (Vec::new(), Vec::new());
        Self::Tcp { source, destination, flags, sequence: 1000, acknowledgment, options, payload }
    }

    pub fn udp(source: u16, destination: u16) -> Self {
        Self::Udp { source, destination, checksum: true, payload: b"odd bytes".to_vec() }
    }

    /// Its number in an IPv4 header.
    pub fn protocol(&self) -> u8 {
        match self {
            Self::Tcp { .. } => 6,
            Self::Udp { .. } => 17,
            Self::Echo { .. } => 1,
            Self::Other { protocol, .. } => *protocol,
        }
    }

    /// Its bytes. `sum` is their checksum, with what else the family counts in.
    pub fn bytes(&self, sum: impl Fn(&[u8]) -> u16) -> Vec<u8> {
        match self {
            Self::Tcp { source, destination, flags, sequence, acknowledgment, options, payload } => {
                let mut tcp = [source.to_be_bytes(), destination.to_be_bytes()].concat();
                tcp.extend(sequence.to_be_bytes());
                tcp.extend(acknowledgment.to_be_bytes());
                let offset = ((20 + options.len()) / 4) as u8;
                tcp.extend([offset << 4, *flags, 0x10, 0, 0, 0, 0, 0]);
                tcp.extend(options);
                tcp.extend(payload);
                let sum = sum(&tcp);
                tcp[16..18].copy_from_slice(&sum.to_be_bytes());
                tcp
            }
            Self::Udp { source, destination, checksum, payload } => {
                let mut udp = [source.to_be_bytes(), destination.to_be_bytes()].concat();
                udp.extend((8 + payload.len() as u16).to_be_bytes());
                udp.extend([0, 0]);
                udp.extend(payload);
                if *checksum {
                    let sum = sum(&udp);
                    udp[6..8].copy_from_slice(&(if sum == 0 { 0xffff } else { sum }).to_be_bytes());
                }
                udp
            }
            Self::Echo { reply, id, sequence } => {
                let mut icmp = vec![if *reply { 0 } else { 8 }, 0, 0, 0];
                icmp.extend(id.to_be_bytes());
                icmp.extend(sequence.to_be_bytes());
                let sum = sum(&icmp);
                icmp[2..4].copy_from_slice(&sum.to_be_bytes());
                icmp
            }
            Self::Other { bytes, .. } => bytes.clone(),
        }
    }

    /// What the bytes are, by their number in an IPv4 header.
    pub fn read(protocol: u8, bytes: &[u8]) -> Self {
        let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let long = |at: usize| u32::from_be_bytes(part(bytes, at));
        let offset = usize::from(bytes.get(12).map_or(0, |byte| byte >> 4)) * 4;
        match protocol {
            6 => Self::Tcp {
                source: number(0),
                destination: number(2),
                flags: bytes[13],
                sequence: long(4),
                acknowledgment: long(8),
                options: bytes[20..offset].to_vec(),
                payload: bytes[offset..].to_vec(),
            },
            17 => Self::Udp {
                source: number(0),
                destination: number(2),
                checksum: number(6) != 0,
                payload: bytes[8..].to_vec(),
            },
            1 if matches!(bytes[0], 0 | 8) => {
                Self::Echo { reply: bytes[0] == 0, id: number(4), sequence: number(6) }
            }
            protocol => Self::Other { protocol, bytes: bytes.to_vec() },
        }
    }
}

/// An IPv4 packet in an Ethernet frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub source_mac: Mac,
    pub destination_mac: Mac,
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    pub ttl: u8,
    /// Flags and offset of a fragment, as in the header.
    pub fragment: u16,
    /// IPv4 options, a multiple of four bytes.
    pub options: Vec<u8>,
    pub transport: Transport,
}

impl Frame {
    pub fn tcp(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), flags: u8) -> Self {
        Self::new(from.0, to.0, Transport::tcp(from.1, to.1, flags))
    }

    pub fn udp(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16)) -> Self {
        Self::new(from.0, to.0, Transport::udp(from.1, to.1))
    }

    pub fn echo(from: Ipv4Addr, to: Ipv4Addr, reply: bool, id: u16) -> Self {
        Self::new(from, to, Transport::Echo { reply, id, sequence: 1 })
    }

    pub fn new(source: Ipv4Addr, destination: Ipv4Addr, transport: Transport) -> Self {
        Self {
            source_mac: [0; 6],
            destination_mac: [0; 6],
            source,
            destination,
            ttl: 63,
            fragment: 0x4000,
            options: Vec::new(),
            transport,
        }
    }

    pub fn macs(mut self, source: Mac, destination: Mac) -> Self {
        self.source_mac = source;
        self.destination_mac = destination;
        self
    }

    pub fn payload(mut self, bytes: &[u8]) -> Self {
        match &mut self.transport {
            Transport::Tcp { payload, .. } | Transport::Udp { payload, .. } => *payload = bytes.to_vec(),
            _ => panic!("no payload in {:?}", self.transport),
        }
        self
    }

    pub fn tcp_options(mut self, bytes: &[u8]) -> Self {
        let Transport::Tcp { options, .. } = &mut self.transport else {
            panic!("no options in {:?}", self.transport)
        };
        *options = bytes.to_vec();
        self
    }

    /// The frame's bytes, with right checksums.
    pub fn bytes(&self) -> Vec<u8> {
        let transport = self.transport_bytes();
        let header = 20 + self.options.len();
        let mut ip = vec![0x40 | (header / 4) as u8, 0];
        ip.extend(((header + transport.len()) as u16).to_be_bytes());
        ip.extend([0x12, 0x34]);
        ip.extend(self.fragment.to_be_bytes());
        ip.extend([self.ttl, self.transport.protocol(), 0, 0]);
        ip.extend(self.source.octets());
        ip.extend(self.destination.octets());
        ip.extend(&self.options);
        let sum = checksum(&[&ip]);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        [&self.destination_mac[..], &self.source_mac, &[8, 0], &ip, &transport].concat()
    }

    /// One fragment of the frame: bytes `from` to `to` of what follows its IPv4 header.
    pub fn part(&self, id: u16, from: usize, to: usize) -> Vec<u8> {
        let whole = self.bytes();
        let header = 34 + self.options.len();
        let more = if header + to == whole.len() { 0 } else { 0x2000 };
        let mut bytes = [&whole[..header], &whole[header + from..header + to]].concat();
        let length = (bytes.len() - 14) as u16;
        bytes[16..18].copy_from_slice(&length.to_be_bytes());
        bytes[18..20].copy_from_slice(&id.to_be_bytes());
        bytes[20..22].copy_from_slice(&((from / 8) as u16 | more).to_be_bytes());
        bytes[24..26].copy_from_slice(&[0, 0]);
        let sum = checksum(&[&bytes[14..header]]);
        bytes[24..26].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    fn transport_bytes(&self) -> Vec<u8> {
        self.transport.bytes(|bytes| match self.transport {
            Transport::Echo { .. } => checksum(&[bytes]),
            _ => self.sum(bytes),
        })
    }

    fn sum(&self, transport: &[u8]) -> u16 {
        let mut pseudo = [self.source.octets(), self.destination.octets()].concat();
        pseudo.extend([0, self.transport.protocol()]);
        pseudo.extend((transport.len() as u16).to_be_bytes());
        checksum(&[&pseudo, transport])
    }

    /// Reads a frame back. Panics where a length or checksum is wrong.
    pub fn read(bytes: &[u8]) -> Self {
        let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let long = |at: usize| u32::from_be_bytes(part(bytes, at));
        let four = |at: usize| Ipv4Addr::from(long(at));
        assert_eq!(number(12), 0x0800, "not IPv4");
        let header = usize::from(bytes[14] & 15) * 4;
        assert_eq!(usize::from(number(16)), bytes.len() - 14, "IPv4 total length");
        let at = 14 + header;
        let transport = Transport::read(bytes[23], &bytes[at..]);
        let frame = Self {
            source_mac: part(bytes, 6),
            destination_mac: part(bytes, 0),
            source: four(26),
            destination: four(30),
            ttl: bytes[22],
            fragment: number(20),
            options: bytes[34..at].to_vec(),
            transport,
        };
        assert_eq!(checksum(&[&bytes[14..at]]), 0, "IPv4 checksum of {frame:?}");
        match &frame.transport {
            Transport::Tcp { .. } => assert_eq!(frame.sum(&bytes[at..]), 0, "TCP checksum of {frame:?}"),
            Transport::Udp { checksum: true, .. } => {
                assert_eq!(frame.sum(&bytes[at..]), 0, "UDP checksum of {frame:?}");
            }
            Transport::Echo { .. } => assert_eq!(checksum(&[&bytes[at..]]), 0, "ICMP checksum of {frame:?}"),
            _ => {}
        }
        frame
    }
}

/// Some bytes from there on.
pub fn part<const LENGTH: usize>(bytes: &[u8], at: usize) -> [u8; LENGTH] {
    bytes[at..at + LENGTH].try_into().expect("a slice of that length")
}

/// The Internet checksum (RFC 1071) of the parts, each but the last of even length.
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u64;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u64::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// An ARP packet in its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arp {
    pub source_mac: Mac,
    pub destination_mac: Mac,
    pub reply: bool,
    pub sender: (Mac, Ipv4Addr),
    pub target: (Mac, Ipv4Addr),
}

impl Arp {
    pub fn request(sender: (Mac, Ipv4Addr), target: Ipv4Addr) -> Self {
        Self {
            source_mac: sender.0,
            destination_mac: [0xff; 6],
            reply: false,
            sender,
            target: ([0; 6], target),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        [
            &self.destination_mac[..],
            &self.source_mac,
            &[8, 6, 0, 1, 8, 0, 6, 4, 0, if self.reply { 2 } else { 1 }],
            &self.sender.0,
            &self.sender.1.octets(),
            &self.target.0,
            &self.target.1.octets(),
        ]
        .concat()
    }

    pub fn read(bytes: &[u8]) -> Self {
        assert_eq!(&bytes[12..20], &[8, 6, 0, 1, 8, 0, 6, 4], "not ARP for IPv4 on Ethernet");
        let mac = |at: usize| -> Mac { part(bytes, at) };
        let ip = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
        Self {
            source_mac: mac(6),
            destination_mac: mac(0),
            reply: bytes[21] == 2,
            sender: (mac(22), ip(28)),
            target: (mac(32), ip(38)),
        }
    }
}
