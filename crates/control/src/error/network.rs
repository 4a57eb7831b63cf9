//! What can stand against an operation on routes, gateways, public addresses, network ACLs and a VPC's ranges.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

/// Why an operation on what connects a VPC was refused.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A route to there leads elsewhere.
    #[error("The route identified by {0} already exists.")]
    RouteExists(IpNet),
    /// The resource has a flow log to the same destination.
    #[error("Error. There is an existing Flow Log with the same configuration and log destination.")]
    FlowLogExists,
    /// No such permission of the caller's.
    #[error("The network interface permission ID '{0}' does not exist")]
    InterfacePermissionNotFound(String),
    /// No subnet has such a range.
    #[error("The association ID '{0}' does not exist")]
    SubnetCidrAssociationNotFound(String),
    /// The table has no such route.
    #[error("no route with destination-{}-block {destination} in route table {table}", family(.destination))]
    RouteNotFound {
        /// Where to.
        destination: IpNet,
        /// The table.
        table: String,
    },
    /// A table has all the routes that it may have.
    #[error("The maximum number of routes has been reached.")]
    RouteLimitExceeded,
    /// A route's gateway that is none.
    #[error("The gateway ID '{0}' does not exist")]
    GatewayNotFound(String),
    /// A route's NAT gateway that is not there.
    #[error("The natGateway ID '{0}' does not exist")]
    RouteNatGatewayNotFound(String),
    /// What is to be associated or attached is already; the message is the whole of it.
    #[error("{0}")]
    AlreadyAssociated(String),
    /// A gateway that is not attached to the VPC; the message is the whole of it.
    #[error("{0}")]
    GatewayNotAttached(String),
    /// No such association of a route table, a network ACL or an elastic address.
    #[error("The association ID '{0}' does not exist")]
    AssociationNotFound(String),
    /// The account has no such elastic address.
    #[error("Address '{0}' not found.")]
    AddressNotFound(String),
    /// An elastic address that is in use is not released.
    #[error("Address {0} is in use.")]
    ElasticAddressInUse(Ipv4Addr),
    /// The account, or the installation, has no more elastic addresses to give.
    #[error("The maximum number of addresses has been reached.")]
    AddressLimitExceeded,
    /// A network ACL has an entry of this number.
    #[error("The network acl entry identified by {0} already exists.")]
    AclEntryExists(i32),
    /// A network ACL has no entry of this number.
    #[error("The network acl entry identified by {0} does not exist.")]
    AclEntryNotFound(i32),
    /// A network ACL has all the entries that it may have.
    #[error("The maximum number of network acl entries has been reached.")]
    AclEntryLimitExceeded,
    /// A tenancy that a VPC cannot be changed to.
    #[error("The tenancy value {0} is not supported.")]
    UnsupportedTenancy(String),
    /// A VPC's range that another of its ranges has a part of.
    #[error("The CIDR '{0}' conflicts with another CIDR block of the VPC.")]
    CidrConflict(Ipv4Net),
    /// A VPC has all the ranges that it may have.
    #[error("This network {vpc} has met its maximum number of allowed CIDRs: {most}")]
    CidrLimitExceeded {
        /// The VPC.
        vpc: String,
        /// How many it may have.
        most: usize,
    },
    /// No VPC of the caller's has a range under this association.
    #[error("The vpc CIDR block with association ID {0} does not exist")]
    CidrAssociationNotFound(String),
    /// A range in which there are subnets.
    #[error("The vpc {vpc} currently has a subnet within CIDR block {cidr}")]
    CidrInUse {
        /// The VPC.
        vpc: String,
        /// The range.
        cidr: IpNet,
    },
    /// A subnet has the IPv6 range that it may have.
    #[error("This subnet {0} has met its maximum number of allowed CIDRs: 1")]
    SubnetCidrLimitExceeded(String),
    /// No id of a subnet's association.
    #[error("The subnet CIDR block with association ID {0} is malformed")]
    MalformedSubnetCidrAssociation(String),
    /// A subnet's IPv6 range that something needs.
    #[error(
        "The subnet IPv6 CIDR block with association ID {association} may not be disassociated, because {why}"
    )]
    SubnetCidrInUse {
        /// The association.
        association: String,
        /// What needs it.
        why: String,
    },
    /// There is one.
    #[error("A Default VPC already exists for this account in this region.")]
    DefaultVpcExists,
    /// A default subnet is made in the default VPC, and there is none.
    #[error("No default VPC exists for this account in this region.")]
    NoDefaultVpc,
    /// The zone has one.
    #[error("'{subnet}' is already the default subnet in {zone}.")]
    DefaultSubnetExists {
        /// The one that it has.
        subnet: String,
        /// The zone.
        zone: String,
    },
}

/// AWS's word for a range of its kind, in names of parameters.
fn family(net: &IpNet) -> &'static str {
    match net {
        IpNet::V4(_) => "cidr",
        IpNet::V6(_) => "ipv6-cidr",
    }
}

impl NetworkError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::FlowLogExists => "FlowLogAlreadyExists",
            Self::InterfacePermissionNotFound(_) => "InvalidNetworkInterfacePermissionID.NotFound",
            Self::SubnetCidrAssociationNotFound(_) => "InvalidSubnetCidrBlockAssociationID.NotFound",
            Self::RouteExists(_) => "RouteAlreadyExists",
            Self::RouteNotFound { .. } => "InvalidRoute.NotFound",
            Self::RouteLimitExceeded => "RouteLimitExceeded",
            Self::GatewayNotFound(_) => "InvalidGatewayID.NotFound",
            Self::RouteNatGatewayNotFound(_) => "InvalidNatGatewayID.NotFound",
            Self::AlreadyAssociated(_) => "Resource.AlreadyAssociated",
            Self::GatewayNotAttached(_) => "Gateway.NotAttached",
            Self::AssociationNotFound(_) => "InvalidAssociationID.NotFound",
            Self::AddressNotFound(_) => "InvalidAddress.NotFound",
            Self::ElasticAddressInUse(_) => "InvalidIPAddress.InUse",
            Self::AddressLimitExceeded => "AddressLimitExceeded",
            Self::AclEntryExists(_) => "NetworkAclEntryAlreadyExists",
            Self::AclEntryNotFound(_) => "InvalidNetworkAclEntry.NotFound",
            Self::AclEntryLimitExceeded => "NetworkAclEntryLimitExceeded",
            Self::UnsupportedTenancy(_) => "UnsupportedTenancy",
            Self::CidrConflict(_) => "CidrConflict",
            Self::CidrLimitExceeded { .. } | Self::SubnetCidrLimitExceeded(_) => "CidrLimitExceeded",
            Self::CidrAssociationNotFound(_) => "InvalidVpcCidrBlockAssociationID.NotFound",
            Self::MalformedSubnetCidrAssociation(_) => "InvalidSubnetCidrBlockAssociationId.Malformed",
            Self::CidrInUse { .. } | Self::SubnetCidrInUse { .. } => "InvalidCidrBlock.InUse",
            Self::DefaultVpcExists => "DefaultVpcAlreadyExists",
            Self::NoDefaultVpc => "DefaultVpcDoesNotExist",
            Self::DefaultSubnetExists { .. } => "DefaultSubnetAlreadyExistsInAvailabilityZone",
        }
    }
}
