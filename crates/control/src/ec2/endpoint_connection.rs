//! Connections: endpoints as the provider of their service sees them.
//!
//! Accepting makes an endpoint `pending`, not `available`: nothing leads to it before it is accepted, so there is a
//! moment until packets are delivered. The reconciler ends it as soon as the packet path has the change, which is
//! a matter of milliseconds; clients that know no `pending` after `pendingAcceptance` look seconds later.

use std::sync::Arc;

use linkway_model::endpoint_service::EndpointService;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{Snapshot, Timestamp};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    AcceptVpcEndpointConnectionsRequest, AcceptVpcEndpointConnectionsResult,
    DescribeVpcEndpointConnectionsRequest, DescribeVpcEndpointConnectionsResult,
    RejectVpcEndpointConnectionsRequest, RejectVpcEndpointConnectionsResult, VpcEndpointConnection,
};

use super::bulk;
use super::connection_notification::{Event, tell};
use super::endpoint_service::FROM_5_TO_1000;
use super::vpc_endpoint::{dns_entries, filter_errors};
use crate::error::EndpointError;
use crate::filter::{Field, Filters, fields, one};
use crate::lookup::{Owned, named, not_found, parse};
use crate::page::Page;
use crate::{Caller, Control, Error, tags};

const FIELDS: &[Field<VpcEndpoint>] = fields! {
    "ip-address-type" => |_, endpoint| one(endpoint.ip_address_type.name());
    "service-id" => |_, endpoint| one(&endpoint.service);
    "vpc-endpoint-id" => |_, endpoint| one(&endpoint.id);
    "vpc-endpoint-owner" => |_, endpoint| one(&endpoint.owner);
    "vpc-endpoint-region" => |_, endpoint| one(&endpoint.region);
    "vpc-endpoint-state" => |_, endpoint| one(endpoint.state.name());
};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcEndpointConnectionsRequest,
) -> Result<DescribeVpcEndpointConnectionsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FIELDS, &input.filters).map_err(filter_errors)?;
    let mine = |endpoint: &VpcEndpoint| {
        state.get::<EndpointService>(&endpoint.service).is_some_and(|service| service.belongs_to(caller))
    };
    let found = state
        .all::<VpcEndpoint>()
        .filter(|endpoint| mine(endpoint) && filters.matches(&state, endpoint, &endpoint.connection_tags));
    let page = Page::new(FROM_5_TO_1000, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(found, |endpoint| endpoint.id.to_string())?;
    let vpc_endpoint_connections = found.into_iter().map(|endpoint| shape(&state, endpoint)).collect();
    Ok(DescribeVpcEndpointConnectionsResult { next_token, vpc_endpoint_connections })
}

fn shape(state: &Snapshot, endpoint: &Arc<VpcEndpoint>) -> VpcEndpointConnection {
    let balancers =
        state.get::<EndpointService>(&endpoint.service).map(|service| service.load_balancers.clone());
    VpcEndpointConnection {
        creation_timestamp: Some(endpoint.created),
        dns_entries: dns_entries(state, endpoint),
        ip_address_type: Some(endpoint.ip_address_type.name().into()),
        network_load_balancer_arns: balancers.unwrap_or_default(),
        service_id: Some(endpoint.service.to_string()),
        tags: tags::shape(&endpoint.connection_tags),
        vpc_endpoint_connection_id: Some(endpoint.connection.to_string()),
        vpc_endpoint_id: Some(endpoint.id.to_string()),
        vpc_endpoint_owner: Some(endpoint.owner.to_string()),
        vpc_endpoint_region: Some(endpoint.region.clone()),
        vpc_endpoint_state: Some(endpoint.state.name().into()),
        ..VpcEndpointConnection::default()
    }
}

/// `AcceptVpcEndpointConnections`: of endpoints that wait for it, or were rejected.
pub(crate) fn accept(
    control: &Control,
    caller: &Caller,
    input: AcceptVpcEndpointConnectionsRequest,
) -> Result<AcceptVpcEndpointConnectionsResult, Error> {
    for id in &input.vpc_endpoint_ids {
        parse::<VpcEndpoint>(id)?;
    }
    let now = control.now();
    control.write(input.dry_run, |tx| {
        let service = service(tx, caller, input.service_id.as_deref())?;
        let unsuccessful = bulk::each(&input.vpc_endpoint_ids, |id| {
            move_to(tx, &service, id, now, |state| match state {
                EndpointState::PendingAcceptance | EndpointState::Rejected => Some(EndpointState::Pending),
                EndpointState::Pending | EndpointState::Available => Some(state),
                _ => None,
            })
        })?;
        Ok(AcceptVpcEndpointConnectionsResult { unsuccessful })
    })
}

/// `RejectVpcEndpointConnections`: of endpoints that wait, and of those that were accepted, which are cut at once.
pub(crate) fn reject(
    control: &Control,
    caller: &Caller,
    input: RejectVpcEndpointConnectionsRequest,
) -> Result<RejectVpcEndpointConnectionsResult, Error> {
    for id in &input.vpc_endpoint_ids {
        parse::<VpcEndpoint>(id)?;
    }
    let now = control.now();
    control.write(input.dry_run, |tx| {
        let service = service(tx, caller, input.service_id.as_deref())?;
        let unsuccessful = bulk::each(&input.vpc_endpoint_ids, |id| {
            move_to(tx, &service, id, now, |state| match state {
                EndpointState::PendingAcceptance
                | EndpointState::Pending
                | EndpointState::Available
                | EndpointState::Rejected => Some(EndpointState::Rejected),
                _ => None,
            })
        })?;
        Ok(RejectVpcEndpointConnectionsResult { unsuccessful })
    })
}

fn service(tx: &Transaction, caller: &Caller, id: Option<&str>) -> Result<Arc<EndpointService>, Error> {
    named::<EndpointService>(tx, caller, id, "ServiceId").cloned()
}

/// Bring an endpoint of the service into the state that `next` makes of its own; `None`: it cannot go there.
fn move_to(
    tx: &mut Transaction,
    service: &EndpointService,
    id: &str,
    now: Timestamp,
    next: impl FnOnce(EndpointState) -> Option<EndpointState>,
) -> Result<(), Error> {
    let endpoint = tx
        .get::<VpcEndpoint>(id)
        .filter(|endpoint| endpoint.service == service.id && endpoint.state != EndpointState::Deleted)
        .ok_or_else(|| not_found::<VpcEndpoint>(id))?;
    let before = endpoint.state;
    let after = next(before).ok_or_else(|| {
        EndpointError::InvalidState(format!(
            "The VPC endpoint connection {id} is in the state {}.",
            before.name()
        ))
    })?;
    if after != before {
        let revision = tx.revision();
        tx.update::<VpcEndpoint>(id, |endpoint| {
            endpoint.state = after;
            endpoint.since = revision;
            if !after.carries_packets() {
                endpoint.subnets.iter_mut().for_each(|place| place.delivered = false);
            }
        });
        if let Some(endpoint) = tx.get::<VpcEndpoint>(id).cloned() {
            let event = if after == EndpointState::Rejected { Event::Reject } else { Event::Accept };
            tell(tx, &endpoint, event, now);
        }
    }
    Ok(())
}
