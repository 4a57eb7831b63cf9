//! The header of PROXY protocol version 2, as a Network Load Balancer sends it: it tells a target where a connection
//! comes from, and through which endpoint.
//!
//! Source: "The PROXY protocol", section 2.2, of HAProxy; for 0xEA, "Target groups for your Network Load Balancers" in
//! AWS's user guide of Network Load Balancers; for order and padding, the captures in
//! `aws/elastic-load-balancing-tools`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use linkway_model::id::VpcEndpointId;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2, for a connection on another's behalf.
const PROXY: u8 = 0x21;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

/// A checksum over the whole header, computed with zeros in its place.
const CRC32C: u8 = 0x03;
const PADDING: u8 = 0x04;
const AWS: u8 = 0xEA;
const AWS_VPC_ENDPOINT: u8 = 0x01;

/// The bytes after the addresses, padding and all.
const EXTRAS: usize = 72;

/// The header of a connection from `source` to `destination`, as the client sees both.
pub fn encode(source: SocketAddr, destination: SocketAddr, endpoint: Option<&VpcEndpointId>) -> Vec<u8> {
    let mut header = Vec::with_capacity(128);
    header.extend_from_slice(SIGNATURE);
    header.push(PROXY);
    let (family, addresses) = match (source.ip(), destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            (TCP4, [source.octets(), destination.octets()].concat())
        }
        // Both are of one family: an address of the other is mapped.
        (source, destination) => (TCP6, [mapped(source).octets(), mapped(destination).octets()].concat()),
    };
    header.push(family);
    let length = addresses.len() + 4 + EXTRAS;
    header.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    header.extend_from_slice(&addresses);
    header.extend_from_slice(&source.port().to_be_bytes());
    header.extend_from_slice(&destination.port().to_be_bytes());

    let end = header.len() + EXTRAS;
    add(&mut header, CRC32C, &[0; 4]);
    let checksum = header.len() - 4..header.len();
    if let Some(endpoint) = endpoint {
        add(&mut header, AWS, &[&[AWS_VPC_ENDPOINT], endpoint.as_str().as_bytes()].concat());
    }
    let padding = vec![0; end - header.len() - 3];
    add(&mut header, PADDING, &padding);
    let sum = crc32c(&header).to_be_bytes();
    header[checksum].copy_from_slice(&sum);
    header
}

/// Adds a type, a length and a value.
fn add(header: &mut Vec<u8>, kind: u8, value: &[u8]) {
    header.push(kind);
    header.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    header.extend_from_slice(value);
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// Source: RFC 9260, appendix A.
fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82F6_3B78;
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (POLYNOMIAL & (sum & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers that Network Load Balancers sent, from `aws/elastic-load-balancing-tools` and `pires/go-proxyproto`.
    #[test]
    fn it_is_what_a_network_load_balancer_sends() {
        for (source, destination, endpoint, sum) in [
            ("172.31.7.113:51442", "172.31.10.31:80", "vpce-08d2bf15fac5001c9", 0xE8D6_892D_u32),
            ("192.168.44.10:52286", "192.168.44.7:9243", "vpce-00eafc458ec97b833", 0xB928_6FA6),
        ] {
            let (source, destination): (SocketAddr, SocketAddr) =
                (source.parse().unwrap(), destination.parse().unwrap());
            let header = encode(source, destination, Some(&endpoint.parse().unwrap()));
            let mut expected = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x54".to_vec();
            for address in [source, destination] {
                let IpAddr::V4(address) = address.ip() else { unreachable!() };
                expected.extend(address.octets());
            }
            expected.extend([source.port(), destination.port()].map(u16::to_be_bytes).concat());
            expected.extend(b"\x03\0\x04");
            expected.extend(sum.to_be_bytes());
            expected.extend(b"\xea\0\x17\x01");
            expected.extend(endpoint.as_bytes());
            expected.extend(b"\x04\0\x24");
            expected.extend([0; 36]);
            assert_eq!(header, expected);
        }
    }

    #[test]
    fn families_are_not_mixed() {
        let header = encode("10.0.0.1:1".parse().unwrap(), "[2001:db8::1]:2".parse().unwrap(), None);
        assert_eq!(header[13], TCP6);
        assert_eq!(header.len(), 16 + 36 + EXTRAS);
        assert_eq!(header[16..32], "::ffff:10.0.0.1".parse::<Ipv6Addr>().unwrap().octets());
    }
}
