//! Real sockets again: datagrams that Linux sends in fragments, and errors that it tells of.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;

use crate::delivery::{Namespace, PATIENCE, connect, ip, noise, patient};
use crate::world::*;

/// The longest that UDP over IPv4 carries.
const LONGEST: usize = 65_507;

fn socket_to(to: (std::net::Ipv4Addr, u16)) -> UdpSocket {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(to).unwrap();
    socket
}

/// Sends back what comes.
fn echo_datagrams(namespace: &Namespace, port: u16) {
    namespace.run(move || {
        let socket = UdpSocket::bind(("0.0.0.0", port)).unwrap();
        thread::spawn(move || {
            let mut buffer = vec![0; LONGEST];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                socket.send_to(&buffer[..length], from).unwrap();
            }
        });
    });
}

#[test]
fn the_longest_datagrams_arrive_in_fragments() {
    let world = World::new();
    let client = connect(&world, CLIENT, "10.0.0.10/24");
    let neighbour = connect(&world, NEIGHBOUR, "10.0.0.20/24");
    let target = connect(&world, TARGET, "10.0.0.10/24");
    echo_datagrams(&neighbour, 5000);
    echo_datagrams(&target, 8443);
    for to in [(NEIGHBOUR_IP, 5000), (ENDPOINT_IP, 443)] {
        let whole = client.run(move || {
            let socket = socket_to(to);
            (0..10).all(|number| {
                let datagram = noise(LONGEST - number);
                socket.send(&datagram).unwrap();
                let mut buffer = vec![0; LONGEST];
                let length = socket.recv(&mut buffer).unwrap();
                buffer[..length] == datagram
            })
        });
        assert!(whole, "to {to:?}");
    }
    let ping = client.run(|| Command::new("ping").args("-c1 -W20 -s20000 10.0.0.20".split(' ')).output());
    assert!(ping.unwrap().status.success());
    let dropped: Vec<_> =
        world.drops().into_keys().filter(|(_, why)| *why == Drop::DROP_FRAGMENT.0).collect();
    assert_eq!(dropped, []);
    let (sent, received, flows) = world.traffic(ENDPOINT);
    assert_eq!((sent, received, flows), (10 * 8, 10 * 8, 1), "eight fragments a datagram");
}

#[test]
fn a_closed_port_refuses_at_once() {
    let world = World::new();
    let client = connect(&world, CLIENT, "10.0.0.10/24");
    let _neighbour = connect(&world, NEIGHBOUR, "10.0.0.20/24");
    let _target = connect(&world, TARGET, "10.0.0.10/24");
    for to in [(NEIGHBOUR_IP, 5000), (ENDPOINT_IP, 443)] {
        let error = client.run(move || {
            let socket = socket_to(to);
            socket.send(b"anybody there?").unwrap();
            socket.recv(&mut [0; 100]).unwrap_err().kind()
        });
        assert_eq!(error, ErrorKind::ConnectionRefused, "{to:?}");
    }
    assert_eq!(world.traffic(ENDPOINT), (1, 1, 1));
}

/// A target behind a router of its own, to which only 1500 bytes fit, though it does not know.
fn connect_narrow(world: &World) -> (Namespace, Namespace) {
    world.check_source(TARGET, false);
    let router = connect(world, TARGET, "10.0.0.200/24");
    let target = Namespace::new();
    let thread = target.thread;
    router.run(move || {
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
        ip(&format!("link add r0 mtu 1500 type veth peer name t0 mtu 8500 netns {thread}"));
        ip("link set r0 up");
        ip("route add 10.0.0.10/32 dev r0");
        fs::write("/proc/sys/net/ipv4/conf/r0/proxy_arp", "1").unwrap();
    });
    target.run(|| {
        ip("link set lo up");
        ip("link set t0 up");
        ip("addr add 10.0.0.10/32 dev t0");
        ip("route add default dev t0");
    });
    (router, target)
}

/// What the socket's kernel believes to fit on the way there.
fn path_mtu(socket: &UdpSocket) -> i32 {
    let (mut mtu, mut length) = (0i32, size_of::<i32>() as libc::socklen_t);
    let value = (&raw mut mtu).cast();
    // SAFETY: the option is an integer, for which there is room.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_IP, libc::IP_MTU, value, &raw mut length)
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    mtu
}

#[test]
fn a_client_learns_what_fits_on_the_way_behind_an_endpoint() {
    let world = World::new();
    let client = connect(&world, CLIENT, "10.0.0.10/24");
    let (_router, target) = connect_narrow(&world);
    echo_datagrams(&target, 8443);
    let (before, error, after, arrived) = client.run(|| {
        let socket = socket_to((ENDPOINT_IP, 443));
        let before = path_mtu(&socket);
        // Linux sets DF on datagrams that fit what it believes.
        socket.send(&noise(5000)).unwrap();
        let error = socket.recv(&mut [0; 9000]).unwrap_err().raw_os_error();
        let after = path_mtu(&socket);
        socket.send(&noise(1400)).unwrap();
        (before, error, after, socket.recv(&mut [0; 9000]).unwrap())
    });
    assert_eq!((before, error, after, arrived), (8500, Some(libc::EMSGSIZE), 1500, 1400));

    let listener = target.run(|| TcpListener::bind("0.0.0.0:8443").unwrap());
    let counting = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = patient(stream);
        let length = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
        stream.write_all(&length.to_be_bytes()).unwrap();
    });
    // Another client, which knows nothing yet.
    let counted = client.run(|| {
        ip("route flush cache");
        let to = SocketAddr::from((ENDPOINT_IP, 443));
        let mut stream = patient(TcpStream::connect_timeout(&to, PATIENCE).unwrap());
        stream.write_all(&noise(2_000_000)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut length = [0; 8];
        stream.read_exact(&mut length).unwrap();
        u64::from_be_bytes(length)
    });
    counting.join().unwrap();
    assert_eq!(counted, 2_000_000);
    let lost = |why: Drop| world.drops().into_keys().filter(|(_, reason)| *reason == why.0).count();
    assert_eq!((lost(Drop::DROP_NO_FLOW), lost(Drop::DROP_FRAGMENT)), (0, 0));
}
