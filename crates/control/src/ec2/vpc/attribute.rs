//! A VPC's attributes: one a call, to read and to change.

use linkway_model::vpc::Vpc;
use linkway_wire::ec2::{
    AttributeBooleanValue, DescribeVpcAttributeRequest, DescribeVpcAttributeResult, ModifyVpcAttributeRequest,
};

use crate::ec2::one_attribute::one_attribute;
use crate::lookup::{named, required};
use crate::{Caller, Control, Error};

pub(crate) fn describe_attribute(
    control: &Control,
    caller: &Caller,
    input: DescribeVpcAttributeRequest,
) -> Result<DescribeVpcAttributeResult, Error> {
    let state = control.read(input.dry_run)?;
    let attribute = required(input.attribute, "Attribute")?;
    let vpc = named::<Vpc>(&state, caller, input.vpc_id.as_deref(), "VpcId")?;
    let mut answer = DescribeVpcAttributeResult {
        vpc_id: Some(vpc.id.to_string()),
        ..DescribeVpcAttributeResult::default()
    };
    let (member, value) = match attribute.as_str() {
        "enableDnsSupport" => (&mut answer.enable_dns_support, vpc.enable_dns_support),
        "enableDnsHostnames" => (&mut answer.enable_dns_hostnames, vpc.enable_dns_hostnames),
        "enableNetworkAddressUsageMetrics" => {
            (&mut answer.enable_network_address_usage_metrics, vpc.enable_network_address_usage_metrics)
        }
        _ => {
            return Err(Error::InvalidParameterValue(format!(
                "Value ({attribute}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    };
    *member = Some(AttributeBooleanValue { value: Some(value) });
    Ok(answer)
}

pub(crate) fn modify_attribute(
    control: &Control,
    caller: &Caller,
    input: ModifyVpcAttributeRequest,
) -> Result<(), Error> {
    let value = |attribute: Option<AttributeBooleanValue>| attribute.and_then(|attribute| attribute.value);
    let support = value(input.enable_dns_support);
    let hostnames = value(input.enable_dns_hostnames);
    let metrics = value(input.enable_network_address_usage_metrics);
    one_attribute(&[
        ("enableDnsHostnames", hostnames.is_some()),
        ("enableDnsSupport", support.is_some()),
        ("enableNetworkAddressUsageMetrics", metrics.is_some()),
    ])?;
    control.write(None, |tx| {
        let id = named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.id.clone();
        tx.update::<Vpc>(&id, |vpc| {
            vpc.enable_dns_support = support.unwrap_or(vpc.enable_dns_support);
            vpc.enable_dns_hostnames = hostnames.unwrap_or(vpc.enable_dns_hostnames);
            vpc.enable_network_address_usage_metrics =
                metrics.unwrap_or(vpc.enable_network_address_usage_metrics);
        });
        Ok(())
    })
}
