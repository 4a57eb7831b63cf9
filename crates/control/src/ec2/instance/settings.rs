//! What a launch says besides where and of what: read from requests, in AWS's words where it is wrong.

use linkway_model::instance_type::InstanceType;
use linkway_model::launch::{Kept, MAX_USER_DATA, MetadataOptions, NameOptions, ShutdownBehavior};
use linkway_model::subnet::Subnet;
use linkway_wire::Blob;
use linkway_wire::ec2::{
    CpuOptionsRequest, InstanceMetadataOptionsRequest, PrivateDnsNameOptionsRequest, RunInstancesRequest,
};

use crate::Error;
use crate::error::InstanceError;

/// User data from its Base64.
pub(super) fn user_data(text: Option<&str>) -> Result<Vec<u8>, Error> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let Blob(bytes) = Blob::from_base64(text).ok_or(InstanceError::UserDataEncoding)?;
    check_user_data(bytes)
}

/// User data that is not too long.
pub(super) fn check_user_data(bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    if bytes.len() > MAX_USER_DATA {
        Err(InstanceError::UserDataLength(MAX_USER_DATA).into())
    } else {
        Ok(bytes)
    }
}

/// The type that a launch names.
pub(super) fn instance_type(name: Option<&str>) -> Result<&'static InstanceType, Error> {
    let name = name.unwrap_or(InstanceType::default_name());
    InstanceType::find(name)
        .ok_or_else(|| Error::InvalidParameterValue(format!("Invalid value '{name}' for InstanceType.")))
}

/// Whether an image of this architecture runs on a type.
pub(super) fn check_architecture(found: &InstanceType, architecture: &str) -> Result<(), Error> {
    if found.architectures.contains(&architecture) {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(format!(
        "The architecture '{}' of the specified instance type does not match the architecture '{architecture}' of \
         the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. \
         You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance \
         type or AMI.",
        found.architectures.join(",")
    )))
}

pub(super) fn shutdown_behavior(text: Option<&str>) -> Result<ShutdownBehavior, Error> {
    let both = [ShutdownBehavior::Stop, ShutdownBehavior::Terminate];
    match text {
        None => Ok(ShutdownBehavior::Stop),
        Some(text) => {
            both.into_iter().find(|found| found.name() == text).ok_or_else(|| {
                Error::InvalidParameterValue(format!(
                    "Value ({text}) for parameter instanceInitiatedShutdownBehavior is invalid. Expected 'stop' or \
                     'terminate'."
                ))
            })
        }
    }
}

/// Metadata options, changed as a request says.
pub(super) fn metadata(
    mut options: MetadataOptions,
    given: &InstanceMetadataOptionsRequest,
) -> Result<MetadataOptions, Error> {
    let either = |parameter, value: &Option<String>, no: &str, yes: &str| match value.as_deref() {
        None => Ok(None),
        Some(value) if value == yes => Ok(Some(true)),
        Some(value) if value == no => Ok(Some(false)),
        Some(value) => Err(not_one_of(parameter, value, &[no, yes])),
    };
    let ipv6 = either("httpProtocolIpv6", &given.http_protocol_ipv6, "disabled", "enabled")?;
    let enabled = either("httpEndpoint", &given.http_endpoint, "disabled", "enabled")?;
    let tokens = either("httpTokens", &given.http_tokens, "optional", "required")?;
    let tags = either("instanceMetadataTags", &given.instance_metadata_tags, "disabled", "enabled")?;
    if enabled == Some(false) && (tokens.is_some() || given.http_put_response_hop_limit.is_some()) {
        return Err(Error::InvalidParameterCombination(
            "HttpTokens and HttpPutResponseHopLimit may not be specified when HttpEndpoint is disabled."
                .into(),
        ));
    }
    if let Some(limit) = given.http_put_response_hop_limit {
        options.hop_limit = u8::try_from(limit).ok().filter(|limit| (1..=64).contains(limit)).ok_or_else(|| {
            Error::InvalidParameterValue(format!(
                "Value ({limit}) for parameter HttpPutResponseHopLimit is invalid. HttpPutResponseHopLimit must \
                 be an integer between 1 and 64."
            ))
        })?;
    }
    options.enabled = enabled.unwrap_or(options.enabled);
    options.ipv6 = ipv6.unwrap_or(options.ipv6);
    options.tokens_required = tokens.unwrap_or(options.tokens_required);
    options.tags = tags.unwrap_or(options.tags);
    Ok(options)
}

/// Names in the network, as a launch says or else the subnet.
pub(super) fn names(
    given: Option<&PrivateDnsNameOptionsRequest>,
    subnet: &Subnet,
) -> Result<NameOptions, Error> {
    let given = given.cloned().unwrap_or_default();
    let hostname_type = given.hostname_type.unwrap_or_else(|| subnet.hostname_type.clone());
    check_one_of("hostnameType", &hostname_type, &["ip-name", "resource-name"])?;
    let resource_name_a_record =
        given.enable_resource_name_dns_a_record.unwrap_or(subnet.resource_name_a_record);
    let resource_name_aaaa_record =
        given.enable_resource_name_dns_aaaa_record.unwrap_or(subnet.resource_name_aaaa_record);
    Ok(NameOptions { hostname_type, resource_name_a_record, resource_name_aaaa_record })
}

/// What is kept and shown without effect.
pub(super) fn kept(
    input: &RunInstancesRequest,
    found: &InstanceType,
    vpc_tenancy: &str,
) -> Result<Kept, Error> {
    let maintenance = input.maintenance_options.clone().unwrap_or_default();
    let auto_recovery = maintenance.auto_recovery.unwrap_or_else(|| "default".into());
    check_one_of("autoRecovery", &auto_recovery, &["disabled", "default"])?;
    let placement = input.placement.as_ref();
    let tenancy =
        placement.and_then(|placement| placement.tenancy.clone()).unwrap_or_else(|| vpc_tenancy.into());
    check_one_of("tenancy", &tenancy, &["default", "dedicated"])?;
    let capacity = input.capacity_reservation_specification.as_ref();
    let capacity = capacity
        .and_then(|given| given.capacity_reservation_preference.clone())
        .unwrap_or_else(|| "open".into());
    check_one_of("capacityReservationPreference", &capacity, &["open", "none"])?;
    Ok(Kept {
        ebs_optimized: input.ebs_optimized.unwrap_or(false),
        monitoring: input.monitoring.as_ref().and_then(|given| given.enabled).unwrap_or(false),
        cpu_credits: credits(
            found,
            input.credit_specification.as_ref().and_then(|given| given.cpu_credits.as_deref()),
        )?,
        cpu: cpu(found, input.cpu_options.as_ref())?,
        auto_recovery,
        reboot_migration: "default".into(),
        tenancy,
        capacity,
    })
}

/// How an instance uses up its credits; `None` for types without.
pub(super) fn credits(found: &InstanceType, given: Option<&str>) -> Result<Option<String>, Error> {
    match given {
        None => Ok(found.default_credits().map(str::to_owned)),
        Some(_) if !found.has_credits() => Err(Error::InvalidParameterCombination(format!(
            "The specified instance type {} does not support CPU credits.",
            found.name
        ))),
        Some(given) => {
            check_one_of("cpuCredits", given, &["standard", "unlimited"])?;
            Ok(Some(given.to_owned()))
        }
    }
}

/// Cores and threads.
fn cpu(found: &InstanceType, given: Option<&CpuOptionsRequest>) -> Result<(i32, i32), Error> {
    let own = (found.cores, found.threads);
    let Some(given) = given else { return Ok(own) };
    if given.amd_sev_snp.as_deref() == Some("enabled")
        || given.nested_virtualization.as_deref() == Some("enabled")
    {
        return Err(Error::Unsupported(
            "Instances have no encrypted memory and no virtualization of their own.".into(),
        ));
    }
    match (given.core_count, given.threads_per_core) {
        (None, None) => Ok(own),
        (Some(cores), Some(threads)) => {
            let valid = (cores, threads) == own
                || found.valid_cores.contains(&cores) && found.valid_threads.contains(&threads);
            if valid { Ok((cores, threads)) } else { Err(cpu_refused(found)) }
        }
        _ => Err(Error::InvalidParameterCombination(
            "When specifying CpuOptions, both CoreCount and ThreadsPerCore must be specified.".into(),
        )),
    }
}

fn cpu_refused(found: &InstanceType) -> Error {
    Error::InvalidParameterValue(format!(
        "The specified combination of CoreCount and ThreadsPerCore is not supported by the instance type {}.",
        found.name
    ))
}

/// Refuse a value that is none of these.
pub(super) fn check_one_of(parameter: &str, value: &str, values: &[&str]) -> Result<(), Error> {
    if values.contains(&value) { Ok(()) } else { Err(not_one_of(parameter, value, values)) }
}

fn not_one_of(parameter: &str, value: &str, values: &[&str]) -> Error {
    Error::InvalidParameterValue(format!(
        "Value ({value}) for parameter {parameter} is invalid. Expected one of: {}.",
        values.join(", ")
    ))
}
