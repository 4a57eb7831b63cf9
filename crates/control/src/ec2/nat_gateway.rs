//! NAT gateways.

mod create;
mod reconcile;
mod shape;

use linkway_model::nat_gateway::{NatGateway, NatGatewayState};
use linkway_wire::ec2::{
    DeleteNatGatewayRequest, DeleteNatGatewayResult, DescribeNatGatewaysRequest, DescribeNatGatewaysResult,
};

pub(crate) use create::create;
pub(crate) use reconcile::reconcile;

use crate::describe::select;
use crate::lookup::named;
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeNatGatewaysRequest,
) -> Result<DescribeNatGatewaysResult, Error> {
    let state = control.read(input.dry_run)?;
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let ids = &input.nat_gateway_ids;
    let (gateways, next_token) = select(&state, caller, ids, shape::FILTERS, &input.filter, page)?;
    let nat_gateways = gateways.iter().map(|gateway| shape::shape(&state, gateway)).collect();
    Ok(DescribeNatGatewaysResult { nat_gateways, next_token })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteNatGatewayRequest,
) -> Result<DeleteNatGatewayResult, Error> {
    control.write(input.dry_run, |tx| {
        let gateway = named::<NatGateway>(tx, caller, input.nat_gateway_id.as_deref(), "NatGatewayId")?;
        let (id, state, since) = (gateway.id.clone(), gateway.state, tx.revision());
        if !matches!(state, NatGatewayState::Deleting | NatGatewayState::Deleted) {
            tx.update::<NatGateway>(&id, |gateway| {
                gateway.state = NatGatewayState::Deleting;
                gateway.since = since;
                gateway.deleted = Some(control.now());
            });
        }
        Ok(DeleteNatGatewayResult { nat_gateway_id: Some(id.into()) })
    })
}
