//! A gateway, the endpoints it serves, and what it wrote down.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper::{Request, Response};
use linkway_gateway::{
    Addresses, Asked, AuditSink, Authority, Backend, Body, Call, Decider, Endpoint, Gateway, Key, Keys,
    Limits, Local, LocalCall, Need, Principal, Protocol, Ranges, Record, Relay, RequestHead, Resource,
    Service, Settings, Timeouts, Tls, UnknownKeys, View, full,
};
use linkway_policy::{DEFAULT_POLICY, Policy, PrincipalKind};
use linkway_wire::sigv4::Secret;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use tokio::net::TcpListener;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const FOREIGN_KEY: &str = "AKIAFOREIGN7EXAMPLE0";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

pub(crate) const RDS: &str = "rds.us-east-1.amazonaws.com";
pub(crate) const S3: &str = "s3.us-east-1.amazonaws.com";

/// The port of listeners whose connections are relayed.
pub(crate) const LISTENER: u16 = 5432;

const SERVICE_BASE: Ipv4Addr = Ipv4Addr::new(127, 100, 0, 0);
const CLIENT_BASE: Ipv4Addr = Ipv4Addr::new(127, 101, 0, 0);

/// The address that stands for an endpoint's interface.
pub(crate) fn endpoint_address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(SERVICE_BASE.to_bits() + number).into()
}

/// The address that stands for a client's interface.
pub(crate) fn client_address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(CLIENT_BASE.to_bits() + number).into()
}

fn as_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// What a world is made of.
pub(crate) struct Draft {
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) endpoints: HashMap<u32, Endpoint>,
    /// What is relayed, by the interface's number.
    pub(crate) relays: HashMap<u32, Relay>,
}

impl Draft {
    /// One endpoint, of number 1, to a service with a backend.
    pub(crate) fn of(service: Service, names: &[&str]) -> Self {
        let timeouts = Timeouts { response: Duration::from_secs(20), ..Timeouts::default() };
        Self {
            limits: Limits::default(),
            timeouts,
            endpoints: HashMap::from([(1, endpoint(service, names))]),
            relays: HashMap::new(),
        }
    }

    /// An endpoint to RDS, whose protocol is query.
    pub(crate) fn rds(backend: Backend) -> Self {
        Self::of(service("rds", Protocol::Query, backend), &[RDS])
    }

    /// An endpoint to S3.
    pub(crate) fn s3(backend: Backend) -> Self {
        Self::of(service("s3", Protocol::S3, backend), &[S3, "*.s3.us-east-1.amazonaws.com"])
    }

    pub(crate) fn endpoint(&mut self) -> &mut Endpoint {
        self.endpoints.get_mut(&1).unwrap()
    }

    pub(crate) fn service(&mut self) -> &mut Service {
        Arc::make_mut(&mut self.endpoint().service)
    }

    pub(crate) fn policy(mut self, text: &str) -> Self {
        self.endpoint().policy = Arc::new(Policy::parse(text).unwrap());
        self
    }

    /// Lets requests pass that are not signed.
    pub(crate) fn unsigned(mut self) -> Self {
        self.service().unknown_keys = UnknownKeys::Unverified;
        self
    }

    pub(crate) async fn start(self) -> World {
        let (ca, key) = certificate_authority();
        let records = Records::default();
        let settings = Settings {
            ranges: Ranges { service: SERVICE_BASE, client: CLIENT_BASE, as_ipv4 },
            limits: self.limits,
            timeouts: self.timeouts,
            audit: Arc::new(records.clone()),
            decider: Arc::new(ByAction),
            local: Arc::new(Echo),
            outbound: tokio::runtime::Handle::current(),
            clock: Arc::new(jiff::Timestamp::now),
        };
        let view = View {
            endpoints: self
                .endpoints
                .into_iter()
                .map(|(number, endpoint)| (number, Arc::new(endpoint)))
                .collect(),
            relays: self
                .relays
                .into_iter()
                .map(|(number, relay)| ((number, LISTENER), Arc::new(relay)))
                .collect(),
            clients: (1..10).map(|number| (number, private_addresses(number))).collect(),
            keys: Arc::new(TestKeys),
        };
        let gateway = Gateway::new(settings, Authority::new(&ca, &key).unwrap(), view.clone());
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plain = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let plain_port = plain.local_addr().unwrap().port();
        let served = gateway.worker();
        tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
        let served = gateway.worker();
        tokio::spawn(async move { served.serve_plain(plain, std::future::pending()).await });
        let relayed = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let relayed_port = relayed.local_addr().unwrap().port();
        let served = gateway.worker();
        tokio::spawn(async move { served.serve_relay(relayed, LISTENER, std::future::pending()).await });
        World { gateway, view, ca, port, plain_port, relayed_port, records }
    }
}

/// A gateway that runs.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) view: View,
    /// The CA's certificate, in PEM.
    pub(crate) ca: String,
    pub(crate) port: u16,
    pub(crate) plain_port: u16,
    pub(crate) relayed_port: u16,
    pub(crate) records: Records,
}

impl World {
    pub(crate) fn address(&self, endpoint: u32) -> SocketAddr {
        (endpoint_address(endpoint), self.port).into()
    }

    pub(crate) fn plain_address(&self, endpoint: u32) -> SocketAddr {
        (endpoint_address(endpoint), self.plain_port).into()
    }

    /// Goes on with another endpoint 1.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Endpoint)) {
        let mut view = self.view.clone();
        change(Arc::make_mut(view.endpoints.get_mut(&1).unwrap()));
        self.gateway.publish(view);
    }
}

/// The audit records of a world.
#[derive(Clone, Default)]
pub(crate) struct Records(Arc<Mutex<Vec<Value>>>);

impl Records {
    /// Waits until there are so many.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Value> {
        for _ in 0..500 {
            let records = self.0.lock().unwrap().clone();
            if records.len() >= count {
                return records;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there are not {count} records: {:?}", self.0.lock().unwrap());
    }

    /// The only one.
    pub(crate) async fn only(&self) -> Value {
        let mut records = self.wait(1).await;
        assert_eq!(records.len(), 1, "{records:?}");
        records.remove(0)
    }
}

impl AuditSink for Records {
    fn write(&self, record: Record) {
        let mut text = Vec::new();
        record.spell(&mut text);
        self.0.lock().unwrap().push(serde_json::from_slice(&text).unwrap());
    }
}

fn private_addresses(client: u32) -> Addresses {
    Addresses { ipv4: Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 1, 0).to_bits() + client), ipv6: None }
}

pub(crate) fn service(name: &str, protocol: Protocol, backend: Backend) -> Service {
    Service {
        name: format!("com.amazonaws.us-east-1.{name}"),
        event_source: format!("{name}.amazonaws.com"),
        signing_names: vec![name.to_owned()],
        global: false,
        protocol,
        backend,
        tls: Tls::Terminate,
        unknown_keys: UnknownKeys::Reject,
        anonymous: false,
    }
}

fn endpoint(service: Service, names: &[&str]) -> Endpoint {
    Endpoint {
        id: "vpce-0123456789abcdef0".parse().unwrap(),
        owner: ACCOUNT.parse().unwrap(),
        vpc: "vpc-0123456789abcdef0".parse().unwrap(),
        vpc_arn: format!("arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/vpc-0123456789abcdef0"),
        region: "us-east-1".to_owned(),
        service: Arc::new(service),
        names: names.iter().collect(),
        policy: Arc::new(Policy::parse(DEFAULT_POLICY).unwrap()),
        audit_mode: false,
    }
}

fn certificate_authority() -> (String, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(rcgen::DnType::CommonName, "A test's CA");
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Alice of the endpoint's account, and Bob of another; with the same secret.
struct TestKeys;

impl Keys for TestKeys {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        let (account, name) = match access_key_id {
            KEY => (ACCOUNT, "alice"),
            FOREIGN_KEY => ("444455556666", "bob"),
            _ => return None,
        };
        let principal = Principal {
            kind: PrincipalKind::User,
            arn: format!("arn:aws:iam::{account}:user/{name}"),
            account: account.to_owned(),
            id: format!("AIDA{name}"),
            user_name: Some(name.to_owned()),
            role_arn: None,
            organization: None,
            canonical_user: None,
            tags: vec![("team".to_owned(), "data".to_owned())],
        };
        let secret = Secret { secret_access_key: SECRET.to_owned(), session_token: None, expires: None };
        Some(Key { secret, principal: Arc::new(principal) })
    }
}

/// Knows as much of AWS's services as the tests need.
struct ByAction;

impl Decider for ByAction {
    fn reads_body(&self, service: &Service, head: &RequestHead<'_>) -> bool {
        service.protocol != Protocol::S3 && head.header("content-type").is_some()
    }

    fn call(&self, asked: &Asked<'_>) -> Option<Call> {
        let prefix = asked.service.signing_names.first()?;
        let target = asked.head.header("x-amz-target").and_then(|target| target.split('.').next_back());
        let path = asked.head.path;
        let (operation, arn) = match asked.service.protocol {
            Protocol::S3 => {
                let operation = match asked.head.method {
                    "GET" => "GetObject",
                    "PUT" => "PutObject",
                    _ => return None,
                };
                (operation.to_owned(), format!("arn:aws:s3:::{}", path.trim_start_matches('/')))
            }
            Protocol::RestJson | Protocol::RestXml => ("Invoke".to_owned(), "*".to_owned()),
            _ if target.is_some() => (target?.to_owned(), "*".to_owned()),
            Protocol::Cbor => (path.rsplit('/').next()?.to_owned(), "*".to_owned()),
            _ => {
                let form = str::from_utf8(asked.body.unwrap_or_default()).ok()?;
                let mut pairs = form.split('&').chain(asked.head.query.split('&'));
                let operation = pairs.find_map(|pair| pair.strip_prefix("Action="))?;
                (operation.to_owned(), "*".to_owned())
            }
        };
        let resource = Resource {
            unknown: asked.head.query == "unknown",
            arn,
            account: asked.account.map(str::to_owned),
            keys: Vec::new(),
        };
        let action = format!("{prefix}:{operation}");
        Some(Call { operation, needs: vec![Need { action, resources: vec![resource], context: Vec::new() }] })
    }
}

/// Says who asked.
struct Echo;

impl Local for Echo {
    fn answer(&self, call: LocalCall) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move {
            let LocalCall { service, identity, source, request, .. } = call;
            let who = identity.principal().map_or("nobody", |principal| &principal.arn).to_owned();
            let request: Request<Body> = request;
            Response::new(full(format!("{service} {who} {source} {}", request.uri().path())))
        })
    }
}
