//! What can stand against an operation of Elastic Load Balancing.

/// Why an operation of Elastic Load Balancing was refused.
#[derive(Debug, thiserror::Error)]
pub enum LoadBalancingError {
    /// Nothing of the caller's has this ARN or name.
    #[error("Load balancers '[{0}]' not found")]
    LoadBalancerNotFound(String),
    /// Nothing of the caller's has this ARN or name.
    #[error("One or more target groups not found")]
    TargetGroupNotFound,
    /// Nothing of the caller's has this ARN.
    #[error("One or more listeners not found")]
    ListenerNotFound,
    /// A value that cannot be; the message is the whole of it.
    #[error("{0}")]
    Validation(String),
    /// Values that do not go together; the message is the whole of it.
    #[error("{0}")]
    InvalidConfiguration(String),
    /// The name is taken by a balancer with other settings.
    #[error("A load balancer with the same name '{0}' exists, but with different settings")]
    DuplicateLoadBalancerName(String),
    /// The name is taken by a target group with other settings.
    #[error("A target group with the same name '{0}' exists, but with different settings")]
    DuplicateTargetGroupName(String),
    /// The balancer listens on the port already.
    #[error("A listener already exists on this port for this load balancer '{0}'")]
    DuplicateListener(String),
    /// Not a subnet of the caller's.
    #[error("The subnet ID '{0}' does not exist")]
    SubnetNotFound(String),
    /// A subnet that cannot take a node; the message is the whole of it.
    #[error("{0}")]
    InvalidSubnet(String),
    /// A security group that is not there, or not in the VPC; the message is the whole of it.
    #[error("{0}")]
    InvalidSecurityGroup(String),
    /// Not one of AWS's schemes.
    #[error("The scheme '{0}' is not valid: it is 'internal' or 'internet-facing'")]
    InvalidScheme(String),
    /// A target that cannot be one; the message is the whole of it.
    #[error("{0}")]
    InvalidTarget(String),
    /// A listener and a target group that do not speak alike; the message is the whole of it.
    #[error("{0}")]
    IncompatibleProtocols(String),
    /// The group serves another balancer.
    #[error("The following target groups cannot be associated with more than one load balancer: {0}")]
    TargetGroupAssociationLimit(String),
    /// Something else needs it; the message is the whole of it.
    #[error("{0}")]
    ResourceInUse(String),
    /// Its attributes forbid it; the message is the whole of it.
    #[error("{0}")]
    OperationNotPermitted(String),
    /// Nothing of the caller's has this ARN.
    #[error("Certificate '{0}' not found")]
    CertificateNotFound(String),
    /// More certificates than a listener, or a balancer, may have.
    #[error("The maximum number of certificates has been reached: {0}")]
    TooManyCertificates(usize),
    /// Not one of AWS's policies that are known here.
    #[error("SSL policy '{0}' not found")]
    SslPolicyNotFound(String),
    /// Not one of AWS's policies.
    #[error("ALPN policy '{0}' is not supported")]
    AlpnPolicyNotFound(String),
    /// A tag's key came twice.
    #[error("Duplicate tag key '{0}' specified")]
    DuplicateTagKeys(String),
    /// More tags than a resource may have.
    #[error("The maximum number of tags allowed on a resource has been reached: {0}")]
    TooManyTags(usize),
    /// More targets than a group may have.
    #[error("The maximum number of targets per target group has been reached: {0}")]
    TooManyTargets(usize),
    /// More listeners than a balancer may have.
    #[error("The maximum number of listeners per load balancer has been reached: {0}")]
    TooManyListeners(usize),
    /// More balancers than an account may have in a region.
    #[error("The maximum number of load balancers has been reached: {0}")]
    TooManyLoadBalancers(usize),
    /// More target groups than an account may have in a region.
    #[error("The maximum number of target groups has been reached: {0}")]
    TooManyTargetGroups(usize),
}

impl LoadBalancingError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::LoadBalancerNotFound(_) => "LoadBalancerNotFound",
            Self::TargetGroupNotFound => "TargetGroupNotFound",
            Self::ListenerNotFound => "ListenerNotFound",
            Self::Validation(_) => "ValidationError",
            Self::InvalidConfiguration(_) => "InvalidConfigurationRequest",
            Self::DuplicateLoadBalancerName(_) => "DuplicateLoadBalancerName",
            Self::DuplicateTargetGroupName(_) => "DuplicateTargetGroupName",
            Self::DuplicateListener(_) => "DuplicateListener",
            Self::SubnetNotFound(_) => "SubnetNotFound",
            Self::InvalidSubnet(_) => "InvalidSubnet",
            Self::InvalidSecurityGroup(_) => "InvalidSecurityGroup",
            Self::InvalidScheme(_) => "InvalidScheme",
            Self::InvalidTarget(_) => "InvalidTarget",
            Self::IncompatibleProtocols(_) => "IncompatibleProtocols",
            Self::TargetGroupAssociationLimit(_) => "TargetGroupAssociationLimit",
            Self::ResourceInUse(_) => "ResourceInUse",
            Self::OperationNotPermitted(_) => "OperationNotPermitted",
            Self::CertificateNotFound(_) => "CertificateNotFound",
            Self::TooManyCertificates(_) => "TooManyCertificates",
            Self::SslPolicyNotFound(_) => "SSLPolicyNotFound",
            Self::AlpnPolicyNotFound(_) => "ALPNPolicyNotFound",
            Self::DuplicateTagKeys(_) => "DuplicateTagKeys",
            Self::TooManyTags(_) => "TooManyTags",
            Self::TooManyTargets(_) => "TooManyTargets",
            Self::TooManyListeners(_) => "TooManyListeners",
            Self::TooManyLoadBalancers(_) => "TooManyLoadBalancers",
            Self::TooManyTargetGroups(_) => "TooManyTargetGroups",
        }
    }
}
