//! `CreateLoadBalancer`.

use std::collections::{BTreeMap, BTreeSet};

use linkway_model::load_balancer::LoadBalancer;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc::Vpc;
use linkway_model::{SecurityGroupId, Snapshot, Timestamp, VpcId, random_hex};
use linkway_store::Transaction;
use linkway_wire::elbv2::{CreateLoadBalancerInput, CreateLoadBalancerOutput};

use super::{describe, nodes};
use crate::ec2::security_group::groups_of_vpc;
use crate::elbv2::{arn, invalid, name, tags};
use crate::error::LoadBalancingError;
use crate::lookup::not_found;
use crate::{Caller, Control, Error};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateLoadBalancerInput,
) -> Result<CreateLoadBalancerOutput, Error> {
    let now = control.now();
    control.write(None, |tx| {
        let balancer = make(tx, caller, now, &input)?;
        Ok(CreateLoadBalancerOutput { load_balancers: vec![describe::shape(tx, &balancer)] })
    })
}

/// Balancers that an account may have in a region. Source: "Quotas for your Network Load Balancers".
pub(crate) const MAX_BALANCERS: usize = 50;

/// The balancer: a new one, or the one that has the name and all of the settings.
fn make(
    tx: &mut Transaction,
    caller: &Caller,
    now: Timestamp,
    input: &CreateLoadBalancerInput,
) -> Result<LoadBalancer, Error> {
    let name = input.name.clone().unwrap_or_default();
    name::check("load balancer", &name)?;
    if name.starts_with("internal-") {
        return Err(invalid(format!("The load balancer name '{name}' cannot begin with 'internal-'")));
    }
    supported(input)?;
    let internal = match input.scheme.as_deref() {
        None | Some("internet-facing") => false,
        Some("internal") => true,
        Some(other) => return Err(LoadBalancingError::InvalidScheme(other.to_owned()).into()),
    };
    let places = nodes::places(tx, caller, &input.subnets, &input.subnet_mappings, internal)?;
    let vpc = places[0].subnet.vpc.clone();
    let groups = groups(tx, caller, &input.security_groups, &vpc)?;
    if let Some(existing) = by_name(tx, caller, &name) {
        let same = existing.internal == internal && existing.groups == groups && has(tx, &existing, &places);
        return if same {
            Ok(existing)
        } else {
            Err(LoadBalancingError::DuplicateLoadBalancerName(name).into())
        };
    }

    if tx.all::<LoadBalancer>().filter(|other| arn::belongs_to(&***other, caller)).count() >= MAX_BALANCERS {
        return Err(LoadBalancingError::TooManyLoadBalancers(MAX_BALANCERS).into());
    }
    let id = random_hex(16);
    let mut balancer = LoadBalancer {
        arn: arn::made::<LoadBalancer>(caller, &format!("{name}/{id}")),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        dns_name: format!("{name}-{id}.elb.{}.amazonaws.com", caller.region),
        name,
        vpc,
        internal,
        nodes: Vec::new(),
        groups,
        attributes: BTreeMap::new(),
        active: false,
        since: tx.revision(),
        created: now,
        tags: tags::of_new(&input.tags)?,
    };
    nodes::make(tx, &mut balancer, &places, now)?;
    tx.put(balancer.clone());
    Ok(balancer)
}

fn supported(input: &CreateLoadBalancerInput) -> Result<(), Error> {
    match input.type_.as_deref().unwrap_or("application") {
        "network" => {}
        known @ ("application" | "gateway") => {
            return Err(invalid(format!(
                "Load balancers of type '{known}' are not supported. Specify the type 'network'"
            )));
        }
        other => {
            return Err(invalid(format!(
                "Load balancer type '{other}' must be one of 'application,network,gateway'"
            )));
        }
    }
    ip_address_type(input.ip_address_type.as_deref())?;
    source_nat(input.enable_prefix_for_ipv6_source_nat.as_deref())?;
    if input.customer_owned_ipv4_pool.is_some() || input.ipam_pools.is_some() {
        return Err(invalid(
            "Address pools are not supported. Leave out CustomerOwnedIpv4Pool and IpamPools",
        ));
    }
    Ok(())
}

/// Balancers have IPv4 addresses.
pub(super) fn ip_address_type(given: Option<&str>) -> Result<(), Error> {
    if given.is_some_and(|given| given != "ipv4") {
        return Err(invalid("Load balancers have IPv4 addresses only. Specify the IP address type 'ipv4'"));
    }
    Ok(())
}

/// So they have no IPv6 sources.
pub(super) fn source_nat(given: Option<&str>) -> Result<(), Error> {
    if given == Some("on") {
        return Err(invalid(
            "Load balancers have IPv4 addresses only. Leave out EnablePrefixForIpv6SourceNat",
        ));
    }
    Ok(())
}

/// Security groups: here a balancer may have none, and then lets everything in.
pub(super) fn groups(
    state: &Snapshot,
    caller: &Caller,
    ids: &[String],
    vpc: &VpcId,
) -> Result<Vec<SecurityGroupId>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let vpc = state.get::<Vpc>(vpc).ok_or_else(|| not_found::<Vpc>(vpc.as_str()))?;
    groups_of_vpc(state, caller, ids, vpc, &format!("VPC {}", vpc.id))
        .map_err(|error| LoadBalancingError::InvalidSecurityGroup(error.to_string()).into())
}

fn by_name(state: &Snapshot, caller: &Caller, name: &str) -> Option<LoadBalancer> {
    let found = state
        .all::<LoadBalancer>()
        .find(|balancer| balancer.name == name && arn::belongs_to(&***balancer, caller));
    found.map(|balancer| LoadBalancer::clone(balancer))
}

/// Whether a balancer's nodes are in these places.
fn has(state: &Snapshot, balancer: &LoadBalancer, places: &[nodes::Place]) -> bool {
    let subnets: BTreeSet<_> = balancer.nodes.iter().map(|node| &node.subnet).collect();
    let wanted: BTreeSet<_> = places.iter().map(|place| &place.subnet.id).collect();
    let address_fits = |place: &nodes::Place| {
        let node = balancer.nodes.iter().find(|node| node.subnet == place.subnet.id);
        let interface = node.and_then(|node| state.get::<NetworkInterface>(&node.interface));
        place.address.is_none() || interface.map(|interface| interface.address) == place.address
    };
    subnets == wanted && places.iter().all(address_fits)
}
