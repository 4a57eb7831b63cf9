//! Address ranges as requests give them.

use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use linkway_model::random_bits;

use crate::Error;

/// Read a VPC's or subnet's range, in its canonical form: AWS takes `100.68.0.18/18` for `100.68.0.0/18`.
pub(crate) fn block(text: &str) -> Result<Ipv4Net, Error> {
    let net: Ipv4Net = text.parse().map_err(|_| {
        Error::InvalidParameterValue(format!(
            "Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        ))
    })?;
    Ok(net.trunc())
}

/// Read a subnet's IPv6 range, in its canonical form.
pub(crate) fn ipv6_block(text: &str) -> Result<Ipv6Net, Error> {
    let net: Ipv6Net = text.parse().map_err(|_| {
        Error::InvalidParameterValue(format!(
            "Value ({text}) for parameter ipv6CidrBlock is invalid. This is not a valid CIDR block."
        ))
    })?;
    Ok(net.trunc())
}

/// Whether a range has a size that AWS gives VPCs and subnets: /16 to /28.
pub(crate) fn has_allowed_size(net: Ipv4Net) -> bool {
    (16..=28).contains(&net.prefix_len())
}

/// Whether a range lies where no VPC may: this network, loopback, link-local, multicast and reserved addresses.
pub(crate) fn is_reserved(net: Ipv4Net) -> bool {
    ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"].into_iter().any(|reserved| {
        reserved.parse::<Ipv4Net>().is_ok_and(|reserved| reserved.contains(&net) || net.contains(&reserved))
    })
}

/// An address of a range, at random.
pub(crate) fn random_address(range: Ipv6Net) -> Ipv6Addr {
    (u128::from(range.network()) | (random_bits() & u128::from(range.hostmask()))).into()
}

/// Whether two ranges have an address in common.
pub(crate) fn overlap(a: impl Into<IpNet>, b: impl Into<IpNet>) -> bool {
    let (a, b) = (a.into(), b.into());
    a.contains(&b) || b.contains(&a)
}
