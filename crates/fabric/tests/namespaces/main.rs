//! A whole fabric on this machine: real namespaces, devices and programs; TCP by ordinary sockets.
//!
//! Each test has a fabric of its own name and takes it down. It needs root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gateway;
mod ipv6;
mod machine;
#[path = "../state/mod.rs"]
mod state;

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;

use ipnet::IpNet;
use linkway_fabric::inspect::inspect;
use linkway_fabric::{
    Fabric, FabricError, Settings, client_interface, instance_namespace, namespace, teardown,
};
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::load_balancer::TargetId;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::security_group::SecurityGroupRule;
use linkway_model::{AttachmentId, Timestamp};

use machine::{ENDPOINT, Machine, PATIENCE, World, connect, echo, exchange, inside, take_program, world};

/// The fabric may live on a thread of its own, and its readers on others.
#[test]
fn a_fabric_and_its_readers_can_be_sent_to_threads() {
    fn sent<T: Send>() {}
    sent::<Fabric>();
    sent::<linkway_fabric::Reader>();
    sent::<linkway_fabric::Events>();
}

#[test]
fn a_connection_goes_through_the_endpoint_and_nowhere_else() {
    let mut machine = Machine::new();
    let mut world = world();
    let state = &mut world.state;
    machine.apply(state);
    let (application, database) = (machine.instance(&world.application), machine.instance(&world.database));
    echo(&database, 5432);
    echo(&database, 80);

    let mut open = connect(&application, ENDPOINT).unwrap();
    exchange(&mut open).unwrap();

    // Everything else is dropped, for a reason that is counted and told.
    let sender = state.number(&state.get::<Instance>(&world.application).interface);
    let mut events = machine.fabric().reader().events().unwrap();
    for (to, reason) in [
        ("10.0.1.20:80", "IngressDenied"),
        // In the subnet itself, where nothing is.
        ("10.0.1.5:5432", "NoRoute"),
        ("192.0.2.1:5432", "NoRoute"),
    ] {
        assert!(connect(&application, to).is_err(), "{to}");
        let event = events.next(PATIENCE).unwrap().expect("an event");
        let to: SocketAddr = to.parse().unwrap();
        assert_eq!((event.destination, event.reason.name()), (to.ip(), reason));
        assert_eq!(event.interface, sender);
        let drops = machine.fabric().reader().drops().unwrap();
        assert!(drops[&(sender, event.reason)].packets > 0);
    }
    let traffic: Vec<_> = machine.fabric().reader().traffic().unwrap().into_values().collect();
    let [endpoint] = traffic[..] else { panic!("not one endpoint's: {traffic:?}") };
    assert!(
        endpoint.flows == 1 && endpoint.sent.packets > 0 && endpoint.received.packets > 0,
        "{endpoint:?}"
    );
    assert_eq!(machine.flows(), 1);

    // A revoked rule stops connections that are open, and one that is given again lets new ones in.
    let rule = state.get::<SecurityGroupRule>(&world.admission).clone();
    state.remove::<SecurityGroupRule>(&world.admission);
    machine.apply(state);
    assert!(exchange(&mut open).is_err(), "its rule is gone");
    assert!(connect(&application, ENDPOINT).is_err());
    state.put(rule);
    machine.apply(state);
    exchange(&mut connect(&application, ENDPOINT).unwrap()).unwrap();
}

#[test]
fn connections_outlive_the_daemon() {
    let mut machine = Machine::new();
    let World { mut state, application, database, .. } = world();
    machine.apply(&state);
    let (application, database) = (machine.instance(&application), machine.instance(&database));
    echo(&database, 5432);
    let mut open = connect(&application, ENDPOINT).unwrap();
    exchange(&mut open).unwrap();

    machine.fabric = None;
    exchange(&mut open).unwrap();
    exchange(&mut connect(&application, ENDPOINT).unwrap()).unwrap();

    machine.reopen();
    exchange(&mut open).unwrap();
    machine.apply(&state);
    exchange(&mut open).unwrap();

    // What changed while nobody looked is put right.
    machine.fabric = None;
    let rules: Vec<_> = state.snapshot.all::<SecurityGroupRule>().map(|rule| rule.id.clone()).collect();
    for rule in rules {
        state.remove::<SecurityGroupRule>(&rule);
    }
    machine.reopen();
    machine.apply(&state);
    assert!(exchange(&mut open).is_err());
}

#[test]
fn flows_are_judged_anew_when_something_changed_and_only_then() {
    let mut machine = Machine::new();
    let World { mut state, admission, .. } = world();
    machine.apply(&state);
    let epoch = machine.fabric().epoch();
    machine.apply(&state);
    assert_eq!(machine.fabric().epoch(), epoch);
    state.remove::<SecurityGroupRule>(&admission);
    machine.apply(&state);
    assert_eq!(machine.fabric().epoch(), epoch + 1);
    // The daemon before may have been killed between a change and its epoch.
    machine.reopen();
    machine.apply(&state);
    assert_eq!(machine.fabric().epoch(), epoch + 2);
}

#[test]
fn an_instance_comes_and_goes_with_its_namespace_and_device() {
    let mut machine = Machine::new();
    let World { mut state, application, .. } = world();
    machine.apply(&state);
    let path = machine.instance(&application);
    assert!(namespace::identity(&path).is_some());

    state.change::<Instance>(&application, |instance| instance.state = InstanceState::Terminated);
    machine.apply(&state);
    assert!(!path.exists());

    state.change::<Instance>(&application, |instance| instance.state = InstanceState::Running);
    machine.apply(&state);
    assert!(namespace::identity(&path).is_some());
}

#[test]
fn an_interface_moves_into_a_namespace_that_exists_and_bears_its_end() {
    let mut machine = Machine::new();
    let World { mut state, database, .. } = world();
    let own = namespace::path(&format!("{}-own", machine.settings.name));
    namespace::create(&own, || Ok(())).unwrap();

    // The application's interface, in a namespace of somebody else's.
    let consumer = state
        .snapshot
        .all::<NetworkInterface>()
        .find(|i| {
            matches!(i.role, InterfaceRole::Instance { .. }) && i.vpc != state.get::<Instance>(&database).vpc
        })
        .map(|i| i.id.clone())
        .unwrap();
    let role = InterfaceRole::Namespace {
        attachment: AttachmentId::random(),
        path: own.to_str().unwrap().to_owned(),
        device: "vpc0".to_owned(),
        attached: Timestamp::UNIX_EPOCH,
        container: None,
    };
    state.change::<NetworkInterface>(&consumer, |interface| interface.role = role.clone());
    machine.apply(&state);
    echo(&machine.instance(&database), 5432);
    exchange(&mut connect(&own, ENDPOINT).unwrap()).unwrap();

    // What is really there.
    let interface = state.get::<NetworkInterface>(&consumer);
    let device = inspect(&own, "vpc0").unwrap().unwrap();
    assert_eq!((device.mac, device.mtu, device.up), (interface.mac.to_string(), 8500, true));
    assert_eq!(device.addresses.iter().map(IpNet::addr).collect::<Vec<_>>(), [IpAddr::V4(interface.address)]);
    let default = device.routes.iter().find(|route| route.destination.prefix_len() == 0).unwrap();
    assert!(default.own && default.gateway.is_some());
    assert_eq!(inspect(&own, "vpc1").unwrap(), None);

    // The namespace goes: that is a problem of this interface's, and of nothing else's.
    namespace::remove(&own).unwrap();
    machine.fabric().apply(&state.snapshot.clone().into()).unwrap();
    let number = state.number(&consumer);
    assert_eq!(machine.fabric().problems().keys().copied().collect::<Vec<_>>(), [number]);
    assert!(machine.fabric().problems()[&number].to_string().contains(own.to_str().unwrap()));

    // Another one in its place is served as the first was.
    namespace::create(&own, || Ok(())).unwrap();
    machine.apply(&state);
    exchange(&mut connect(&own, ENDPOINT).unwrap()).unwrap();
    namespace::remove(&own).unwrap();
}

#[test]
fn the_hosts_own_namespace_is_left_as_it_is() {
    let mut machine = Machine::new();
    let World { mut state, application, .. } = world();
    let eni = state.get::<Instance>(&application).interface.clone();
    let role = InterfaceRole::Namespace {
        attachment: AttachmentId::random(),
        path: format!("/proc/{}/ns/net", process::id()),
        device: "vpc0".to_owned(),
        attached: Timestamp::UNIX_EPOCH,
        container: None,
    };
    state.change::<NetworkInterface>(&eni, |interface| interface.role = role);
    machine.fabric().apply(&state.snapshot.clone().into()).unwrap();
    let problem = &machine.fabric().problems()[&state.number(&eni)];
    assert!(matches!(problem, FabricError::HostNamespace { .. }), "{problem}");
}

#[test]
fn a_device_that_was_being_made_when_the_daemon_was_killed_is_completed() {
    let mut machine = Machine::new();
    let World { state, application, database, .. } = world();
    machine.apply(&state);
    let fabric = namespace::path(&machine.settings.name);
    let number = state.number(&state.get::<Instance>(&application).interface);
    machine.fabric = None;
    // As it is right after the pair was made: no program, and down at both ends.
    let run = |arguments: &[&str]| {
        assert!(process::Command::new("ip").args(arguments).status().unwrap().success(), "ip {arguments:?}");
    };
    let fabric = fabric.file_name().unwrap().to_str().unwrap().to_owned();
    let inside = instance_namespace(&machine.settings.name, &application);
    take_program(&namespace::path(&machine.settings.name), &format!("eni{number}"));
    run(&["-n", &fabric, "link", "set", &format!("eni{number}"), "down"]);
    run(&["-n", &inside, "link", "set", "eth0", "down"]);

    machine.reopen();
    machine.apply(&state);
    echo(&machine.instance(&database), 5432);
    exchange(&mut connect(&machine.instance(&application), ENDPOINT).unwrap()).unwrap();
}

#[test]
fn the_service_namespace_checks_targets() {
    let mut machine = Machine::new();
    let World { state, database, .. } = world();
    machine.apply(&state);
    echo(&machine.instance(&database), 5432);
    let group = state.snapshot.all::<linkway_model::load_balancer::TargetGroup>().next().unwrap().arn.clone();
    let address = machine.fabric().probes().address(&group, &TargetId::Instance(database), 5432).unwrap();

    let service = machine.fabric().service_namespace().to_owned();
    exchange(&mut connect(&service, &format!("{address}:5432")).unwrap()).unwrap();
}

#[test]
fn the_resolver_knows_who_asks() {
    let mut machine = Machine::new();
    let World { state, application, .. } = world();
    machine.apply(&state);
    let service = machine.fabric().service_namespace().to_owned();
    let listener = inside(&service, || TcpListener::bind((linkway_fabric::RESOLVER, 53)).unwrap());
    let asker = state.number(&state.get::<Instance>(&application).interface);

    let namespace = machine.instance(&application);
    for resolver in ["10.0.0.2:53", "169.254.169.253:53"] {
        let _asking = connect(&namespace, resolver)
            .unwrap_or_else(|error| panic!("{resolver}: {error}; {:?}", machine.fabric().reader().drops()));
        let (_, from) = listener.accept().unwrap();
        let SocketAddr::V4(from) = from else { panic!("{from}") };
        assert_eq!(client_interface(*from.ip()), Some(asker));
    }
}

#[test]
fn nothing_is_left_of_a_fabric_that_was_taken_down() {
    let mut machine = Machine::new();
    let name = machine.settings.name.clone();
    let World { state, .. } = world();
    machine.apply(&state);
    machine.fabric = None;

    let bpffs = machine.settings.bpffs.clone();
    let errors = teardown(&name, &bpffs);
    assert!(errors.is_empty(), "{errors:?}");
    let left: Vec<String> = namespace::names().into_iter().filter(|found| found.starts_with(&name)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!bpffs.join(&name).exists());
    assert!(teardown(&name, &bpffs).is_empty(), "a second time finds nothing to do");

    // And it can be set up again.
    machine.reopen();
    machine.apply(&state);
}

#[test]
fn tables_of_another_version_are_never_opened() {
    let mut machine = Machine::new();
    machine.fabric = None;
    let directory = machine.settings.bpffs.join(&machine.settings.name).join("v0");
    std::fs::create_dir(&directory).unwrap();

    let refused = Fabric::open(machine.settings.clone()).err().unwrap().to_string();
    assert!(refused.contains(directory.to_str().unwrap()), "{refused}");
    assert!(refused.contains(&format!("linkway down --name {}", machine.settings.name)), "{refused}");
}

#[test]
fn a_connection_refused_by_a_closed_port_says_so_at_once() {
    let mut machine = Machine::new();
    let World { state, application, .. } = world();
    machine.apply(&state);
    let refused = connect(&machine.instance(&application), ENDPOINT).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "the target's RST comes back");
}

#[test]
fn without_privileges_it_says_in_one_line_which_are_missing() {
    let settings =
        Settings { name: "lwt-nobody".to_owned(), bpffs: PathBuf::from("/sys/fs/bpf"), uplink: None };
    // Capabilities are a thread's own.
    let refused = thread::spawn(move || {
        caps::clear(None, caps::CapSet::Effective).unwrap();
        let errors = teardown(&settings.name, &settings.bpffs);
        (Fabric::open(settings).err().unwrap().to_string(), errors.len())
    });
    let (refused, errors) = refused.join().unwrap();
    assert!(refused.contains("CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_BPF missing"), "{refused}");
    assert!(!refused.contains('\n'));
    assert_eq!(errors, 1);
    assert!(!Path::new("/sys/fs/bpf/lwt-nobody").exists());
}

#[test]
fn three_capabilities_are_enough() {
    use caps::Capability::{CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN};
    // The threads that this one starts have no more.
    let limited = thread::spawn(|| {
        let enough = [CAP_NET_ADMIN, CAP_BPF, CAP_SYS_ADMIN].into();
        caps::set(None, caps::CapSet::Effective, &enough).unwrap();
        caps::set(None, caps::CapSet::Permitted, &enough).unwrap();
        let mut machine = Machine::new();
        let World { state, application, database, .. } = world();
        machine.apply(&state);
        echo(&machine.instance(&database), 5432);
        exchange(&mut connect(&machine.instance(&application), ENDPOINT).unwrap()).unwrap();
        machine.reopen();
        machine.apply(&state);
    });
    limited.join().unwrap();
}

#[test]
fn a_name_that_would_meet_another_fabrics_is_refused() {
    for name in ["", "Linkway", "a/b", "web-svc", "1st", &"x".repeat(33)] {
        let settings = Settings { name: name.to_owned(), bpffs: PathBuf::from("/sys/fs/bpf"), uplink: None };
        assert!(matches!(Fabric::open(settings), Err(FabricError::Name { .. })), "{name:?}");
    }
}
