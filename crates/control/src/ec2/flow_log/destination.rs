//! Where a flow log's records are to go, and what they are to hold.
//!
//! Sources: `CreateFlowLogs` in the EC2 API reference; messages recorded from AWS; the fields, "Flow log records" in the
//! VPC user guide.

use linkway_model::flow_log::FlowLogDestination;
use linkway_wire::ec2::CreateFlowLogsRequest;

use super::value;
use crate::Error;

/// The default format: version 2.
const DEFAULT: &str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} \
                       ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";

/// Fields that a format may name, of all versions.
const FIELDS: &[&str] = &[
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "type",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "region",
    "az-id",
    "sublocation-type",
    "sublocation-id",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
    "ecs-cluster-arn",
    "ecs-cluster-name",
    "ecs-container-instance-arn",
    "ecs-container-instance-id",
    "ecs-container-id",
    "ecs-second-container-id",
    "ecs-service-name",
    "ecs-task-definition-arn",
    "ecs-task-arn",
    "ecs-task-id",
    "reject-reason",
    "resource-id",
    "encryption-status",
];

fn refuse<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::InvalidParameter(message.into()))
}

pub(super) fn read(input: &CreateFlowLogsRequest) -> Result<FlowLogDestination, Error> {
    let kind = input.log_destination_type.as_deref().unwrap_or("cloud-watch-logs");
    if !["cloud-watch-logs", "s3", "kinesis-data-firehose"].contains(&kind) {
        return Err(value("logDestinationType", kind));
    }
    let arn = input.log_destination.clone().filter(|arn| !arn.is_empty());
    let log_group = input.log_group_name.clone().filter(|name| !name.is_empty());
    match (&arn, &log_group) {
        (None, None) => return refuse("LogDestination can't be empty if LogGroupName is not provided."),
        (Some(_), Some(_)) => {
            return refuse("Please only provide LogGroupName or only provide LogDestination.");
        }
        (None, Some(_)) if kind != "cloud-watch-logs" => {
            return refuse("LogDestination type must be cloud-watch-logs if LogGroupName is provided.");
        }
        _ => {}
    }
    let role = input.deliver_logs_permission_arn.clone().filter(|arn| !arn.is_empty());
    if kind == "cloud-watch-logs" && role.is_none() {
        return refuse("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.");
    }
    let service = match kind {
        "s3" => "s3",
        "kinesis-data-firehose" => "firehose",
        _ => "logs",
    };
    if let Some(arn) = arn.as_deref().filter(|arn| arn.split(':').nth(2) != Some(service)) {
        return refuse(format!("LogDestination: {arn} is not the ARN of a destination of the type {kind}."));
    }
    let options = match &input.destination_options {
        None => None,
        Some(_) if kind != "s3" => return refuse("DestinationOptions can only be provided for the type s3."),
        Some(given) => {
            let format = given.file_format.clone().unwrap_or_else(|| "plain-text".to_owned());
            if !["plain-text", "parquet"].contains(&format.as_str()) {
                return Err(value("fileFormat", &format));
            }
            let flag = |flag: Option<bool>| flag.unwrap_or(false);
            Some((format, flag(given.hive_compatible_partitions), flag(given.per_hour_partition)))
        }
    };
    Ok(FlowLogDestination {
        kind: kind.to_owned(),
        arn,
        log_group,
        role,
        cross_account_role: input.deliver_cross_account_role.clone(),
        options,
    })
}

/// A record's fields, each in `${}`, with spaces between.
pub(super) fn format(given: Option<&str>) -> Result<String, Error> {
    let given = given.filter(|given| !given.trim().is_empty()).unwrap_or(DEFAULT);
    let name = |field: &str| field.strip_prefix("${")?.strip_suffix('}').map(str::to_owned);
    let unknown = |field: &&str| name(field).is_none_or(|name| !FIELDS.contains(&name.as_str()));
    match given.split_whitespace().find(unknown) {
        Some(unknown) => refuse(format!("Unknown fields provided: {unknown}")),
        None => Ok(given.to_owned()),
    }
}
