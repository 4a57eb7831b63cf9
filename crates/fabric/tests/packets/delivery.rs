//! Real namespaces and sockets: what the programs redirect does arrive, offloads and all.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use libbpf_rs::{TC_INGRESS, TcHookBuilder};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::gettid;

use crate::ipv6::{self, dual_stack};
use crate::world::*;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// A namespace, as a thread that lives in it and does what it is told there.
pub struct Namespace {
    pub thread: i32,
    tasks: mpsc::Sender<Box<dyn FnOnce() + Send>>,
}

impl Namespace {
    pub fn new() -> Self {
        let (tasks, received) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
        let (started, thread) = mpsc::channel();
        thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            started.send(gettid().as_raw()).unwrap();
            received.into_iter().for_each(|task| task());
        });
        Self { thread: thread.recv().unwrap(), tasks }
    }

    pub fn run<T: Send + 'static>(&self, task: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = mpsc::channel();
        self.tasks.send(Box::new(move || done.send(task()).unwrap())).unwrap();
        result.recv().expect("the task failed")
    }
}

pub fn ip(arguments: &str) {
    assert!(
        Command::new("ip").args(arguments.split_whitespace()).status().unwrap().success(),
        "ip {arguments}"
    );
}

/// Gives an interface's veth to a namespace and hooks the program to the other end.
pub fn connect(world: &World, interface: u32, address: &'static str) -> Namespace {
    world.has_devices();
    let namespace = Namespace::new();
    let index = device(interface);
    ip(&format!("link set p{index} netns {}", namespace.thread));
    ip(&format!("link set d{index} up mtu 8500"));
    let programs = &world.skeleton.progs;
    let program = if interface == SERVICE { &programs.from_service } else { &programs.from_workload };
    let hook = |fd| TcHookBuilder::new(fd).ifindex(index as i32).replace(true).hook(TC_INGRESS);
    hook(program.as_fd()).create().unwrap().attach().unwrap();
    let mac = mac(interface).map(|byte| format!("{byte:02x}")).join(":");
    namespace.run(move || {
        ip("link set lo up");
        ip(&format!("link set p{index} address {mac} mtu 8500 addrgenmode none"));
        ip(&format!("link set p{index} up"));
        ip(&format!("addr add {address} dev p{index}{}", if address.contains(':') { " nodad" } else { "" }));
        if interface == SERVICE {
            ip(&format!("route add default dev p{index}"));
        }
    });
    namespace
}

/// Bytes in which no part looks like another.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

pub fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Answers one connection with what it gets, then closes.
fn echo_once(namespace: &Namespace) {
    namespace.run(|| {
        let listener = TcpListener::bind("[::]:8443").unwrap();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let (mut stream, mut copy) = (patient(stream), Vec::new());
            stream.read_to_end(&mut copy).unwrap();
            stream.write_all(&copy).unwrap();
        });
    });
}

#[test]
fn a_stream_through_an_endpoint_arrives_whole_both_ways() {
    stream_both_ways(IPV4, |_, _| {});
}

#[test]
fn a_stream_by_ipv6_arrives_whole_both_ways() {
    stream_both_ways(IPV6, |_, _| {});
}

#[test]
fn a_stream_by_ipv6_arrives_without_offloads_too() {
    stream_both_ways(IPV6, |client, target| {
        client.run(|| without_offloads(CLIENT));
        target.run(|| without_offloads(TARGET));
    });
}

/// With every checksum computed by the sender and verified by the receiver.
#[test]
fn a_stream_arrives_without_offloads_too() {
    stream_both_ways(IPV4, |client, target| {
        client.run(|| without_offloads(CLIENT));
        target.run(|| without_offloads(TARGET));
    });
}

/// Leaves checksums and segmentation to the namespace itself.
fn without_offloads(interface: u32) {
    const SIOCETHTOOL: libc::c_ulong = 0x8946;
    const SET_TX_CHECKSUM: u32 = 0x17;
    const SET_TCP_SEGMENTATION: u32 = 0x1f;
    const SET_GENERIC_SEGMENTATION: u32 = 0x24;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for command in [SET_TX_CHECKSUM, SET_TCP_SEGMENTATION, SET_GENERIC_SEGMENTATION] {
        let mut off = [command, 0];
        // SAFETY: all zeroes are a value of it.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(format!("p{}", device(interface)).bytes()) {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_data = off.as_mut_ptr().cast();
        // SAFETY: the request names a device and a `struct ethtool_value`, which outlive the call.
        let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
        assert_eq!(result, 0, "ethtool command {command:#x}: {}", std::io::Error::last_os_error());
    }
}

/// A world, the addresses of `CLIENT` and `TARGET` in it with their subnets' prefixes, and that of `ENDPOINT`.
type Family = (fn() -> World, &'static str, &'static str, IpAddr);

const IPV4: Family = (World::new, "10.0.0.10/24", "10.0.0.10/24", IpAddr::V4(ENDPOINT_IP));
const IPV6: Family =
    (dual_stack, "2001:db8:0:1::10/64", "2001:db8:1:1::10/64", IpAddr::V6(ipv6::ENDPOINT_IP6));

fn stream_both_ways((world, client, target, endpoint): Family, prepare: impl FnOnce(&Namespace, &Namespace)) {
    let world = world();
    let client = connect(&world, CLIENT, client);
    let target = connect(&world, TARGET, target);
    prepare(&client, &target);
    echo_once(&target);
    let sent = noise(24_000_000);
    let expected = sent.clone();
    let received = client.run(move || {
        let endpoint = SocketAddr::from((endpoint, 443));
        let mut stream = patient(TcpStream::connect_timeout(&endpoint, PATIENCE).unwrap());
        stream.write_all(&sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut copy = Vec::new();
        stream.read_to_end(&mut copy).unwrap();
        copy
    });
    assert!(received == expected, "{} of {} bytes came back, or others", received.len(), expected.len());

    let ((_, forward), (_, reverse)) = world.pair();
    assert_eq!(forward.flags & 8, 8, "closing, after FIN both ways");
    for (flow, way) in [(forward, "there"), (reverse, "back")] {
        assert!(flow.bytes > 24_000_000, "{way}: {flow:?}");
        assert!(flow.packets > 24_000_000 / 8460, "{way}: segments count as packets: {flow:?}");
        assert!(flow.bytes / flow.packets < 8534, "{way}: none is longer than the MTU allows: {flow:?}");
    }
    assert_eq!(world.drops().keys().filter(|(_, why)| *why != Drop::DROP_LINK_HOUSEKEEPING.0).count(), 0);
}

#[test]
fn datagrams_and_pings_arrive() {
    let world = World::new();
    let client = connect(&world, CLIENT, "10.0.0.10/24");
    let neighbour = connect(&world, NEIGHBOUR, "10.0.0.20/24");
    let target = connect(&world, TARGET, "10.0.0.10/24");
    for (namespace, port, to) in
        [(&neighbour, 5000, (NEIGHBOUR_IP, 5000)), (&target, 8443, (ENDPOINT_IP, 443))]
    {
        namespace.run(move || {
            let socket = UdpSocket::bind(("0.0.0.0", port)).unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 9000];
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                socket.send_to(&buffer[..length], from).unwrap();
            });
        });
        let datagram = noise(8000);
        let copy = client.run(move || {
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket.connect(to).unwrap();
            socket.send(&datagram).unwrap();
            let mut buffer = [0; 9000];
            let length = socket.recv(&mut buffer).unwrap();
            buffer[..length] == datagram[..]
        });
        assert!(copy, "to {to:?}");
    }
    let pinged =
        client.run(|| Command::new("ping").args(["-c1", "-W20", "10.0.0.20"]).output().unwrap().status);
    assert!(pinged.success());
}

#[test]
fn a_connection_that_is_revoked_fails_at_once() {
    let world = World::new();
    let client = connect(&world, CLIENT, "10.0.0.10/24");
    let target = connect(&world, TARGET, "10.0.0.10/24");
    echo_once(&target);
    let mut stream = client.run(|| {
        let endpoint = SocketAddr::from((ENDPOINT_IP, 443));
        let mut stream = patient(TcpStream::connect_timeout(&endpoint, PATIENCE).unwrap());
        stream.write_all(b"before").unwrap();
        stream
    });
    world.rules(103, INGRESS, &[]);
    world.raise_epoch();
    let error = client.run(move || {
        // Offloaded checksum and payload: the answer must be right, or the kernel would ignore it.
        stream.write_all(&noise(20_000)).unwrap();
        stream.read(&mut [0; 1]).unwrap_err().kind()
    });
    assert_eq!(error, ErrorKind::ConnectionReset);
}

#[test]
fn the_service_namespace_is_asked_and_checks_a_target() {
    let world = World::new();
    let client = connect(&world, CLIENT, "10.0.0.10/24");
    let target = connect(&world, TARGET, "10.0.0.10/24");
    let service = connect(&world, SERVICE, "172.16.0.1/12");
    service.run(|| {
        ip("addr add 172.16.0.2/32 dev lo");
        let socket = UdpSocket::bind((SERVICE_RESOLVER_IP, 53)).unwrap();
        thread::spawn(move || {
            let (_, from) = socket.recv_from(&mut [0; 100]).unwrap();
            socket.send_to(from.ip().to_string().as_bytes(), from).unwrap();
        });
    });
    let seen = client.run(|| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect((RESOLVER_IP, 53)).unwrap();
        socket.send(b"who am I?").unwrap();
        let mut buffer = [0; 100];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    });
    assert_eq!(seen, SERVICE_CLIENT_IP.to_string());

    let listener = target.run(|| TcpListener::bind("0.0.0.0:8443").unwrap());
    service.run(|| {
        TcpStream::connect_timeout(&SocketAddr::from((PROBE_IP, 8443)), PATIENCE).unwrap();
    });
    let (_, from) = listener.accept().unwrap();
    assert_eq!(from.ip(), NODE_IP);
}
