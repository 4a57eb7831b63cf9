//! Making an interface for a caller.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, Tags, Timestamp};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateNetworkInterfaceRequest, CreateNetworkInterfaceResult, NetworkInterface as NetworkInterfaceShape,
    PrivateIpAddressSpecification,
};

use super::AskedIpv6;
use super::allocate::{Allocation, addresses_in, allocate, check};
use super::shape::shape;
use crate::ec2::security_group::groups_of_vpc;
use crate::idempotency::once;
use crate::lookup::{Owned, named, not_found};
use crate::{Caller, Control, Error, tags};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateNetworkInterfaceRequest,
) -> Result<CreateNetworkInterfaceResult, Error> {
    check_supported(&input)?;
    let client_token = input.client_token.take();
    let dry_run = input.dry_run.take();
    let shape = control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| make(control, caller, tx, &input);
        let id = once::<NetworkInterface>(
            tx,
            caller,
            control.now(),
            "CreateNetworkInterface",
            client_token.as_deref(),
            &input,
            make,
        )?;
        let interface = tx.get::<NetworkInterface>(&id).ok_or_else(|| not_found::<NetworkInterface>(id))?;
        Ok(NetworkInterfaceShape { status: Some("pending".into()), ..shape(tx, interface) })
    })?;
    Ok(CreateNetworkInterfaceResult { client_token, network_interface: Some(shape) })
}

/// Addresses of each family that an interface may have: as many as on AWS's largest types.
pub(super) const MAX_ADDRESSES: usize = 50;

pub(super) fn prefixes_refused() -> Error {
    Error::Unsupported("Network interfaces have addresses and no prefixes.".into())
}

fn check_supported(input: &CreateNetworkInterfaceRequest) -> Result<(), Error> {
    if input.interface_type.as_deref().is_some_and(|kind| kind != "interface") {
        return Err(Error::Unsupported("Network interfaces are of type 'interface'.".into()));
    }
    let count = |count: Option<i32>| count.is_some_and(|count| count != 0);
    if count(input.ipv6_prefix_count)
        || count(input.ipv4_prefix_count)
        || !input.ipv6_prefixes.is_empty()
        || !input.ipv4_prefixes.is_empty()
    {
        return Err(prefixes_refused());
    }
    Ok(())
}

fn make(
    control: &Control,
    caller: &Caller,
    tx: &mut Transaction,
    input: &CreateNetworkInterfaceRequest,
) -> Result<String, Error> {
    let subnet = Arc::clone(named::<Subnet>(tx, caller, input.subnet_id.as_deref(), "SubnetId")?);
    let asked = Asked {
        groups: &input.groups,
        description: input.description.as_deref(),
        address: input.private_ip_address.as_deref(),
        addresses: &input.private_ip_addresses,
        more: input.secondary_private_ip_address_count,
        ipv6: AskedIpv6 {
            addresses: &input.ipv6_addresses,
            count: input.ipv6_address_count,
            primary: input.enable_primary_ipv6,
        },
    };
    let tags = tags::specified(&input.tag_specifications, NetworkInterface::NOUN.resource_type)?;
    let made = asked.make(tx, caller, &subnet, InterfaceRole::Available, control.now(), tags)?;
    Ok(made.id.into())
}

/// What a caller asks of an interface that is to be made, alone or with an instance.
pub(crate) struct Asked<'a> {
    /// Ids of its groups; none: the VPC's default one.
    pub(crate) groups: &'a [String],
    /// In the caller's words.
    pub(crate) description: Option<&'a str>,
    /// Its primary address.
    pub(crate) address: Option<&'a str>,
    /// Its addresses, of which one may be the primary one.
    pub(crate) addresses: &'a [PrivateIpAddressSpecification],
    /// How many secondary addresses it gets that are free.
    pub(crate) more: Option<i32>,
    /// Its IPv6 addresses.
    pub(crate) ipv6: AskedIpv6<'a>,
}

impl Asked<'_> {
    /// Make it.
    pub(crate) fn make(
        &self,
        tx: &mut Transaction,
        caller: &Caller,
        subnet: &Subnet,
        role: InterfaceRole,
        now: Timestamp,
        tags: Tags,
    ) -> Result<NetworkInterface, Error> {
        let vpc = Arc::clone(named::<Vpc>(tx, caller, Some(subnet.vpc.as_str()), "VpcId")?);
        let groups = groups_of_vpc(tx, caller, self.groups, &vpc, &format!("subnet {}", subnet.id))?;
        let (primary, secondary) = self.addresses()?;
        let description = self.description.unwrap_or_default().to_owned();
        let ipv6 = self.ipv6.choose(tx, subnet)?;
        let allocation = Allocation { subnet, address: primary, ipv6, groups, description, role, now, tags };
        let mut interface = allocate(tx, allocation)?;
        let more = usize::try_from(self.more.unwrap_or(0)).unwrap_or(0);
        if 1 + more + secondary.len() > MAX_ADDRESSES {
            return Err(Error::PrivateIpAddressLimitExceeded);
        }
        if more > 0 || !secondary.is_empty() {
            interface.secondary_addresses = further_addresses(tx, subnet, secondary, more)?;
            tx.put(interface.clone());
        }
        Ok(interface)
    }

    /// The primary address that it is to have, if one is given, and the others.
    pub(crate) fn addresses(&self) -> Result<(Option<Ipv4Addr>, Vec<Ipv4Addr>), Error> {
        let mut primary = self.address.map(parse).transpose()?;
        let mut secondary = Vec::new();
        for PrivateIpAddressSpecification { primary: first, private_ip_address } in self.addresses {
            let address = parse(private_ip_address.as_deref().unwrap_or_default())?;
            if *first != Some(true) {
                secondary.push(address);
            } else if primary.replace(address).is_some() {
                return Err(Error::InvalidParameterValue(
                    "Only one primary private IP address can be specified".into(),
                ));
            }
        }
        if !secondary.is_empty() && self.more.is_some() {
            return Err(Error::InvalidParameterCombination(
                "The parameter secondaryPrivateIpAddressCount cannot be used with the parameter \
                 privateIpAddresses"
                    .into(),
            ));
        }
        if primary.is_none() && !secondary.is_empty() {
            primary = Some(secondary.remove(0));
        }
        Ok((primary, secondary))
    }
}

/// Addresses beside the primary one, which is taken already: those given, or as many as asked for.
pub(super) fn further_addresses(
    state: &Snapshot,
    subnet: &Subnet,
    given: Vec<Ipv4Addr>,
    more: usize,
) -> Result<Vec<Ipv4Addr>, Error> {
    let mut taken = addresses_in(state, subnet);
    for address in &given {
        check(subnet, *address)?;
        if !taken.insert(*address) {
            return Err(Error::AddressInUse((*address).into()));
        }
    }
    let free: Vec<_> = subnet.usable().filter(|address| !taken.contains(address)).take(more).collect();
    if free.len() < more {
        return Err(Error::InsufficientFreeAddresses);
    }
    Ok([given, free].concat())
}

pub(super) fn parse(address: &str) -> Result<Ipv4Addr, Error> {
    address
        .parse()
        .map_err(|_| Error::InvalidParameterValue(format!("invalid value for parameter address: {address}")))
}
