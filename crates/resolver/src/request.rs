//! A query, as a client sent it: the first thing that looks at its bytes.

use hickory_proto::op::{Edns, Message, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, RecordType};

use crate::reply;

/// Length of a DNS header.
pub(crate) const HEADER: usize = 12;

/// How a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// By UDP: answers are as long as the client takes, or cut.
    Udp,
    /// By TCP: answers are whole.
    Tcp,
}

/// A query that can be answered.
pub(crate) struct Request {
    /// Its bytes.
    pub(crate) packet: Vec<u8>,
    /// Where its question ends in them.
    pub(crate) question_end: usize,
    /// Its header.
    pub(crate) metadata: Metadata,
    /// Its one question, with the name in the client's own upper and lower case.
    pub(crate) query: Query,
    /// The question's name in lower case, without the dot at its end.
    pub(crate) name: String,
    /// Its EDNS record.
    pub(crate) edns: Option<Edns>,
    /// How it came.
    pub(crate) transport: Transport,
}

/// What a packet turned out to be.
pub(crate) enum Received {
    /// Nothing that has an answer.
    Ignore,
    /// Something that is answered with an error: this reply.
    Error(Vec<u8>),
    /// A query.
    Request(Request),
}

impl Request {
    /// Read a packet.
    pub(crate) fn read(packet: &[u8], transport: Transport) -> Received {
        let Some(header) = packet.first_chunk::<HEADER>() else { return Received::Ignore };
        let (id, is_response) = (u16::from_be_bytes([header[0], header[1]]), header[2] & 0x80 != 0);
        if is_response {
            // Answering an answer could go on for ever.
            return Received::Ignore;
        }
        let op_code = OpCode::from_u8(header[2] >> 3 & 0xf);
        let recursion_desired = header[2] & 1 != 0;
        let bare = |code| Received::Error(reply::bare(id, op_code, recursion_desired, code));
        if op_code != OpCode::Query {
            return bare(ResponseCode::NotImp);
        }
        // Counted before the parser makes room for as many questions as the header claims.
        if u16::from_be_bytes([header[4], header[5]]) != 1 {
            return bare(ResponseCode::FormErr);
        }
        let (Some(question_end), Ok(message)) = (question_end(packet), Message::from_vec(packet)) else {
            return bare(ResponseCode::FormErr);
        };
        let Message { metadata, mut queries, edns, .. } = message;
        let Some(query) = queries.pop() else { return bare(ResponseCode::FormErr) };
        let name = query.name.to_lowercase().to_ascii();
        let name = name.trim_end_matches('.').to_owned();
        let request = Self { packet: packet.to_vec(), question_end, metadata, query, name, edns, transport };
        if request.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
            return Received::Error(request.error(ResponseCode::BADVERS));
        }
        let transfer = matches!(request.query.query_type, RecordType::AXFR | RecordType::IXFR);
        if request.query.query_class != DNSClass::IN || transfer {
            return Received::Error(request.error(ResponseCode::Refused));
        }
        Received::Request(request)
    }
}

/// Where the first question of a packet ends. `None`: it is cut short, or its name is compressed, which the
/// first name of a packet has no reason to be.
pub(crate) fn question_end(packet: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        match *packet.get(at)? {
            0 => break,
            length @ 1..=63 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
    let end = at + 1 + 4; // the root label; type and class
    (end <= packet.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the bytes, reading them ends, and what is sent back is a response to who asked.
        #[test]
        fn any_bytes_can_be_read(packet in prop::collection::vec(any::<u8>(), 0..600), by_tcp: bool) {
            let transport = if by_tcp { Transport::Tcp } else { Transport::Udp };
            if let Received::Error(reply) = Request::read(&packet, transport) {
                prop_assert_eq!(&reply[..2], &packet[..2]);
                prop_assert!(reply[2] & 0x80 != 0);
            }
        }

        /// The same, of what begins like an ordinary query, so that more of the parser is reached.
        #[test]
        fn any_question_can_be_answered(rest in prop::collection::vec(any::<u8>(), 0..300), counts: [u8; 3]) {
            let header = [7, 7, 1, 0, 0, 1, 0, counts[0] & 3, 0, counts[1] & 3, 0, counts[2] & 3];
            match Request::read(&[&header[..], &rest].concat(), Transport::Udp) {
                Received::Ignore => prop_assert!(false, "a query is never ignored"),
                Received::Error(reply) => prop_assert_eq!(&reply[..2], &header[..2]),
                Received::Request(request) => {
                    let reply = request.error(ResponseCode::Refused);
                    prop_assert!(Message::from_vec(&reply).is_ok());
                    prop_assert_eq!(&reply[..2], &header[..2]);
                }
            }
        }
    }
}
