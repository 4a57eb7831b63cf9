//! Network Load Balancers, their listeners, target groups and targets.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::ip_address_type::IpAddressType;
use crate::{AccountId, InstanceId, NetworkInterfaceId, SecurityGroupId, SubnetId, Tags, Timestamp, VpcId};

/// A Network Load Balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// Its ARN, which is its id.
    pub arn: String,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its name, unique in account and region.
    pub name: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Whether it is `internal`; AWS's other scheme is `internet-facing`.
    pub internal: bool,
    /// Which addresses its nodes have: `Ipv4` or `Dualstack`.
    #[serde(default)]
    pub ip_address_type: IpAddressType,
    /// Its DNS name.
    pub dns_name: String,
    /// A node a zone.
    pub nodes: Vec<LoadBalancerNode>,
    /// Its security groups; may be empty.
    pub groups: Vec<SecurityGroupId>,
    /// Whether the groups' inbound rules hold for what comes through endpoints, too (AWS's
    /// `EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic`). Not for balancers that were stored before there
    /// was a choice.
    #[serde(default)]
    pub filters_private_link: bool,
    /// Its attributes that differ from AWS's defaults, by AWS's keys.
    pub attributes: BTreeMap<String, String>,
    /// Whether it is active: the packet path knows it. Else AWS's `provisioning`.
    pub active: bool,
    /// Revision of the state at which it was made.
    pub since: u64,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// A balancer's node in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerNode {
    /// Its subnet.
    pub subnet: SubnetId,
    /// Its zone's name.
    pub zone: String,
    /// The interface whose address targets see.
    pub interface: NetworkInterfaceId,
}

/// AWS's attribute of a balancer and of a target group: a node sends to targets of other zones, too. A group that
/// does not say goes by the balancer.
pub const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";

/// AWS's attribute of a balancer: which zones its name leads a client to.
pub const CLIENT_ROUTING_POLICY: &str = "dns_record.client_routing_policy";

/// A value of [`CLIENT_ROUTING_POLICY`]: to every zone. AWS's default.
pub const ANY_ZONE: &str = "any_availability_zone";

/// A value of [`CLIENT_ROUTING_POLICY`]: 85 times of 100 to the client's own.
pub const MOSTLY_OWN_ZONE: &str = "partial_availability_zone_affinity";

/// A value of [`CLIENT_ROUTING_POLICY`]: to the client's own.
pub const ALWAYS_OWN_ZONE: &str = "availability_zone_affinity";

impl LoadBalancer {
    /// Whether a node sends to targets of other zones too where its target groups do not say ([`CROSS_ZONE`]).
    pub fn cross_zone(&self) -> bool {
        self.attributes.get(CROSS_ZONE).is_some_and(|value| value == "true")
    }
}

/// AWS's attribute of a listener: after how many seconds an idle TCP connection ends; 60 to 6000.
pub const IDLE_TIMEOUT: &str = "tcp.idle_timeout.seconds";

impl Listener {
    /// After how many seconds an idle TCP connection ends. `None`: not said, so AWS's 350.
    pub fn tcp_idle_seconds(&self) -> Option<u32> {
        self.attributes.get(IDLE_TIMEOUT)?.parse().ok()
    }
}

/// What a listener or a target group speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Both, on one port.
    #[serde(rename = "TCP_UDP")]
    TcpUdp,
    /// TCP with TLS in it, which the balancer ends.
    Tls,
    /// HTTP: of health checks only.
    Http,
    /// HTTP over TLS: of health checks only.
    Https,
}

impl Protocol {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::TcpUdp => "TCP_UDP",
            Self::Tls => "TLS",
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
        }
    }

    /// Whether an HTTP request is made by it.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    /// Whether it is a stream: TCP, or TLS on it.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    /// IANA's numbers of what it stands for.
    pub fn numbers(self) -> &'static [u8] {
        match self {
            Self::Tcp | Self::Tls | Self::Http | Self::Https => &[6],
            Self::Udp => &[17],
            Self::TcpUdp => &[6, 17],
        }
    }
}

/// A listener of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Its ARN, which is its id.
    pub arn: String,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// ARN of its balancer.
    pub load_balancer: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it listens.
    pub port: u16,
    /// ARN of the target group that it forwards to.
    pub target_group: String,
    /// The default action's `Order`, if it was given; kept and shown.
    #[serde(default)]
    pub order: Option<i32>,
    /// How it ends TLS. `None`: it does not.
    #[serde(default)]
    pub tls: Option<ListenerTls>,
    /// Its attributes that differ from AWS's defaults, by AWS's keys.
    pub attributes: BTreeMap<String, String>,
    /// Its tags.
    pub tags: Tags,
}

/// How a listener ends TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerTls {
    /// ARN of the certificate that clients see who ask for no name, or for one that no other certificate has.
    pub certificate: String,
    /// ARNs of further certificates, for clients that ask for their names.
    pub others: Vec<String>,
    /// Name of the [security policy](crate::ssl_policy).
    pub policy: String,
    /// Which application protocols it negotiates.
    pub alpn: AlpnPolicy,
}

/// Which application protocols a listener negotiates, by ALPN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlpnPolicy {
    /// None.
    #[default]
    None,
    /// HTTP/1.
    HTTP1Only,
    /// HTTP/2.
    HTTP2Only,
    /// Both, rather HTTP/1.
    HTTP2Optional,
    /// Both, rather HTTP/2.
    HTTP2Preferred,
}

impl AlpnPolicy {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::None, Self::HTTP1Only, Self::HTTP2Only, Self::HTTP2Optional, Self::HTTP2Preferred];

    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::HTTP1Only => "HTTP1Only",
            Self::HTTP2Only => "HTTP2Only",
            Self::HTTP2Optional => "HTTP2Optional",
            Self::HTTP2Preferred => "HTTP2Preferred",
        }
    }

    /// The protocols, in the order of preference. Source: "ALPN policies" in the guide of Network Load Balancers.
    pub fn protocols(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::HTTP1Only => &["http/1.1", "http/1.0"],
            Self::HTTP2Only => &["h2"],
            Self::HTTP2Optional => &["http/1.1", "http/1.0", "h2"],
            Self::HTTP2Preferred => &["h2", "http/1.1", "http/1.0"],
        }
    }
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// Its ARN, which is its id.
    pub arn: String,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its name, unique in account and region.
    pub name: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// What its targets speak.
    pub protocol: Protocol,
    /// The port of targets that are registered without one.
    pub port: u16,
    /// Whether targets are instances, or addresses.
    pub target_type: TargetType,
    /// Which addresses targets have: `Ipv4` or `Ipv6`.
    #[serde(default)]
    pub ip_address_type: IpAddressType,
    /// How targets are checked.
    pub health_check: HealthCheck,
    /// Its attributes that differ from AWS's defaults, by AWS's keys.
    pub attributes: BTreeMap<String, String>,
    /// Its targets.
    pub targets: Vec<Target>,
    /// Its tags.
    pub tags: Tags,
}

/// AWS's attribute of a target group: its targets are told who connects, by PROXY protocol version 2.
pub const PROXY_PROTOCOL: &str = "proxy_protocol_v2.enabled";

impl TargetGroup {
    /// Whether `balancer`'s nodes send to this group's targets of other zones, too.
    pub fn cross_zone(&self, balancer: &LoadBalancer) -> bool {
        match self.attributes.get(CROSS_ZONE).map(String::as_str) {
            Some("true") => true,
            Some("false") => false,
            _ => balancer.cross_zone(),
        }
    }

    /// Whether its targets are told who connects, by PROXY protocol version 2.
    pub fn proxy_protocol(&self) -> bool {
        self.attributes.get(PROXY_PROTOCOL).is_some_and(|value| value == "true")
    }
}

/// What a target group's targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    /// Instances, by id.
    Instance,
    /// Addresses: of the VPC, or outside of it.
    Ip,
}

/// How a target group's targets are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `Tcp` or `Http`.
    pub protocol: Protocol,
    /// The port; `None` is AWS's `traffic-port`, the target's own.
    pub port: Option<u16>,
    /// Of HTTP: the path.
    pub path: String,
    /// Of HTTP: statuses that are healthy, such as `200-399` or `200,202`.
    pub matcher: String,
    /// Seconds from one check to the next.
    pub interval_seconds: u32,
    /// Seconds that a check may take.
    pub timeout_seconds: u32,
    /// Successes in a row that make a target healthy.
    pub healthy_threshold: u32,
    /// Failures in a row that make a target unhealthy.
    pub unhealthy_threshold: u32,
}

/// One target of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The instance or address, as registered.
    pub id: TargetId,
    /// Its port.
    pub port: u16,
    /// Its zone's name, or `all`; `None`: by its address.
    pub zone: Option<String>,
    /// Its health.
    pub health: TargetHealth,
    /// When it was deregistered, if it is draining.
    pub draining_since: Option<Timestamp>,
}

/// Who a target is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetId {
    /// An instance.
    Instance(InstanceId),
    /// An address.
    Ip(IpAddr),
}

/// A target's health, as checks found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetHealth {
    /// Not checked often enough yet.
    Initial,
    /// Passing its checks.
    Healthy,
    /// Failing its checks, with AWS's reason: `Target.Timeout`, `Target.FailedHealthChecks`, `Target.ResponseCodeMismatch`.
    Unhealthy(HealthReason),
}

/// Why a target is unhealthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthReason {
    /// AWS's `Target.Timeout`.
    Timeout,
    /// AWS's `Target.FailedHealthChecks`.
    FailedHealthChecks,
    /// AWS's `Target.ResponseCodeMismatch`.
    ResponseCodeMismatch,
}
