//! Parameters of endpoints that AWS has more values for than Linkway: what is there, and how the rest is refused.

use linkway_model::VpcId;
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::vpc_endpoint::DnsRecordIpType;
use linkway_wire::ec2::{CreateVpcEndpointRequest, DnsOptionsSpecification};

use crate::ec2::offered::Offered;
use crate::error::EndpointError;
use crate::{Caller, Error};

/// The type asked for. AWS's default is `Gateway`, whatever the service.
pub(super) fn endpoint_type(input: &CreateVpcEndpointRequest) -> Result<&str, Error> {
    let given = input.vpc_endpoint_type.as_deref().unwrap_or("Gateway");
    match given {
        "Interface" | "GatewayLoadBalancer" => Ok(given),
        "Gateway" if !input.subnet_ids.is_empty() || !input.subnet_configurations.is_empty() => {
            Err(subnets_refused())
        }
        "Gateway" => Ok(given),
        "Resource" | "ServiceNetwork" => Err(Error::Unsupported(format!(
            "VPC endpoints of type {given} are not supported: use --vpc-endpoint-type Interface."
        ))),
        _ => Err(EndpointError::InvalidType.into()),
    }
}

/// Every service here is for interface endpoints; some of AWS's are for gateway endpoints, too. Whether it is to be
/// a gateway endpoint.
pub(super) fn is_gateway(endpoint_type: &str, service: &Offered) -> Result<bool, Error> {
    match (endpoint_type, service) {
        ("Interface", _) => Ok(false),
        ("Gateway", Offered::Aws(aws, _)) if aws.gateway => Ok(true),
        _ => {
            let endpoint_type = endpoint_type.to_owned();
            Err(EndpointError::ServiceType { service: service.name(), endpoint_type }.into())
        }
    }
}

/// Endpoints lead to services of their own region.
pub(super) fn service_region(given: Option<&str>, caller: &Caller) -> Result<(), Error> {
    match given {
        Some(region) if region != caller.region => Err(Error::InvalidParameter(format!(
            "Cross-region access is not supported: the service region {region} is not {}.",
            caller.region
        ))),
        _ => Ok(()),
    }
}

/// Of DNS options a gateway endpoint has none.
pub(super) fn dns_of_gateway(given: Option<&DnsOptionsSpecification>, vpc: &VpcId) -> Result<(), Error> {
    match given {
        Some(given) if given.private_dns_only_for_inbound_resolver_endpoint.is_some() => {
            Err(Error::InvalidParameter(
                "DnsOptions PrivateDnsOnlyForInboundResolverEndpoint is applicable only to Interface VPC Endpoints."
                    .into(),
            ))
        }
        given => dns(given, vpc, IpAddressType::Ipv4).map(|_| ()),
    }
}

pub(super) fn subnets_refused() -> Error {
    Error::InvalidParameter(
        "Subnet IDs are only supported for Interface and GatewayLoadBalancer type VPC Endpoints.".into(),
    )
}

pub(super) fn route_tables_refused() -> Error {
    Error::InvalidParameter("Route table IDs are only supported for Gateway type VPC Endpoint.".into())
}

/// The type of addresses that a request names.
pub(super) fn ip_address_type(given: Option<&str>) -> Result<Option<IpAddressType>, Error> {
    let read = |given: &str| {
        IpAddressType::read(given).ok_or_else(|| {
            Error::InvalidParameterValue(format!(
                "Value ({given}) for parameter IpAddressType is invalid. Valid values: ipv4, ipv6, dualstack."
            ))
        })
    };
    given.map(read).transpose()
}

/// Gateway endpoints lead to IPv4 addresses.
pub(super) fn ipv4_of_gateway(given: Option<&str>) -> Result<(), Error> {
    match ip_address_type(given)? {
        None | Some(IpAddressType::Ipv4) => Ok(()),
        Some(other) => Err(Error::Unsupported(format!(
            "The IP address type {} is not supported: gateway endpoints lead to IPv4 addresses only.",
            other.name()
        ))),
    }
}

/// What DNS options say of an endpoint with addresses of this type: which records it has. `None`: nothing.
pub(super) fn dns(
    given: Option<&DnsOptionsSpecification>,
    vpc: &VpcId,
    address_type: IpAddressType,
) -> Result<Option<DnsRecordIpType>, Error> {
    let Some(given) = given else { return Ok(None) };
    if given.private_dns_only_for_inbound_resolver_endpoint == Some(true) {
        return Err(Error::InvalidParameter(format!(
            "To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC {vpc} must have a Gateway endpoint \
             for the service."
        )));
    }
    if given.private_dns_preference.is_some() || !given.private_dns_specified_domains.is_empty() {
        return Err(Error::InvalidParameter(
            "DnsOptions PrivateDnsPreference and PrivateDnsSpecifiedDomains are applicable only to Resource and \
             ServiceNetwork VPC Endpoints."
                .into(),
        ));
    }
    let Some(name) = given.dns_record_ip_type.as_deref() else { return Ok(None) };
    let records = DnsRecordIpType::read(name).ok_or_else(|| {
        Error::InvalidParameterValue(format!(
            "Value ({name}) for parameter DnsRecordIpType is invalid. Valid values: ipv4, ipv6, dualstack, \
             service-defined."
        ))
    })?;
    if !records_of(address_type).contains(&records) {
        return Err(Error::InvalidParameter(format!(
            "The DNS record IP type {name} is not valid for the IP address type {}.",
            address_type.name()
        )));
    }
    Ok(Some(records))
}

/// Which records an endpoint with addresses of a type may have, those that it has by default first. Source: AWS
/// PrivateLink's guide, "DNS record IP type".
pub(super) fn records_of(address_type: IpAddressType) -> &'static [DnsRecordIpType] {
    use DnsRecordIpType::{Dualstack, Ipv4, Ipv6, ServiceDefined};
    match address_type {
        IpAddressType::Ipv4 => &[Ipv4],
        IpAddressType::Ipv6 => &[Ipv6],
        IpAddressType::Dualstack => &[Dualstack, Ipv4, Ipv6, ServiceDefined],
    }
}
