//! `CreateVpcEndpoint`.

use linkway_model::account::Quotas;
use linkway_model::index::Term;
use linkway_model::ip_address_type::IpAddressType;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::{DnsRecordIpType, EndpointState, VpcEndpoint};
use linkway_model::{EndpointConnectionId, Tags, Timestamp, VpcEndpointId, VpcId, random_label};
use linkway_store::Transaction;
use linkway_wire::ec2::{CreateVpcEndpointRequest, CreateVpcEndpointResult};

use super::{gateway, options, placement, policy, private_dns, shape};
use crate::ec2::connection_notification::{Event, tell};
use crate::ec2::offered::Offered;
use crate::ec2::security_group::groups_of_vpc;
use crate::ec2::service_catalog;
use crate::error::EndpointError;
use crate::idempotency::once;
use crate::lookup::{named, required};
use crate::tags::specified;
use crate::{Caller, Control, Error};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateVpcEndpointRequest,
) -> Result<CreateVpcEndpointResult, Error> {
    let (token, dry_run, now) = (input.client_token.take(), input.dry_run.take(), control.now());
    control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| make(tx, caller, now, &input);
        let id = once::<VpcEndpoint>(tx, caller, now, "CreateVpcEndpoint", token.as_deref(), &input, make)?;
        let endpoint = tx.get::<VpcEndpoint>(&id).map(|endpoint| shape::shape(tx, endpoint));
        Ok(CreateVpcEndpointResult { client_token: token.clone(), vpc_endpoint: endpoint })
    })
}

fn make(
    tx: &mut Transaction,
    caller: &Caller,
    now: Timestamp,
    input: &CreateVpcEndpointRequest,
) -> Result<String, Error> {
    let endpoint_type = options::endpoint_type(input)?;
    let name = required(input.service_name.as_deref(), "ServiceName")?;
    options::service_region(input.service_region.as_deref(), caller)?;
    let service = service_catalog::visible(tx, caller, name)?;
    let vpc = named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.clone();
    let is_gateway = options::is_gateway(endpoint_type, &service)?;
    let given = policy::accepted(tx, input.policy_document.as_deref(), name)?;
    let mut endpoint = VpcEndpoint {
        id: VpcEndpointId::random(),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        vpc: vpc.id.clone(),
        gateway: None,
        service_name: name.to_owned(),
        service: service.id(),
        state: if service.acceptance_required() {
            EndpointState::PendingAcceptance
        } else {
            EndpointState::Pending
        },
        subnets: Vec::new(),
        groups: Vec::new(),
        ip_address_type: IpAddressType::Ipv4,
        dns_record_ip_type: DnsRecordIpType::Ipv4,
        private_dns_enabled: false,
        policy: given.unwrap_or_else(|| policy::default(is_gateway).to_owned()),
        dns_label: random_label(8),
        connection: EndpointConnectionId::random(),
        connection_tags: Tags::new(),
        created: now,
        since: tx.revision(),
        last_error: None,
        deleted: None,
        tags: specified(&input.tag_specifications, "vpc-endpoint")?,
    };
    if is_gateway {
        options::ipv4_of_gateway(input.ip_address_type.as_deref())?;
        gateway::set_up(tx, caller, &mut endpoint, input)?;
    } else {
        set_up(tx, caller, now, &mut endpoint, &vpc, &service, input)?;
    }
    let id = endpoint.id.to_string();
    tell(tx, &endpoint, Event::Connect, now);
    tx.put(endpoint);
    Ok(id)
}

/// What an interface endpoint has.
fn set_up(
    tx: &mut Transaction,
    caller: &Caller,
    now: Timestamp,
    endpoint: &mut VpcEndpoint,
    vpc: &Vpc,
    service: &Offered,
    input: &CreateVpcEndpointRequest,
) -> Result<(), Error> {
    if !input.route_table_ids.is_empty() {
        return Err(options::route_tables_refused());
    }
    endpoint.ip_address_type =
        options::ip_address_type(input.ip_address_type.as_deref())?.unwrap_or_default();
    placement::check_service(endpoint, service)?;
    let records = options::dns(input.dns_options.as_ref(), &vpc.id, endpoint.ip_address_type)?;
    endpoint.dns_record_ip_type = records.unwrap_or(options::records_of(endpoint.ip_address_type)[0]);
    let places = placement::places(tx, caller, &input.subnet_ids, &input.subnet_configurations)?;
    endpoint.groups = groups_of_vpc(tx, caller, &input.security_group_ids, vpc, &format!("VPC {}", vpc.id))?;
    endpoint.private_dns_enabled = private_dns::decide(tx, vpc, service, input.private_dns_enabled, None)?;
    if endpoints_in(tx, &vpc.id) >= Quotas::of(tx, &caller.account).endpoints_per_vpc {
        return Err(EndpointError::LimitExceeded.into());
    }
    placement::add(tx, now, endpoint, service, &places)
}

fn endpoints_in(tx: &Transaction, vpc: &VpcId) -> usize {
    let counted = |endpoint: &VpcEndpoint| {
        endpoint.gateway.is_none()
            && !matches!(endpoint.state, EndpointState::Deleting | EndpointState::Deleted)
    };
    tx.found::<VpcEndpoint>(Term::EndpointVpc, vpc.as_str()).filter(|endpoint| counted(endpoint)).count()
}
