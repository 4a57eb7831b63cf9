//! `ModifyVpcEndpointServiceConfiguration`.

use linkway_model::Snapshot;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::routing::Routing;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_store::Transaction;
use linkway_wire::ec2::{
    ModifyVpcEndpointServiceConfigurationRequest, ModifyVpcEndpointServiceConfigurationResult,
};

use super::{balancers, connected, private_dns, supports};
use crate::error::EndpointError;
use crate::lookup::named;
use crate::{Caller, Control, Error};

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyVpcEndpointServiceConfigurationRequest,
) -> Result<ModifyVpcEndpointServiceConfigurationResult, Error> {
    check(caller, &input)?;
    control.write(input.dry_run, |tx| {
        let before = named::<EndpointService>(tx, caller, input.service_id.as_deref(), "ServiceId")?.clone();
        let mut service = EndpointService::clone(&before);
        service.acceptance_required = input.acceptance_required.unwrap_or(service.acceptance_required);
        change_private_dns(tx, &mut service, &input)?;
        change_balancers(tx, caller, &mut service, &input)?;
        change_ip_address_types(tx, &mut service, &input)?;
        // Also without any other change: this call is what makes a balancer's new zones the service's.
        service.zones = balancers::zones(tx, &service.load_balancers);
        service.state = balancers::service_state(tx, &service.load_balancers);
        if service != *before {
            tx.put(service);
        }
        Ok(ModifyVpcEndpointServiceConfigurationResult { return_: Some(true) })
    })
}

fn check(caller: &Caller, input: &ModifyVpcEndpointServiceConfigurationRequest) -> Result<(), Error> {
    if !input.add_gateway_load_balancer_arns.is_empty() || !input.remove_gateway_load_balancer_arns.is_empty()
    {
        return Err(balancers::gateway_refused());
    }
    balancers::regions(&input.add_supported_regions, caller)
}

fn change_private_dns(
    tx: &mut Transaction,
    service: &mut EndpointService,
    input: &ModifyVpcEndpointServiceConfigurationRequest,
) -> Result<(), Error> {
    let remove = input.remove_private_dns_name == Some(true);
    match &input.private_dns_name {
        Some(_) if remove => {
            return Err(Error::InvalidParameterCombination(
                "The parameters PrivateDnsName and RemovePrivateDnsName exclude each other.".into(),
            ));
        }
        Some(name) if service.private_dns.as_ref().is_none_or(|dns| dns.name != *name) => {
            let dns = private_dns::unverified(name)?;
            release_name(tx, service)?;
            service.private_dns = Some(dns);
        }
        None if remove => {
            release_name(tx, service)?;
            service.private_dns = None;
        }
        _ => {}
    }
    Ok(())
}

/// A name that endpoints resolve in their VPCs stays: if it could change under them, it could change to a name that
/// is not the provider's. Rejected endpoints lose it.
fn release_name(tx: &mut Transaction, service: &EndpointService) -> Result<(), Error> {
    if connected(tx, &service.id).any(|endpoint| endpoint.private_dns_enabled) {
        return Err(EndpointError::ExistingConnections.into());
    }
    let others = tx.all::<VpcEndpoint>().filter(|endpoint| endpoint.service == service.id);
    for id in others.map(|endpoint| endpoint.id.clone()).collect::<Vec<_>>() {
        tx.update::<VpcEndpoint>(id, |endpoint| endpoint.private_dns_enabled = false);
    }
    Ok(())
}

fn change_balancers(
    state: &Snapshot,
    caller: &Caller,
    service: &mut EndpointService,
    input: &ModifyVpcEndpointServiceConfigurationRequest,
) -> Result<(), Error> {
    for arn in &input.add_network_load_balancer_arns {
        balancers::usable(state, caller, arn, Some(&service.id))?;
        if !service.load_balancers.contains(arn) {
            service.load_balancers.push(arn.clone());
        }
    }
    let removed = &input.remove_network_load_balancer_arns;
    if removed.is_empty() {
        return Ok(());
    }
    if let Some(unknown) = removed.iter().find(|arn| !service.load_balancers.contains(arn)) {
        return Err(EndpointError::LoadBalancerNotFound(unknown.clone()).into());
    }
    if is_attached(state, service, removed) {
        return Err(EndpointError::ExistingConnections.into());
    }
    service.load_balancers.retain(|arn| !removed.contains(arn));
    if service.load_balancers.is_empty() {
        return Err(Error::InvalidParameter(
            "A VPC endpoint service must have at least one Network Load Balancer.".into(),
        ));
    }
    Ok(())
}

/// A type that an endpoint of the service has stays.
fn change_ip_address_types(
    state: &Snapshot,
    service: &mut EndpointService,
    input: &ModifyVpcEndpointServiceConfigurationRequest,
) -> Result<(), Error> {
    let added = balancers::ip_address_types(&input.add_supported_ip_address_types)?;
    let removed = balancers::ip_address_types(&input.remove_supported_ip_address_types)?;
    let mut types = [service.supported_ip_address_types.clone(), added].concat();
    types.retain(|its| !removed.contains(its));
    let types = balancers::ip_address_types(&types)?;
    if types.is_empty() {
        return Err(Error::InvalidParameter(
            "A VPC endpoint service must support at least one IP address type.".into(),
        ));
    }
    if connected(state, &service.id).any(|endpoint| !supports(&types, endpoint.ip_address_type)) {
        return Err(EndpointError::ExistingConnections.into());
    }
    service.supported_ip_address_types = types;
    balancers::check_ip_address_types(state, service)
}

/// Whether an endpoint of the service leads to one of these balancers in any of its zones.
fn is_attached(state: &Snapshot, service: &EndpointService, balancers: &[String]) -> bool {
    let routing = Routing::new(state);
    connected(state, &service.id).flat_map(|endpoint| &endpoint.subnets).any(|place| {
        routing.node(service, &place.zone).is_some_and(|(balancer, _)| balancers.contains(&balancer.arn))
    })
}
