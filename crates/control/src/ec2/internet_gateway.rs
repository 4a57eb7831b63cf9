//! Internet gateways.

use std::sync::Arc;

use linkway_model::internet_gateway::InternetGateway;
use linkway_model::vpc::Vpc;
use linkway_model::{InternetGatewayId, Snapshot, Tags, VpcId};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    AttachInternetGatewayRequest, CreateInternetGatewayRequest, CreateInternetGatewayResult,
    DeleteInternetGatewayRequest, DescribeInternetGatewaysRequest, DescribeInternetGatewaysResult,
    DetachInternetGatewayRequest, InternetGateway as InternetGatewayShape, InternetGatewayAttachment,
};

use crate::describe::select;
use crate::ec2::dependency::refuse_if_used;
use crate::ec2::elastic_address;
use crate::error::NetworkError;
use crate::filter::{Field, fields, many, one};
use crate::lookup::{Owned, named};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

/// The state of every attachment.
const ATTACHED: &str = "available";

const FILTERS: &[Field<InternetGateway>] = fields! {
    "attachment.state" => |_, gateway| many(gateway.vpc.as_ref().map(|_| ATTACHED));
    "attachment.vpc-id" => |_, gateway| many(&gateway.vpc);
    "internet-gateway-id" => |_, gateway| one(&gateway.id);
    "owner-id" => |_, gateway| one(&gateway.owner);
};

/// Whose numbers it has one of: those of interfaces, as the packet path's tables have both.
const NUMBERS: &str = "network-interface";

/// Gateways of states from before they had numbers get theirs.
pub(crate) fn reconcile(tx: &mut Transaction) {
    let due: Vec<_> =
        tx.all::<InternetGateway>().filter(|found| found.number == 0).map(|found| found.id.clone()).collect();
    for id in due {
        let number = tx.next_number(NUMBERS);
        tx.update::<InternetGateway>(&id, |gateway| gateway.number = number);
    }
}

/// Write a gateway, attached if a VPC is given.
pub(crate) fn write(
    tx: &mut Transaction,
    caller: &Caller,
    vpc: Option<VpcId>,
    tags: Tags,
) -> InternetGateway {
    let gateway = InternetGateway {
        id: InternetGatewayId::random(),
        number: tx.next_number(NUMBERS),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        vpc,
        tags,
    };
    tx.put(gateway.clone());
    gateway
}

/// The gateway that a VPC has, if it has one.
pub(crate) fn of_vpc<'a>(state: &'a Snapshot, vpc: &VpcId) -> Option<&'a Arc<InternetGateway>> {
    state.all::<InternetGateway>().find(|gateway| gateway.vpc.as_ref() == Some(vpc))
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateInternetGatewayRequest,
) -> Result<CreateInternetGatewayResult, Error> {
    let tags = tags::specified(&input.tag_specifications, InternetGateway::NOUN.resource_type)?;
    let gateway = control.write(input.dry_run, |tx| Ok(write(tx, caller, None, tags)))?;
    Ok(CreateInternetGatewayResult { internet_gateway: Some(shape(&gateway)) })
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeInternetGatewaysRequest,
) -> Result<DescribeInternetGatewaysResult, Error> {
    let state = control.read_given(caller, input.dry_run)?;
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let ids = &input.internet_gateway_ids;
    let (gateways, next_token) = select(&state, caller, ids, FILTERS, &input.filters, page)?;
    let internet_gateways = gateways.iter().map(|gateway| shape(gateway)).collect();
    Ok(DescribeInternetGatewaysResult { internet_gateways, next_token })
}

/// How the attachment to a VPC is shown; of egress-only gateways, too, but for the state.
pub(super) fn attachment(vpc: &VpcId, state: &str) -> InternetGatewayAttachment {
    InternetGatewayAttachment { state: Some(state.into()), vpc_id: Some(vpc.to_string()) }
}

fn shape(gateway: &InternetGateway) -> InternetGatewayShape {
    InternetGatewayShape {
        attachments: gateway.vpc.iter().map(|vpc| attachment(vpc, ATTACHED)).collect(),
        internet_gateway_id: Some(gateway.id.to_string()),
        owner_id: Some(gateway.owner.to_string()),
        tags: tags::shape(&gateway.tags),
    }
}

/// The gateway and the VPC that a request names.
fn both(
    state: &Snapshot,
    caller: &Caller,
    gateway: Option<&str>,
    vpc: Option<&str>,
) -> Result<(Arc<InternetGateway>, VpcId), Error> {
    let gateway = named::<InternetGateway>(state, caller, gateway, "InternetGatewayId")?;
    let vpc = named::<Vpc>(state, caller, vpc, "VpcId")?;
    Ok((Arc::clone(gateway), vpc.id.clone()))
}

pub(crate) fn attach(
    control: &Control,
    caller: &Caller,
    input: AttachInternetGatewayRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let (gateway, vpc) = both(tx, caller, input.internet_gateway_id.as_deref(), input.vpc_id.as_deref())?;
        if let Some(attached) = &gateway.vpc {
            return Err(NetworkError::AlreadyAssociated(format!(
                "resource {} is already attached to network {attached}",
                gateway.id
            ))
            .into());
        }
        if of_vpc(tx, &vpc).is_some() {
            return Err(Error::InvalidParameterValue(format!(
                "Network {vpc} already has an internet gateway attached"
            )));
        }
        tx.update::<InternetGateway>(&gateway.id, |gateway| gateway.vpc = Some(vpc));
        Ok(())
    })
}

pub(crate) fn detach(
    control: &Control,
    caller: &Caller,
    input: DetachInternetGatewayRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let (gateway, vpc) = both(tx, caller, input.internet_gateway_id.as_deref(), input.vpc_id.as_deref())?;
        if gateway.vpc.as_ref() != Some(&vpc) {
            return Err(NetworkError::GatewayNotAttached(format!(
                "resource {} is not attached to network {vpc}",
                gateway.id
            ))
            .into());
        }
        let words = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before \
             detaching the gateway."
        );
        refuse_if_used(words, elastic_address::in_vpc(tx, &vpc))?;
        tx.update::<InternetGateway>(&gateway.id, |gateway| gateway.vpc = None);
        Ok(())
    })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteInternetGatewayRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let id = input.internet_gateway_id.as_deref();
        let gateway = Arc::clone(named::<InternetGateway>(tx, caller, id, "InternetGatewayId")?);
        let words = format!("The internetGateway '{}' has dependencies and cannot be deleted.", gateway.id);
        refuse_if_used(words, gateway.vpc.iter().map(ToString::to_string))?;
        tx.delete::<InternetGateway>(&gateway.id);
        Ok(())
    })
}
