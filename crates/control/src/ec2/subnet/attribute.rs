//! A subnet's attributes.

use linkway_model::subnet::Subnet;
use linkway_wire::ec2::{AttributeBooleanValue, ModifySubnetAttributeRequest};

use crate::ec2::one_attribute::one_attribute;
use crate::lookup::named;
use crate::{Caller, Control, Error};

pub(crate) fn modify_attribute(
    control: &Control,
    caller: &Caller,
    input: ModifySubnetAttributeRequest,
) -> Result<(), Error> {
    let value = |attribute: &Option<AttributeBooleanValue>| attribute.as_ref().and_then(|found| found.value);
    let absent = [
        ("assignIpv6AddressOnCreation", &input.assign_ipv6_address_on_creation),
        ("enableDns64", &input.enable_dns64),
        ("enableResourceNameDnsAAAARecordOnLaunch", &input.enable_resource_name_dns_aaaa_record_on_launch),
        ("mapCustomerOwnedIpOnLaunch", &input.map_customer_owned_ip_on_launch),
    ];
    if absent.into_iter().any(|(_, attribute)| value(attribute) == Some(true)) {
        return Err(Error::Unsupported("Subnets have no IPv6 CIDR block and are not on an Outpost.".into()));
    }
    let map_public_ip = value(&input.map_public_ip_on_launch);
    let a_record = value(&input.enable_resource_name_dns_a_record_on_launch);
    let hostname_type = input.private_dns_hostname_type_on_launch;
    if let Some(given) =
        hostname_type.as_deref().filter(|given| !matches!(*given, "ip-name" | "resource-name"))
    {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({given}) for parameter privateDnsHostnameTypeOnLaunch is invalid."
        )));
    }
    let present = [
        ("mapPublicIpOnLaunch", map_public_ip.is_some()),
        ("enableResourceNameDnsARecordOnLaunch", a_record.is_some()),
        ("privateDnsHostnameTypeOnLaunch", hostname_type.is_some()),
    ];
    let absent = absent.map(|(name, attribute)| (name, attribute.is_some()));
    one_attribute(&[&present[..], &absent[..]].concat())?;
    control.write(None, |tx| {
        let id = named::<Subnet>(tx, caller, input.subnet_id.as_deref(), "SubnetId")?.id.clone();
        tx.update::<Subnet>(&id, |subnet| {
            subnet.map_public_ip_on_launch = map_public_ip.unwrap_or(subnet.map_public_ip_on_launch);
            subnet.resource_name_a_record = a_record.unwrap_or(subnet.resource_name_a_record);
            if let Some(given) = hostname_type {
                subnet.hostname_type = given;
            }
        });
        Ok(())
    })
}
