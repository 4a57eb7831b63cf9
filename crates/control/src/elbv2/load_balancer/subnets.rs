//! `SetSubnets`: other zones for a balancer that is there.

use linkway_model::Snapshot;
use linkway_model::load_balancer::{LoadBalancer, LoadBalancerNode};
use linkway_model::network_interface::NetworkInterface;
use linkway_wire::elbv2::{SetSubnetsInput, SetSubnetsOutput};

use super::delete::is_published;
use super::nodes::Place;
use super::{address_type, describe, nodes};
use crate::elbv2::arn;
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error};

/// `SetSubnets`: the request's subnets replace the balancer's. Nodes in subnets that stay are kept, with their
/// addresses; the balancer stays active meanwhile, as its other nodes go on.
pub(crate) fn set(
    control: &Control,
    caller: &Caller,
    input: SetSubnetsInput,
) -> Result<SetSubnetsOutput, Error> {
    address_type::no_source_nat(input.enable_prefix_for_ipv6_source_nat.as_deref())?;
    let wanted = address_type::read(input.ip_address_type.as_deref())?;
    let now = control.now();
    control.write(None, |tx| {
        let before = arn::required::<LoadBalancer>(tx, caller, input.load_balancer_arn.as_deref())?;
        let mut balancer = LoadBalancer::clone(before);
        let wanted = wanted.unwrap_or(balancer.ip_address_type);
        let (subnets, mappings) = (&input.subnets, &input.subnet_mappings);
        let mut places = nodes::places(tx, caller, subnets, mappings, balancer.internal, wanted)?;
        for place in &places {
            fits(tx, &balancer, place)?;
        }
        let stays = |node: &LoadBalancerNode| places.iter().any(|place| place.subnet.id == node.subnet);
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut balancer.nodes).into_iter().partition(stays);
        places.retain(|place| kept.iter().all(|node| node.subnet != place.subnet.id));
        if !gone.is_empty() && is_published(tx, &balancer) {
            return Err(LoadBalancingError::ResourceInUse(
                "Subnets cannot be removed from load balancer because the load balancer is currently associated \
                 with another service"
                    .into(),
            )
            .into());
        }
        balancer.nodes = kept;
        for node in gone {
            tx.delete::<NetworkInterface>(node.interface);
        }
        address_type::change(tx, &mut balancer, wanted)?;
        nodes::make(tx, &mut balancer, now, &places)?;
        let availability_zones = describe::zones(tx, &balancer);
        tx.put(balancer);
        Ok(SetSubnetsOutput {
            availability_zones,
            enable_prefix_for_ipv6_source_nat: Some("off".into()),
            ip_address_type: Some(wanted.name().into()),
        })
    })
}

/// Whether a place may be among the balancer's: of its VPC, in a zone that it is not in yet, or a subnet that it is
/// in already, at the address that it has there. AWS's words for a zone that is taken are from a response in
/// kubernetes-sigs/aws-load-balancer-controller#4171.
fn fits(state: &Snapshot, balancer: &LoadBalancer, place: &Place) -> Result<(), Error> {
    let refuse = |message| Err(LoadBalancingError::InvalidConfiguration(message).into());
    let subnet = &place.subnet;
    if subnet.vpc != balancer.vpc {
        return refuse(format!("All subnets must belong to the same VPC: '{}'", balancer.vpc));
    }
    let Some(node) = balancer.nodes.iter().find(|node| node.zone == subnet.zone) else { return Ok(()) };
    if node.subnet != subnet.id {
        return refuse(format!(
            "You cannot specify an additional subnet from an Availability Zone that is already associated with the \
             load balancer. The Availability Zone '{}' corresponding to the new subnet '{}' is already associated \
             with the load balancer.",
            subnet.zone, subnet.id
        ));
    }
    if !state.get::<NetworkInterface>(&node.interface).is_some_and(|interface| place.is_at(interface)) {
        return refuse(format!(
            "The addresses in the subnet '{}' cannot be changed while it is associated with the load balancer",
            subnet.id
        ));
    }
    Ok(())
}
