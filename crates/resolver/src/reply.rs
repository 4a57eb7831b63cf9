//! Answers, as bytes.

use hickory_proto::op::{Edns, Message, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData, Record};

use crate::request::{HEADER, Request, Transport};
use crate::zones::{Answer, TTL};

/// The longest UDP answer that is sent, and taken from an upstream.
pub(crate) const UDP_PAYLOAD: u16 = 4096;

/// A reply without a question: to what could not be read.
pub(crate) fn bare(id: u16, op_code: OpCode, recursion_desired: bool, code: ResponseCode) -> Vec<u8> {
    let mut message = Message::error_msg(id, op_code, code);
    message.metadata.recursion_desired = recursion_desired;
    message.metadata.recursion_available = true;
    encode(&message)
}

impl Request {
    /// The reply that carries an answer. `serial` is that of the start of authority that negative answers
    /// carry.
    pub(crate) fn reply(&self, answer: Answer, serial: u64) -> Vec<u8> {
        let mut message = self.response(answer.code);
        message.metadata.authoritative = true;
        if let Some(soa) = answer.zone.as_deref().and_then(|zone| start_of_authority(zone, serial)) {
            message.add_authority(soa);
        }
        message.answers = answer.records;
        self.fit(encode(&message), || message.truncate())
    }

    /// The reply that says no.
    pub(crate) fn error(&self, code: ResponseCode) -> Vec<u8> {
        encode(&self.response(code))
    }

    /// An upstream's answer as this request's: under its id, and no longer than it takes.
    pub(crate) fn relay(&self, mut answer: Vec<u8>) -> Vec<u8> {
        if let Some(id) = answer.first_chunk_mut::<2>() {
            *id = self.metadata.id.to_be_bytes();
        }
        let code = answer.get(3).map_or(0, |flags| flags & 0xf);
        self.fit(answer, || self.response(ResponseCode::from_low(code)).truncate())
    }

    /// `reply`, or `cut` if it is longer than the client takes.
    fn fit(&self, reply: Vec<u8>, cut: impl FnOnce() -> Message) -> Vec<u8> {
        if reply.len() <= self.limit() { reply } else { encode(&cut()) }
    }

    fn limit(&self) -> usize {
        match self.transport {
            Transport::Tcp => usize::from(u16::MAX),
            Transport::Udp => {
                let wanted = self.edns.as_ref().map_or(512, Edns::max_payload).max(512);
                usize::from(wanted.min(UDP_PAYLOAD))
            }
        }
    }

    fn response(&self, code: ResponseCode) -> Message {
        let mut message = Message::response(self.metadata.id, self.metadata.op_code);
        message.metadata = Metadata::response_from_request(&self.metadata);
        message.metadata.recursion_available = true;
        message.metadata.response_code = code;
        message.add_query(self.query.clone());
        if let Some(asked) = &self.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(UDP_PAYLOAD);
            edns.set_dnssec_ok(asked.flags().dnssec_ok);
            edns.set_rcode_high(code.high());
            message.set_edns(edns);
        }
        message
    }
}

/// The record that tells how long a negative answer may be kept (RFC 2308). `None`: the zone is no name.
fn start_of_authority(zone: &str, serial: u64) -> Option<Record> {
    let zone = Name::from_ascii(format!("{zone}.")).ok()?;
    let server = zone.prepend_label("ns0").ok()?;
    let mailbox = zone.prepend_label("hostmaster").ok()?;
    // Serial numbers wrap around (RFC 1982).
    let soa = SOA::new(server, mailbox, serial as u32, 7200, 900, 1_209_600, TTL);
    Some(Record::from_rdata(zone, TTL, RData::SOA(soa)))
}

/// The message's bytes. One that cannot be written is a fault of ours: the client gets what says so.
fn encode(message: &Message) -> Vec<u8> {
    message.to_vec().unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written");
        let mut header = [0; HEADER];
        header[..2].copy_from_slice(&message.metadata.id.to_be_bytes());
        header[2] = 0x80;
        header[3] = ResponseCode::ServFail.low();
        header.to_vec()
    })
}
