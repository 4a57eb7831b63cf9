//! IPv6 addresses of interfaces: chosen when one is made, given to one that is in use and taken from it.

use std::net::Ipv6Addr;
use std::sync::Arc;

use ipnet::Ipv6Net;
use linkway_model::Snapshot;
use linkway_model::index::{self, Term};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::subnet::Subnet;
use linkway_wire::ec2::{
    AssignIpv6AddressesRequest, AssignIpv6AddressesResult, InstanceIpv6Address, UnassignIpv6AddressesRequest,
    UnassignIpv6AddressesResult,
};

use super::assign::{changeable, most_addresses};
use super::create::{MAX_ADDRESSES, prefixes_refused};
use crate::ec2::cidr;
use crate::lookup::named;
use crate::{Caller, Control, Error};

/// The IPv6 addresses of an interface that is to be made.
#[derive(Default)]
pub(crate) struct Ipv6 {
    /// Free ones of the subnet.
    pub(crate) addresses: Vec<Ipv6Addr>,
    /// Whether the first is its primary one.
    pub(crate) primary: bool,
}

impl Ipv6 {
    /// What the subnet gives to an interface of which nothing is asked.
    pub(crate) fn by_subnet(state: &Snapshot, subnet: &Subnet) -> Result<Self, Error> {
        let count = usize::from(subnet.assign_ipv6_address_on_creation);
        Ok(Self { addresses: choose(state, subnet, &[], count)?, primary: false })
    }
}

/// What a caller asks of the IPv6 addresses of an interface that is to be made.
#[derive(Clone, Copy)]
pub(crate) struct AskedIpv6<'a> {
    /// Which ones.
    pub(crate) addresses: &'a [InstanceIpv6Address],
    /// How many that are free. `None`, and no addresses: what the subnet gives.
    pub(crate) count: Option<i32>,
    /// Whether the first is its primary one.
    pub(crate) primary: Option<bool>,
}

impl AskedIpv6<'_> {
    /// Whether addresses are named, which only one interface can have.
    pub(crate) fn names_addresses(&self) -> bool {
        !self.addresses.is_empty()
    }

    /// How many addresses an interface in `subnet` has by this. Fails for what excludes each other.
    pub(crate) fn count_in(&self, subnet: &Subnet) -> Result<usize, Error> {
        match self.count {
            None if self.addresses.is_empty() => Ok(usize::from(subnet.assign_ipv6_address_on_creation)),
            None => Ok(self.addresses.len()),
            Some(count) => one_way(self.names_addresses(), Some(count)),
        }
    }

    /// The addresses for an interface in `subnet`.
    pub(crate) fn choose(&self, state: &Snapshot, subnet: &Subnet) -> Result<Ipv6, Error> {
        let count = self.count_in(subnet)?;
        if count > MAX_ADDRESSES {
            return Err(Error::PrivateIpAddressLimitExceeded);
        }
        let mut given = Vec::new();
        let mut primary = self.primary == Some(true);
        for asked in self.addresses {
            let address = parse(asked.ipv6_address.as_deref().unwrap_or_default())?;
            if asked.is_primary_ipv6 == Some(true) {
                primary = true;
                given.insert(0, address);
            } else {
                given.push(address);
            }
        }
        if primary && count == 0 {
            return Err(no_primary());
        }
        Ok(Ipv6 { addresses: choose(state, subnet, &given, count - given.len())?, primary })
    }
}

/// The error for a primary IPv6 address of an interface that has none.
pub(super) fn no_primary() -> Error {
    Error::InvalidParameterCombination(
        "A primary IPv6 address cannot be enabled for a network interface without an IPv6 address.".into(),
    )
}

/// The count of addresses where a request gives either addresses or a count.
fn one_way(names_addresses: bool, count: Option<i32>) -> Result<usize, Error> {
    let Some(count) = count else { return Ok(0) };
    if names_addresses {
        return Err(Error::InvalidParameterCombination(
            "The parameter ipv6AddressCount cannot be used with the parameter ipv6Addresses".into(),
        ));
    }
    usize::try_from(count).map_err(|_| {
        Error::InvalidParameterValue(format!(
            "Invalid value '{count}' for ipv6AddressCount. It must not be negative."
        ))
    })
}

/// Addresses of a subnet that nobody has: those given, and `more` others, at random as AWS's are.
pub(crate) fn choose(
    state: &Snapshot,
    subnet: &Subnet,
    given: &[Ipv6Addr],
    more: usize,
) -> Result<Vec<Ipv6Addr>, Error> {
    if given.is_empty() && more == 0 {
        return Ok(Vec::new());
    }
    let Some(range) = subnet.ipv6_cidr.as_ref().map(|range| range.cidr) else {
        return Err(Error::InvalidParameterValue(
            "Subnet does not contain any IPv6 CIDR block ranges".into(),
        ));
    };
    let is_free = |address: Ipv6Addr| {
        let text = index::address(&subnet.vpc, address);
        state.found::<NetworkInterface>(Term::InterfaceAddress, &text).next().is_none()
    };
    let mut chosen: Vec<Ipv6Addr> = Vec::new();
    for address in given {
        check(range, *address)?;
        if chosen.contains(address) || !is_free(*address) {
            return Err(Error::AddressInUse((*address).into()));
        }
        chosen.push(*address);
    }
    // Of the 2⁶⁴ addresses and more that a subnet has, nearly all are free.
    while chosen.len() < given.len() + more {
        let address = cidr::random_address(range);
        if !is_reserved(range, address) && !chosen.contains(&address) && is_free(address) {
            chosen.push(address);
        }
    }
    Ok(chosen)
}

/// Whether an interface in a subnet of this range may have this address, taken or not.
fn check(range: Ipv6Net, address: Ipv6Addr) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::InvalidParameterValue(format!("Address {address} {why}")));
    if !range.contains(&address) {
        return refuse("does not fall within the subnet's address range");
    }
    if is_reserved(range, address) {
        return refuse("is in subnet's reserved address range");
    }
    Ok(())
}

/// AWS keeps the first four and the last address of a subnet. Source: the Amazon VPC user guide, "IPv6 subnet CIDR
/// blocks".
fn is_reserved(range: Ipv6Net, address: Ipv6Addr) -> bool {
    u128::from(address) - u128::from(range.network()) < 4 || address == range.broadcast()
}

pub(super) fn parse(address: &str) -> Result<Ipv6Addr, Error> {
    address
        .parse()
        .map_err(|_| Error::InvalidParameterValue(format!("invalid value for parameter address: {address}")))
}

/// `AssignIpv6Addresses`.
pub(crate) fn assign(
    control: &Control,
    caller: &Caller,
    input: AssignIpv6AddressesRequest,
) -> Result<AssignIpv6AddressesResult, Error> {
    if !input.ipv6_prefixes.is_empty() || input.ipv6_prefix_count.is_some_and(|count| count != 0) {
        return Err(prefixes_refused());
    }
    let given: Vec<Ipv6Addr> =
        input.ipv6_addresses.iter().map(|address| parse(address)).collect::<Result<_, _>>()?;
    if given.is_empty() && input.ipv6_address_count.is_none() {
        return Err(Error::MissingParameter("ipv6Addresses or ipv6AddressCount"));
    }
    let more = one_way(!given.is_empty(), input.ipv6_address_count)?;
    control.write(None, |tx| {
        let interface = changeable(tx, caller, input.network_interface_id.as_deref())?;
        let subnet = Arc::clone(named::<Subnet>(tx, caller, Some(interface.subnet.as_str()), "SubnetId")?);
        // What it has already, it keeps.
        let is_new = |address: &&Ipv6Addr| !interface.ipv6_addresses.contains(address);
        let wanted: Vec<Ipv6Addr> = given.iter().filter(is_new).copied().collect();
        let most = most_addresses(tx, &interface);
        if interface.ipv6_addresses.len() + wanted.len() + more > most {
            return Err(Error::PrivateIpAddressLimitExceeded);
        }
        let chosen = choose(tx, &subnet, &wanted, more)?;
        tx.update::<NetworkInterface>(&interface.id, |interface| {
            interface.ipv6_addresses.extend_from_slice(&chosen);
        });
        let assigned = if given.is_empty() { chosen } else { given };
        Ok(AssignIpv6AddressesResult {
            assigned_ipv6_addresses: assigned.iter().map(ToString::to_string).collect(),
            network_interface_id: Some(interface.id.to_string()),
            ..AssignIpv6AddressesResult::default()
        })
    })
}

/// `UnassignIpv6Addresses`.
pub(crate) fn unassign(
    control: &Control,
    caller: &Caller,
    input: UnassignIpv6AddressesRequest,
) -> Result<UnassignIpv6AddressesResult, Error> {
    if !input.ipv6_prefixes.is_empty() {
        return Err(prefixes_refused());
    }
    if input.ipv6_addresses.is_empty() {
        return Err(Error::MissingParameter("ipv6Addresses"));
    }
    let given: Vec<Ipv6Addr> =
        input.ipv6_addresses.iter().map(|address| parse(address)).collect::<Result<_, _>>()?;
    control.write(None, |tx| {
        let interface = changeable(tx, caller, input.network_interface_id.as_deref())?;
        if given.iter().any(|address| !interface.ipv6_addresses.contains(address)) {
            return Err(Error::InvalidParameterValue(format!(
                "Some of the specified addresses are not assigned to interface {}",
                interface.id
            )));
        }
        if let Some(primary) = interface.primary_ipv6_address().filter(|primary| given.contains(primary)) {
            return Err(Error::InvalidParameterValue(format!(
                "The address {primary} is the primary IPv6 address of the interface {}, which cannot be unassigned.",
                interface.id
            )));
        }
        tx.update::<NetworkInterface>(&interface.id, |interface| {
            interface.ipv6_addresses.retain(|address| !given.contains(address));
        });
        Ok(UnassignIpv6AddressesResult {
            network_interface_id: Some(interface.id.to_string()),
            unassigned_ipv6_addresses: given.iter().map(ToString::to_string).collect(),
            ..UnassignIpv6AddressesResult::default()
        })
    })
}
