//! Registering targets with a group, and deregistering them.

mod reconcile;

use std::net::{IpAddr, Ipv4Addr};

use linkway_model::instance::{Instance, InstanceState};
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::{Target, TargetGroup, TargetHealth, TargetId, TargetType};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::region::Region;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{InstanceId, Snapshot};
use linkway_wire::elbv2::{
    DeregisterTargetsInput, DeregisterTargetsOutput, RegisterTargetsInput, RegisterTargetsOutput,
    TargetDescription,
};

pub(crate) use self::reconcile::reconcile;
use super::target_group::{deregistration_delay, listeners_of};
use super::{arn, invalid};
use crate::error::LoadBalancingError;
use crate::lookup::own;
use crate::{Caller, Control, Error};

/// Targets that a group may have, those that drain among them. The packet path looks at 1,024 at most. Source:
/// "Quotas for your Network Load Balancers".
pub(crate) const MAX_TARGETS: usize = 1000;

/// `RegisterTargets`. A target that drains is a target again.
pub(crate) fn register(
    control: &Control,
    caller: &Caller,
    input: RegisterTargetsInput,
) -> Result<RegisterTargetsOutput, Error> {
    let outside = &control.settings.outside_targets;
    control.write(None, |tx| {
        let before = arn::required::<TargetGroup>(tx, caller, input.target_group_arn.as_deref())?;
        let mut group = TargetGroup::clone(before);
        for given in &input.targets {
            let (id, port) = identify(&group, given)?;
            let zone = zone(tx, caller, &group, &id, given.availability_zone.as_deref(), outside)?;
            let there = group.targets.iter_mut().find(|target| target.id == id && target.port == port);
            match there {
                Some(target) if target.draining_since.is_none() => target.zone = zone,
                Some(target) => {
                    *target = Target {
                        zone,
                        health: TargetHealth::Initial,
                        draining_since: None,
                        ..target.clone()
                    };
                }
                None => {
                    let health = TargetHealth::Initial;
                    group.targets.push(Target { id, port, zone, health, draining_since: None });
                }
            }
        }
        if group.targets.len() > MAX_TARGETS {
            return Err(LoadBalancingError::TooManyTargets(MAX_TARGETS).into());
        }
        tx.update::<TargetGroup>(group.arn.clone(), |kept| kept.targets = group.targets);
        Ok(RegisterTargetsOutput {})
    })
}

/// `DeregisterTargets`. In use, they drain: no new connections, and the old ones for as long as the group says. What
/// is not registered is deregistered without an error.
pub(crate) fn deregister(
    control: &Control,
    caller: &Caller,
    input: DeregisterTargetsInput,
) -> Result<DeregisterTargetsOutput, Error> {
    let now = control.now();
    control.write(None, |tx| {
        let before = arn::required::<TargetGroup>(tx, caller, input.target_group_arn.as_deref())?;
        let mut group = TargetGroup::clone(before);
        let drains = !deregistration_delay(&group).is_zero() && listeners_of(tx, &group).next().is_some();
        for given in &input.targets {
            let (id, port) = identify(&group, given)?;
            let is_it = |target: &Target| target.id == id && target.port == port;
            if drains {
                for target in group.targets.iter_mut().filter(|target| is_it(target)) {
                    target.draining_since.get_or_insert(now);
                }
            } else {
                group.targets.retain(|target| !is_it(target));
            }
        }
        tx.update::<TargetGroup>(group.arn.clone(), |kept| kept.targets = group.targets);
        Ok(DeregisterTargetsOutput {})
    })
}

/// Who a description means, in a group of this type; and its port, which is the group's if it says none.
pub(super) fn identify(group: &TargetGroup, given: &TargetDescription) -> Result<(TargetId, u16), Error> {
    let text = given.id.as_deref().unwrap_or_default();
    let id = match group.target_type {
        TargetType::Instance => {
            let id = text.parse::<InstanceId>();
            TargetId::Instance(id.map_err(|_| invalid(format!("Instance ID '{text}' is not valid")))?)
        }
        TargetType::Ip => {
            let (ipv6, family) = match group.ip_address_type {
                IpAddressType::Ipv6 => (true, "IPv6"),
                _ => (false, "IPv4"),
            };
            let address = text.parse::<IpAddr>().ok().filter(|address| address.is_ipv6() == ipv6);
            let bad = || invalid(format!("The IP address '{text}' is not a valid {family} address"));
            TargetId::Ip(address.ok_or_else(bad)?)
        }
    };
    Ok((id, given.port.map_or(Ok(group.port), port)?))
}

/// A port that a request gives.
pub(super) fn port(given: i32) -> Result<u16, Error> {
    let port = u16::try_from(given).ok().filter(|port| *port != 0);
    port.ok_or_else(|| invalid(format!("Port '{given}' must be in the range 1-65535")))
}

/// The zone that a request gives a target; `None`: the one it lies in. Fails for what cannot be a target.
fn zone(
    state: &Snapshot,
    caller: &Caller,
    group: &TargetGroup,
    id: &TargetId,
    given: Option<&str>,
    outside: &OutsideTargets,
) -> Result<Option<String>, Error> {
    match id {
        TargetId::Instance(id) => {
            instance(state, caller, group, id)?;
            match given {
                None => Ok(None),
                Some(_) => {
                    Err(invalid("An Availability Zone cannot be specified for targets that are instances"))
                }
            }
        }
        TargetId::Ip(address) => {
            if given.is_some_and(|zone| zone != "all" && !is_zone(caller, zone)) {
                return Err(invalid(format!(
                    "The Availability Zone '{}' is not valid",
                    given.unwrap_or_default()
                )));
            }
            if state.get::<Vpc>(&group.vpc).is_some_and(|vpc| vpc.has_address(*address)) {
                zone_inside(state, group, *address, given)
            } else if let IpAddr::V4(address) = address {
                zone_outside(group, *address, given, outside)
            } else {
                Err(LoadBalancingError::InvalidTarget(format!(
                    "The IP address '{address}' is outside the VPC '{}', where IPv6 targets must be",
                    group.vpc
                ))
                .into())
            }
        }
    }
}

fn is_zone(caller: &Caller, name: &str) -> bool {
    Region::find(&caller.region).is_some_and(|region| region.zones.iter().any(|zone| zone.name == name))
}

/// An address of the VPC lies in the zone of its subnet, if it is in one. AWS's words for `all` are from a response
/// in kubernetes-sigs/aws-load-balancer-controller#561.
fn zone_inside(
    state: &Snapshot,
    group: &TargetGroup,
    address: IpAddr,
    given: Option<&str>,
) -> Result<Option<String>, Error> {
    let mut subnets = state.all::<Subnet>().filter(|subnet| subnet.vpc == group.vpc);
    let own = subnets.find(|subnet| subnet.has_address(address)).map(|subnet| subnet.zone.as_str());
    match (given, own) {
        (Some("all"), Some(own)) => Err(invalid(format!(
            "The IP address '{address}' is within the VPC, and cannot have its Availability Zone overridden to 'all' \
             from '{own}'"
        ))),
        (Some(zone), Some(own)) if zone != own => {
            Err(invalid(format!("The IP address '{address}' is not in the Availability Zone '{zone}'")))
        }
        (given, _) => Ok(given.map(str::to_owned)),
    }
}

/// A host outside of the VPC lies where the request says. AWS's words for none are from a response in
/// kubernetes-sigs/aws-load-balancer-controller#3084.
fn zone_outside(
    group: &TargetGroup,
    address: Ipv4Addr,
    given: Option<&str>,
    allowed: &OutsideTargets,
) -> Result<Option<String>, Error> {
    let Some(zone) = given else {
        return Err(invalid(format!(
            "You must specify a valid Availability Zone or select 'all' for all enabled Availability zones, since \
             the IP address '{address}' is outside the VPC"
        )));
    };
    let refuse = |message| Err(LoadBalancingError::InvalidTarget(message).into());
    if !group.protocol.is_stream() {
        return refuse(format!(
            "The IP address '{address}' is outside the VPC '{}'. Only target groups with protocol TCP or TLS support that",
            group.vpc
        ));
    }
    if !allowed.allow(address) {
        return refuse(format!(
            "The IP address '{address}' is outside the VPC '{}', and the operator of this installation does not let \
             it be a target: `linkway up --outside-targets CIDR` says which addresses may be",
            group.vpc
        ));
    }
    Ok(Some(zone.to_owned()))
}

fn instance(state: &Snapshot, caller: &Caller, group: &TargetGroup, id: &InstanceId) -> Result<(), Error> {
    let refuse = |message: String| Err(LoadBalancingError::InvalidTarget(message).into());
    let Ok(instance) = own::<Instance>(state, caller, id.as_str()) else {
        return refuse(format!("Instance ID '{id}' does not exist"));
    };
    if instance.vpc != group.vpc {
        return refuse(format!(
            "The following targets are not in the target group VPC '{}': '{id}'",
            group.vpc
        ));
    }
    if instance.state != InstanceState::Running {
        return refuse(format!(
            "The following targets are not in a running state and cannot be registered: '{id}'"
        ));
    }
    let interface = || state.get::<NetworkInterface>(&instance.interface);
    if group.ip_address_type == IpAddressType::Ipv6
        && interface().and_then(|found| found.primary_ipv6_address()).is_none()
    {
        return refuse(format!(
            "The following targets do not have a primary IPv6 address and cannot be registered: '{id}'"
        ));
    }
    Ok(())
}
