//! What the gateway knows of the world: one value, swapped whole.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use linkway_model::id::{AccountId, VpcEndpointId, VpcId};
use linkway_policy::Policy;

use crate::{Keys, Names, Protocol, Relay};

/// What the gateway knows of the world.
#[derive(Clone)]
pub struct View {
    /// The endpoints by the numbers of their network interfaces: one that has interfaces in two zones is here
    /// twice.
    pub endpoints: imbl::HashMap<u32, Arc<Endpoint>>,
    /// What is only carried, by the number of the endpoint's or the balancer node's interface and the listener's port.
    pub relays: HashMap<(u32, u16), Arc<Relay>>,
    /// The private addresses of network interfaces by their numbers: the clients.
    pub clients: imbl::HashMap<u32, Addresses>,
    /// The access keys that are known.
    pub keys: Arc<dyn Keys>,
}

/// The private addresses of a network interface: of each family the one that it is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Its primary IPv4 address.
    pub ipv4: Ipv4Addr,
    /// Its first IPv6 address, if it has one.
    pub ipv6: Option<Ipv6Addr>,
}

impl Addresses {
    /// The address that a connection by IPv6, or else by IPv4, is told to have there.
    pub(crate) fn of(self, by_ipv6: bool) -> Option<IpAddr> {
        if by_ipv6 { self.ipv6.map(IpAddr::V6) } else { Some(self.ipv4.into()) }
    }
}

/// An interface endpoint to an AWS service.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its id.
    pub id: VpcEndpointId,
    /// Who owns it.
    pub owner: AccountId,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its VPC's ARN.
    pub vpc_arn: String,
    /// Its region.
    pub region: String,
    /// What it leads to.
    pub service: Arc<Service>,
    /// The names that it answers for: the service's own and the endpoint's.
    pub names: Names,
    /// Its policy.
    pub policy: Arc<Policy>,
    /// Whether requests that the policy denies pass, and are only recorded.
    pub audit_mode: bool,
}

/// An AWS service, as an operator set it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, such as `com.amazonaws.us-east-1.rds`.
    pub name: String,
    /// What events call it, such as `rds.amazonaws.com`.
    pub event_source: String,
    /// The names that signatures for it carry; empty: not checked.
    pub signing_names: Vec<String>,
    /// Whether signatures for it may carry any region, as those of services that exist once do.
    pub global: bool,
    /// How it spells errors, unless the request shows another protocol.
    pub protocol: Protocol,
    /// Where it is served.
    pub backend: Backend,
    /// Who holds its certificate.
    pub tls: Tls,
    /// What becomes of requests signed with a key that is not known.
    pub unknown_keys: UnknownKeys,
    /// Whether it takes requests that are not signed, as S3 does. They ask as nobody.
    pub anonymous: bool,
}

/// Where a service is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Nowhere: requests are answered with an error that says so.
    None,
    /// By a server that speaks HTTP/1.1.
    Http {
        /// Its host and port.
        authority: String,
    },
    /// By a server that speaks HTTP/1.1 over TLS.
    Https {
        /// Its host and port. Its certificate must be for the host.
        authority: String,
        /// Certificates that its own must lead to, in PEM; `None`: the ones this machine trusts.
        ca: Option<Arc<str>>,
    },
    /// By this process, under this name: see [`Local`](crate::Local).
    Local(String),
}

impl Hash for Backend {
    /// Certificates are left out: a bundle is long, and hashed for every request it would cost more than all else.
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::None => {}
            Self::Http { authority } | Self::Https { authority, .. } | Self::Local(authority) => {
                authority.hash(state);
            }
        }
    }
}

/// Who answers TLS for a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tls {
    /// The gateway, with a certificate of its own CA: it sees requests, checks signatures, and asks the policy.
    #[default]
    Terminate,
    /// The backend, which must be [`Backend::Https`]: connections are carried to it as they are. No policy can be
    /// asked, so endpoints whose policy is not full access refuse them.
    Passthrough,
}

/// What becomes of requests signed with a key that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UnknownKeys {
    /// They are refused, as AWS does.
    #[default]
    Reject,
    /// They pass, as do requests that are not signed, as far as the policy lets everyone: whose they are is not
    /// known, so only `Principal: "*"` matches.
    Unverified,
}
