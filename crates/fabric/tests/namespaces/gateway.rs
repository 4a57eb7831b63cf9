//! The way to the gateway, by sockets in the service namespace.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use linkway_fabric::{client_interface, endpoint_interface};
use linkway_model::instance::Instance;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::security_group::{Direction, Peer, SecurityGroupRule};
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{InstanceId, SecurityGroupId, SecurityGroupRuleId, SubnetId};

use crate::machine::{Machine, PATIENCE, World, connect, inside, world};
use crate::state::{State, tcp};

/// An application, and a group that lets it in at endpoints on port 443.
struct Site {
    state: State,
    application: InstanceId,
    subnet: SubnetId,
    door: SecurityGroupId,
    admission: SecurityGroupRuleId,
}

fn site() -> Site {
    let World { mut state, application, .. } = world();
    let interface = state.get::<Instance>(&application).interface.clone();
    let placed = state.get::<NetworkInterface>(&interface);
    let (vpc, subnet, group) = (placed.vpc.clone(), placed.subnet.clone(), placed.groups[0].clone());
    let door = state.group(&vpc);
    let admission = state.rule(&door, Direction::Ingress, tcp(443, 443), Peer::Group(group));
    Site { state, application, subnet, door, admission }
}

/// The gateway's one socket a port serves every endpoint, and knows which it is and who connects.
#[test]
fn the_gateway_knows_who_connects_and_to_which_endpoint() {
    let mut machine = Machine::new();
    let Site { mut state, application, subnet, door, admission } = site();
    let endpoints = ["rds", "sts"].map(|service| {
        let address = if service == "rds" { "10.0.1.31" } else { "10.0.1.32" };
        let id = state.aws_endpoint(service, &[(&subnet, address)], &[&door]);
        (address, state.get::<VpcEndpoint>(&id).subnets[0].interface.clone())
    });
    // Numbers are never used twice, so they grow beyond what is alive.
    for ((_, interface), number) in endpoints.iter().zip([70_000, (1 << 24) - 1]) {
        state.change::<NetworkInterface>(interface, |interface| interface.number = number);
    }
    machine.apply(&state);
    let service = machine.fabric().service_namespace().to_owned();
    let listener = inside(&service, || TcpListener::bind(("0.0.0.0", 443)).unwrap());
    let namespace = machine.instance(&application);
    let asker = state.number(&state.get::<Instance>(&application).interface);

    let mut open = Vec::new();
    for (address, interface) in &endpoints {
        let mut client = connect(&namespace, &format!("{address}:443")).unwrap();
        let (mut server, from) = listener.accept().unwrap();
        let SocketAddr::V4(from) = from else { panic!("{from}") };
        let SocketAddr::V4(to) = server.local_addr().unwrap() else { panic!("not IPv4") };
        assert_eq!(client_interface(*from.ip()), Some(asker));
        assert_eq!(from.port(), client.local_addr().unwrap().port(), "its own port");
        assert_eq!(endpoint_interface(*to.ip()), Some(state.number(interface)));
        assert_eq!(to.port(), 443);

        client.write_all(b"hello").unwrap();
        let mut heard = [0; 5];
        server.read_exact(&mut heard).unwrap();
        server.write_all(&heard).unwrap();
        client.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        open.push((client, server));
    }
    assert!(connect(&namespace, "10.0.1.31:80").is_err(), "its groups let nobody in there");
    let traffic = machine.fabric().reader().traffic().unwrap();
    for (_, interface) in &endpoints {
        let count = &traffic[&state.number(interface)];
        assert!(count.flows == 1 && count.sent.packets > 0 && count.received.packets > 0, "{count:?}");
    }

    // A revoked rule ends what it had let in, and either end learns it from its own next packet.
    state.remove::<SecurityGroupRule>(&admission);
    machine.apply(&state);
    let [(client, _), (_, server)] = &mut open[..] else { panic!("not two") };
    for end in [client, server] {
        end.set_read_timeout(Some(PATIENCE)).unwrap();
        end.write_all(b"hello").unwrap();
        assert_eq!(end.read_exact(&mut [0; 5]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}

/// As many clients as may be idle at the gateway come all at once.
#[test]
fn a_crowd_of_connections_waits_until_the_gateway_accepts_them() {
    const CROWD: usize = 6000;
    let mut machine = Machine::new();
    let Site { mut state, application, subnet, door, .. } = site();
    state.aws_endpoint("rds", &[(&subnet, "10.0.1.31")], &[&door]);
    machine.apply(&state);
    let service = machine.fabric().service_namespace().to_owned();
    let listener = inside(&service, || {
        let listener = TcpListener::bind(("0.0.0.0", 443)).unwrap();
        // As the gateway does: the namespace's limit is the only one.
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::MAXALLOWABLE).unwrap();
        listener
    });
    let namespace = machine.instance(&application);
    let to: SocketAddr = "10.0.1.31:443".parse().unwrap();
    let crowd = inside(&namespace, || {
        (0..CROWD).map(|_| TcpStream::connect_timeout(&to, PATIENCE)).collect::<Result<Vec<_>, _>>()
    });
    let crowd = crowd.unwrap();
    let ports: BTreeSet<u16> = (0..CROWD).map(|_| listener.accept().unwrap().1.port()).collect();
    let theirs = crowd.iter().map(|stream| stream.local_addr().unwrap().port()).collect();
    assert_eq!(ports, theirs);
    assert_eq!(machine.flows(), CROWD as u64);
    assert!(machine.fabric().reader().drops().unwrap().is_empty());
}
