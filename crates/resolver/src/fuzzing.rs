//! What fuzzing calls of what is nobody else's business: see `crates/untrusted`.

use std::net::IpAddr;

use crate::request::{Received, Request, Transport};
use crate::upstream::answers;
use crate::{Resolver, Step};

fn transport(by_tcp: bool) -> Transport {
    if by_tcp { Transport::Tcp } else { Transport::Udp }
}

/// The reply to a packet, if it has one, of a resolver without an upstream.
pub fn reply(resolver: &Resolver, packet: &[u8], from: IpAddr, by_tcp: bool) -> Option<Vec<u8>> {
    match resolver.consider(packet, from, transport(by_tcp)) {
        Step::Ignore | Step::Forward(..) => None,
        Step::Reply(reply) => Some(reply),
    }
}

/// The reply to a packet, if it is a query and an upstream sends back `answer`, and that is an answer to it.
pub fn relay(packet: &[u8], answer: &[u8], by_tcp: bool) -> Option<Vec<u8>> {
    let Received::Request(request) = Request::read(packet, transport(by_tcp)) else { return None };
    answers(answer, packet, request.question_end).then(|| request.relay(answer.to_vec()))
}
