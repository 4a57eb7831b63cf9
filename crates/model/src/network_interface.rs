//! Network interfaces.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, AttachmentId, InstanceId, NatGatewayId, NetworkInterfaceId, SecurityGroupId, SubnetId, Tags,
    Timestamp, VpcEndpointId, VpcId,
};

/// A network interface: an address in a subnet, behind security groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// Its id.
    pub id: NetworkInterfaceId,
    /// Its number in the packet path's tables: from 1, never used again.
    pub number: u32,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its subnet.
    pub subnet: SubnetId,
    /// In its maker's words.
    pub description: String,
    /// Its MAC address.
    pub mac: Mac,
    /// Its primary private address.
    pub address: Ipv4Addr,
    /// More private addresses.
    pub secondary_addresses: Vec<Ipv4Addr>,
    /// Its IPv6 addresses; the first is the one that a service's own interface is known by.
    #[serde(default)]
    pub ipv6_addresses: Vec<Ipv6Addr>,
    /// Whether the first of them stays as long as the interface does (AWS's primary IPv6 address).
    #[serde(default)]
    pub primary_ipv6: bool,
    /// Its security groups. Empty only for a NAT gateway's, and a load balancer's without any: then everything is
    /// let in.
    pub groups: Vec<SecurityGroupId>,
    /// Whether packets must come from its own addresses.
    pub source_dest_check: bool,
    /// Whose it is: what made it and what it serves.
    pub role: InterfaceRole,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// What an interface serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum InterfaceRole {
    /// Made by a caller and attached to nothing: AWS's status `available`.
    Available,
    /// An instance's.
    Instance {
        /// The instance.
        instance: InstanceId,
        /// The attachment's id.
        attachment: AttachmentId,
        /// 0 for the one that it was launched with.
        device_index: i32,
        /// When it was attached.
        attached: Timestamp,
        /// Whether it goes when the instance goes.
        delete_on_termination: bool,
    },
    /// Given to a network namespace that exists: by `linkway attach`, or to a container by its runtime.
    Namespace {
        /// The attachment's id.
        attachment: AttachmentId,
        /// Path of the namespace, such as `/run/netns/web` or `/proc/42/ns/net`, as it was given.
        path: String,
        /// The device's name inside.
        device: String,
        /// When it was attached.
        attached: Timestamp,
        /// Which container that is, if a runtime asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        container: Option<Container>,
    },
    /// An interface endpoint's, managed by it.
    VpcEndpoint {
        /// The endpoint.
        endpoint: VpcEndpointId,
    },
    /// A Network Load Balancer's node, managed by it.
    LoadBalancer {
        /// ARN of the balancer.
        load_balancer: String,
    },
    /// A NAT gateway's, managed by it.
    NatGateway {
        /// The gateway.
        gateway: NatGatewayId,
    },
    /// A DB instance's, managed by it.
    Database {
        /// ARN of the DB instance.
        database: String,
    },
}

/// A container, as its runtime names it (CNI).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The name of the network configuration that it was added to.
    pub network: String,
    /// Its id (`CNI_CONTAINERID`).
    pub id: String,
}

/// An interface as a container's runtime names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerDevice {
    /// The container.
    pub container: Container,
    /// The device's name inside (`CNI_IFNAME`).
    pub device: String,
}

impl NetworkInterface {
    /// Whether a service manages it (AWS's `requesterManaged`), so that callers may not.
    pub fn requester_managed(&self) -> bool {
        matches!(
            self.role,
            InterfaceRole::VpcEndpoint { .. }
                | InterfaceRole::LoadBalancer { .. }
                | InterfaceRole::NatGateway { .. }
                | InterfaceRole::Database { .. }
        )
    }

    /// Whether security groups do not apply to it: nothing holds back what it lets in and out.
    pub fn is_without_groups(&self) -> bool {
        let role = matches!(self.role, InterfaceRole::LoadBalancer { .. } | InterfaceRole::NatGateway { .. });
        role && self.groups.is_empty()
    }

    /// The name that AWS gives an address inside a VPC, such as `ip-10-0-1-5.ec2.internal`.
    pub fn private_dns_name(&self, address: Ipv4Addr) -> String {
        let [a, b, c, d] = address.octets();
        match self.region.as_str() {
            "us-east-1" => format!("ip-{a}-{b}-{c}-{d}.ec2.internal"),
            region => format!("ip-{a}-{b}-{c}-{d}.{region}.compute.internal"),
        }
    }

    /// Its primary IPv6 address, by which an instance is a target of groups of IPv6 addresses.
    pub fn primary_ipv6_address(&self) -> Option<Ipv6Addr> {
        self.ipv6_addresses.first().copied().filter(|_| self.primary_ipv6)
    }

    /// Whether it has no more than this many addresses of each family.
    pub fn fits(&self, most: usize) -> bool {
        self.addresses().count() <= most && self.ipv6_addresses.len() <= most
    }

    /// Its first address of a family.
    pub fn first_address(&self, ipv6: bool) -> Option<IpAddr> {
        if ipv6 { self.ipv6_addresses.first().copied().map(IpAddr::V6) } else { Some(self.address.into()) }
    }

    /// All of its private addresses of both families, IPv4's first.
    pub fn all_addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.addresses().map(IpAddr::V4).chain(self.ipv6_addresses.iter().copied().map(IpAddr::V6))
    }

    /// All of its private IPv4 addresses, the primary one first.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        std::iter::once(self.address).chain(self.secondary_addresses.iter().copied())
    }
}

/// A MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The MAC of interface `number`: locally administered, and as unique as the number.
    pub fn of(number: u32) -> Self {
        let [a, b, c, d] = number.to_be_bytes();
        Self([0x0a, 0x6c, a, b, c, d])
    }
}

impl std::fmt::Display for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
