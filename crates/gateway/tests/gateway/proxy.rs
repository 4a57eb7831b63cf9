//! A reader of PROXY protocol version 2, written from its specification and not from the gateway.

use std::net::SocketAddr;

/// A header.
pub(crate) struct Header {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    /// Types and values.
    pub(crate) extras: Vec<(u8, Vec<u8>)>,
    pub(crate) checksum_is_right: bool,
}

impl Header {
    pub(crate) fn value(&self, kind: u8) -> Option<&[u8]> {
        self.extras.iter().find(|(of, _)| *of == kind).map(|(_, value)| &value[..])
    }
}

/// Reads the header of TCP over IPv4 at the beginning of what a target gets; returns also what follows it.
pub(crate) fn parse(bytes: &[u8]) -> (Header, &[u8]) {
    assert_eq!(bytes[..12], [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]);
    assert_eq!(bytes[12..14], [0x21, 0x11], "version 2, PROXY, TCP over IPv4");
    let number = |at: usize| usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1]);
    let end = 16 + number(14);
    let address = |address: usize, port: usize| {
        let octets: [u8; 4] = bytes[address..address + 4].try_into().unwrap();
        SocketAddr::from((octets, number(port) as u16))
    };
    let (mut extras, mut at, mut zeroed) = (Vec::new(), 28, bytes[..end].to_vec());
    while at < end {
        let (kind, value) = (bytes[at], at + 3..at + 3 + number(at + 1));
        if kind == 3 {
            zeroed[value.clone()].fill(0);
        }
        extras.push((kind, bytes[value.clone()].to_vec()));
        at = value.end;
    }
    assert_eq!(at, end);
    let claimed = extras.iter().find(|(kind, _)| *kind == 3).map(|(_, value)| &value[..]);
    let checksum_is_right = claimed == Some(&crc32c(&zeroed).to_be_bytes());
    let header = Header { source: address(16, 24), destination: address(20, 26), extras, checksum_is_right };
    (header, &bytes[end..])
}

/// By long division of the reflected message, a bit at a time.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut remainder: u32 = 0xFFFF_FFFF;
    for byte in bytes {
        for bit in 0..8 {
            let carry = (remainder >> 31) as u8 ^ (byte >> bit & 1);
            remainder <<= 1;
            if carry == 1 {
                remainder ^= 0x1EDC_6F41;
            }
        }
    }
    !remainder.reverse_bits()
}
