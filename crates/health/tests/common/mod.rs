//! What the tests share: targets on loopback, a state that has them, and a checker whose reports they read.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "a module of a test")]

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use linkway_health::{Checker, Outside};
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::*;
use linkway_model::network_interface::{InterfaceRole, Mac, NetworkInterface};
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::vpc::{Vpc, VpcCidr};
use linkway_model::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A state with one balancer, whose targets are ports of loopback, checked every second; two failures make
/// a target unhealthy, and two successes an unhealthy one healthy.
pub struct Site {
    pub snapshot: Snapshot,
}

impl Site {
    pub fn new(protocol: Protocol, ports: &[u16]) -> Self {
        let mut site = Self { snapshot: Snapshot::default() };
        let (vpc, subnet, node) = (VpcId::random(), SubnetId::random(), NetworkInterfaceId::random());
        let owner: AccountId = "123456789012".parse().unwrap();
        site.put(NetworkInterface {
            id: node.clone(),
            number: 1,
            owner: owner.clone(),
            region: "us-east-1".into(),
            vpc: vpc.clone(),
            subnet: subnet.clone(),
            description: String::new(),
            mac: Mac::of(1),
            address: Ipv4Addr::new(10, 0, 1, 20),
            secondary_addresses: Vec::new(),
            ipv6_addresses: Vec::new(),
            primary_ipv6: false,
            groups: Vec::new(),
            source_dest_check: true,
            role: InterfaceRole::LoadBalancer { load_balancer: "lb".into() },
            created: Timestamp::UNIX_EPOCH,
            tags: Tags::new(),
        });
        site.put(LoadBalancer {
            arn: "lb".into(),
            owner: owner.clone(),
            region: "us-east-1".into(),
            name: "lb".into(),
            vpc: vpc.clone(),
            internal: true,
            ip_address_type: IpAddressType::Ipv4,
            dns_name: "lb.example.com".into(),
            nodes: vec![LoadBalancerNode { subnet, zone: "us-east-1a".into(), interface: node }],
            groups: Vec::new(),
            filters_private_link: false,
            attributes: BTreeMap::new(),
            active: true,
            since: 1,
            created: Timestamp::UNIX_EPOCH,
            tags: Tags::new(),
        });
        site.put(Listener {
            arn: "lb/listener".into(),
            owner: owner.clone(),
            region: "us-east-1".into(),
            load_balancer: "lb".into(),
            protocol: Protocol::Tcp,
            port: 5432,
            target_group: "tg".into(),
            order: None,
            tls: None,
            attributes: BTreeMap::new(),
            tags: Tags::new(),
        });
        let target = |port: &u16| Target {
            id: TargetId::Ip(Ipv4Addr::LOCALHOST.into()),
            port: *port,
            zone: None,
            health: TargetHealth::Initial,
            draining_since: None,
        };
        site.put(TargetGroup {
            arn: "tg".into(),
            owner,
            region: "us-east-1".into(),
            name: "tg".into(),
            vpc,
            protocol: Protocol::Tcp,
            port: 5432,
            target_type: TargetType::Ip,
            ip_address_type: IpAddressType::Ipv4,
            health_check: HealthCheck {
                protocol,
                port: None,
                path: "/".into(),
                matcher: "200-399".into(),
                interval_seconds: 1,
                timeout_seconds: 1,
                healthy_threshold: 2,
                unhealthy_threshold: 2,
            },
            attributes: BTreeMap::new(),
            targets: ports.iter().map(target).collect(),
            tags: Tags::new(),
        });
        site
    }

    fn put<T: Resource>(&mut self, document: T) {
        self.snapshot.put(Arc::new(document));
    }

    /// Give the group's VPC a range, which loopback is not in: so the targets are outside.
    pub fn move_targets_outside(&mut self) {
        let group = self.snapshot.get::<TargetGroup>("tg").unwrap();
        let (id, owner, region) = (group.vpc.clone(), group.owner.clone(), group.region.clone());
        let cidr = "10.0.0.0/16".parse().unwrap();
        self.put(Vpc {
            id,
            number: 1,
            owner,
            region,
            cidrs: vec![VpcCidr { association: VpcCidrAssociationId::random(), cidr }],
            ipv6_cidrs: Vec::new(),
            tenancy: "default".into(),
            is_default: false,
            enable_dns_support: true,
            enable_dns_hostnames: false,
            enable_network_address_usage_metrics: false,
            dhcp_options: DhcpOptionsId::random(),
            default_security_group: SecurityGroupId::random(),
            main_route_table: RouteTableId::random(),
            default_network_acl: NetworkAclId::random(),
            tags: Tags::new(),
        });
    }

    /// A second group, which no listener forwards to, with one target.
    pub fn add_unused_group(&mut self, port: u16) {
        let mut group = TargetGroup::clone(self.snapshot.get::<TargetGroup>("tg").unwrap());
        group.arn = "unused".into();
        group.targets.truncate(1);
        group.targets[0].port = port;
        self.put(group);
    }

    /// The balancer's node has this IPv6 address, too.
    pub fn give_node(&mut self, address: Ipv6Addr) {
        let mut node = NetworkInterface::clone(self.snapshot.all().next().unwrap());
        node.ipv6_addresses = vec![address];
        self.put(node);
    }

    pub fn change_group(&mut self, change: impl FnOnce(&mut TargetGroup)) {
        let mut group = TargetGroup::clone(self.snapshot.get::<TargetGroup>("tg").unwrap());
        change(&mut group);
        self.put(group);
    }

    pub fn set_health(&mut self, port: u16, health: TargetHealth) {
        self.change_group(|group| {
            group.targets.iter_mut().find(|target| target.port == port).unwrap().health = health;
        });
    }

    pub fn check(&self) -> Running {
        let running = self.check_once_reachable();
        running.make_reachable();
        running
    }

    /// A checker for which targets have no address until [`Running::make_reachable`].
    pub fn check_once_reachable(&self) -> Running {
        self.check_with_outside(&Handle::current(), &[])
    }

    /// A checker that checks targets outside on `runtime`, in these ranges. Those of the VPC have no address, as
    /// above.
    pub fn check_with_outside(&self, runtime: &Handle, ranges: &[&str]) -> Running {
        let allowed = OutsideTargets::new(ranges.iter().map(|range| range.parse().unwrap()).collect());
        let (sender, reports) = mpsc::unbounded_channel();
        let (reachable, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (is_reachable, told) = (Arc::clone(&reachable), Arc::clone(&asked));
        let checker = Checker::new(
            move |group, _, port, health| {
                assert_eq!(group, "tg");
                // Nobody listens once the test is over.
                let _ = sender.send((port, health));
            },
            move |_, _, _| {
                told.notify_one();
                is_reachable.load(Ordering::SeqCst).then_some(IpAddr::V4(Ipv4Addr::LOCALHOST))
            },
            Outside { runtime: runtime.clone(), allowed },
            linkway_gateway::target_tls().unwrap(),
        );
        let checker = Arc::new(checker);
        checker.publish(Arc::new(self.snapshot.clone()));
        let run = Arc::clone(&checker);
        let task = tokio::spawn(async move { run.run().await });
        Running { checker, reports, reachable, asked, task }
    }
}

/// A checker at work.
pub struct Running {
    checker: Arc<Checker>,
    reports: mpsc::UnboundedReceiver<(u16, TargetHealth)>,
    reachable: Arc<AtomicBool>,
    asked: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Running {
    pub fn publish(&self, site: &Site) {
        self.checker.publish(Arc::new(site.snapshot.clone()));
    }

    pub fn make_reachable(&self) {
        self.reachable.store(true, Ordering::SeqCst);
    }

    /// Until the checker has asked where a target is.
    pub async fn asked_for_address(&self) {
        timeout(PATIENCE, self.asked.notified()).await.expect("the checker asks for an address");
    }

    /// The next report: port and health.
    pub async fn report(&mut self) -> (u16, TargetHealth) {
        timeout(PATIENCE, self.reports.recv()).await.expect("a report comes").unwrap()
    }

    /// The first report of each of so many targets.
    pub async fn reports(&mut self, targets: usize) -> BTreeMap<u16, TargetHealth> {
        let mut reports = BTreeMap::new();
        while reports.len() < targets {
            let (port, health) = self.report().await;
            reports.entry(port).or_insert(health);
        }
        reports
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a target speaks over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A target on loopback.
pub struct Web {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    requests: Mutex<mpsc::UnboundedReceiver<String>>,
    task: JoinHandle<()>,
}

impl Web {
    /// One that says `answer` and closes.
    pub async fn start(answer: &'static str) -> Self {
        Self::start_on(0, answer).await
    }

    pub async fn start_on(port: u16, answer: &'static str) -> Self {
        Self::serve(port, Some(answer)).await
    }

    /// One that takes connections and never says anything.
    pub async fn start_silent() -> Self {
        Self::serve(0, None).await
    }

    /// One that does so over TLS, with a certificate of its own making.
    pub async fn start_tls(answer: &'static str) -> Self {
        let made = rcgen::generate_simple_self_signed(["elsewhere.example".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::serve_as(0, Some(answer), move |stream| {
            let acceptor = acceptor.clone();
            async move { Ok(Box::new(acceptor.accept(stream).await?) as Box<dyn Stream>) }
        })
        .await
    }

    async fn serve(port: u16, answer: Option<&'static str>) -> Self {
        Self::serve_as(port, answer, |stream| async { Ok(Box::new(stream) as Box<dyn Stream>) }).await
    }

    async fn serve_as<F>(
        port: u16,
        answer: Option<&'static str>,
        speak: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = io::Result<Box<dyn Stream>>> + Send,
    {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, (sender, requests)) = (Arc::clone(&connections), mpsc::unbounded_channel());
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let Ok(mut stream) = speak(stream).await else { continue };
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
                match answer {
                    // A TCP check may be gone already.
                    Some(answer) => {
                        let _ = stream.write_all(answer.as_bytes()).await;
                        let _ = stream.shutdown().await;
                    }
                    None => open.push(stream),
                }
            }
        });
        Self { port, connections, requests: Mutex::new(requests), task }
    }

    /// The next request that came; empty of a TCP check.
    pub async fn request(&self) -> String {
        timeout(PATIENCE, self.requests.lock().await.recv()).await.expect("a check comes").unwrap()
    }

    /// How many connections were made before this was called, also those that it has not taken yet.
    pub async fn connections_so_far(&self) -> usize {
        let mut own = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        own.write_all(b"counting").await.unwrap();
        while self.request().await != "counting" {}
        // It takes them in their order; ours is no check.
        self.connections.fetch_sub(1, Ordering::SeqCst) - 1
    }

    /// How many connections came so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port that nothing listens on.
pub async fn refused() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}
