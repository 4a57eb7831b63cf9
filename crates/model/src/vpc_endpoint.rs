//! VPC endpoints.

use serde::{Deserialize, Serialize};

use crate::aws_service::AwsService;
use crate::ip_address_type::IpAddressType;
use crate::{
    AccountId, EndpointConnectionId, EndpointServiceId, NetworkInterfaceId, PrefixListId, RouteTableId,
    SecurityGroupId, SubnetId, Tags, Timestamp, VpcEndpointId, VpcId,
};

/// The tag that says whether an endpoint's policy is enforced, or only tried: see [`VpcEndpoint::audit_mode`].
pub const POLICY_MODE_TAG: &str = "linkway:policy-mode";

/// The only value of [`POLICY_MODE_TAG`] that has a meaning.
pub const POLICY_MODE_AUDIT: &str = "audit";

/// An interface or a gateway endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcEndpoint {
    /// Its id.
    pub id: VpcEndpointId,
    /// Who owns it: the consumer.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Full name of the service: `com.amazonaws.vpce.us-east-1.vpce-svc-…`, or an AWS service's
    /// `com.amazonaws.us-east-1.rds`.
    pub service_name: String,
    /// The endpoint service that it leads to; or the id of an AWS service, which is in no table.
    pub service: EndpointServiceId,
    /// Its state.
    pub state: EndpointState,
    /// A subnet a zone, each with the endpoint's interface there. In the order they were given.
    pub subnets: Vec<EndpointSubnet>,
    /// What a gateway endpoint has in place of interfaces; `None`: it is an interface endpoint.
    #[serde(default)]
    pub gateway: Option<Gateway>,
    /// Which addresses its interfaces have.
    #[serde(default)]
    pub ip_address_type: IpAddressType,
    /// Which records its names have.
    #[serde(default)]
    pub dns_record_ip_type: DnsRecordIpType,
    /// Security groups of all of its interfaces.
    pub groups: Vec<SecurityGroupId>,
    /// Whether the service's private DNS name resolves to it in the VPC.
    pub private_dns_enabled: bool,
    /// The policy, as the caller wrote it.
    pub policy: String,
    /// The eight characters in its DNS names.
    pub dns_label: String,
    /// Its connection with the service, as the provider sees it.
    pub connection: EndpointConnectionId,
    /// Tags that the provider put on the connection.
    pub connection_tags: Tags,
    /// When it was made.
    pub created: Timestamp,
    /// Revision of the state at which it entered `state`, or was last changed in it: it becomes available
    /// when the packet path reports this revision applied.
    pub since: u64,
    /// Why it failed: AWS's code and message.
    pub last_error: Option<(String, String)>,
    /// When it became [`EndpointState::Deleted`], if it did: it is forgotten a minute later.
    pub deleted: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

/// Which records an endpoint's names have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsRecordIpType {
    /// A.
    #[default]
    Ipv4,
    /// AAAA.
    Ipv6,
    /// Both.
    Dualstack,
    /// A of all its names, AAAA of its regional and zonal ones, and not of the service's own names.
    ServiceDefined,
}

impl DnsRecordIpType {
    /// AWS's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Dualstack => "dualstack",
            Self::ServiceDefined => "service-defined",
        }
    }

    /// The type of this name.
    pub fn read(name: &str) -> Option<Self> {
        let known = [Self::Ipv4, Self::Ipv6, Self::Dualstack, Self::ServiceDefined];
        known.into_iter().find(|known| known.name() == name)
    }
}

/// What a gateway endpoint is reached by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// The number by which the packet path knows it: one of those of network interfaces.
    pub number: u32,
    /// The service's public addresses.
    pub prefix_list: PrefixListId,
    /// Route tables that lead there through the endpoint. In the order they were given.
    pub route_tables: Vec<RouteTableId>,
}

/// An endpoint's place in one subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSubnet {
    /// The subnet.
    pub subnet: SubnetId,
    /// Its zone's name.
    pub zone: String,
    /// The endpoint's interface in it.
    pub interface: NetworkInterfaceId,
    /// Whether packets to it are delivered already: DNS leads to it from then on, also while the endpoint is
    /// pending once more because of another change.
    #[serde(default)]
    pub delivered: bool,
}

/// AWS's states of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndpointState {
    /// Waiting for the provider.
    PendingAcceptance,
    /// Accepted, being set up.
    Pending,
    /// Packets to it are delivered.
    Available,
    /// Rejected by the provider.
    Rejected,
    /// Could not be made available; `last_error` says why.
    Failed,
    /// The consumer has deleted it.
    Deleting,
    /// Gone from the packet path and from DNS; shown for a short while.
    Deleted,
}

impl EndpointState {
    /// AWS's name on the wire: lower camel case.
    pub fn name(self) -> &'static str {
        match self {
            Self::PendingAcceptance => "pendingAcceptance",
            Self::Pending => "pending",
            Self::Available => "available",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// Whether the packet path carries it: what is pending is set up before anyone is told of it.
    pub fn carries_packets(self) -> bool {
        matches!(self, Self::Pending | Self::Available)
    }
}

impl VpcEndpoint {
    /// AWS's name of its type.
    pub fn type_name(&self) -> &'static str {
        if self.gateway.is_some() { "Gateway" } else { "Interface" }
    }

    /// Whether a route table leads to its service through it.
    pub fn is_routed_from(&self, table: &RouteTableId) -> bool {
        self.gateway.as_ref().is_some_and(|gateway| gateway.route_tables.contains(table))
    }

    /// The AWS service that it leads to, if it is one.
    pub fn aws_service(&self) -> Option<&'static AwsService> {
        AwsService::find(&self.service_name).map(|(service, _)| service)
    }

    /// Whether requests that its policy denies pass and are only recorded, as its tag says. With any other value of
    /// the tag the policy is enforced: a slip of the pen opens nothing.
    pub fn audit_mode(&self) -> bool {
        self.tags.get(POLICY_MODE_TAG).is_some_and(|mode| mode == POLICY_MODE_AUDIT)
    }

    /// The part of its DNS names after the first label: `vpce-svc-….REGION.vpce.amazonaws.com`, or an AWS
    /// service's `rds.REGION.vpce.amazonaws.com`.
    pub fn dns_suffix(&self) -> String {
        match self.aws_service() {
            Some(service) => service.base_dns_name(&self.region),
            None => format!("{}.{}.vpce.amazonaws.com", self.service, self.region),
        }
    }

    /// Whether its DNS names stand for all names below them, too, and AWS lists them with `*.` before: S3's do,
    /// as clients put a bucket's name before.
    pub fn names_are_wildcards(&self) -> bool {
        self.aws_service().is_some_and(|service| service.protocol == "s3")
    }

    /// Its regional DNS name.
    pub fn regional_name(&self) -> String {
        format!("{}-{}.{}", self.id, self.dns_label, self.dns_suffix())
    }

    /// Its DNS name in one zone.
    pub fn zonal_name(&self, zone: &str) -> String {
        format!("{}-{}-{zone}.{}", self.id, self.dns_label, self.dns_suffix())
    }
}
