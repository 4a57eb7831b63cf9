//! What AWS tells an account about itself in a region. The numbers are AWS's default quotas, but for that of
//! elastic addresses: `MAX_ADDRESSES`.

use linkway_wire::ec2::{
    AccountAttribute, AccountAttributeValue, DescribeAccountAttributesRequest,
    DescribeAccountAttributesResult,
};

use crate::ec2::default_vpc;
use crate::{Caller, Control, Error};

const QUOTAS: &[(&str, &str)] = &[
    ("supported-platforms", "VPC"),
    ("vpc-max-security-groups-per-interface", "5"),
    ("max-elastic-ips", "500"),
    ("max-instances", "20"),
    ("vpc-max-elastic-ips", "500"),
];

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeAccountAttributesRequest,
) -> Result<DescribeAccountAttributesResult, Error> {
    let state = control.read_given(caller, input.dry_run)?;
    let default_vpc =
        default_vpc::of(&state, caller).map_or_else(|| "none".to_owned(), |vpc| vpc.id.to_string());
    let mut attributes: Vec<(&str, String)> =
        QUOTAS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    attributes.push(("default-vpc", default_vpc));
    let names = &input.attribute_names;
    if let Some(unknown) = names.iter().find(|name| !attributes.iter().any(|(known, _)| known == name)) {
        return Err(Error::InvalidParameterValue(format!("Invalid attribute name: {unknown}")));
    }
    attributes.retain(|(name, _)| names.is_empty() || names.iter().any(|asked| asked == name));
    let shape = |(name, value): (&str, String)| AccountAttribute {
        attribute_name: Some(name.into()),
        attribute_values: vec![AccountAttributeValue { attribute_value: Some(value) }],
    };
    Ok(DescribeAccountAttributesResult { account_attributes: attributes.into_iter().map(shape).collect() })
}
