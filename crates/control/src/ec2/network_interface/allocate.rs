//! Making an interface in a subnet, for whoever needs one: a caller, an instance, an endpoint, a balancer.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use linkway_model::account::Quotas;
use linkway_model::index::{self, Term};
use linkway_model::network_interface::{InterfaceRole, Mac, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::{NetworkInterfaceId, SecurityGroupId, Snapshot, Tags, Timestamp};
use linkway_store::Transaction;

use super::Ipv6;
use crate::Error;

/// What an interface is made with.
pub(crate) struct Allocation<'a> {
    /// Where. The interface has the subnet's owner.
    pub(crate) subnet: &'a Subnet,
    /// Which address; `None`: the first that is free.
    pub(crate) address: Option<Ipv4Addr>,
    /// Its IPv6 addresses.
    pub(crate) ipv6: Ipv6,
    /// Groups of the subnet's VPC.
    pub(crate) groups: Vec<SecurityGroupId>,
    /// In its maker's words.
    pub(crate) description: String,
    /// What it serves.
    pub(crate) role: InterfaceRole,
    /// The time.
    pub(crate) now: Timestamp,
    /// Its tags.
    pub(crate) tags: Tags,
}

/// Make an interface. Fails when the address is outside of the subnet, kept by AWS or taken, when the subnet is
/// full, and when its owner has enough of them.
pub(crate) fn allocate(tx: &mut Transaction, allocation: Allocation<'_>) -> Result<NetworkInterface, Error> {
    let Allocation { subnet, address, ipv6, groups, description, role, now, tags } = allocation;
    let taken = addresses_in(tx, subnet);
    let address = match address {
        Some(address) => {
            check(subnet, address)?;
            if taken.contains(&address) {
                return Err(Error::AddressInUse(address.into()));
            }
            address
        }
        None => subnet
            .usable()
            .find(|address| !taken.contains(address))
            .ok_or(Error::InsufficientFreeAddresses)?,
    };
    let quota = Quotas::of(tx, &subnet.owner).interfaces_per_region;
    if tx.count(Term::InterfaceOwner, &index::owner(&subnet.owner, &subnet.region)) >= quota {
        return Err(Error::NetworkInterfaceLimitExceeded(quota));
    }
    let number = tx.next_number("network-interface");
    let interface = NetworkInterface {
        id: NetworkInterfaceId::random(),
        number,
        owner: subnet.owner.clone(),
        region: subnet.region.clone(),
        vpc: subnet.vpc.clone(),
        subnet: subnet.id.clone(),
        description,
        mac: Mac::of(number),
        address,
        secondary_addresses: Vec::new(),
        ipv6_addresses: ipv6.addresses,
        primary_ipv6: ipv6.primary,
        groups,
        // A balancer's node and a NAT gateway send on what is not addressed to them.
        source_dest_check: !matches!(
            role,
            InterfaceRole::LoadBalancer { .. } | InterfaceRole::NatGateway { .. }
        ),
        role,
        created: now,
        tags,
    };
    tx.put(interface.clone());
    Ok(interface)
}

/// Whether an interface in `subnet` may have this address, taken or not.
pub(super) fn check(subnet: &Subnet, address: Ipv4Addr) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::InvalidParameterValue(format!("Address {address} {why}")));
    if !subnet.cidr.contains(&address) {
        return refuse("does not fall within the subnet's address range");
    }
    let offset = u32::from(address) - u32::from(subnet.cidr.network());
    if offset < 4 || address == subnet.cidr.broadcast() {
        return refuse("is in subnet's reserved address range");
    }
    Ok(())
}

/// Addresses that interfaces of a subnet have.
pub(crate) fn addresses_in(state: &Snapshot, subnet: &Subnet) -> HashSet<Ipv4Addr> {
    let text = |address| index::address(&subnet.vpc, address);
    let (first, last) = (text(subnet.cidr.network()), text(subnet.cidr.broadcast()));
    let taken = state.texts(Term::InterfaceAddress, &first).take_while(|(text, _)| *text <= last.as_str());
    taken.filter_map(|(text, _)| index::read_address(text)).collect()
}
