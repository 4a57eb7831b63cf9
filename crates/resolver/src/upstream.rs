//! The resolver that knows the rest of the world.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::net::{TcpStream, UdpSocket};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::reply::UDP_PAYLOAD;
use crate::request::{HEADER, Transport, question_end};
use crate::tcp;

/// How long each try may take. Together as long as a stub resolver waits, which is 5 s.
const TRIES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(3)];
/// How long an exchange by TCP may take.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);

/// A name server outside, reached from the namespace that the given runtime's threads live in.
#[derive(Debug, Clone)]
pub struct Upstream {
    server: SocketAddr,
    host: Handle,
}

/// Why an upstream gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It is not reachable; look at the route to it.
    #[error("cannot talk to name server {0}: {1}")]
    Unreachable(SocketAddr, io::Error),
    /// It did not answer in time.
    #[error("name server {0} does not answer")]
    Silent(SocketAddr),
    /// It answered something that is no answer.
    #[error("name server {0} sent an answer that cannot be read")]
    Garbled(SocketAddr),
    /// It refuses or fails.
    #[error("name server {0} answers {1}")]
    Failed(SocketAddr, ResponseCode),
    /// What was to be looked up is no name.
    #[error("{0:?} is no domain name")]
    NoName(String),
    /// A `resolv.conf` names no server.
    #[error("{0} names no name server")]
    NoServer(String),
    /// A `resolv.conf` cannot be read.
    #[error("cannot read {0}: {1}")]
    Unreadable(String, io::Error),
    /// The runtime is going down.
    #[error("the resolver is stopping")]
    Stopping,
}

impl Upstream {
    /// The name server at `server`, asked from `host`'s threads.
    pub fn new(server: SocketAddr, host: Handle) -> Self {
        Self { server, host }
    }

    /// The first name server of a `resolv.conf`, asked from `host`'s threads.
    pub fn from_resolv_conf(path: impl AsRef<Path>, host: Handle) -> Result<Self, UpstreamError> {
        let path = path.as_ref();
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| UpstreamError::Unreadable(shown(), e))?;
        let server = name_server(&text).ok_or_else(|| UpstreamError::NoServer(shown()))?;
        Ok(Self::new(SocketAddr::new(server, 53), host))
    }

    /// Where it is.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// The values of a name's TXT records, the strings of each joined. Empty: there is no such name, or it
    /// has no such record. Aliases are followed by the upstream.
    pub async fn lookup_txt(&self, name: &str) -> Result<Vec<String>, UpstreamError> {
        let mut owner = Name::from_ascii(name).map_err(|_| UpstreamError::NoName(name.to_owned()))?;
        owner.set_fqdn(true);
        let mut query = Message::query();
        query.metadata.recursion_desired = true;
        query.add_query(Query::query(owner, RecordType::TXT));
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD);
        query.set_edns(edns);
        let packet = query.to_vec().map_err(|_| UpstreamError::NoName(name.to_owned()))?;
        let end = question_end(&packet).ok_or_else(|| UpstreamError::NoName(name.to_owned()))?;

        let answer = self.exchange(&packet, end, Transport::Tcp).await?;
        let answer = Message::from_vec(&answer).map_err(|_| UpstreamError::Garbled(self.server))?;
        match answer.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => {}
            code => return Err(UpstreamError::Failed(self.server, code)),
        }
        let text = |record: &hickory_proto::rr::Record| match &record.data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        Ok(answer.answers.iter().filter_map(text).collect())
    }

    /// Send a query, whose question ends at `question_end`, under an id of its own, and return the answer
    /// under that id. An answer that was cut is asked for again by TCP, unless the client came by UDP: it
    /// could not take the whole one either, and asks again itself.
    pub(crate) async fn exchange(
        &self,
        query: &[u8],
        question_end: usize,
        client: Transport,
    ) -> Result<Vec<u8>, UpstreamError> {
        let server = self.server;
        let mut query = query.to_vec();
        if let Some(id) = query.first_chunk_mut::<2>() {
            *id = Message::query().metadata.id.to_be_bytes();
        }
        // A socket belongs to the namespace of the thread that makes it.
        let exchange = self.host.spawn(async move {
            let answer = ask_by_udp(server, &query, question_end).await?;
            if is_cut(&answer) && client == Transport::Tcp {
                return ask_by_tcp(server, &query, question_end).await;
            }
            Ok(answer)
        });
        exchange.await.unwrap_or(Err(UpstreamError::Stopping))
    }
}

async fn ask_by_udp(server: SocketAddr, query: &[u8], end: usize) -> Result<Vec<u8>, UpstreamError> {
    let unreachable = |error| UpstreamError::Unreachable(server, error);
    let mut outcome = UpstreamError::Silent(server);
    for limit in TRIES {
        // A new socket, so a new port, for every try: what cannot be guessed cannot be forged.
        let any = match server.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let socket = UdpSocket::bind((any, 0)).await.map_err(unreachable)?;
        socket.connect(server).await.map_err(unreachable)?;
        match timeout(limit, ask_once(&socket, query, end)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => outcome = unreachable(error),
            Err(_) => outcome = UpstreamError::Silent(server),
        }
    }
    Err(outcome)
}

async fn ask_once(socket: &UdpSocket, query: &[u8], end: usize) -> io::Result<Vec<u8>> {
    socket.send(query).await?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if answers(&buffer[..length], query, end) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}

async fn ask_by_tcp(server: SocketAddr, query: &[u8], end: usize) -> Result<Vec<u8>, UpstreamError> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        tcp::write(&mut stream, query).await?;
        tcp::read(&mut stream).await
    };
    let answer = timeout(TCP_TIMEOUT, exchange)
        .await
        .map_err(|_| UpstreamError::Silent(server))?
        .map_err(|error| UpstreamError::Unreachable(server, error))?;
    if answers(&answer, query, end) { Ok(answer) } else { Err(UpstreamError::Garbled(server)) }
}

/// Whether a packet is the answer to this query: a response, under its id, to its question. One that only
/// says what went wrong may leave the question out.
pub(crate) fn answers(packet: &[u8], query: &[u8], end: usize) -> bool {
    let Some(header) = packet.first_chunk::<HEADER>() else { return false };
    let is_response = header[2] & 0x80 != 0 && query.starts_with(&header[..2]);
    let says_only_what_went_wrong = header[3] & 0xf != 0 && header[4..6] == [0, 0];
    let same_question = match (packet.get(HEADER..end), query.get(HEADER..end)) {
        (Some(its), Some(ours)) => its.eq_ignore_ascii_case(ours),
        _ => false,
    };
    is_response && (same_question || says_only_what_went_wrong)
}

/// Whether an answer has its TC bit set.
fn is_cut(answer: &[u8]) -> bool {
    answer.get(2).is_some_and(|flags| flags & 2 != 0)
}

/// The first name server that a `resolv.conf` names.
fn name_server(text: &str) -> Option<IpAddr> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_server_that_can_be_used_counts() {
        let text = "# by hand\nsearch example.com\nnameserver fe80::1%eth0\nnameserver 192.0.2.53 # ours\n\
                    nameserver 192.0.2.54\n";
        assert_eq!(name_server(text), Some(IpAddr::from([192, 0, 2, 53])));
        assert_eq!(name_server("options edns0\nnameserver\n"), None);
    }

    #[test]
    fn only_the_answer_to_the_question_that_was_asked_counts() {
        let mut query = Message::query();
        query.metadata.id = 7;
        query.add_query(Query::query(Name::from_ascii("db.example.com.").unwrap(), RecordType::A));
        let ours = query.to_vec().unwrap();
        let end = question_end(&ours).unwrap();
        let answer = |id, name: &str| {
            let mut answer = Message::response(id, query.metadata.op_code);
            answer.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::A));
            answer.to_vec().unwrap()
        };
        assert!(answers(&answer(7, "DB.example.com."), &ours, end));
        assert!(!answers(&answer(8, "db.example.com."), &ours, end), "another id");
        assert!(!answers(&answer(7, "ab.example.com."), &ours, end), "another name");
        assert!(!answers(&ours, &ours, end), "not a response");
    }
}
