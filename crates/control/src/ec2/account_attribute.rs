//! What AWS tells an account about itself in a region. The numbers are AWS's default quotas.

use linkway_wire::ec2::{
    AccountAttribute, AccountAttributeValue, DescribeAccountAttributesRequest,
    DescribeAccountAttributesResult,
};

use crate::{Caller, Control, Error};

const ATTRIBUTES: &[(&str, &str)] = &[
    ("supported-platforms", "VPC"),
    ("vpc-max-security-groups-per-interface", "5"),
    ("max-elastic-ips", "5"),
    ("max-instances", "20"),
    ("vpc-max-elastic-ips", "5"),
    ("default-vpc", "none"),
];

pub(crate) fn describe(
    control: &Control,
    _: &Caller,
    input: DescribeAccountAttributesRequest,
) -> Result<DescribeAccountAttributesResult, Error> {
    control.read(input.dry_run)?;
    let names = &input.attribute_names;
    if let Some(unknown) = names.iter().find(|name| !ATTRIBUTES.iter().any(|(known, _)| known == name)) {
        return Err(Error::InvalidParameterValue(format!("Invalid attribute name: {unknown}")));
    }
    let shape = |(name, value): &(&str, &str)| AccountAttribute {
        attribute_name: Some((*name).into()),
        attribute_values: vec![AccountAttributeValue { attribute_value: Some((*value).into()) }],
    };
    let asked = |(name, _): &&(&str, &str)| names.is_empty() || names.iter().any(|asked| asked == name);
    Ok(DescribeAccountAttributesResult {
        account_attributes: ATTRIBUTES.iter().filter(asked).map(shape).collect(),
    })
}
