//! A whole fabric on this machine: real namespaces, devices and programs; TCP by ordinary sockets.
//!
//! Each test has a fabric of its own name and takes it down. It needs root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod state;

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use linkway_fabric::{
    Fabric, FabricError, Settings, client_interface, endpoint_interface, instance_namespace, namespace,
    teardown,
};
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::load_balancer::{Protocol, TargetId};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::security_group::{Direction, Peer, SecurityGroupRule};
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{AttachmentId, InstanceId, SecurityGroupRuleId, Timestamp};

use state::{State, cidr, tcp};

/// How long something that shall come is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a packet that is dropped is waited for.
const SILENCE: Duration = Duration::from_millis(600);

/// A fabric that is taken down with the test.
struct Machine {
    settings: Settings,
    fabric: Option<Fabric>,
}

impl Machine {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lwt{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let settings = Settings { name, bpffs: PathBuf::from("/sys/fs/bpf") };
        let fabric = Some(Fabric::open(settings.clone()).unwrap());
        Self { settings, fabric }
    }

    fn fabric(&mut self) -> &mut Fabric {
        self.fabric.as_mut().expect("open")
    }

    fn apply(&mut self, state: &State) {
        self.fabric().apply(&state.snapshot).unwrap();
        let problems: Vec<String> = self.fabric().problems().values().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{problems:?}");
    }

    /// End the daemon's part, and start another.
    fn reopen(&mut self) {
        self.fabric = None;
        self.fabric = Some(Fabric::open(self.settings.clone()).unwrap());
    }

    fn instance(&self, instance: &InstanceId) -> PathBuf {
        namespace::path(&instance_namespace(&self.settings.name, instance))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.fabric = None;
        let errors = teardown(&self.settings.name, &self.settings.bpffs);
        if !thread::panicking() {
            assert!(errors.is_empty(), "{errors:?}");
        }
    }
}

/// Inside a namespace, on a thread of its own.
fn inside<T: Send>(namespace: &Path, act: impl FnOnce() -> T + Send) -> T {
    namespace::enter(namespace, || Ok(act())).unwrap()
}

/// The fabric may live on a thread of its own, and its readers on others.
#[test]
fn a_fabric_and_its_readers_can_be_sent_to_threads() {
    fn sent<T: Send>() {}
    sent::<Fabric>();
    sent::<linkway_fabric::Reader>();
    sent::<linkway_fabric::Events>();
}

/// A server that sends back what it gets, until the test ends. A socket stays in its namespace.
fn echo(namespace: &Path, port: u16) {
    let listener = inside(namespace, || TcpListener::bind(("0.0.0.0", port)).unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let (mut from, mut to) = (stream.try_clone().unwrap(), stream);
                let _ = std::io::copy(&mut from, &mut to);
            });
        }
    });
}

fn connect(namespace: &Path, to: &str) -> std::io::Result<TcpStream> {
    let to: SocketAddr = to.parse().unwrap();
    let stream = inside(namespace, || TcpStream::connect_timeout(&to, SILENCE))?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Send a word and read it back.
fn exchange(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut answer = [0; 5];
    stream.write_all(b"hello")?;
    stream.read_exact(&mut answer)?;
    assert_eq!(&answer, b"hello");
    Ok(())
}

/// A database behind a balancer in one VPC, and an application with an endpoint in another of the same range.
struct World {
    state: State,
    application: InstanceId,
    database: InstanceId,
    /// Lets the application in at the endpoint.
    admission: SecurityGroupRuleId,
}

fn world() -> World {
    let mut state = State::default();

    let provider = state.vpc("10.0.0.0/16");
    let private = state.subnet(&provider, "10.0.1.0/24", 'a');
    let database_group = state.group_with_egress(&provider);
    state.rule(&database_group, Direction::Ingress, tcp(5432, 5432), cidr("10.0.1.5/32"));
    let database = state.instance(&private, "10.0.1.10", &[&database_group]);
    let balancer = state.balancer(&[(&private, "10.0.1.5")]);
    let targets = state.target_group(&provider, 5432, &[TargetId::Instance(database.clone())]);
    state.listener(&balancer, Protocol::Tcp, 5432, &targets);
    let service = state.service(&[&balancer]);

    let consumer = state.vpc("10.0.0.0/16");
    let private = state.subnet(&consumer, "10.0.1.0/24", 'a');
    let application_group = state.group_with_egress(&consumer);
    let endpoint_group = state.group(&consumer);
    let admission = state.rule(
        &endpoint_group,
        Direction::Ingress,
        tcp(5432, 5432),
        Peer::Group(application_group.clone()),
    );
    let application = state.instance(&private, "10.0.1.10", &[&application_group]);
    state.endpoint(&service, &[(&private, "10.0.1.20")], &[&endpoint_group]);

    World { state, application, database, admission }
}

const ENDPOINT: &str = "10.0.1.20:5432";

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
    assert_eq!(machine.fabric().reader().flows(), 1);

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
    };
    state.change::<NetworkInterface>(&consumer, |interface| interface.role = role.clone());
    machine.apply(&state);
    echo(&machine.instance(&database), 5432);
    exchange(&mut connect(&own, ENDPOINT).unwrap()).unwrap();

    // The namespace goes: that is a problem of this interface's, and of nothing else's.
    namespace::remove(&own).unwrap();
    machine.fabric().apply(&state.snapshot).unwrap();
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
    };
    state.change::<NetworkInterface>(&eni, |interface| interface.role = role);
    machine.fabric().apply(&state.snapshot).unwrap();
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
    run(&["netns", "exec", &fabric, "tc", "qdisc", "del", "dev", &format!("eni{number}"), "clsact"]);
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

/// The gateway's one socket a port serves every endpoint, and knows which it is and who connects.
#[test]
fn the_gateway_knows_who_connects_and_to_which_endpoint() {
    let mut machine = Machine::new();
    let World { mut state, application, .. } = world();
    let interface = state.get::<Instance>(&application).interface.clone();
    let placed = state.get::<NetworkInterface>(&interface);
    let (vpc, subnet, group) = (placed.vpc.clone(), placed.subnet.clone(), placed.groups[0].clone());
    let open = state.group(&vpc);
    let admission = state.rule(&open, Direction::Ingress, tcp(443, 443), Peer::Group(group));
    let endpoints = ["rds", "sts"].map(|service| {
        let address = if service == "rds" { "10.0.1.31" } else { "10.0.1.32" };
        let id = state.aws_endpoint(service, &[(&subnet, address)], &[&open]);
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

    // A revoked rule ends what it had let in.
    state.remove::<SecurityGroupRule>(&admission);
    machine.apply(&state);
    let (client, _server) = &mut open[0];
    client.write_all(b"hello").unwrap();
    assert!(client.read_exact(&mut [0; 5]).is_err());
}

/// As many clients as may be idle at the gateway come all at once.
#[test]
fn a_crowd_of_connections_waits_until_the_gateway_accepts_them() {
    const CROWD: usize = 6000;
    let mut machine = Machine::new();
    let World { mut state, application, .. } = world();
    let interface = state.get::<Instance>(&application).interface.clone();
    let placed = state.get::<NetworkInterface>(&interface);
    let (vpc, subnet, group) = (placed.vpc.clone(), placed.subnet.clone(), placed.groups[0].clone());
    let open = state.group(&vpc);
    state.rule(&open, Direction::Ingress, tcp(443, 443), Peer::Group(group));
    state.aws_endpoint("rds", &[(&subnet, "10.0.1.31")], &[&open]);
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
    assert_eq!(machine.fabric().reader().flows(), CROWD);
    assert!(machine.fabric().reader().drops().unwrap().is_empty());
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
    let settings = Settings { name: "lwt-nobody".to_owned(), bpffs: PathBuf::from("/sys/fs/bpf") };
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
        let settings = Settings { name: name.to_owned(), bpffs: PathBuf::from("/sys/fs/bpf") };
        assert!(matches!(Fabric::open(settings), Err(FabricError::Name { .. })), "{name:?}");
    }
}
