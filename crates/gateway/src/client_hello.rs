//! The name in a TLS client's first message, read from its bytes as they are.
//!
//! Nothing is asked of the message but that it can be read: which versions and ciphers will do is between the client
//! and the server that answers. Source: RFC 8446, sections 4.1.2 and 5.1; RFC 6066, section 3.

/// The longest first message, with the records around it. Such messages have a few hundred bytes to a few thousand.
pub(crate) const LONGEST: usize = 16 << 10;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// What the bytes so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// More is to come.
    Incomplete,
    /// The message is here, with the name that it asks for, if it asks for one.
    Complete(Option<String>),
}

/// It is no first message of a TLS client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the client sent is not the beginning of TLS")]
pub struct NotTls;

/// Reads the first bytes of a connection.
///
/// # Errors
///
/// If they cannot become a TLS client's first message.
pub fn read(bytes: &[u8]) -> Result<Hello, NotTls> {
    let mut message = Vec::new();
    let mut records = Reader(bytes);
    loop {
        let Some(&[kind, major, _, high, low]) = records.take(5) else {
            let begins = records.0.first().is_none_or(|kind| *kind == HANDSHAKE);
            return if begins { unfinished(bytes) } else { Err(NotTls) };
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if kind != HANDSHAKE || major != 3 || length == 0 {
            return Err(NotTls);
        }
        let Some(fragment) = records.take(length) else {
            return unfinished(bytes);
        };
        message.extend_from_slice(fragment);
        let mut reader = Reader(&message);
        if let Some(&[kind, a, b, c]) = reader.take(4) {
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            if kind != CLIENT_HELLO || length > LONGEST {
                return Err(NotTls);
            }
            if let Some(body) = reader.take(length) {
                return server_name(Reader(body)).map(Hello::Complete).ok_or(NotTls);
            }
        }
    }
}

/// More is to come, unless it is too long already.
fn unfinished(bytes: &[u8]) -> Result<Hello, NotTls> {
    if bytes.len() < LONGEST { Ok(Hello::Incomplete) } else { Err(NotTls) }
}

/// The name in a message; `None` if the message is broken.
fn server_name(mut body: Reader<'_>) -> Option<Option<String>> {
    let _version_and_random = body.take(2 + 32)?;
    let _session = body.vector8()?;
    let _ciphers = body.vector16()?;
    let _compressions = body.vector8()?;
    if body.0.is_empty() {
        return Some(None);
    }
    let mut extensions = Reader(body.vector16()?);
    let mut name = None;
    while !extensions.0.is_empty() {
        let (kind, data) = (extensions.u16()?, extensions.vector16()?);
        if kind == SERVER_NAME {
            // One who asks for two could mean one here and the other at the server.
            if name.is_some() {
                return None;
            }
            name = Some(host_name(Reader(data))?);
        }
    }
    body.0.is_empty().then_some(name)
}

/// The one name of the extension: no other kind of name was ever defined.
fn host_name(mut data: Reader<'_>) -> Option<String> {
    let mut list = Reader(data.vector16()?);
    let (kind, name) = (list.take(1)?, list.vector16()?);
    let whole = data.0.is_empty() && list.0.is_empty() && kind == [HOST_NAME];
    whole.then_some(name).and_then(|name| String::from_utf8(name.to_vec()).ok())
}

/// Takes bytes from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// Bytes with their number in one byte before them.
    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.take(1)?.first()?);
        self.take(length)
    }

    /// Bytes with their number in two bytes before them.
    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wraps bytes in a length of so many bytes.
    fn vector(width: usize, bytes: &[u8]) -> Vec<u8> {
        let length = (bytes.len() as u32).to_be_bytes();
        [&length[4 - width..], bytes].concat()
    }

    /// A message that asks for these names, each in an extension of its own.
    fn message(names: &[&str]) -> Vec<u8> {
        let extensions = names.iter().flat_map(|name| {
            let entry = [&[HOST_NAME][..], &vector(2, name.as_bytes())].concat();
            [&[0, 0][..], &vector(2, &vector(2, &entry))].concat()
        });
        let other = [&[0, 43][..], &vector(2, &[2, 3, 4])].concat();
        let extensions: Vec<u8> = other.into_iter().chain(extensions).collect();
        let body = [
            &[3; 34][..],
            &vector(1, &[7; 32]),
            &vector(2, &[19, 1]),
            &vector(1, &[0]),
            &vector(2, &extensions),
        ];
        [&[CLIENT_HELLO][..], &vector(3, &body.concat())].concat()
    }

    /// Puts a message into records of so many bytes.
    fn records(message: &[u8], size: usize) -> Vec<u8> {
        message.chunks(size).flat_map(|part| [&[HANDSHAKE, 3, 1][..], &vector(2, part)].concat()).collect()
    }

    #[test]
    fn the_name_is_read_however_the_bytes_come() {
        let message = message(&["rds.us-east-1.amazonaws.com"]);
        for size in [1, 7, message.len() - 1, message.len(), 16_384] {
            let bytes = records(&message, size);
            for end in 0..bytes.len() {
                assert_eq!(read(&bytes[..end]), Ok(Hello::Incomplete), "{size} {end}");
            }
            let name = Some("rds.us-east-1.amazonaws.com".to_owned());
            assert_eq!(read(&bytes), Ok(Hello::Complete(name.clone())), "{size}");
            // What follows is not looked at.
            assert_eq!(read(&[&bytes[..], b"\x17early data"].concat()), Ok(Hello::Complete(name)));
        }
    }

    #[test]
    fn a_message_without_a_name_is_whole() {
        assert_eq!(read(&records(&message(&[]), 16_384)), Ok(Hello::Complete(None)));
    }

    #[test]
    fn what_is_no_message_is_not_waited_for() {
        let message = message(&["rds.us-east-1.amazonaws.com"]);
        let good = records(&message, 16_384);
        let two = self::message(&["rds.us-east-1.amazonaws.com", "other.example"]);
        assert_eq!(read(&records(&two, 16_384)), Err(NotTls));
        assert_eq!(read(b"GET / HTTP/1.1\r\n"), Err(NotTls));
        assert_eq!(read(b"G"), Err(NotTls));
        assert_eq!(read(&[HANDSHAKE, 3, 1, 0, 0]), Err(NotTls));
        // A message of another kind, and one that says that it is endless.
        assert_eq!(read(&records(&[2, 0, 0, 0], 16)), Err(NotTls));
        assert_eq!(read(&records(&[CLIENT_HELLO, 255, 0, 0], 16)), Err(NotTls));
        assert_eq!(read(&[&[HANDSHAKE, 3, 1, 255, 255][..], &vec![0; LONGEST]].concat()), Err(NotTls));
        // Wherever a byte is another, it is a message, none, or not yet one: never a panic.
        for at in 0..good.len() {
            for byte in [0, 1, 127, 255] {
                let mut changed = good.clone();
                changed[at] = byte;
                let _ = read(&changed);
            }
        }
        // Lengths inside that do not add up.
        let mut short = message;
        let last = short.len() - 1;
        short.truncate(last);
        short[3] -= 1;
        assert_eq!(read(&records(&short, 16_384)), Err(NotTls));
    }
}
