//! `CreateLoadBalancer`.

use std::collections::{BTreeMap, BTreeSet};

use linkway_model::load_balancer::LoadBalancer;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::{Snapshot, Timestamp, random_hex};
use linkway_store::Transaction;
use linkway_wire::elbv2::{CreateLoadBalancerInput, CreateLoadBalancerOutput};

use super::{address_type, describe, groups, nodes};
use crate::elbv2::{arn, invalid, name, tags};
use crate::error::LoadBalancingError;
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
    name::check(name::Kind::LoadBalancer, &name)?;
    if name.starts_with("internal-") {
        return Err(invalid(format!("The load balancer name '{name}' cannot begin with 'internal-'")));
    }
    supported(input)?;
    let ip_address_type = address_type::read(input.ip_address_type.as_deref())?.unwrap_or_default();
    let internal = match input.scheme.as_deref() {
        None | Some("internet-facing") => false,
        Some("internal") => true,
        Some(other) => return Err(LoadBalancingError::InvalidScheme(other.to_owned()).into()),
    };
    let places =
        nodes::places(tx, caller, &input.subnets, &input.subnet_mappings, internal, ip_address_type)?;
    let vpc = places[0].subnet.vpc.clone();
    let groups = groups::accepted(tx, caller, &input.security_groups, &vpc)?;
    if let Some(existing) = by_name(tx, caller, &name) {
        let same = existing.internal == internal
            && existing.ip_address_type == ip_address_type
            && existing.groups == groups
            && has(tx, &existing, &places);
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
        ip_address_type,
        nodes: Vec::new(),
        groups,
        filters_private_link: true,
        attributes: BTreeMap::new(),
        active: false,
        since: tx.revision(),
        created: now,
        tags: tags::of_new(&input.tags)?,
    };
    nodes::make(tx, &mut balancer, now, &places)?;
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
    address_type::no_source_nat(input.enable_prefix_for_ipv6_source_nat.as_deref())?;
    if input.customer_owned_ipv4_pool.is_some() || input.ipam_pools.is_some() {
        return Err(invalid(
            "Address pools are not supported. Leave out CustomerOwnedIpv4Pool and IpamPools",
        ));
    }
    Ok(())
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
        interface.is_some_and(|interface| place.is_at(interface))
    };
    subnets == wanted && places.iter().all(address_fits)
}
