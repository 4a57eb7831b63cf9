//! A subnet's attributes.

use linkway_model::subnet::Subnet;
use linkway_wire::ec2::{AttributeBooleanValue, ModifySubnetAttributeRequest};

use super::cidr_block;
use crate::ec2::one_attribute::one_attribute;
use crate::lookup::named;
use crate::{Caller, Control, Error};

pub(crate) fn modify_attribute(
    control: &Control,
    caller: &Caller,
    input: ModifySubnetAttributeRequest,
) -> Result<(), Error> {
    let value = |attribute: &Option<AttributeBooleanValue>| attribute.as_ref().and_then(|found| found.value);
    if value(&input.map_customer_owned_ip_on_launch) == Some(true) {
        return Err(Error::Unsupported("Subnets are not on an Outpost.".into()));
    }
    let map_public_ip = value(&input.map_public_ip_on_launch);
    let assign_ipv6 = value(&input.assign_ipv6_address_on_creation);
    let dns64 = value(&input.enable_dns64);
    let a_record = value(&input.enable_resource_name_dns_a_record_on_launch);
    let aaaa_record = value(&input.enable_resource_name_dns_aaaa_record_on_launch);
    let hostname_type = input.private_dns_hostname_type_on_launch;
    if let Some(given) =
        hostname_type.as_deref().filter(|given| !matches!(*given, "ip-name" | "resource-name"))
    {
        return Err(Error::InvalidParameterValue(format!(
            "Value ({given}) for parameter privateDnsHostnameTypeOnLaunch is invalid."
        )));
    }
    one_attribute(&[
        ("mapPublicIpOnLaunch", map_public_ip.is_some()),
        ("enableResourceNameDnsARecordOnLaunch", a_record.is_some()),
        ("privateDnsHostnameTypeOnLaunch", hostname_type.is_some()),
        ("assignIpv6AddressOnCreation", input.assign_ipv6_address_on_creation.is_some()),
        ("enableDns64", input.enable_dns64.is_some()),
        (
            "enableResourceNameDnsAAAARecordOnLaunch",
            input.enable_resource_name_dns_aaaa_record_on_launch.is_some(),
        ),
        ("mapCustomerOwnedIpOnLaunch", input.map_customer_owned_ip_on_launch.is_some()),
    ])?;
    let of_ipv6 = [
        (assign_ipv6, "assign-ipv6-address-on-creation"),
        (dns64, "enable-dns64"),
        (aaaa_record, "enable-resource-name-dns-aaaa-record-on-launch"),
    ];
    control.write(None, |tx| {
        let subnet = named::<Subnet>(tx, caller, input.subnet_id.as_deref(), "SubnetId")?.clone();
        for (_, name) in of_ipv6.into_iter().filter(|(value, _)| *value == Some(true)) {
            cidr_block::check_attribute(&subnet, name)?;
        }
        tx.update::<Subnet>(&subnet.id, |subnet| {
            subnet.map_public_ip_on_launch = map_public_ip.unwrap_or(subnet.map_public_ip_on_launch);
            subnet.assign_ipv6_address_on_creation =
                assign_ipv6.unwrap_or(subnet.assign_ipv6_address_on_creation);
            subnet.enable_dns64 = dns64.unwrap_or(subnet.enable_dns64);
            subnet.resource_name_a_record = a_record.unwrap_or(subnet.resource_name_a_record);
            subnet.resource_name_aaaa_record = aaaa_record.unwrap_or(subnet.resource_name_aaaa_record);
            if let Some(given) = hostname_type {
                subnet.hostname_type = given;
            }
        });
        Ok(())
    })
}
