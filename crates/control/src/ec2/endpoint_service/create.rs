//! `CreateVpcEndpointServiceConfiguration`.

use linkway_model::EndpointServiceId;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::ip_address_type::IpAddressType;
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateVpcEndpointServiceConfigurationRequest, CreateVpcEndpointServiceConfigurationResult,
};

use super::{balancers, describe, private_dns};
use crate::idempotency::once;
use crate::tags::specified;
use crate::{Caller, Control, Error};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateVpcEndpointServiceConfigurationRequest,
) -> Result<CreateVpcEndpointServiceConfigurationResult, Error> {
    let (token, dry_run, now) = (input.client_token.take(), input.dry_run.take(), control.now());
    control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| make(tx, caller, &input);
        let operation = "CreateVpcEndpointServiceConfiguration";
        let id = once::<EndpointService>(tx, caller, now, operation, token.as_deref(), &input, make)?;
        Ok(CreateVpcEndpointServiceConfigurationResult {
            client_token: token.clone(),
            service_configuration: tx.get::<EndpointService>(&id).map(|service| describe::shape(service)),
        })
    })
}

fn make(
    tx: &mut Transaction,
    caller: &Caller,
    input: &CreateVpcEndpointServiceConfigurationRequest,
) -> Result<String, Error> {
    if !input.gateway_load_balancer_arns.is_empty() {
        return Err(balancers::gateway_refused());
    }
    if input.network_load_balancer_arns.is_empty() {
        return Err(Error::InvalidParameter(
            "exactly one of network_load_balancer_arn or gateway_load_balancer_arn is a required member"
                .into(),
        ));
    }
    let mut supported_ip_address_types = balancers::ip_address_types(&input.supported_ip_address_types)?;
    if supported_ip_address_types.is_empty() {
        supported_ip_address_types.push(IpAddressType::Ipv4.name().into());
    }
    balancers::regions(&input.supported_regions, caller)?;
    let mut load_balancers: Vec<String> = Vec::new();
    for arn in &input.network_load_balancer_arns {
        balancers::usable(tx, caller, arn, None)?;
        if !load_balancers.contains(arn) {
            load_balancers.push(arn.clone());
        }
    }
    let private_dns = input.private_dns_name.as_deref().map(private_dns::unverified).transpose()?;
    let service = EndpointService {
        id: EndpointServiceId::random(),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        state: balancers::service_state(tx, &load_balancers),
        acceptance_required: input.acceptance_required.unwrap_or(true),
        zones: balancers::zones(tx, &load_balancers),
        load_balancers,
        private_dns,
        permissions: Vec::new(),
        supported_ip_address_types,
        owner_pays: false,
        tags: specified(&input.tag_specifications, "vpc-endpoint-service")?,
    };
    balancers::check_ip_address_types(tx, &service)?;
    let id = service.id.to_string();
    tx.put(service);
    Ok(id)
}
