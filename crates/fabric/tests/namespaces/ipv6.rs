//! IPv6 addresses of devices: given, used, and taken away again.

use std::net::{Ipv6Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::thread;

use linkway_fabric::{client_interface, namespace, ranges};
use linkway_model::instance::Instance;
use linkway_model::network_acl::NetworkAclEntry;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::security_group::Direction;
use linkway_model::subnet::{Subnet, SubnetIpv6Cidr};
use linkway_model::vpc::{Vpc, VpcIpv6Cidr};
use linkway_model::{SubnetCidrAssociationId, VpcCidrAssociationId};

use crate::machine::{Machine, PATIENCE, connect, exchange, inside};
use crate::state::{State, anything, cidr, entry, tcp};

const CLIENT: &str = "2001:db8:0:1::10";
const SERVER: &str = "2001:db8:0:2::10";

/// A server by IPv6 that answers one connection with what it gets.
fn echo_once(namespace: &Path, port: u16) {
    let listener = inside(namespace, || TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut copy = stream.try_clone().unwrap();
        let _ = std::io::copy(&mut stream, &mut copy);
    });
}

#[test]
fn instances_speak_ipv6_as_their_groups_allow() {
    let mut machine = Machine::new();
    let mut state = State::default();
    let vpc = state.vpc("10.0.0.0/16");
    state.change::<Vpc>(&vpc, |vpc| {
        let cidr = "2001:db8::/56".parse().unwrap();
        vpc.ipv6_cidrs = vec![VpcIpv6Cidr { association: VpcCidrAssociationId::random(), cidr }];
    });
    let both_ways = [false, true]
        .map(|egress| NetworkAclEntry { cidr: "::/0".parse().unwrap(), ..entry(101, egress, true) });
    let acl = state.acl(&vpc, both_ways.to_vec());
    let mut instance = |subnet: &str, network: &str, address: &str, ipv6: &str| {
        let subnet = state.subnet(&vpc, subnet, 'a');
        state.change::<Subnet>(&subnet, |subnet| {
            let (association, cidr) = (SubnetCidrAssociationId::random(), network.parse().unwrap());
            subnet.network_acl.1 = acl.clone();
            subnet.ipv6_cidr = Some(SubnetIpv6Cidr { association, cidr });
        });
        let group = state.group(&vpc);
        let made = state.instance(&subnet, address, &[&group]);
        let interface = state.get::<Instance>(&made).interface.clone();
        state.change::<NetworkInterface>(&interface, |interface| {
            interface.ipv6_addresses = vec![ipv6.parse().unwrap()];
        });
        (made, group)
    };
    let (client, client_group) = instance("10.0.1.0/24", "2001:db8:0:1::/64", "10.0.1.10", CLIENT);
    let (server, server_group) = instance("10.0.2.0/24", "2001:db8:0:2::/64", "10.0.2.10", SERVER);
    state.rule(&client_group, Direction::Egress, anything(), cidr("::/0"));
    state.rule(&server_group, Direction::Ingress, tcp(5432, 5432), cidr("2001:db8:0:1::/64"));
    machine.apply(&state);
    let (there, here) = (machine.instance(&server), machine.instance(&client));
    echo_once(&there, 5432);
    echo_once(&there, 80);
    exchange(&mut connect(&here, &format!("[{SERVER}]:5432")).unwrap()).unwrap();
    assert!(connect(&here, &format!("[{SERVER}]:80")).is_err(), "no rule lets it in");
    assert!(connect(&here, "10.0.2.10:5432").is_err(), "a rule of IPv6 lets nothing of IPv4 in");

    // The resolver is asked by IPv6, and knows by whom.
    let address = ranges::by_ipv6(ranges::RESOLVER);
    let service = namespace::path(&format!("{}-svc", machine.settings.name));
    let resolver = inside(&service, || UdpSocket::bind((address, 53)).unwrap());
    resolver.set_read_timeout(Some(PATIENCE)).unwrap();
    let asker = inside(&here, || UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).unwrap());
    asker.set_read_timeout(Some(PATIENCE)).unwrap();
    inside(&here, || asker.send_to(b"who?", (ranges::RESOLVER6, 53)).unwrap());
    let mut bytes = [0; 16];
    let (_, from) = resolver.recv_from(&mut bytes).unwrap();
    let number = state.number(&state.get::<Instance>(&client).interface);
    assert_eq!(ranges::as_ipv4(from.ip()).and_then(client_interface), Some(number));
    resolver.send_to(b"you", from).unwrap();
    assert_eq!(asker.recv_from(&mut bytes).unwrap().1.ip(), ranges::RESOLVER6);

    // Without its address the instance has no way there.
    let interface = state.get::<Instance>(&client).interface.clone();
    state.change::<NetworkInterface>(&interface, |interface| interface.ipv6_addresses.clear());
    machine.apply(&state);
    assert!(connect(&here, &format!("[{SERVER}]:5432")).is_err());
}
