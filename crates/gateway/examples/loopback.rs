//! A gateway on the loopback interface, in front of one backend: what `make bench-gateway` measures.
//!
//! `loopback PORT BACKEND DIRECTORY`: serves the endpoints 127.100.0.1 (RDS) and 127.100.0.2 (S3) on a port, for
//! clients of 127.0.0.0/8, with a backend that speaks HTTP. Writes its CA's certificate to `ca.pem` of the directory,
//! and audit records to `audit.jsonl`. Requests are decided as the daemon decides them, by the tables and the policy
//! that `cargo bench -p linkway-policy` evaluates.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says where")]

#[path = "../../linkway/src/gateway/decider.rs"]
mod decider;
#[path = "../../linkway/src/daemon/audit/queue.rs"]
#[expect(dead_code, reason = "only the daemon ends its queue")]
mod queue;

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use futures_util::future::BoxFuture;
use hyper::Response;
use linkway_gateway::{
    Addresses, AuditSink, Authority, Backend, Body, Endpoint, Gateway, Key, Keys, Limits, Local, LocalCall,
    Principal, Protocol, Ranges, Record, Service, Settings, Timeouts, Tls, UnknownKeys, View, full,
};
use linkway_policy::{Policy, PrincipalKind};
use linkway_wire::sigv4::Secret;
use queue::Queue;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose};
use tokio::net::TcpSocket;
use tokio::runtime;

const POLICY: &str = include_str!("../../policy/benches/perimeter.json");
const ACCOUNT: &str = "111122223333";

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn as_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, backend, directory] = &arguments[..] else { panic!("usage: loopback PORT BACKEND DIRECTORY") };
    let directory = PathBuf::from(directory);

    let (ca, key) = certificate_authority();
    let outbound = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = Settings {
        ranges: Ranges {
            service: Ipv4Addr::new(127, 100, 0, 0),
            client: Ipv4Addr::new(127, 0, 0, 0),
            as_ipv4,
        },
        limits: Limits::default(),
        timeouts: Timeouts::default(),
        audit: Arc::new(Audit::start(File::create(directory.join("audit.jsonl")).unwrap())),
        decider: Arc::new(decider::ByTables),
        local: Arc::new(Nothing),
        outbound: outbound.handle().clone(),
        clock: Arc::new(jiff::Timestamp::now),
    };
    let backend = Backend::Http { authority: backend.clone() };
    let endpoint = |name: &str, protocol| Arc::new(endpoint(name, protocol, backend.clone()));
    let view = View {
        endpoints: [(1, endpoint("rds", Protocol::Query)), (2, endpoint("s3", Protocol::S3))]
            .into_iter()
            .collect(),
        relays: HashMap::new(),
        clients: [(1, Addresses { ipv4: Ipv4Addr::new(10, 0, 7, 9), ipv6: None })].into_iter().collect(),
        keys: Arc::new(Alice::new()),
    };
    let gateway = Gateway::new(settings, Authority::new(&ca, &key).unwrap(), view);
    std::fs::write(directory.join("ca.pem"), ca).unwrap();
    let port = port.parse().unwrap();
    std::thread::scope(|threads| {
        for _ in 0..available_parallelism().unwrap().get() {
            threads.spawn(|| serve(&gateway, port));
        }
    });
}

/// A thread of the gateway's, with a runtime and a listening socket of its own, as the daemon has them.
fn serve(gateway: &Gateway, port: u16) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseport(true).unwrap();
        socket.bind((Ipv4Addr::UNSPECIFIED, port).into()).unwrap();
        gateway.worker().serve(socket.listen(4096).unwrap(), std::future::pending()).await;
    });
}

fn certificate_authority() -> (String, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(rcgen::DnType::CommonName, "A measurement's CA");
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn endpoint(name: &str, protocol: Protocol, backend: Backend) -> Endpoint {
    let service = Service {
        name: format!("com.amazonaws.us-east-1.{name}"),
        event_source: format!("{name}.amazonaws.com"),
        signing_names: vec![name.to_owned()],
        global: false,
        protocol,
        backend,
        tls: Tls::Terminate,
        unknown_keys: UnknownKeys::Reject,
        anonymous: false,
    };
    Endpoint {
        id: "vpce-0123456789abcdef0".parse().unwrap(),
        owner: ACCOUNT.parse().unwrap(),
        vpc: "vpc-0a1b2c3d".parse().unwrap(),
        vpc_arn: format!("arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/vpc-0a1b2c3d"),
        region: "us-east-1".to_owned(),
        service: Arc::new(service),
        names: [format!("{name}.us-east-1.amazonaws.com")].into_iter().collect(),
        policy: Arc::new(Policy::parse(POLICY).unwrap()),
        audit_mode: false,
    }
}

/// One user's key.
struct Alice(Arc<Principal>);

impl Alice {
    fn new() -> Self {
        Self(Arc::new(Principal {
            kind: PrincipalKind::User,
            arn: format!("arn:aws:iam::{ACCOUNT}:user/alice"),
            account: ACCOUNT.to_owned(),
            id: "AIDAALICE".to_owned(),
            user_name: Some("alice".to_owned()),
            role_arn: None,
            organization: Some("o-a1b2c3d4e5".to_owned()),
            canonical_user: None,
            tags: vec![("team".to_owned(), "blue".to_owned())],
        }))
    }
}

impl Keys for Alice {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        let secret = Secret {
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
            expires: None,
        };
        (access_key_id == "AKIAIOSFODNN7EXAMPLE").then(|| Key { secret, principal: Arc::clone(&self.0) })
    }
}

/// Hands records to a thread that writes them, as the daemon does.
struct Audit(Arc<Queue<Record>>);

impl Audit {
    fn start(mut file: File) -> Self {
        let records = Arc::new(Queue::new(16_384));
        let taken: Arc<Queue<Record>> = Arc::clone(&records);
        std::thread::spawn(move || {
            let mut lines = Vec::new();
            loop {
                for record in taken.take().values {
                    record.spell(&mut lines);
                    lines.push(b'\n');
                }
                file.write_all(&lines).unwrap();
                lines.clear();
            }
        });
        Self(records)
    }
}

impl AuditSink for Audit {
    fn write(&self, record: Record) {
        self.0.push(record).unwrap();
    }
}

/// No service is served here.
struct Nothing;

impl Local for Nothing {
    fn answer(&self, _: LocalCall) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async { Response::new(full("")) })
    }
}
