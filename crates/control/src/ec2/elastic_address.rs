//! Elastic addresses: given to an account, and put on its interfaces.

mod associate;
mod shape;

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::elastic_address::{ElasticAddress, ElasticAssociation, pool};
use linkway_model::index::Term;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::{AllocationId, NetworkInterfaceId, Snapshot, VpcId};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    AllocateAddressRequest, AllocateAddressResult, DescribeAddressesAttributeRequest,
    DescribeAddressesAttributeResult, DescribeAddressesRequest, DescribeAddressesResult,
    ReleaseAddressRequest,
};

pub(crate) use associate::{associate, disassociate};

use crate::describe::{by_ids, select};
use crate::error::NetworkError;
use crate::lookup::{Owned, own, required};
use crate::page::{Limits, Page, USUAL};
use crate::{Caller, Control, Error, tags};

/// Elastic addresses that an account may have in a region. AWS begins with 5 and gives more on request.
pub(super) const MAX_ADDRESSES: usize = 500;

/// AWS's own pool.
const AMAZON: &str = "amazon";

/// What an address stands for, as long as that is there: an interface may go by itself.
pub(crate) fn association<'a>(
    state: &'a Snapshot,
    address: &'a ElasticAddress,
) -> Option<(&'a ElasticAssociation, &'a Arc<NetworkInterface>)> {
    let association = address.association.as_ref()?;
    let interface = state.get::<NetworkInterface>(&association.interface)?;
    interface
        .addresses()
        .any(|found| found == association.private_address)
        .then_some((association, interface))
}

/// The elastic address that stands for an interface's private one.
pub(crate) fn of<'a>(
    state: &'a Snapshot,
    interface: &NetworkInterfaceId,
    private_address: Ipv4Addr,
) -> Option<(&'a ElasticAddress, &'a ElasticAssociation)> {
    state.found::<ElasticAddress>(Term::ElasticInterface, interface.as_str()).find_map(|address| {
        let association = address.association.as_ref()?;
        (association.private_address == private_address).then_some((address.as_ref(), association))
    })
}

/// Allocations that stand for something in a VPC.
pub(crate) fn in_vpc(state: &Snapshot, vpc: &VpcId) -> Vec<String> {
    let there = |address: &&Arc<ElasticAddress>| {
        association(state, address).is_some_and(|(_, interface)| interface.vpc == *vpc)
    };
    state.all::<ElasticAddress>().filter(there).map(|address| address.id.to_string()).collect()
}

/// Addresses stand for nothing once the interface is gone.
pub(crate) fn reconcile(tx: &mut Transaction) {
    let stale =
        |address: &&Arc<ElasticAddress>| address.association.is_some() && association(tx, address).is_none();
    let due: Vec<_> = tx.all::<ElasticAddress>().filter(stale).map(|address| address.id.clone()).collect();
    for id in due {
        tx.update::<ElasticAddress>(&id, |address| address.association = None);
    }
}

pub(crate) fn allocate(
    control: &Control,
    caller: &Caller,
    input: AllocateAddressRequest,
) -> Result<AllocateAddressResult, Error> {
    let amazons = input.public_ipv4_pool.as_deref().is_none_or(|given| given == AMAZON);
    if !amazons || input.customer_owned_ipv4_pool.is_some() || input.ipam_pool_id.is_some() {
        return Err(Error::Unsupported("Elastic addresses are from Amazon's pool.".into()));
    }
    if let Some(domain) = input.domain.as_deref().filter(|domain| *domain != "vpc") {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({domain}) for parameter domain is invalid."
        )));
    }
    if let Some(group) = input.network_border_group.as_deref().filter(|group| *group != caller.region) {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({group}) for parameter networkBorderGroup is invalid."
        )));
    }
    let tags = tags::specified(&input.tag_specifications, ElasticAddress::NOUN.resource_type)?;
    let address = control.write(input.dry_run, |tx| {
        let address = ElasticAddress {
            id: AllocationId::random(),
            owner: caller.account.clone(),
            region: caller.region.clone(),
            address: free(tx, caller, input.address.as_deref())?,
            association: None,
            tags,
        };
        tx.put(address.clone());
        Ok(address)
    })?;
    Ok(AllocateAddressResult {
        allocation_id: Some(address.id.to_string()),
        domain: Some("vpc".into()),
        network_border_group: Some(address.region.clone()),
        public_ip: Some(address.address.to_string()),
        public_ipv4_pool: Some(AMAZON.into()),
        ..AllocateAddressResult::default()
    })
}

/// An address that nobody has: the one asked for, or the first.
fn free(state: &Snapshot, caller: &Caller, asked: Option<&str>) -> Result<Ipv4Addr, Error> {
    if state.all::<ElasticAddress>().filter(|address| address.belongs_to(caller)).count() >= MAX_ADDRESSES {
        return Err(NetworkError::AddressLimitExceeded.into());
    }
    let taken: HashSet<Ipv4Addr> = state.all::<ElasticAddress>().map(|address| address.address).collect();
    match asked {
        None => pool()
            .hosts()
            .find(|address| !taken.contains(address))
            .ok_or_else(|| NetworkError::AddressLimitExceeded.into()),
        Some(text) => text
            .parse()
            .ok()
            .filter(|address| pool().contains(address) && !taken.contains(address))
            .ok_or_else(|| NetworkError::AddressNotFound(text.to_owned()).into()),
    }
}

/// The address that a request names, by its allocation or by itself.
fn identified<'a>(
    state: &'a Snapshot,
    caller: &Caller,
    allocation: Option<&str>,
    public_ip: Option<&str>,
) -> Result<&'a Arc<ElasticAddress>, Error> {
    match (allocation, public_ip) {
        (Some(id), None) => own(state, caller, id),
        (None, Some(address)) => by_address(state, caller, address),
        (None, None) => Err(Error::MissingParameter("AllocationId")),
        (Some(_), Some(_)) => Err(Error::InvalidParameterCombination(
            "You may specify public IP or allocation id, but not both in the same call".into(),
        )),
    }
}

fn by_address<'a>(
    state: &'a Snapshot,
    caller: &Caller,
    address: &str,
) -> Result<&'a Arc<ElasticAddress>, Error> {
    let parsed: Ipv4Addr = address
        .parse()
        .map_err(|_| Error::InvalidParameterValue(format!("Invalid value '{address}' for publicIp.")))?;
    state
        .all::<ElasticAddress>()
        .find(|found| found.address == parsed && found.belongs_to(caller))
        .ok_or_else(|| NetworkError::AddressNotFound(address.to_owned()).into())
}

pub(crate) fn release(control: &Control, caller: &Caller, input: ReleaseAddressRequest) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let found = identified(tx, caller, input.allocation_id.as_deref(), input.public_ip.as_deref())?;
        if association(tx, found).is_some() {
            return Err(NetworkError::ElasticAddressInUse(found.address).into());
        }
        let id = found.id.clone();
        tx.delete::<ElasticAddress>(&id);
        Ok(())
    })
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeAddressesRequest,
) -> Result<DescribeAddressesResult, Error> {
    let state = control.read(input.dry_run)?;
    let mut ids = input.allocation_ids;
    for address in &input.public_ips {
        ids.push(by_address(&state, caller, address)?.id.to_string());
    }
    let whole = Page::new(USUAL, None, &None);
    let (addresses, _) = select(&state, caller, &ids, shape::FILTERS, &input.filters, whole)?;
    Ok(DescribeAddressesResult {
        addresses: addresses.iter().map(|address| shape::shape(&state, address)).collect(),
    })
}

pub(crate) fn describe_attribute(
    control: &Control,
    caller: &Caller,
    input: DescribeAddressesAttributeRequest,
) -> Result<DescribeAddressesAttributeResult, Error> {
    let state = control.read(input.dry_run)?;
    let attribute = required(input.attribute, "Attribute")?;
    if attribute != "domain-name" {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({attribute}) for parameter attribute is invalid. Unknown attribute."
        )));
    }
    let mut addresses = by_ids::<ElasticAddress>(&state, caller, &input.allocation_ids)?;
    if input.allocation_ids.is_empty() {
        addresses = state.all::<ElasticAddress>().filter(|address| address.belongs_to(caller)).collect();
    }
    let page = Page::new(Limits { least: 1, ..USUAL }, input.max_results, &input.next_token);
    let (addresses, next_token) = page.cut(addresses, |address| address.id.to_string())?;
    let addresses = addresses.into_iter().map(|address| shape::attribute(address)).collect();
    Ok(DescribeAddressesAttributeResult { addresses, next_token })
}
