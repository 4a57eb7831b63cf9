//! A fabric that a test takes down, what lives in it, and sockets in its namespaces.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use libbpf_rs::libbpf_sys;
use linkway_fabric::{Fabric, Settings, instance_namespace, namespace, teardown};
use linkway_model::load_balancer::{Protocol, TargetId};
use linkway_model::security_group::{Direction, Peer};
use linkway_model::{InstanceId, SecurityGroupRuleId};

use crate::state::{State, cidr, tcp};

/// How long something that shall come is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a packet that is dropped is waited for.
pub(crate) const SILENCE: Duration = Duration::from_millis(600);

/// A fabric that is taken down with the test.
pub(crate) struct Machine {
    pub(crate) settings: Settings,
    pub(crate) fabric: Option<Fabric>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lwt{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let settings = Settings { name, bpffs: PathBuf::from("/sys/fs/bpf"), uplink: None };
        let fabric = Some(Fabric::open(settings.clone()).unwrap());
        Self { settings, fabric }
    }

    pub(crate) fn fabric(&mut self) -> &mut Fabric {
        self.fabric.as_mut().expect("open")
    }

    /// How many flows are open.
    pub(crate) fn flows(&mut self) -> u64 {
        self.fabric().reader().shares().unwrap().values().map(|share| share.flows).sum()
    }

    pub(crate) fn apply(&mut self, state: &State) {
        self.fabric().apply(&state.snapshot.clone().into()).unwrap();
        let problems: Vec<String> = self.fabric().problems().values().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{problems:?}");
    }

    /// End the daemon's part, and start another.
    pub(crate) fn reopen(&mut self) {
        self.fabric = None;
        self.fabric = Some(Fabric::open(self.settings.clone()).unwrap());
    }

    pub(crate) fn instance(&self, instance: &InstanceId) -> PathBuf {
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
pub(crate) fn inside<T: Send>(namespace: &Path, act: impl FnOnce() -> T + Send) -> T {
    namespace::enter(namespace, || Ok(act())).unwrap()
}

/// A server that sends back what it gets, until the test ends. A socket stays in its namespace.
pub(crate) fn echo(namespace: &Path, port: u16) {
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

pub(crate) fn connect(namespace: &Path, to: &str) -> std::io::Result<TcpStream> {
    let to: SocketAddr = to.parse().unwrap();
    let stream = inside(namespace, || TcpStream::connect_timeout(&to, SILENCE))?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Send a word and read it back.
pub(crate) fn exchange(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut answer = [0; 5];
    stream.write_all(b"hello")?;
    stream.read_exact(&mut answer)?;
    assert_eq!(&answer, b"hello");
    Ok(())
}

/// A database behind a balancer in one VPC, and an application with an endpoint in another of the same range.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) application: InstanceId,
    pub(crate) database: InstanceId,
    /// Lets the application in at the endpoint.
    pub(crate) admission: SecurityGroupRuleId,
}

pub(crate) fn world() -> World {
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

pub(crate) const ENDPOINT: &str = "10.0.1.20:5432";

/// Take its program from a device of the fabric's namespace, whichever way it has it.
pub(crate) fn take_program(fabric: &Path, device: &str) {
    let taken = namespace::enter(fabric, || {
        let index = nix::net::if_::if_nametoindex(device).unwrap().cast_signed();
        let options = libbpf_sys::bpf_prog_detach_opts {
            sz: size_of::<libbpf_sys::bpf_prog_detach_opts>() as u64,
            flags: libbpf_sys::BPF_F_AFTER, // of nothing: the last
            ..Default::default()
        };
        // SAFETY: the options outlive the call.
        if unsafe {
            libbpf_sys::bpf_prog_detach_opts(0, index, libbpf_sys::BPF_TCX_INGRESS, &raw const options)
        } != 0
        {
            let tc = ["qdisc", "del", "dev", device, "clsact"];
            assert!(process::Command::new("tc").args(tc).status().unwrap().success());
        }
        Ok(())
    });
    taken.unwrap();
}
