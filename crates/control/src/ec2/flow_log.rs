//! Flow logs. They are kept and shown; no records are made of packets yet, and each log says so.

mod destination;

use linkway_model::flow_log::{FlowLog, FlowLogDestination, FlowLogResource};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{FlowLogId, Snapshot, Tags, Timestamp};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateFlowLogsRequest, CreateFlowLogsResult, DeleteFlowLogsRequest, DeleteFlowLogsResult,
    DescribeFlowLogsRequest, DescribeFlowLogsResult, DestinationOptionsResponse, FlowLog as FlowLogShape,
    UnsuccessfulItem,
};

use super::bulk;
use crate::describe::select;
use crate::error::NetworkError;
use crate::filter::{Field, fields, many, one};
use crate::idempotency::once;
use crate::lookup::{Owned, own, required};
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error, tags};

/// What became of delivering records. Source of the states: `FlowLog` in the EC2 API reference.
const DELIVERY: &str = "FAILED";
const NOT_DELIVERED: &str = "Flow log records are not delivered yet.";
/// Who gets the role that may write to a log group.
const SERVICE: &str = "vpc-flow-logs.amazonaws.com";
const ACTIVE: &str = "ACTIVE";

const FILTERS: &[Field<FlowLog>] = fields! {
    "deliver-log-status" => |_, _| one(DELIVERY);
    "flow-log-id" => |_, found| one(&found.id);
    "log-destination-type" => |_, found| one(&found.destination.kind);
    "log-group-name" => |_, found| many(found.destination.log_group.as_ref());
    "resource-id" => |_, found| one(found.resource.id());
    "traffic-type" => |_, found| one(&found.traffic);
};

/// What a request asks for each of its resources.
struct Asked {
    traffic: String,
    destination: FlowLogDestination,
    format: String,
    interval_seconds: i32,
    tags: Tags,
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateFlowLogsRequest,
) -> Result<CreateFlowLogsResult, Error> {
    let (token, dry_run, now) = (input.client_token.take(), input.dry_run.take(), control.now());
    let asked = asked(&input)?;
    control.write(dry_run, |tx| {
        if let Some(role) = &asked.destination.role {
            control.may_pass_role(tx, caller, role, SERVICE, "ec2")?;
        }
        let mut unsuccessful = Vec::new();
        let make = |tx: &mut Transaction| {
            let (first, refused) = make(tx, caller, &input, &asked, now)?;
            unsuccessful = refused;
            // Nothing is made where nothing can be, and the token stays unused.
            first.ok_or(Error::IdempotentParameterMismatch)
        };
        let made = once::<FlowLog>(tx, caller, now, "CreateFlowLogs", token.as_deref(), &input, make);
        let flow_log_ids = match made {
            Ok(first) => made_with(tx, &first),
            Err(_) if !unsuccessful.is_empty() => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(CreateFlowLogsResult { client_token: token.clone(), flow_log_ids, unsuccessful })
    })
}

/// A flow log for each resource that can have it. The first one's id, and what was refused.
fn make(
    tx: &mut Transaction,
    caller: &Caller,
    input: &CreateFlowLogsRequest,
    asked: &Asked,
    now: Timestamp,
) -> Result<(Option<String>, Vec<UnsuccessfulItem>), Error> {
    let kind = input.resource_type.as_deref().unwrap_or_default();
    let mut first: Option<FlowLogId> = None;
    let unsuccessful = bulk::each(&input.resource_ids, |id| {
        let resource = resource(tx, caller, kind, id)?;
        let same = |other: &FlowLog| {
            other.resource == resource
                && other.traffic == asked.traffic
                && other.destination.kind == asked.destination.kind
                && other.destination.arn == asked.destination.arn
                && other.destination.log_group == asked.destination.log_group
        };
        if tx.all::<FlowLog>().any(|other| same(other)) {
            return Err(NetworkError::FlowLogExists.into());
        }
        let made = FlowLogId::random();
        let log = FlowLog {
            id: made.clone(),
            owner: caller.account.clone(),
            region: caller.region.clone(),
            resource,
            traffic: asked.traffic.clone(),
            destination: asked.destination.clone(),
            format: asked.format.clone(),
            interval_seconds: asked.interval_seconds,
            made_with: first.get_or_insert(made).clone(),
            created: now,
            tags: asked.tags.clone(),
        };
        tx.put(log);
        Ok(())
    })?;
    Ok((first.map(|id| id.to_string()), unsuccessful))
}

/// Ids of the flow logs that one request made.
fn made_with(state: &Snapshot, first: &str) -> Vec<String> {
    let together = |log: &&std::sync::Arc<FlowLog>| log.made_with.as_str() == first;
    state.all::<FlowLog>().filter(together).map(|log| log.id.to_string()).collect()
}

fn resource(state: &Snapshot, caller: &Caller, kind: &str, id: &str) -> Result<FlowLogResource, Error> {
    match kind {
        "VPC" => Ok(FlowLogResource::Vpc(own::<Vpc>(state, caller, id)?.id.clone())),
        "Subnet" => Ok(FlowLogResource::Subnet(own::<Subnet>(state, caller, id)?.id.clone())),
        _ => Ok(FlowLogResource::NetworkInterface(own::<NetworkInterface>(state, caller, id)?.id.clone())),
    }
}

fn asked(input: &CreateFlowLogsRequest) -> Result<Asked, Error> {
    if input.resource_ids.is_empty() {
        return Err(Error::MissingParameter("ResourceId"));
    }
    match required(input.resource_type.as_deref(), "ResourceType")? {
        "VPC" | "Subnet" | "NetworkInterface" => {}
        kind @ ("TransitGateway" | "TransitGatewayAttachment" | "RegionalNatGateway") => {
            return Err(Error::Unsupported(format!("There are no resources of the type {kind}.")));
        }
        other => return Err(value("resourceType", other)),
    }
    let traffic = required(input.traffic_type.clone(), "TrafficType")?;
    if !["ACCEPT", "REJECT", "ALL"].contains(&traffic.as_str()) {
        return Err(value("trafficType", &traffic));
    }
    let interval_seconds = input.max_aggregation_interval.unwrap_or(600);
    if ![60, 600].contains(&interval_seconds) {
        return Err(Error::InvalidParameter("Invalid Flow Log Max Aggregation Interval".into()));
    }
    Ok(Asked {
        traffic,
        destination: destination::read(input)?,
        format: destination::format(input.log_format.as_deref())?,
        interval_seconds,
        tags: tags::specified(&input.tag_specifications, FlowLog::NOUN.resource_type)?,
    })
}

fn value(parameter: &str, given: &str) -> Error {
    Error::InvalidParameterValue(format!("Value ({given}) for parameter {parameter} is invalid."))
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeFlowLogsRequest,
) -> Result<DescribeFlowLogsResult, Error> {
    let state = control.read(input.dry_run)?;
    let page = Page::new(Limits { least: 1, most: 1000, clamp: true }, input.max_results, &input.next_token);
    let (found, next_token) = select(&state, caller, &input.flow_log_ids, FILTERS, &input.filter, page)?;
    Ok(DescribeFlowLogsResult { flow_logs: found.iter().map(|log| shape(log)).collect(), next_token })
}

fn shape(log: &FlowLog) -> FlowLogShape {
    let destination = &log.destination;
    let options = destination.options.as_ref().map(|(format, hive, hourly)| DestinationOptionsResponse {
        file_format: Some(format.clone()),
        hive_compatible_partitions: Some(*hive),
        per_hour_partition: Some(*hourly),
    });
    FlowLogShape {
        creation_time: Some(log.created),
        deliver_cross_account_role: destination.cross_account_role.clone(),
        deliver_logs_error_message: Some(NOT_DELIVERED.into()),
        deliver_logs_permission_arn: destination.role.clone(),
        deliver_logs_status: Some(DELIVERY.into()),
        destination_options: options,
        flow_log_id: Some(log.id.to_string()),
        flow_log_status: Some(ACTIVE.into()),
        log_destination: destination.arn.clone(),
        log_destination_type: Some(destination.kind.clone()),
        log_format: Some(log.format.clone()),
        log_group_name: destination.log_group.clone(),
        max_aggregation_interval: Some(log.interval_seconds),
        resource_id: Some(log.resource.id().to_owned()),
        tags: tags::shape(&log.tags),
        traffic_type: Some(log.traffic.clone()),
    }
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteFlowLogsRequest,
) -> Result<DeleteFlowLogsResult, Error> {
    if input.flow_log_ids.is_empty() {
        return Err(Error::MissingParameter("FlowLogId"));
    }
    control.write(input.dry_run, |tx| {
        let unsuccessful = bulk::each(&input.flow_log_ids, |id| {
            let id = own::<FlowLog>(tx, caller, id)?.id.clone();
            tx.delete::<FlowLog>(id);
            Ok(())
        })?;
        Ok(DeleteFlowLogsResult { unsuccessful })
    })
}
