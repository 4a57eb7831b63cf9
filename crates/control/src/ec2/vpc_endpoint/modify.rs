//! `ModifyVpcEndpoint`.

use std::sync::Arc;

use linkway_model::ip_address_type::IpAddressType;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::security_group::SecurityGroup;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{SubnetId, Timestamp};
use linkway_store::Transaction;
use linkway_wire::ec2::{ModifyVpcEndpointRequest, ModifyVpcEndpointResult};

use super::{gateway, options, placement, policy, private_dns};
use crate::ec2::network_interface::choose_ipv6;
use crate::ec2::offered::Offered;
use crate::ec2::security_group::{check_count, groups_of_vpc};
use crate::error::EndpointError;
use crate::lookup::{named, not_found, own};
use crate::{Caller, Control, Error};

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyVpcEndpointRequest,
) -> Result<ModifyVpcEndpointResult, Error> {
    let address_type = options::ip_address_type(input.ip_address_type.as_deref())?;
    let now = control.now();
    control.write(input.dry_run, |tx| {
        let before =
            named::<VpcEndpoint>(tx, caller, input.vpc_endpoint_id.as_deref(), "VpcEndpointId")?.clone();
        modifiable(&before)?;
        let mut endpoint = VpcEndpoint::clone(&before);
        change_policy(tx, &mut endpoint, &input)?;
        if before.gateway.is_some() {
            options::ipv4_of_gateway(input.ip_address_type.as_deref())?;
            gateway::change(tx, caller, &mut endpoint, &input)?;
        } else {
            if !input.add_route_table_ids.is_empty() || !input.remove_route_table_ids.is_empty() {
                return Err(options::route_tables_refused());
            }
            change_address_type(tx, &mut endpoint, address_type)?;
            change_records(&mut endpoint, &input)?;
            change_groups(tx, caller, &mut endpoint, &input)?;
            change_private_dns(tx, &mut endpoint, &input)?;
            change_subnets(tx, caller, now, &mut endpoint, &input)?;
        }
        if endpoint != *before {
            endpoint.since = tx.revision();
            // It goes on to carry packets meanwhile, and the reconciler brings it back.
            if endpoint.state == EndpointState::Available {
                endpoint.state = EndpointState::Pending;
            }
            tx.put(endpoint);
        }
        Ok(ModifyVpcEndpointResult { return_: Some(true) })
    })
}

fn modifiable(endpoint: &VpcEndpoint) -> Result<(), Error> {
    match endpoint.state {
        EndpointState::Deleted => Err(not_found::<VpcEndpoint>(endpoint.id.as_str())),
        EndpointState::Deleting | EndpointState::Failed => Err(EndpointError::InvalidState(format!(
            "The VPC endpoint {} cannot be modified in the state {}.",
            endpoint.id,
            endpoint.state.name()
        ))
        .into()),
        EndpointState::PendingAcceptance
        | EndpointState::Pending
        | EndpointState::Available
        | EndpointState::Rejected => Ok(()),
    }
}

fn change_policy(
    tx: &Transaction,
    endpoint: &mut VpcEndpoint,
    input: &ModifyVpcEndpointRequest,
) -> Result<(), Error> {
    let reset = input.reset_policy == Some(true);
    match &input.policy_document {
        Some(_) if reset => {
            return Err(Error::InvalidParameterCombination(
                "The parameters ResetPolicy and PolicyDocument exclude each other.".into(),
            ));
        }
        None if !reset => return Ok(()),
        _ => {}
    }
    let given = policy::accepted(tx, input.policy_document.as_deref(), &endpoint.service_name)?;
    endpoint.policy = given.unwrap_or_else(|| policy::default(endpoint.gateway.is_some()).to_owned());
    Ok(())
}

/// The endpoint's interfaces get IPv6 addresses, or lose them.
fn change_address_type(
    tx: &mut Transaction,
    endpoint: &mut VpcEndpoint,
    wanted: Option<IpAddressType>,
) -> Result<(), Error> {
    let Some(wanted) = wanted.filter(|wanted| *wanted != endpoint.ip_address_type) else { return Ok(()) };
    endpoint.ip_address_type = wanted;
    placement::check_service(endpoint, &service_of(tx, endpoint)?)?;
    for place in &endpoint.subnets {
        let subnet = tx.get::<Subnet>(&place.subnet);
        let subnet = subnet.ok_or_else(|| not_found::<Subnet>(place.subnet.as_str()))?;
        placement::check_subnet(endpoint, subnet)?;
        let has_some =
            tx.get::<NetworkInterface>(&place.interface).is_some_and(|its| !its.ipv6_addresses.is_empty());
        if wanted.has_ipv6() != has_some {
            let addresses = choose_ipv6(tx, subnet, &[], usize::from(wanted.has_ipv6()))?;
            tx.update::<NetworkInterface>(&place.interface, |its| its.ipv6_addresses = addresses);
        }
    }
    Ok(())
}

/// The records that are asked for; or those that there are, as far as they still fit.
fn change_records(endpoint: &mut VpcEndpoint, input: &ModifyVpcEndpointRequest) -> Result<(), Error> {
    let fitting = options::records_of(endpoint.ip_address_type);
    let asked = options::dns(input.dns_options.as_ref(), &endpoint.vpc, endpoint.ip_address_type)?;
    if let Some(records) = asked {
        endpoint.dns_record_ip_type = records;
    } else if !fitting.contains(&endpoint.dns_record_ip_type) {
        endpoint.dns_record_ip_type = fitting[0];
    }
    Ok(())
}

fn change_groups(
    tx: &mut Transaction,
    caller: &Caller,
    endpoint: &mut VpcEndpoint,
    input: &ModifyVpcEndpointRequest,
) -> Result<(), Error> {
    let mut groups = endpoint.groups.clone();
    if !input.add_security_group_ids.is_empty() {
        let vpc = vpc_of(tx, endpoint)?;
        let place = format!("VPC {}", vpc.id);
        for group in groups_of_vpc(tx, caller, &input.add_security_group_ids, &vpc, &place)? {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    for id in &input.remove_security_group_ids {
        let group = own::<SecurityGroup>(tx, caller, id)?;
        let Some(at) = groups.iter().position(|other| *other == group.id) else {
            return Err(Error::InvalidParameter(format!(
                "The security group {id} is not associated with the VPC endpoint {}.",
                endpoint.id
            )));
        };
        groups.remove(at);
    }
    if groups.is_empty() {
        return Err(Error::InvalidParameter(
            "An Interface VPC Endpoint must always have at least one Security Group.".into(),
        ));
    }
    check_count(&groups)?;
    if groups != endpoint.groups {
        for place in &endpoint.subnets {
            tx.update::<NetworkInterface>(&place.interface, |interface| interface.groups.clone_from(&groups));
        }
        endpoint.groups = groups;
    }
    Ok(())
}

fn change_private_dns(
    tx: &Transaction,
    endpoint: &mut VpcEndpoint,
    input: &ModifyVpcEndpointRequest,
) -> Result<(), Error> {
    let Some(wanted) = input.private_dns_enabled.filter(|wanted| *wanted != endpoint.private_dns_enabled)
    else {
        return Ok(());
    };
    let (vpc, service) = (vpc_of(tx, endpoint)?, service_of(tx, endpoint)?);
    endpoint.private_dns_enabled = private_dns::decide(tx, &vpc, &service, Some(wanted), Some(&endpoint.id))?;
    Ok(())
}

/// Subnets are added before others are removed, as AWS does it: to move within a zone takes two calls.
fn change_subnets(
    tx: &mut Transaction,
    caller: &Caller,
    now: Timestamp,
    endpoint: &mut VpcEndpoint,
    input: &ModifyVpcEndpointRequest,
) -> Result<(), Error> {
    let removed = removed_subnets(tx, caller, endpoint, input)?;
    let places = placement::places(tx, caller, &input.add_subnet_ids, &input.subnet_configurations)?;
    let is_in =
        |endpoint: &VpcEndpoint, id: &SubnetId| endpoint.subnets.iter().any(|place| place.subnet == *id);
    for place in &places {
        if !is_in(endpoint, &place.subnet.id) {
            let service = service_of(tx, endpoint)?;
            placement::add(tx, now, endpoint, &service, std::slice::from_ref(place))?;
        } else {
            placement::readdress(tx, now, endpoint, place)?;
        }
    }
    let (gone, kept) =
        std::mem::take(&mut endpoint.subnets).into_iter().partition(|place| removed.contains(&place.subnet));
    endpoint.subnets = kept;
    let gone: Vec<linkway_model::vpc_endpoint::EndpointSubnet> = gone;
    for place in gone {
        tx.delete::<NetworkInterface>(&place.interface);
    }
    Ok(())
}

fn removed_subnets(
    tx: &Transaction,
    caller: &Caller,
    endpoint: &VpcEndpoint,
    input: &ModifyVpcEndpointRequest,
) -> Result<Vec<SubnetId>, Error> {
    let find = |id: &String| {
        let subnet = own::<Subnet>(tx, caller, id).map_err(|error| match error {
            Error::NotFound { .. } => EndpointError::SubnetNotFound(id.clone()).into(),
            error => error,
        })?;
        if endpoint.subnets.iter().any(|place| place.subnet == subnet.id) {
            Ok(subnet.id.clone())
        } else {
            Err(Error::InvalidParameter(format!(
                "The subnet {id} is not associated with the VPC endpoint {}.",
                endpoint.id
            )))
        }
    };
    input.remove_subnet_ids.iter().map(find).collect()
}

fn vpc_of(tx: &Transaction, endpoint: &VpcEndpoint) -> Result<Arc<Vpc>, Error> {
    tx.get::<Vpc>(&endpoint.vpc).cloned().ok_or_else(|| not_found::<Vpc>(endpoint.vpc.as_str()))
}

/// The endpoint's service; a rejected endpoint may have outlived it.
fn service_of(tx: &Transaction, endpoint: &VpcEndpoint) -> Result<Offered, Error> {
    Offered::of(tx, endpoint)
        .ok_or_else(|| EndpointError::ServiceNotFound(endpoint.service_name.clone()).into())
}
