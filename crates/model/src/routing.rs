//! Which targets a balancer's node sends new connections to, and which zones DNS therefore leads to: one
//! rule, for the packet path, for DNS and for whoever explains them.

use std::net::{IpAddr, Ipv4Addr};

use crate::Snapshot;
use crate::endpoint_service::EndpointService;
use crate::index::Term;
use crate::instance::Instance;
use crate::ip_address_type::IpAddressType;
use crate::load_balancer::{
    Listener, LoadBalancer, LoadBalancerNode, Protocol, Target, TargetGroup, TargetHealth, TargetId,
};
use crate::network_interface::NetworkInterface;
use crate::subnet::Subnet;
use crate::vpc::Vpc;

/// The zone of a target that lies in every zone, as callers register addresses outside the VPC.
const EVERY_ZONE: &str = "all";

/// A snapshot's balancers, looked at from the side of routing.
#[derive(Clone, Copy)]
pub struct Routing<'a> {
    snapshot: &'a Snapshot,
}

impl<'a> Routing<'a> {
    /// Of a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot }
    }

    /// A balancer's listeners, in the order of their ARNs.
    pub fn listeners(&self, balancer: &LoadBalancer) -> Vec<&'a Listener> {
        self.snapshot.found(Term::ListenerBalancer, &balancer.arn).map(AsRef::as_ref).collect()
    }

    /// The balancer node that an endpoint of `service` in `zone` leads to: of the first of the service's
    /// balancers that has one there.
    pub fn node(
        &self,
        service: &EndpointService,
        zone: &str,
    ) -> Option<(&'a LoadBalancer, &'a LoadBalancerNode)> {
        service.load_balancers.iter().find_map(|arn| {
            let balancer: &LoadBalancer = self.snapshot.get::<LoadBalancer>(arn)?;
            Some((balancer, balancer.nodes.iter().find(|node| node.zone == zone)?))
        })
    }

    /// A target's zone: as registered, else its instance's, else that of the subnet that its address is in.
    /// `Some("all")` stands for every zone; `None`: in no zone that exists.
    pub fn zone(&self, group: &TargetGroup, target: &'a Target) -> Option<&'a str> {
        if let Some(zone) = &target.zone {
            return Some(zone);
        }
        match &target.id {
            TargetId::Instance(id) => Some(self.snapshot.get::<Instance>(id)?.zone.as_str()),
            TargetId::Ip(address) => self
                .snapshot
                .found::<Subnet>(Term::SubnetVpc, group.vpc.as_str())
                .find(|subnet| subnet.has_address(*address))
                .map(|subnet| subnet.zone.as_str()),
        }
    }

    /// A target's address: as registered, or its instance's primary one of the group's family. `None`: the instance
    /// is gone, or has no such address any more.
    pub fn address(&self, group: &TargetGroup, target: &Target) -> Option<IpAddr> {
        match &target.id {
            TargetId::Ip(address) => Some(*address),
            TargetId::Instance(id) => {
                let instance = self.snapshot.get::<Instance>(id)?;
                let interface = self.snapshot.get::<NetworkInterface>(&instance.interface)?;
                match group.ip_address_type {
                    IpAddressType::Ipv6 => interface.primary_ipv6_address().map(IpAddr::V6),
                    _ => Some(interface.address.into()),
                }
            }
        }
    }

    /// The address of a target that is outside of its group's VPC: a host that this one reaches. `None`: the target
    /// is in the VPC, as those with IPv6 addresses are.
    pub fn outside(&self, group: &TargetGroup, target: &Target) -> Option<Ipv4Addr> {
        let TargetId::Ip(IpAddr::V4(address)) = target.id else { return None };
        let vpc = self.snapshot.get::<Vpc>(&group.vpc)?;
        (!vpc.has_address(address)).then_some(address)
    }

    /// Whether a listener's connections take the gateway, as the packet path cannot bring them to their targets:
    /// those want PROXY protocol, or some are outside of the VPC, or TLS ends here. Only streams do.
    pub fn takes_gateway(&self, listener: &Listener) -> bool {
        self.snapshot.get::<TargetGroup>(&listener.target_group).is_some_and(|group| {
            let outside = |target| self.outside(group, target).is_some();
            let special = || group.proxy_protocol() || group.targets.iter().any(outside);
            group.protocol.is_stream() && (listener.protocol == Protocol::Tls || special())
        })
    }

    /// The targets that `balancer`'s node in `zone` may send to, whatever their health: those of every zone
    /// with cross-zone balancing or where the zone has none of its own, else the zone's own. Draining targets
    /// are none, as they get no new connections.
    pub fn reachable(&self, balancer: &LoadBalancer, zone: &str, group: &'a TargetGroup) -> Vec<&'a Target> {
        let all: Vec<&Target> = group.targets.iter().filter(|t| t.draining_since.is_none()).collect();
        if group.cross_zone(balancer) {
            return all;
        }
        let own: Vec<&Target> = all
            .iter()
            .copied()
            .filter(|target| self.zone(group, target).is_some_and(|its| its == zone || its == EVERY_ZONE))
            .collect();
        if own.is_empty() { all } else { own }
    }

    /// The targets that `balancer`'s node in `zone` sends new connections to: the healthy ones that it may
    /// send to. If there are none it fails open, as AWS's does: all of them.
    pub fn targets(&self, balancer: &LoadBalancer, zone: &str, group: &'a TargetGroup) -> Vec<&'a Target> {
        let reachable = self.reachable(balancer, zone, group);
        let healthy: Vec<&Target> =
            reachable.iter().copied().filter(|target| target.health == TargetHealth::Healthy).collect();
        if healthy.is_empty() { reachable } else { healthy }
    }

    /// Whether DNS may lead to `balancer`'s node in `zone`: each of its target groups that has targets has a
    /// healthy one that the node may send to. (AWS takes a zone's address out of DNS when *one* of the
    /// groups has no healthy target there; empty groups do not count.)
    pub fn zone_is_healthy(&self, balancer: &LoadBalancer, zone: &str) -> bool {
        let groups = self
            .listeners(balancer)
            .into_iter()
            .filter_map(|listener| self.snapshot.get::<TargetGroup>(&listener.target_group));
        let mut checked = false;
        for group in groups {
            let reachable = self.reachable(balancer, zone, group);
            checked |= !reachable.is_empty();
            if !reachable.is_empty() && !reachable.iter().any(|t| t.health == TargetHealth::Healthy) {
                return false;
            }
        }
        checked
    }
}
