//! Which addresses a balancer's nodes have, and `SetIpAddressType`.

use linkway_model::Snapshot;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::index::Term;
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::{Listener, LoadBalancer, TargetGroup};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::subnet::Subnet;
use linkway_store::Transaction;
use linkway_wire::elbv2::{SetIpAddressTypeInput, SetIpAddressTypeOutput};

use crate::ec2::network_interface::choose_ipv6;
use crate::elbv2::{arn, invalid};
use crate::error::LoadBalancingError;
use crate::lookup::not_found;
use crate::{Caller, Control, Error};

pub(crate) fn set(
    control: &Control,
    caller: &Caller,
    input: SetIpAddressTypeInput,
) -> Result<SetIpAddressTypeOutput, Error> {
    control.write(None, |tx| {
        let before = arn::required::<LoadBalancer>(tx, caller, input.load_balancer_arn.as_deref())?;
        let mut balancer = LoadBalancer::clone(before);
        let wanted = input.ip_address_type.as_deref();
        let wanted = read(wanted)?.ok_or_else(|| invalid("An IP address type must be specified"))?;
        change(tx, &mut balancer, wanted)?;
        tx.put(balancer);
        Ok(SetIpAddressTypeOutput { ip_address_type: Some(wanted.name().into()) })
    })
}

/// The type that a request names: `ipv4` or `dualstack`.
pub(super) fn read(given: Option<&str>) -> Result<Option<IpAddressType>, Error> {
    match given {
        None => Ok(None),
        Some("ipv4") => Ok(Some(IpAddressType::Ipv4)),
        Some("dualstack") => Ok(Some(IpAddressType::Dualstack)),
        Some("dualstack-without-public-ipv4") => Err(invalid(
            "IP address type 'dualstack-without-public-ipv4' is not supported by load balancers with type 'network'",
        )),
        Some(other) => Err(invalid(format!(
            "IP address type '{other}' must be one of 'ipv4,dualstack,dualstack-without-public-ipv4'"
        ))),
    }
}

/// Nodes have no IPv6 prefixes to send from: each has one address.
pub(super) fn no_source_nat(given: Option<&str>) -> Result<(), Error> {
    match given {
        None | Some("off") => Ok(()),
        Some(_) => {
            Err(invalid("Prefixes for source NAT are not supported. Leave out EnablePrefixForIpv6SourceNat"))
        }
    }
}

/// A balancer with IPv6 addresses is in subnets that have a range of them. AWS's words are from a response in
/// kubernetes-sigs/aws-load-balancer-controller#4852.
pub(super) fn fits(wanted: IpAddressType, subnet: &Subnet) -> Result<(), Error> {
    if wanted.has_ipv6() && subnet.ipv6_cidr.is_none() {
        return Err(invalid("You must specify subnets with an associated IPv6 CIDR block."));
    }
    Ok(())
}

/// Give the balancer's nodes IPv6 addresses, or take them away.
pub(super) fn change(
    tx: &mut Transaction,
    balancer: &mut LoadBalancer,
    wanted: IpAddressType,
) -> Result<(), Error> {
    if wanted == balancer.ip_address_type {
        return Ok(());
    }
    if !wanted.has_ipv6() {
        check_unused(tx, balancer)?;
    }
    for node in &balancer.nodes {
        let subnet = tx.get::<Subnet>(&node.subnet);
        let subnet = subnet.ok_or_else(|| not_found::<Subnet>(node.subnet.as_str()))?;
        fits(wanted, subnet)?;
        let addresses = choose_ipv6(tx, subnet, &[], usize::from(wanted.has_ipv6()))?;
        tx.update::<NetworkInterface>(&node.interface, |interface| interface.ipv6_addresses = addresses);
    }
    balancer.ip_address_type = wanted;
    Ok(())
}

/// Whether nothing needs the balancer's IPv6 addresses: no group of IPv6 targets, no endpoint service that offers IPv6.
fn check_unused(state: &Snapshot, balancer: &LoadBalancer) -> Result<(), Error> {
    let refuse = |message| Err(LoadBalancingError::InvalidConfiguration(message).into());
    let listeners = state.found::<Listener>(Term::ListenerBalancer, &balancer.arn);
    let mut groups = listeners.filter_map(|listener| state.get::<TargetGroup>(&listener.target_group));
    if let Some(group) = groups.find(|group| group.ip_address_type.has_ipv6()) {
        return refuse(format!(
            "The IP address type cannot be 'ipv4' because the load balancer forwards to the IPv6 target group '{}'",
            group.arn
        ));
    }
    let offers = |service: &EndpointService| {
        service.load_balancers.contains(&balancer.arn)
            && service.supported_ip_address_types.iter().any(|its| its == IpAddressType::Ipv6.name())
    };
    if let Some(service) = state.all::<EndpointService>().find(|service| offers(service)) {
        return refuse(format!(
            "The IP address type cannot be 'ipv4' because the VPC endpoint service '{}' supports IPv6",
            service.id
        ));
    }
    Ok(())
}
