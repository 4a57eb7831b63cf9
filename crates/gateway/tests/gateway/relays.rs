//! Connections that are carried to targets.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use linkway_gateway::{Addresses, Backend, Relay, RelayTarget};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::client::connect_relayed;
use crate::proxy;
use crate::world::{Draft, World};

const PATIENCE: Duration = Duration::from_secs(20);
const ENDPOINT: &str = "vpce-0fedcba9876543210";

fn relay(targets: &[SocketAddr]) -> Relay {
    Relay {
        endpoint: Some(ENDPOINT.parse().unwrap()),
        addresses: Addresses { ipv4: "10.0.9.9".parse().unwrap(), ipv6: None },
        targets: targets.iter().map(|address| RelayTarget { address: *address, outside: true }).collect(),
        tls: None,
        proxy_protocol: false,
        idle: Duration::from_secs(60),
    }
}

async fn world(relay: Relay) -> World {
    let mut draft = Draft::rds(Backend::None);
    draft.relays.insert(3, relay);
    draft.start().await
}

async fn target() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Both ends of a connection that is relayed.
async fn ends(world: &World, target: &TcpListener) -> (TcpStream, TcpStream) {
    let client = connect_relayed(world, 3, 2).await.unwrap();
    let (server, _) = tokio::time::timeout(PATIENCE, target.accept()).await.unwrap().unwrap();
    (client, server)
}

/// What comes until the other end closes.
async fn rest(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the other end closes")?;
    Ok(bytes)
}

/// A connection is made and at once reset, or reset as it is made.
async fn assert_not_carried(world: &World, interface: u32, client: u32) {
    match connect_relayed(world, interface, client).await {
        Ok(mut stream) => assert_reset(&mut stream).await,
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
}

async fn assert_reset(stream: &mut TcpStream) {
    let error = rest(stream).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_has_said_all_still_hears() {
    let (target, address) = target().await;
    let world = world(relay(&[address])).await;
    let (mut client, mut server) = ends(&world, &target).await;
    client.write_all(b"a question").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut server).await.unwrap(), b"a question");
    server.write_all(b"an answer").await.unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await.unwrap(), b"an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_bytes_pass_both_ways_at_a_time() {
    const PIECE: usize = 100_003;
    const PIECES: usize = 300;
    let (target, address) = target().await;
    let world = world(relay(&[address])).await;
    let (client, server) = ends(&world, &target).await;
    let mut all = tokio::task::JoinSet::new();
    for (stream, seed) in [(client, 1), (server, 2)] {
        let (mut read, mut write) = stream.into_split();
        all.spawn(async move {
            let mut hash = Sha256::new();
            for number in 0..PIECES {
                let piece: Vec<u8> = (0..PIECE).map(|at| (at * seed + number) as u8).collect();
                write.write_all(&piece).await.unwrap();
                hash.update(&piece);
            }
            write.shutdown().await.unwrap();
            (seed, "sent", hash.finalize())
        });
        all.spawn(async move {
            let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
            while let length @ 1.. = read.read(&mut buffer).await.unwrap() {
                hash.update(&buffer[..length]);
            }
            (3 - seed, "received", hash.finalize())
        });
    }
    let all = tokio::time::timeout(PATIENCE * 3, all.join_all()).await.unwrap();
    for seed in [1, 2] {
        let hashes: Vec<_> = all.iter().filter(|(of, ..)| *of == seed).map(|(.., hash)| *hash).collect();
        assert_eq!(hashes.len(), 2);
        assert_eq!(hashes[0], hashes[1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_wants_it_is_told_who_comes() {
    let (target, address) = target().await;
    let world = world(Relay { proxy_protocol: true, ..relay(&[address]) }).await;
    let (mut client, mut server) = ends(&world, &target).await;
    let port = client.local_addr().unwrap().port();
    client.write_all(b"after it").await.unwrap();
    client.shutdown().await.unwrap();
    let bytes = rest(&mut server).await.unwrap();
    let (header, after) = proxy::parse(&bytes);
    assert_eq!(after, b"after it");
    assert_eq!(header.source, format!("10.0.1.2:{port}").parse().unwrap());
    assert_eq!(header.destination, "10.0.9.9:5432".parse().unwrap());
    assert!(header.checksum_is_right);
    assert_eq!(header.value(0xEA).unwrap(), [b"\x01", ENDPOINT.as_bytes()].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_the_balancers_own_vpc_comes_through_no_endpoint() {
    let (target, address) = target().await;
    let world = world(Relay { proxy_protocol: true, endpoint: None, ..relay(&[address]) }).await;
    let (client, mut server) = ends(&world, &target).await;
    drop(client);
    let bytes = rest(&mut server).await.unwrap();
    let (header, after) = proxy::parse(&bytes);
    assert!(header.checksum_is_right && after.is_empty());
    assert_eq!(header.value(0xEA), None);
}

/// A process of the test's own, which ends with it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// HAProxy also checks the header's checksum.
#[tokio::test(flavor = "multi_thread")]
async fn haproxy_understands_who_comes() {
    let (taken, address) = target().await;
    drop(taken);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("haproxy.cfg");
    let config = format!(
        "defaults\n mode http\n timeout client 20s\n timeout connect 20s\n timeout server 20s\n\
         frontend all\n bind {address} accept-proxy\n http-request return status 200 content-type text/plain \
         lf-string \"%[src]:%[src_port] %[dst]:%[dst_port]\"\n"
    );
    std::fs::write(&file, config).unwrap();
    let haproxy = ["/usr/sbin/haproxy", "/usr/bin/haproxy"].iter().find(|path| Path::new(path).exists());
    let haproxy = haproxy.expect("haproxy is installed by `make setup`");
    let mut process = Process(Command::new(haproxy).arg("-db").arg("-f").arg(&file).spawn().unwrap());
    for _ in 0..500 {
        assert!(process.0.try_wait().unwrap().is_none(), "haproxy has ended");
        if TcpStream::connect(address).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let world = world(Relay { proxy_protocol: true, ..relay(&[address]) }).await;
    let mut client = connect_relayed(&world, 3, 2).await.unwrap();
    let port = client.local_addr().unwrap().port();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n").await.unwrap();
    let answer = String::from_utf8(rest(&mut client).await.unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with(&format!("10.0.1.2:{port} 10.0.9.9:5432")), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_target_is_tried_where_one_does_not_answer() {
    let (target, address) = target().await;
    let (closed, dead) = self::target().await;
    drop(closed);
    let world = world(relay(&[dead, address, dead])).await;
    for _ in 0..10 {
        let (mut client, mut server) = ends(&world, &target).await;
        client.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_share_connections() {
    let (first, second) = (target().await, target().await);
    let world = world(relay(&[first.1, second.1])).await;
    let (mut clients, mut counts) = (Vec::new(), [0, 0]);
    for _ in 0..64 {
        clients.push(connect_relayed(&world, 3, 2).await.unwrap());
        let number = tokio::select! {
            accepted = first.0.accept() => accepted.map(|_| 0),
            accepted = second.0.accept() => accepted.map(|_| 1),
        };
        counts[number.unwrap()] += 1;
    }
    // By chance alone, one in 10^15 runs would see none of 64 at a target.
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_carried_is_reset() {
    let (closed, dead) = target().await;
    drop(closed);
    let mut draft = Draft::rds(Backend::None);
    draft.relays.insert(3, relay(&[dead]));
    draft.relays.insert(4, relay(&[]));
    let world = draft.start().await;
    for (interface, client) in [(3, 2), (4, 2), (5, 2), (3, 77)] {
        assert_not_carried(&world, interface, client).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_passed_on() {
    let (target, address) = target().await;
    let world = world(relay(&[address])).await;
    let (mut client, server) = ends(&world, &target).await;
    server.set_zero_linger().unwrap();
    drop(server);
    assert_reset(&mut client).await;
    let (client, mut server) = ends(&world, &target).await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert_reset(&mut server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_ends_and_a_live_one_does_not() {
    let (target, address) = target().await;
    let idle = Duration::from_millis(600);
    let world = world(Relay { idle, ..relay(&[address]) }).await;
    let (mut client, mut server) = ends(&world, &target).await;
    let begun = std::time::Instant::now();
    while begun.elapsed() < idle * 3 {
        client.write_all(b"x").await.unwrap();
        server.read_u8().await.unwrap();
        tokio::time::sleep(idle / 20).await;
    }
    assert_reset(&mut client).await;
    assert_reset(&mut server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_its_share_of_connections() {
    let (target, address) = target().await;
    let mut draft = Draft::rds(Backend::None);
    draft.relays.insert(3, relay(&[address]));
    draft.limits.connections_per_client = 2;
    let world = draft.start().await;
    let (first, _first) = ends(&world, &target).await;
    let _second = ends(&world, &target).await;
    assert_not_carried(&world, 3, 2).await;
    let _other = connect_relayed(&world, 3, 1).await.unwrap();
    tokio::time::timeout(PATIENCE, target.accept()).await.expect("another client is served").unwrap();
    drop((first, _first));
    for _ in 0..500 {
        let _client = connect_relayed(&world, 3, 2).await;
        if tokio::time::timeout(Duration::from_millis(100), target.accept()).await.is_ok() {
            return;
        }
    }
    panic!("there is no room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_ends_silent_connections() {
    let (target, address) = target().await;
    let world = world(relay(&[address])).await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let to = SocketAddr::new(crate::world::endpoint_address(3), listener.local_addr().unwrap().port());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let gateway = world.gateway.worker();
    let serving = tokio::spawn(async move {
        gateway.serve_relay(listener, crate::world::LISTENER, async { drop(stopped.await) }).await;
    });
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((crate::world::client_address(1), 0).into()).unwrap();
    let mut client = socket.connect(to).await.unwrap();
    let _server = tokio::time::timeout(PATIENCE, target.accept()).await.unwrap().unwrap();
    stop.send(()).unwrap();
    assert_reset(&mut client).await;
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
}
