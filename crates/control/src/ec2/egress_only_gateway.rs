//! Egress-only internet gateways: what Terraform and others make for IPv6.

use linkway_model::EgressOnlyInternetGatewayId;
use linkway_model::internet_gateway::EgressOnlyInternetGateway;
use linkway_model::vpc::Vpc;
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateEgressOnlyInternetGatewayRequest, CreateEgressOnlyInternetGatewayResult,
    DeleteEgressOnlyInternetGatewayRequest, DeleteEgressOnlyInternetGatewayResult,
    DescribeEgressOnlyInternetGatewaysRequest, DescribeEgressOnlyInternetGatewaysResult,
    EgressOnlyInternetGateway as EgressOnlyInternetGatewayShape,
};

use crate::describe::select;
use crate::ec2::internet_gateway::attachment;
use crate::filter::{Field, fields};
use crate::idempotency::once;
use crate::lookup::{Owned, named, not_found};
use crate::page::{Limits, Page, USUAL};
use crate::{Caller, Control, Error, tags};

/// None but those of tags.
const FILTERS: &[Field<EgressOnlyInternetGateway>] = fields! {};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateEgressOnlyInternetGatewayRequest,
) -> Result<CreateEgressOnlyInternetGatewayResult, Error> {
    let tags = tags::specified(&input.tag_specifications, EgressOnlyInternetGateway::NOUN.resource_type)?;
    let (client_token, dry_run) = (input.client_token.take(), input.dry_run.take());
    let shape = control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| {
            let gateway = EgressOnlyInternetGateway {
                id: EgressOnlyInternetGatewayId::random(),
                owner: caller.account.clone(),
                region: caller.region.clone(),
                vpc: named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.id.clone(),
                tags,
            };
            tx.put(gateway.clone());
            Ok(gateway.id.into())
        };
        let (token, now) = (client_token.as_deref(), control.now());
        let operation = "CreateEgressOnlyInternetGateway";
        let id = once::<EgressOnlyInternetGateway>(tx, caller, now, operation, token, &input, make)?;
        let gateway = tx.get::<EgressOnlyInternetGateway>(&id);
        Ok(shape(gateway.ok_or_else(|| not_found::<EgressOnlyInternetGateway>(id))?))
    })?;
    Ok(CreateEgressOnlyInternetGatewayResult { client_token, egress_only_internet_gateway: Some(shape) })
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeEgressOnlyInternetGatewaysRequest,
) -> Result<DescribeEgressOnlyInternetGatewaysResult, Error> {
    let state = control.read(input.dry_run)?;
    let page = Page::new(Limits { most: 255, ..USUAL }, input.max_results, &input.next_token);
    let ids = &input.egress_only_internet_gateway_ids;
    let (gateways, next_token) = select(&state, caller, ids, FILTERS, &input.filters, page)?;
    let egress_only_internet_gateways = gateways.iter().map(|gateway| shape(gateway)).collect();
    Ok(DescribeEgressOnlyInternetGatewaysResult { egress_only_internet_gateways, next_token })
}

fn shape(gateway: &EgressOnlyInternetGateway) -> EgressOnlyInternetGatewayShape {
    EgressOnlyInternetGatewayShape {
        attachments: vec![attachment(&gateway.vpc, "attached")],
        egress_only_internet_gateway_id: Some(gateway.id.to_string()),
        tags: tags::shape(&gateway.tags),
    }
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteEgressOnlyInternetGatewayRequest,
) -> Result<DeleteEgressOnlyInternetGatewayResult, Error> {
    control.write(input.dry_run, |tx| {
        let id = input.egress_only_internet_gateway_id.as_deref();
        let gateway = named::<EgressOnlyInternetGateway>(tx, caller, id, "EgressOnlyInternetGatewayId")?;
        let id = gateway.id.clone();
        tx.delete::<EgressOnlyInternetGateway>(&id);
        Ok(DeleteEgressOnlyInternetGatewayResult { return_code: Some(true) })
    })
}
