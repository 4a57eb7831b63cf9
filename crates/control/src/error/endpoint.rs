//! What can stand against an operation on endpoints and endpoint services.

/// Why an operation on endpoints or endpoint services was refused.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// There is no such service, or the caller may not know of it.
    #[error("The Vpc Endpoint Service '{0}' does not exist")]
    ServiceNotFound(String),
    /// The service is there, but for endpoints of another type.
    #[error("The Vpc Endpoint Service '{service}' does not support the endpoint type '{endpoint_type}'.")]
    ServiceType {
        /// The service's name.
        service: String,
        /// The type asked for.
        endpoint_type: String,
    },
    /// Not one of AWS's types.
    #[error("The specified VPC endpoint type is not valid.")]
    InvalidType,
    /// The endpoint has a subnet in the zone already: this one.
    #[error(
        "Found another VPC endpoint subnet in the availability zone of {0}. VPC endpoint subnets should be in \
         different availability zones supported by the VPC endpoint service."
    )]
    DuplicateSubnetsInSameZone(String),
    /// A subnet to remove that the caller does not have.
    #[error("The subnet ID '{0}' does not exist")]
    SubnetNotFound(String),
    /// A route table that an endpoint should be routed from does not exist.
    #[error("The routeTable ID '{0}' does not exist")]
    RouteTableNotFound(String),
    /// A route table leads to the service through another endpoint already.
    #[error("route table {table} already has a route with destination-prefix-list-id {prefix_list}")]
    AlreadyRouted {
        /// The route table.
        table: String,
        /// The service's prefix list.
        prefix_list: String,
    },
    /// The policy is no JSON, or no policy. It has the message of AWS, which says where.
    #[error("{0}")]
    InvalidPolicyDocument(String),
    /// The VPC has all the endpoints that it may have.
    #[error("The maximum number of VPC endpoints has been reached.")]
    LimitExceeded,
    /// The resource's state does not allow it; the message is the whole of it.
    #[error("{0}")]
    InvalidState(String),
    /// A filter that the operation does not have.
    #[error("The filter {0} is invalid")]
    InvalidFilter(String),
    /// A filter's value that AWS does not take.
    #[error("The filter value {0} contains unsupported characters")]
    InvalidFilterValue(String),
    /// The service has connections that are not rejected.
    #[error("Service has existing active VPC Endpoint connections!")]
    ExistingConnections,
    /// Not a Network Load Balancer of the caller's.
    #[error("The Network Load Balancer ARN '{0}' does not exist")]
    LoadBalancerNotFound(String),
    /// Not the ARN of a Network Load Balancer.
    #[error(
        "Invalid Network Load Balancer ARN: \"{0}\" (expecting \
         \"arn:aws:elasticloadbalancing:region:account-id:loadbalancer/net/load-balancer-name/load-balancer-id\")"
    )]
    MalformedLoadBalancer(String),
    /// An endpoint to delete that is not there.
    #[error("The Vpc Endpoint Id '{0}' does not exist")]
    NothingToDelete(String),
    /// There is no such connection notification.
    #[error("The connection notification '{0}' does not exist")]
    NotificationNotFound(String),
    /// A service to delete that is not there.
    #[error("The VpcEndpointService Id '{0}' does not exist")]
    NoServiceToDelete(String),
}

impl EndpointError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::ServiceNotFound(_) | Self::ServiceType { .. } => "InvalidServiceName",
            Self::InvalidType => "InvalidVpcEndpointType",
            Self::DuplicateSubnetsInSameZone(_) => "DuplicateSubnetsInSameZone",
            Self::SubnetNotFound(_) => "InvalidSubnetId.NotFound",
            Self::RouteTableNotFound(_) => "InvalidRouteTableId.NotFound",
            Self::AlreadyRouted { .. } => "RouteAlreadyExists",
            Self::InvalidPolicyDocument(_) => "InvalidPolicyDocument",
            Self::LimitExceeded => "VpcEndpointLimitExceeded",
            Self::InvalidState(_) => "InvalidState",
            Self::InvalidFilter(_) | Self::InvalidFilterValue(_) => "InvalidFilter",
            Self::ExistingConnections => "ExistingVpcEndpointConnections",
            Self::LoadBalancerNotFound(_) => "InvalidNetworkLoadBalancerArn.NotFound",
            Self::MalformedLoadBalancer(_) => "InvalidNetworkLoadBalancerArn.Malformed",
            Self::NotificationNotFound(_) => "InvalidConnectionNotification",
            // Of bulk requests: other codes than those of describing and modifying.
            Self::NothingToDelete(_) => "InvalidVpcEndpoint.NotFound",
            Self::NoServiceToDelete(_) => "InvalidVpcEndpointService.NotFound",
        }
    }
}
