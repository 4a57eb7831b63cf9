//! Endpoint services: what a provider publishes behind its load balancers.

use serde::{Deserialize, Serialize};

use crate::{AccountId, EndpointServiceId, ServicePermissionId, Tags};

/// An endpoint service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointService {
    /// Its id.
    pub id: EndpointServiceId,
    /// Who owns it: the provider.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its state.
    pub state: ServiceState,
    /// Whether the provider accepts each endpoint by hand.
    pub acceptance_required: bool,
    /// ARNs of its Network Load Balancers.
    pub load_balancers: Vec<String>,
    /// Zones that it is offered in: those of its balancers when they were associated.
    pub zones: Vec<String>,
    /// Its private DNS name and what proves the domain to be the provider's.
    pub private_dns: Option<PrivateDns>,
    /// Who may connect, besides its owner.
    pub permissions: Vec<ServicePermission>,
    /// `ipv4`, `ipv6`.
    pub supported_ip_address_types: Vec<String>,
    /// Whether its owner pays for its endpoints, and not theirs. Kept and shown; nothing here costs anything.
    #[serde(default)]
    pub owner_pays: bool,
    /// Its tags.
    pub tags: Tags,
}

/// AWS's states of an endpoint service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceState {
    /// Its balancers are not active yet.
    Pending,
    /// Endpoints may be made to it.
    Available,
    /// Being deleted.
    Deleting,
    /// Gone.
    Deleted,
    /// Could not be made.
    Failed,
}

impl ServiceState {
    /// AWS's name on the wire: capitalised.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Available => "Available",
            Self::Deleting => "Deleting",
            Self::Deleted => "Deleted",
            Self::Failed => "Failed",
        }
    }
}

/// A private DNS name, and the TXT record that verifies its domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateDns {
    /// Such as `db.example.com` or `*.example.com`; lower case.
    pub name: String,
    /// How far verification has come.
    pub state: VerificationState,
    /// Label of the TXT record, such as `_6e86v84tqgqubxbwii1m`.
    pub record_name: String,
    /// Value of the TXT record, such as `vpce:l6p0ERxlTt45jevFwOCp`.
    pub record_value: String,
    /// Whether `StartVpcEndpointServicePrivateDnsVerification` asked for another try.
    pub verification_requested: bool,
}

/// AWS's states of a private DNS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VerificationState {
    /// The record has not been seen yet.
    PendingVerification,
    /// The record was there, as it should be.
    Verified,
    /// The record was not there, or said something else.
    Failed,
}

impl VerificationState {
    /// AWS's name on the wire: lower camel case.
    pub fn name(self) -> &'static str {
        match self {
            Self::PendingVerification => "pendingVerification",
            Self::Verified => "verified",
            Self::Failed => "failed",
        }
    }
}

/// A principal that may connect to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePermission {
    /// Its id.
    pub id: ServicePermissionId,
    /// `*`, or `arn:aws:iam::ACCOUNT:root`, `…:user/NAME`, `…:role/NAME`.
    pub principal: String,
    /// Its tags.
    pub tags: Tags,
}

impl EndpointService {
    /// The name that consumers create endpoints with.
    pub fn name(&self) -> String {
        format!("com.amazonaws.vpce.{}.{}", self.region, self.id)
    }

    /// The service's base DNS name.
    pub fn base_dns_name(&self) -> String {
        format!("{}.{}.vpce.amazonaws.com", self.id, self.region)
    }

    /// Whether a caller may see the service and connect to it: its owner may, and who has a permission.
    pub fn permits(&self, account: &AccountId, principal: &str) -> bool {
        let root = format!("arn:aws:iam::{account}:root");
        self.owner == *account
            || self
                .permissions
                .iter()
                .any(|p| p.principal == "*" || p.principal == root || p.principal == principal)
    }
}
