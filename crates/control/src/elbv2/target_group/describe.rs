//! `DescribeTargetGroups`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::load_balancer::{LoadBalancer, TargetGroup, TargetType};
use linkway_wire::elbv2;
use linkway_wire::elbv2::{DescribeTargetGroupsInput, DescribeTargetGroupsOutput, Matcher};

use super::listeners_of;
use crate::elbv2::{arn, invalid, page};
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error};

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeTargetGroupsInput,
) -> Result<DescribeTargetGroupsOutput, Error> {
    let ways =
        [input.load_balancer_arn.is_some(), !input.target_group_arns.is_empty(), !input.names.is_empty()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        return Err(invalid("Specify at most one of a load balancer ARN, target group ARNs and names"));
    }
    let state = control.read(None)?;
    let own = || state.all::<TargetGroup>().filter(|group| arn::belongs_to(&***group, caller));
    let mut found: BTreeMap<&str, &Arc<TargetGroup>> = BTreeMap::new();
    for arn in &input.target_group_arns {
        let group = arn::find::<TargetGroup>(&state, caller, arn)?;
        found.insert(&group.arn, group);
    }
    for name in &input.names {
        let group = own().find(|group| group.name == *name).ok_or(LoadBalancingError::TargetGroupNotFound)?;
        found.insert(&group.arn, group);
    }
    if let Some(arn) = &input.load_balancer_arn {
        let balancer = arn::find::<LoadBalancer>(&state, caller, arn)?;
        let of_balancer =
            own().filter(|group| listeners_of(&state, group).any(|its| its.load_balancer == balancer.arn));
        found.extend(of_balancer.map(|group| (group.arn.as_str(), group)));
    } else if !ways.contains(&true) {
        found.extend(own().map(|group| (group.arn.as_str(), group)));
    }
    let (found, next_marker) =
        page::cut(input.page_size, &input.marker, found.into_values(), |group| group.arn.clone())?;
    let target_groups = found.into_iter().map(|group| shape(&state, group)).collect();
    Ok(DescribeTargetGroupsOutput { next_marker, target_groups })
}

pub(super) fn shape(state: &Snapshot, group: &TargetGroup) -> elbv2::TargetGroup {
    let check = &group.health_check;
    let http = check.protocol.is_http();
    let number = |value: u32| i32::try_from(value).ok();
    let balancers: BTreeSet<&String> =
        listeners_of(state, group).map(|listener| &listener.load_balancer).collect();
    elbv2::TargetGroup {
        health_check_enabled: Some(true),
        health_check_interval_seconds: number(check.interval_seconds),
        health_check_path: http.then(|| check.path.clone()),
        health_check_port: Some(check.port.map_or("traffic-port".into(), |port| port.to_string())),
        health_check_protocol: Some(check.protocol.name().into()),
        health_check_timeout_seconds: number(check.timeout_seconds),
        healthy_threshold_count: number(check.healthy_threshold),
        ip_address_type: Some(group.ip_address_type.name().into()),
        load_balancer_arns: balancers.into_iter().cloned().collect(),
        matcher: http.then(|| Matcher { http_code: Some(check.matcher.clone()), grpc_code: None }),
        port: Some(group.port.into()),
        protocol: Some(group.protocol.name().into()),
        target_group_arn: Some(group.arn.clone()),
        target_group_name: Some(group.name.clone()),
        target_type: Some(
            match group.target_type {
                TargetType::Instance => "instance",
                TargetType::Ip => "ip",
            }
            .into(),
        ),
        unhealthy_threshold_count: number(check.unhealthy_threshold),
        vpc_id: Some(group.vpc.to_string()),
        ..elbv2::TargetGroup::default()
    }
}
