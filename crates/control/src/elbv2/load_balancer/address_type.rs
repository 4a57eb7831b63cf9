//! `SetIpAddressType`. Balancers have IPv4 addresses, and no others.

use linkway_model::load_balancer::LoadBalancer;
use linkway_wire::elbv2::{SetIpAddressTypeInput, SetIpAddressTypeOutput};

use crate::elbv2::{arn, invalid};
use crate::{Caller, Control, Error};

pub(crate) fn set(
    control: &Control,
    caller: &Caller,
    input: SetIpAddressTypeInput,
) -> Result<SetIpAddressTypeOutput, Error> {
    let state = control.read(None)?;
    arn::required::<LoadBalancer>(&state, caller, input.load_balancer_arn.as_deref())?;
    supported(input.ip_address_type.as_deref(), None)?;
    Ok(SetIpAddressTypeOutput { ip_address_type: Some("ipv4".into()) })
}

/// Refuse what takes IPv6 addresses: another type of addresses than `ipv4`, or prefixes for source NAT.
pub(super) fn supported(address_type: Option<&str>, source_nat: Option<&str>) -> Result<(), Error> {
    if address_type.is_some_and(|given| given != "ipv4") {
        return Err(invalid("Load balancers have IPv4 addresses only. Specify the IP address type 'ipv4'"));
    }
    if source_nat == Some("on") {
        return Err(invalid(
            "Load balancers have IPv4 addresses only. Leave out EnablePrefixForIpv6SourceNat",
        ));
    }
    Ok(())
}
