//! Network interfaces.

mod allocate;
mod assign;
mod attach;
mod attribute;
mod create;
mod filters;
mod ipv6;
mod shape;

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_wire::ec2::{
    DeleteNetworkInterfaceRequest, DescribeNetworkInterfacesRequest, DescribeNetworkInterfacesResult,
};

pub(crate) use allocate::{Allocation, addresses_in, allocate};
pub(crate) use assign::{assign, unassign};
pub(crate) use attach::{attach, attached, detach};
pub(crate) use attribute::{describe_attribute, modify_attribute, reset_attribute};
pub(crate) use create::{Asked, create};
pub(crate) use ipv6::{
    AskedIpv6, Ipv6, assign as assign_ipv6, choose as choose_ipv6, unassign as unassign_ipv6,
};
pub(crate) use shape::{attachment, ipv6_addresses, public, status};

use crate::describe::select;
use crate::lookup::named;
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeNetworkInterfacesRequest,
) -> Result<DescribeNetworkInterfacesResult, Error> {
    let state = control.read(input.dry_run)?;
    let ids = &input.network_interface_ids;
    if !ids.is_empty() && input.max_results.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter networkInterfaceIds cannot be used with the parameter maxResults".into(),
        ));
    }
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (interfaces, next_token) = select(&state, caller, ids, filters::FILTERS, &input.filters, page)?;
    let network_interfaces = interfaces.iter().map(|found| shape::shape(&state, found)).collect();
    Ok(DescribeNetworkInterfacesResult { network_interfaces, next_token })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteNetworkInterfaceRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let id = input.network_interface_id.as_deref();
        let interface = named::<NetworkInterface>(tx, caller, id, "NetworkInterfaceId")?;
        let id = interface.id.clone();
        if interface.role != InterfaceRole::Available {
            return Err(Error::InterfaceInUse(id.to_string()));
        }
        tx.delete::<NetworkInterface>(&id);
        Ok(())
    })
}
