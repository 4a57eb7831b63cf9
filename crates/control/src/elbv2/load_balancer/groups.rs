//! A balancer's security groups: those that it is made with, and `SetSecurityGroups`.

use linkway_model::load_balancer::LoadBalancer;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc::Vpc;
use linkway_model::{SecurityGroupId, Snapshot, VpcId};
use linkway_wire::elbv2::{SetSecurityGroupsInput, SetSecurityGroupsOutput};

use crate::ec2::security_group::groups_of_vpc;
use crate::elbv2::{arn, invalid};
use crate::error::LoadBalancingError;
use crate::lookup::not_found;
use crate::{Caller, Control, Error};

/// `SetSecurityGroups`. A balancer that was made without groups never gets any, and one that has some keeps at least
/// one. AWS's words for the former are from a response in kubernetes-sigs/cluster-api-provider-aws#4790.
pub(crate) fn set(
    control: &Control,
    caller: &Caller,
    input: SetSecurityGroupsInput,
) -> Result<SetSecurityGroupsOutput, Error> {
    control.write(None, |tx| {
        let before = arn::required::<LoadBalancer>(tx, caller, input.load_balancer_arn.as_deref())?;
        let mut balancer = LoadBalancer::clone(before);
        if balancer.groups.is_empty() {
            return Err(LoadBalancingError::InvalidConfiguration(
                "You cannot set security groups on a Network Load Balancer which was created without any security \
                 groups."
                    .into(),
            )
            .into());
        }
        let groups = accepted(tx, caller, &input.security_groups, &balancer.vpc)?;
        if groups.is_empty() {
            return Err(invalid("At least one security group must be specified"));
        }
        match input.enforce_security_group_inbound_rules_on_private_link_traffic.as_deref() {
            None => {}
            Some("on") => balancer.filters_private_link = true,
            Some("off") => balancer.filters_private_link = false,
            Some(other) => {
                return Err(invalid(format!(
                    "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic '{other}' must be one of 'on, off'"
                )));
            }
        }
        for node in &balancer.nodes {
            tx.update::<NetworkInterface>(&node.interface, |interface| interface.groups.clone_from(&groups));
        }
        balancer.groups = groups;
        let output = SetSecurityGroupsOutput {
            enforce_security_group_inbound_rules_on_private_link_traffic: enforced(&balancer),
            security_group_ids: balancer.groups.iter().map(ToString::to_string).collect(),
        };
        tx.put(balancer);
        Ok(output)
    })
}

/// The groups that a request gives a balancer of this VPC. A balancer may have none, and then lets everything in.
pub(super) fn accepted(
    state: &Snapshot,
    caller: &Caller,
    given: &[String],
    vpc: &VpcId,
) -> Result<Vec<SecurityGroupId>, Error> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let vpc = state.get::<Vpc>(vpc).ok_or_else(|| not_found::<Vpc>(vpc.as_str()))?;
    groups_of_vpc(state, caller, given, vpc, &format!("VPC {}", vpc.id))
        .map_err(|error| LoadBalancingError::InvalidSecurityGroup(error.to_string()).into())
}

/// `on` or `off`: whether the groups' rules hold for what comes through endpoints. Nothing, of a balancer without
/// groups.
pub(super) fn enforced(balancer: &LoadBalancer) -> Option<String> {
    let word = if balancer.filters_private_link { "on" } else { "off" };
    (!balancer.groups.is_empty()).then(|| word.into())
}
