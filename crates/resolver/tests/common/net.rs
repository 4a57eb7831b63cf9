//! Both ends of the wire: clients of a resolver on loopback, and an upstream of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use linkway_model::Snapshot;
use linkway_resolver::{Resolver, Settings, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes, also the upstream's tries.
const PATIENCE: Duration = Duration::from_secs(20);

/// A resolver on loopback. Network interface `n` asks it from 127.0.0.n.
pub struct Server {
    pub resolver: Resolver,
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(snapshot: Arc<Snapshot>, upstream: Option<Upstream>) -> Self {
        let resolver =
            Resolver::new(Settings { upstream, client_base: Ipv4Addr::new(127, 0, 0, 0), as_ipv4 });
        resolver.publish(snapshot);
        let (udp, tcp) = bind_both().await;
        let address = udp.local_addr().unwrap();
        let serving = resolver.clone();
        let task = tokio::spawn(async move { serving.serve(udp, tcp).await });
        Self { resolver, address, task }
    }

    /// A UDP socket of an interface.
    pub async fn socket(&self, interface: u32) -> UdpSocket {
        let socket = UdpSocket::bind((address_of(interface), 0)).await.unwrap();
        socket.connect(self.address).await.unwrap();
        socket
    }

    /// A TCP connection of an interface.
    pub async fn connection(&self, interface: u32) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address_of(interface), 0).into()).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Ask by UDP.
    pub async fn ask(&self, interface: u32, name: &str, kind: RecordType) -> Message {
        let query = query(name, kind);
        let answer = self.exchange(interface, &query.to_vec().unwrap()).await;
        let answer = Message::from_vec(&answer).unwrap();
        assert_eq!(answer.metadata.id, query.metadata.id);
        assert_eq!(answer.queries, query.queries);
        answer
    }

    /// Send bytes by UDP and return the bytes that come back.
    pub async fn exchange(&self, interface: u32, packet: &[u8]) -> Vec<u8> {
        let socket = self.socket(interface).await;
        socket.send(packet).await.unwrap();
        receive(&socket).await
    }

    /// The addresses that a name resolves to, sorted.
    pub async fn addresses(&self, interface: u32, name: &str) -> Vec<Ipv4Addr> {
        let mut found = addresses(&self.ask(interface, name, RecordType::A).await);
        found.sort();
        found
    }

    pub async fn code(&self, interface: u32, name: &str) -> ResponseCode {
        self.ask(interface, name, RecordType::A).await.metadata.response_code
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Of IPv6 loopback has one address only: it stands for interface 1.
fn as_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => address.is_loopback().then_some(Ipv4Addr::LOCALHOST),
    }
}

fn address_of(interface: u32) -> IpAddr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 0, 0)) + interface).into()
}

pub async fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65535];
    let length = timeout(PATIENCE, socket.recv(&mut buffer)).await.expect("no answer").unwrap();
    buffer.truncate(length);
    buffer
}

/// A query as stub resolvers send it, without EDNS.
pub fn query(name: &str, kind: RecordType) -> Message {
    let mut query = Message::query();
    query.metadata.recursion_desired = true;
    query.add_query(Query::query(Name::from_ascii(format!("{name}.")).unwrap(), kind));
    query
}

pub fn with_edns(mut query: Message, payload: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(payload);
    query.set_edns(edns);
    query
}

pub fn addresses(answer: &Message) -> Vec<Ipv4Addr> {
    let address = |data: &RData| if let RData::A(a) = data { Some(a.0) } else { None };
    answer.answers.iter().filter_map(|record| address(&record.data)).collect()
}

/// Whether an answer says how long it may be kept that there is nothing: 60 seconds.
pub fn has_start_of_authority(answer: &Message) -> bool {
    answer.authorities.iter().any(|record| matches!(&record.data, RData::SOA(soa) if soa.minimum == 60))
}

pub async fn send_framed(stream: &mut TcpStream, packet: &[u8]) {
    stream.write_u16(packet.len() as u16).await.unwrap();
    stream.write_all(packet).await.unwrap();
}

pub async fn receive_framed(stream: &mut TcpStream) -> Message {
    let length = timeout(PATIENCE, stream.read_u16()).await.expect("no answer").unwrap();
    let mut packet = vec![0; length.into()];
    stream.read_exact(&mut packet).await.unwrap();
    Message::from_vec(&packet).unwrap()
}

/// A name server of the test's own. `answer` gets each query and whether it came by TCP; `None`: silence.
pub struct NameServer {
    pub address: SocketAddr,
    asked: Arc<AtomicUsize>,
    tasks: [JoinHandle<()>; 2],
}

impl NameServer {
    pub async fn start(answer: impl Fn(&Message, bool) -> Option<Message> + Send + Sync + 'static) -> Self {
        let (udp, tcp) = bind_both().await;
        let (answer, asked) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        let address = udp.local_addr().unwrap();
        let (by_udp, udp_asked) = (Arc::clone(&answer), Arc::clone(&asked));
        let udp = tokio::spawn(async move {
            let mut buffer = vec![0; 65535];
            while let Ok((length, client)) = udp.recv_from(&mut buffer).await {
                udp_asked.fetch_add(1, Ordering::SeqCst);
                if let Some(reply) = by_udp(&Message::from_vec(&buffer[..length]).unwrap(), false) {
                    udp.send_to(&reply.to_vec().unwrap(), client).await.unwrap();
                }
            }
        });
        let (by_tcp, tcp_asked) = (answer, Arc::clone(&asked));
        let tcp = tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                tcp_asked.fetch_add(1, Ordering::SeqCst);
                let query = receive_framed(&mut stream).await;
                if let Some(reply) = by_tcp(&query, true) {
                    send_framed(&mut stream, &reply.to_vec().unwrap()).await;
                }
            }
        });
        Self { address, asked, tasks: [udp, tcp] }
    }

    pub fn upstream(&self) -> Upstream {
        Upstream::new(self.address, tokio::runtime::Handle::current())
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// The beginning of an answer.
pub fn response_to(query: &Message, code: ResponseCode) -> Message {
    let mut response = Message::response(query.metadata.id, query.metadata.op_code);
    response.metadata.response_code = code;
    response.add_queries(query.queries.iter().cloned());
    response
}

/// A UDP socket and a TCP listener on one port of 127.0.0.1.
async fn bind_both() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both UDP and TCP");
}
