//! What the gateway reads, and writes, besides HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use linkway_gateway::fuzzing::{self, Hello, is_aws_chunked};
use linkway_model::{Timestamp, VpcEndpointId};
use linkway_wire::sigv4::{ChunkSignatures, Request, Secret, begin};
use sha2::{Digest as _, Sha256};

/// Longer than this no beginning is waited for.
const LONGEST_HELLO: usize = 16 << 10;

/// Reads the beginning of a connection. What can be read of it before all is there must not change later.
pub fn client_hello(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(LONGEST_HELLO - 1)];
    let whole = fuzzing::client_hello(bytes);
    // At most so many beginnings, or it takes too long.
    for end in (0..bytes.len()).step_by(bytes.len() / 16 + 1) {
        match fuzzing::client_hello(&bytes[..end]) {
            Ok(Hello::Incomplete) => {}
            early => assert_eq!(early, whole, "after {end} bytes"),
        }
    }
}

/// Makes the header for two addresses and ports, of an endpoint's connection if more bytes follow, and reads it as
/// a target does: it must be as long as it says, and so must all that is in it.
pub fn proxy_header(bytes: &[u8]) {
    let Some((source, rest)) = address(bytes) else { return };
    let Some((destination, rest)) = address(rest) else { return };
    let endpoint: VpcEndpointId = "vpce-0123456789abcdef0".parse().expect("an id");
    let endpoint = Some(&endpoint).filter(|_| !rest.is_empty());
    let header = fuzzing::proxy_header(source, destination, endpoint);
    let length = usize::from(u16::from_be_bytes([header[14], header[15]]));
    assert_eq!(header.len(), 16 + length, "what it says of its length");
    let mut extras = &header[16 + if header[13] == 0x11 { 12 } else { 36 }..];
    while let [_, high, low, rest @ ..] = extras {
        extras = &rest[usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    assert!(extras.is_empty(), "the last of its extras is cut");
}

/// The address and port that the bytes begin with, and the rest: an even byte and then one of IPv4, or of IPv6.
fn address(bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (kind, bytes) = bytes.split_first()?;
    let (ip, bytes): (IpAddr, _) = if kind & 1 == 0 {
        let (ip, bytes) = bytes.split_first_chunk::<4>()?;
        (Ipv4Addr::from(*ip).into(), bytes)
    } else {
        let (ip, bytes) = bytes.split_first_chunk::<16>()?;
        (Ipv6Addr::from(*ip).into(), bytes)
    };
    let (port, bytes) = bytes.split_first_chunk::<2>()?;
    Some((SocketAddr::new(ip, u16::from_be_bytes(*port)), bytes))
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const DATE: &str = "20150830T123600Z";
const SCOPE: &str = "20150830/us-east-1/s3/aws4_request";
/// The signature of the head, which the first chunk's covers.
const SEED: &str = "00";

/// The first byte says whether there is a trailer, and into how long pieces the body falls. The rest is read as a
/// body as it is; and as data, which is put into chunks and signed. That must be right in whatever pieces it
/// comes, and wrong with one byte changed.
pub fn aws_chunked(bytes: &[u8]) {
    let Some((first, data)) = bytes.split_first() else { return };
    let (trailer, size) = (first & 1 != 0, usize::from(first >> 1) + 1);
    let check = |body: &[u8], size| is_aws_chunked(signatures(), trailer, body.chunks(size));
    assert_eq!(check(data, size), check(data, usize::MAX), "it depends on the pieces");

    let mut body = signed(data, size, trailer);
    assert!(check(&body, size) && check(&body, usize::MAX), "what is signed is refused");
    let at = data.iter().fold(0, |sum, byte| sum * 31 % body.len() + usize::from(*byte)) % body.len();
    // The case of a digit, a space before a trailer's value: some bytes can be others.
    if !body[at].is_ascii_alphabetic() && !body[at].is_ascii_whitespace() {
        body[at] ^= 1;
        assert!(!check(&body, size), "byte {at} is another: {}", body.escape_ascii());
    }
}

fn signatures() -> ChunkSignatures {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{SCOPE}, SignedHeaders=host;x-amz-date, Signature={SEED}"
    );
    let request = Request {
        method: "PUT",
        path: "/b/k",
        query: "",
        headers: &[
            ("host", b"s3.amazonaws.com"),
            ("x-amz-date", DATE.as_bytes()),
            ("authorization", authorization.as_bytes()),
        ],
        body: b"",
    };
    let secret = Secret { secret_access_key: SECRET.to_owned(), session_token: None, expires: None };
    let now: Timestamp = "2015-08-30T12:36:00Z".parse().expect("a time");
    begin(&request, now, |_| Some(secret)).expect("well formed").chunks()
}

/// Data as a signed body in chunks of this size.
fn signed(data: &[u8], size: usize, trailer: bool) -> Vec<u8> {
    let key = SCOPE.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| mac(&key, part));
    let hash = |data: &[u8]| hex::encode(Sha256::digest(data));
    let (mut body, mut previous) = (Vec::new(), SEED.to_owned());
    for chunk in data.chunks(size).chain([&b""[..]]) {
        let text =
            format!("AWS4-HMAC-SHA256-PAYLOAD\n{DATE}\n{SCOPE}\n{previous}\n{}\n{}", hash(b""), hash(chunk));
        previous = hex::encode(mac(&key, &text));
        body.extend_from_slice(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        if !chunk.is_empty() {
            body.extend_from_slice(b"\r\n");
        }
    }
    if trailer {
        let lines = hash(b"x-amz-checksum-crc32c:sOO8/Q==\n");
        let text = format!("AWS4-HMAC-SHA256-TRAILER\n{DATE}\n{SCOPE}\n{previous}\n{lines}");
        let signature = hex::encode(mac(&key, &text));
        let trailer = format!("x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{signature}\r\n");
        body.extend_from_slice(trailer.as_bytes());
    }
    body.extend_from_slice(b"\r\n");
    body
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
