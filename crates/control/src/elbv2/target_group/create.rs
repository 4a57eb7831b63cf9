//! `CreateTargetGroup`.

use std::collections::BTreeMap;

use linkway_model::ip_address_type::IpAddressType;
use linkway_model::load_balancer::{Protocol, TargetGroup, TargetType};
use linkway_model::vpc::Vpc;
use linkway_model::{VpcId, random_hex};
use linkway_store::Transaction;
use linkway_wire::elbv2::{CreateTargetGroupInput, CreateTargetGroupOutput};

use super::{describe, health_check};
use crate::elbv2::{arn, invalid, name, tags};
use crate::error::LoadBalancingError;
use crate::lookup::own;
use crate::{Caller, Control, Error};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    input: CreateTargetGroupInput,
) -> Result<CreateTargetGroupOutput, Error> {
    control.write(None, |tx| {
        let group = make(tx, caller, &input)?;
        Ok(CreateTargetGroupOutput { target_groups: vec![describe::shape(tx, &group)] })
    })
}

/// Target groups that an account may have in a region. Source: "Quotas for your Network Load Balancers".
pub(crate) const MAX_GROUPS: usize = 3000;

/// The group: a new one, or the one that has the name and all of the settings.
fn make(tx: &mut Transaction, caller: &Caller, input: &CreateTargetGroupInput) -> Result<TargetGroup, Error> {
    let name = input.name.clone().unwrap_or_default();
    name::check(name::Kind::TargetGroup, &name)?;
    let target_type = target_type(input.target_type.as_deref().unwrap_or("instance"))?;
    let ip_address_type = match input.ip_address_type.as_deref() {
        None | Some("ipv4") => IpAddressType::Ipv4,
        Some("ipv6") => IpAddressType::Ipv6,
        Some(other) => return Err(invalid(format!("IP address type '{other}' must be one of 'ipv4,ipv6'"))),
    };
    if input.protocol_version.is_some() {
        return Err(invalid(
            "Protocol version is not supported for target groups with protocol TCP, TLS, UDP or TCP_UDP",
        ));
    }
    let protocol = protocol(input.protocol.as_deref())?;
    let port = input.port.ok_or_else(|| invalid("A port must be specified"))?;
    let group = TargetGroup {
        arn: arn::made::<TargetGroup>(caller, &format!("{name}/{}", random_hex(16))),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        vpc: vpc(tx, caller, input.vpc_id.as_deref())?,
        protocol,
        port: crate::elbv2::target::port(port)?,
        target_type,
        ip_address_type,
        health_check: health_check::new(&input.into())?,
        attributes: BTreeMap::new(),
        targets: Vec::new(),
        tags: tags::of_new(&input.tags)?,
        name,
    };
    let existing =
        tx.all::<TargetGroup>().find(|other| other.name == group.name && arn::belongs_to(&***other, caller));
    if let Some(existing) = existing {
        let settings = |of: &TargetGroup| {
            (
                of.vpc.clone(),
                of.protocol,
                of.port,
                of.target_type,
                of.ip_address_type,
                of.health_check.clone(),
            )
        };
        return if settings(existing) == settings(&group) {
            Ok(TargetGroup::clone(existing))
        } else {
            Err(LoadBalancingError::DuplicateTargetGroupName(group.name).into())
        };
    }
    if tx.all::<TargetGroup>().filter(|other| arn::belongs_to(&***other, caller)).count() >= MAX_GROUPS {
        return Err(LoadBalancingError::TooManyTargetGroups(MAX_GROUPS).into());
    }
    tx.put(group.clone());
    Ok(group)
}

fn target_type(given: &str) -> Result<TargetType, Error> {
    match given {
        "instance" => Ok(TargetType::Instance),
        "ip" => Ok(TargetType::Ip),
        "lambda" | "alb" => Err(invalid(format!(
            "Target type '{given}' is not supported. Specify the target type 'instance' or 'ip'"
        ))),
        _ => Err(invalid(format!("Target type '{given}' must be one of 'instance,ip,lambda,alb'"))),
    }
}

fn protocol(given: Option<&str>) -> Result<Protocol, Error> {
    match given.ok_or_else(|| invalid("A protocol must be specified"))? {
        "TCP" => Ok(Protocol::Tcp),
        "TLS" => Ok(Protocol::Tls),
        "UDP" => Ok(Protocol::Udp),
        "TCP_UDP" => Ok(Protocol::TcpUdp),
        known @ ("HTTP" | "HTTPS" | "GENEVE" | "QUIC" | "TCP_QUIC") => Err(invalid(format!(
            "Target groups with protocol '{known}' are not supported. Specify 'TCP', 'TLS', 'UDP' or 'TCP_UDP'"
        ))),
        other => Err(invalid(format!("Protocol '{other}' must be one of 'TCP,TLS,UDP,TCP_UDP'"))),
    }
}

fn vpc(tx: &Transaction, caller: &Caller, given: Option<&str>) -> Result<VpcId, Error> {
    let id = given.ok_or_else(|| invalid("A VPC ID must be specified"))?;
    let missing = |_| invalid(format!("The VPC ID '{id}' is not found"));
    own::<Vpc>(tx, caller, id).map(|vpc| vpc.id.clone()).map_err(missing)
}
