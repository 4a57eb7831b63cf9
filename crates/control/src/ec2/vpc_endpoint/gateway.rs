//! Gateway endpoints: route tables lead to a service's public addresses through them.

use linkway_model::aws_prefix_list::AwsPrefixList;
use linkway_model::index::{self, Term};
use linkway_model::route_table::RouteTable;
use linkway_model::vpc_endpoint::{Gateway, VpcEndpoint};
use linkway_model::{RouteTableId, Snapshot};
use linkway_store::Transaction;
use linkway_wire::ec2::{CreateVpcEndpointRequest, ModifyVpcEndpointRequest};

use super::{has_ended, options};
use crate::error::EndpointError;
use crate::lookup::own;
use crate::{Caller, Error};

/// Gateway endpoints that an account may have in a region. Source: "Amazon VPC quotas".
const MAX_PER_REGION: usize = 20;

/// What a gateway endpoint has.
pub(super) fn set_up(
    tx: &mut Transaction,
    caller: &Caller,
    endpoint: &mut VpcEndpoint,
    input: &CreateVpcEndpointRequest,
) -> Result<(), Error> {
    options::dns_of_gateway(input.dns_options.as_ref(), &endpoint.vpc)?;
    if !input.security_group_ids.is_empty() {
        return Err(only_of_interfaces("Security group IDs are"));
    }
    if input.private_dns_enabled == Some(true) {
        return Err(only_of_interfaces("Private DNS is"));
    }
    let own = tx.found::<VpcEndpoint>(Term::EndpointOwner, &index::owner(&caller.account, &caller.region));
    if own.filter(|other| other.gateway.is_some() && !has_ended(other)).count() >= MAX_PER_REGION {
        return Err(EndpointError::LimitExceeded.into());
    }
    let lists = AwsPrefixList::all(&caller.region).into_iter();
    let list = lists.filter(|list| list.name == endpoint.service_name).map(|list| list.id).next();
    let prefix_list = list.ok_or_else(|| EndpointError::ServiceNotFound(endpoint.service_name.clone()))?;
    // It is told from interfaces by nothing but that none has its number.
    let number = tx.next_number("network-interface");
    endpoint.gateway = Some(Gateway { number, prefix_list, route_tables: Vec::new() });
    add(tx, caller, endpoint, &input.route_table_ids)
}

/// Changes what a gateway endpoint has.
pub(super) fn change(
    tx: &Transaction,
    caller: &Caller,
    endpoint: &mut VpcEndpoint,
    input: &ModifyVpcEndpointRequest,
) -> Result<(), Error> {
    options::dns_of_gateway(input.dns_options.as_ref(), &endpoint.vpc)?;
    let groups = !input.add_security_group_ids.is_empty() || !input.remove_security_group_ids.is_empty();
    if groups {
        return Err(only_of_interfaces("Security group IDs are"));
    }
    if !input.add_subnet_ids.is_empty()
        || !input.remove_subnet_ids.is_empty()
        || !input.subnet_configurations.is_empty()
    {
        return Err(options::subnets_refused());
    }
    if input.private_dns_enabled == Some(true) {
        return Err(only_of_interfaces("Private DNS is"));
    }
    for id in &input.remove_route_table_ids {
        let table = &route_table(tx, caller, id)?.id;
        if !endpoint.is_routed_from(table) {
            return Err(Error::InvalidParameter(format!(
                "The route table {id} is not associated with the VPC endpoint {}.",
                endpoint.id
            )));
        }
        forget(endpoint, table);
    }
    add(tx, caller, endpoint, &input.add_route_table_ids)
}

/// Has route tables lead to the service through the endpoint.
fn add(tx: &Transaction, caller: &Caller, endpoint: &mut VpcEndpoint, ids: &[String]) -> Result<(), Error> {
    for id in ids {
        let table = route_table(tx, caller, id)?;
        if table.vpc != endpoint.vpc {
            return Err(Error::InvalidParameter(format!(
                "The route table {id} does not belong to the VPC {}.",
                endpoint.vpc
            )));
        }
        let Some(gateway) = &mut endpoint.gateway else { continue };
        if gateway.route_tables.contains(&table.id) {
            continue;
        }
        let prefix_list = gateway.prefix_list.clone();
        if routes(tx, table).any(|(other, its)| other.id != endpoint.id && its.prefix_list == prefix_list) {
            let (table, prefix_list) = (table.id.to_string(), prefix_list.to_string());
            return Err(EndpointError::AlreadyRouted { table, prefix_list }.into());
        }
        gateway.route_tables.push(table.id.clone());
    }
    Ok(())
}

fn route_table<'a>(tx: &'a Transaction, caller: &Caller, id: &str) -> Result<&'a RouteTable, Error> {
    own::<RouteTable>(tx, caller, id).map(AsRef::as_ref).map_err(|error| match error {
        Error::NotFound { .. } => EndpointError::RouteTableNotFound(id.to_owned()).into(),
        error => error,
    })
}

fn only_of_interfaces(what: &str) -> Error {
    Error::InvalidParameter(format!("{what} only supported for Interface type VPC Endpoint."))
}

/// The endpoints that a route table has routes to.
pub(crate) fn routes<'a>(
    state: &'a Snapshot,
    table: &'a RouteTable,
) -> impl Iterator<Item = (&'a VpcEndpoint, &'a Gateway)> {
    let endpoints = state.found::<VpcEndpoint>(Term::EndpointVpc, table.vpc.as_str());
    let routed = endpoints.filter(|endpoint| !has_ended(endpoint) && endpoint.is_routed_from(&table.id));
    routed.filter_map(|endpoint| Some((endpoint.as_ref(), endpoint.gateway.as_ref()?)))
}

/// Lets go of a route table that is deleted.
pub(crate) fn forget_route_table(tx: &mut Transaction, table: &RouteTable) {
    let endpoints = tx.found::<VpcEndpoint>(Term::EndpointVpc, table.vpc.as_str());
    let routed = endpoints.filter(|endpoint| endpoint.is_routed_from(&table.id));
    for id in routed.map(|endpoint| endpoint.id.clone()).collect::<Vec<_>>() {
        tx.update::<VpcEndpoint>(&id, |endpoint| forget(endpoint, &table.id));
    }
}

fn forget(endpoint: &mut VpcEndpoint, table: &RouteTableId) {
    if let Some(gateway) = &mut endpoint.gateway {
        gateway.route_tables.retain(|known| known != table);
    }
}
