//! What can stand against an operation, and AWS's codes and words for it. They are made here and nowhere else:
//! a variant's message is AWS's, [`Error::code`] has its code.
//!
//! Sources: the EC2 API reference's list of error codes, and messages that AWS's own responses carry.

mod admin;
mod certificate;
mod database;
mod endpoint;
mod iam;
mod instance;
mod load_balancing;
mod network;
mod prefix_list;

use std::net::IpAddr;

use ipnet::Ipv6Net;
use linkway_store::StoreError;
use linkway_wire::ApiError;

pub use self::admin::AdminError;
pub use self::certificate::CertificateError;
pub use self::database::DatabaseError;
pub use self::endpoint::EndpointError;
pub use self::iam::IamError;
pub use self::instance::InstanceError;
pub use self::load_balancing::LoadBalancingError;
pub use self::network::NetworkError;
pub use self::prefix_list::PrefixListError;
use crate::lookup::Noun;

/// Why an operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing of the caller's has these ids.
    #[error("{}", .noun.missing(.ids))]
    NotFound {
        /// The kind of resource.
        noun: &'static Noun,
        /// What was asked for.
        ids: Vec<String>,
    },
    /// Not an id of the kind that is expected.
    #[error("Invalid id: \"{id}\" (expecting \"{}...\")", .noun.prefix)]
    Malformed {
        /// The kind of resource.
        noun: &'static Noun,
        /// What was given.
        id: String,
    },
    /// A security group's name that the VPC does not know.
    #[error("The security group '{0}' does not exist")]
    GroupNameNotFound(String),
    /// No security group's id, where rules are filtered by it.
    #[error("The security group ID '{0}' is malformed")]
    MalformedGroupFilter(String),
    /// An id that `CreateTags` and `DeleteTags` cannot place.
    #[error("The ID '{0}' is not valid")]
    UnknownId(String),
    /// No such prefix list, where AWS spells the code in its other way: of `DescribePrefixLists`.
    #[error("The prefix list ID '{0}' does not exist")]
    DescribedPrefixListNotFound(String),

    /// A parameter is missing.
    #[error("The request must contain the parameter {0}")]
    MissingParameter(&'static str),
    /// None of parameters that one is needed of.
    #[error("The request must contain exactly one of: {0}")]
    MissingOneOf(&'static str),
    /// None of parameters that one is needed of; the message is the whole of it.
    #[error("{0}")]
    MissingEither(&'static str),
    /// A value that the parameter cannot have; the message is the whole of it.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// A value that does not fit the resources it is about; the message is the whole of it.
    #[error("{0}")]
    InvalidParameter(String),
    /// Parameters that exclude or need each other; the message is the whole of it.
    #[error("{0}")]
    InvalidParameterCombination(String),
    /// Something that AWS does and Linkway does not.
    #[error("{0}")]
    Unsupported(String),
    /// An instance's state does not allow it; the message is the whole of it.
    #[error("{0}")]
    IncorrectInstanceState(String),
    /// Not this caller's to do with this resource; the message is the whole of it.
    #[error("{0}")]
    OperationNotPermitted(String),
    /// Credentials are fine, the right to this resource is missing; the message is the whole of it.
    #[error("{0}")]
    AuthFailure(String),
    /// The request asked only whether it would succeed. It would.
    #[error("Request would have succeeded, but DryRun flag is set.")]
    DryRun,
    /// The token came with other parameters before.
    #[error(
        "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
    )]
    IdempotentParameterMismatch,

    /// A filter that the operation does not have.
    #[error("The filter '{0}' is invalid")]
    UnknownFilter(String),
    /// More values than one call may filter by.
    #[error("The maximum number of filter values specified on a single call is {0}")]
    TooManyFilterValues(usize),
    /// A token that no page gave.
    #[error("The token '{0}' is invalid")]
    InvalidNextToken(String),

    /// More tags than a resource may have.
    #[error("The maximum number of tags allowed on a resource has been reached: {0}")]
    TagLimitExceeded(usize),

    /// Something else needs the resource; the message is the whole of it.
    #[error("{0}")]
    DependencyViolation(String),
    /// A VPC's range that is no range for a VPC.
    #[error("The CIDR '{0}' is invalid.")]
    VpcRange(String),
    /// A subnet's range that is not in its VPC, or too small or large.
    #[error("The CIDR '{0}' is invalid.")]
    SubnetRange(String),
    /// A subnet's range that another one has a part of.
    #[error("The CIDR '{0}' conflicts with another subnet")]
    SubnetConflict(String),
    /// A subnet's IPv6 range that is not in its VPC.
    #[error("The IPv6 CIDR '{0}' is invalid.")]
    SubnetIpv6Range(Ipv6Net),
    /// A subnet's IPv6 range that another one has a part of.
    #[error("The IPv6 CIDR '{0}' conflicts with another subnet")]
    SubnetIpv6Conflict(Ipv6Net),

    /// A group is made in the default VPC unless the request names one, and there is none.
    #[error("No default VPC for this user")]
    NoDefaultVpc,
    /// Names stand for groups of the default VPC, and there is none.
    #[error("No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.")]
    NoDefaultVpcForGroupName,
    /// A rule names a group of another VPC.
    #[error("You have specified two resources that belong to different networks.")]
    GroupOfOtherNetwork,
    /// The VPC has a group of this name.
    #[error("The security group '{name}' already exists for VPC '{vpc}'")]
    DuplicateGroup {
        /// The name.
        name: String,
        /// The VPC.
        vpc: String,
    },
    /// The default group stays.
    #[error("the specified group: \"{id}\" name: \"{name}\" cannot be deleted by a user")]
    CannotDelete {
        /// The group's id.
        id: String,
        /// Its name.
        name: String,
    },
    /// The group has this rule already.
    #[error("the specified rule \"{0}\" already exists")]
    DuplicatePermission(String),
    /// The group has no such rule.
    #[error("The specified rule does not exist in this security group.")]
    PermissionNotFound,
    /// A group has all the rules it may have.
    #[error("The maximum number of rules per security group has been reached.")]
    RulesPerSecurityGroupLimitExceeded,

    /// More groups than an interface may have.
    #[error("The maximum number of security groups per interface has been reached.")]
    SecurityGroupsPerInterfaceLimitExceeded,

    /// The address belongs to another interface.
    #[error("Address {0} is in use.")]
    AddressInUse(IpAddr),
    /// A subnet is full.
    #[error("The specified subnet does not have enough free addresses to satisfy the request.")]
    InsufficientFreeAddresses,
    /// An account has all the interfaces of a region that it may have.
    #[error("You have reached the limit of {0} network interfaces in this region.")]
    NetworkInterfaceLimitExceeded(usize),
    /// More addresses than an interface may have.
    #[error("Number of private addresses will exceed limit.")]
    PrivateIpAddressLimitExceeded,
    /// An interface that is attached cannot be attached again.
    #[error("Interface: [{0}] in use.")]
    AttachedInterface(String),
    /// An instance has all the interfaces that it may have.
    #[error("Interface count {count} exceeds the limit for {of}")]
    AttachmentLimitExceeded {
        /// How many it would have.
        count: usize,
        /// Its type.
        of: String,
    },
    /// The resource's state does not allow it; the message is the whole of it.
    #[error("{0}")]
    IncorrectState(String),
    /// An interface that is attached cannot be deleted.
    #[error("Network interface '{0}' is currently in use.")]
    InterfaceInUse(String),

    /// Of routes, gateways, public addresses, network ACLs and a VPC's ranges.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Of endpoints and endpoint services.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Of managed prefix lists.
    #[error(transparent)]
    PrefixList(#[from] PrefixListError),
    /// Of Elastic Load Balancing.
    #[error(transparent)]
    LoadBalancing(#[from] LoadBalancingError),
    /// Of ACM.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Of RDS.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Of IAM and STS, and of who may call what.
    #[error(transparent)]
    Iam(#[from] IamError),

    /// Of instances, images and key pairs.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// An interface has no such attachment.
    #[error("The network interface attachment ID '{0}' does not exist")]
    AttachmentNotFound(String),

    /// An administrator's operation.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The state could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// AWS's code.
    pub fn code(&self) -> &str {
        match self {
            Self::NotFound { noun, .. } => noun.not_found,
            Self::Malformed { noun, .. } => noun.malformed,
            Self::GroupNameNotFound(_) => "InvalidGroup.NotFound",
            Self::MalformedGroupFilter(_) => "InvalidGroupId.Malformed",
            Self::UnknownId(_) => "InvalidID",
            Self::DescribedPrefixListNotFound(_) => "InvalidPrefixListId.NotFound",
            Self::MissingParameter(_) | Self::MissingOneOf(_) | Self::MissingEither(_) => "MissingParameter",
            Self::InvalidParameterValue(_) | Self::UnknownFilter(_) => "InvalidParameterValue",
            Self::InvalidParameter(_) => "InvalidParameter",
            Self::InvalidParameterCombination(_) => "InvalidParameterCombination",
            Self::Unsupported(_) => "UnsupportedOperation",
            Self::IncorrectInstanceState(_) => "IncorrectInstanceState",
            Self::OperationNotPermitted(_) => "OperationNotPermitted",
            Self::AuthFailure(_) => "AuthFailure",
            Self::DryRun => "DryRunOperation",
            Self::IdempotentParameterMismatch => "IdempotentParameterMismatch",
            Self::TooManyFilterValues(_) => "FilterLimitExceeded",
            Self::InvalidNextToken(_) => "InvalidNextToken",
            Self::TagLimitExceeded(_) => "TagLimitExceeded",
            Self::DependencyViolation(_) => "DependencyViolation",
            Self::VpcRange(_) => "InvalidVpc.Range",
            Self::SubnetRange(_) | Self::SubnetIpv6Range(_) => "InvalidSubnet.Range",
            Self::SubnetConflict(_) | Self::SubnetIpv6Conflict(_) => "InvalidSubnet.Conflict",
            Self::NoDefaultVpc | Self::NoDefaultVpcForGroupName => "VPCIdNotSpecified",
            Self::GroupOfOtherNetwork => "InvalidGroup.NotFound",
            Self::DuplicateGroup { .. } => "InvalidGroup.Duplicate",
            Self::CannotDelete { .. } => "CannotDelete",
            Self::DuplicatePermission(_) => "InvalidPermission.Duplicate",
            Self::PermissionNotFound => "InvalidPermission.NotFound",
            Self::RulesPerSecurityGroupLimitExceeded => "RulesPerSecurityGroupLimitExceeded",
            Self::SecurityGroupsPerInterfaceLimitExceeded => "SecurityGroupsPerInterfaceLimitExceeded",
            Self::AddressInUse(_) => "InvalidIPAddress.InUse",
            Self::InsufficientFreeAddresses => "InsufficientFreeAddressesInSubnet",
            Self::NetworkInterfaceLimitExceeded(_) => "NetworkInterfaceLimitExceeded",
            Self::InterfaceInUse(_) => "InvalidParameterValue",
            Self::Network(error) => error.code(),
            Self::PrivateIpAddressLimitExceeded => "PrivateIpAddressLimitExceeded",
            Self::AttachedInterface(_) => "InvalidNetworkInterface.InUse",
            Self::AttachmentLimitExceeded { .. } => "AttachmentLimitExceeded",
            Self::IncorrectState(_) => "IncorrectState",
            Self::Endpoint(error) => error.code(),
            Self::PrefixList(error) => error.code(),
            Self::LoadBalancing(error) => error.code(),
            Self::Certificate(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::Iam(error) => error.code(),
            Self::Instance(error) => error.code(),
            Self::AttachmentNotFound(_) => "InvalidAttachmentID.NotFound",
            Self::Admin(error) => error.code(),
            Self::Store(_) => "InternalError",
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Store(cause) => {
                tracing::error!(%cause, "the state could not be written");
                Self::internal()
            }
            Error::DryRun => Self::new(error.code(), error.to_string()).with_status(412),
            Error::Iam(cause) => Self::new(error.code(), error.to_string()).with_status(cause.status()),
            Error::Database(cause) => Self::new(error.code(), error.to_string()).with_status(cause.status()),
            _ => Self::new(error.code(), error.to_string()),
        }
    }
}
