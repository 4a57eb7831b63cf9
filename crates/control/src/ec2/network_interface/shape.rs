//! A network interface as responses carry it.

use std::net::{Ipv4Addr, Ipv6Addr};

use linkway_model::Snapshot;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::region::Zone;
use linkway_model::subnet::Subnet;
use linkway_wire::ec2::{
    NetworkInterface as NetworkInterfaceShape, NetworkInterfaceAssociation, NetworkInterfaceAttachment,
    NetworkInterfaceIpv6Address, NetworkInterfacePrivateIpAddress, OperatorResponse,
};

use crate::ec2::elastic_address;
use crate::ec2::security_group::identifiers;
use crate::tags;

/// The account in AWS's name that holds the attachments of managed interfaces.
const SERVICE_OWNER: &str = "amazon-aws";

/// `in-use`, or `available`.
pub(crate) fn status(interface: &NetworkInterface) -> &'static str {
    if interface.role == InterfaceRole::Available { "available" } else { "in-use" }
}

/// AWS's type of an interface.
pub(super) fn interface_type(interface: &NetworkInterface) -> &'static str {
    match interface.role {
        InterfaceRole::VpcEndpoint { .. } => "vpc_endpoint",
        InterfaceRole::LoadBalancer { .. } => "network_load_balancer",
        InterfaceRole::NatGateway { .. } => "nat_gateway",
        _ => "interface",
    }
}

/// Which service made a managed interface.
pub(super) fn requester(interface: &NetworkInterface) -> Option<&str> {
    match interface.role {
        InterfaceRole::VpcEndpoint { .. } => Some("727180483921"),
        InterfaceRole::LoadBalancer { .. } => Some("amazon-elb"),
        InterfaceRole::NatGateway { .. } => Some(interface.owner.as_str()),
        InterfaceRole::Database { .. } => Some("amazon-rds"),
        _ => None,
    }
}

/// What an interface is attached to. Services attach by ids of their own, which begin with `ela-attach-`.
pub(crate) fn attachment(interface: &NetworkInterface) -> Option<NetworkInterfaceAttachment> {
    let attached = NetworkInterfaceAttachment {
        delete_on_termination: Some(false),
        device_index: Some(1),
        instance_owner_id: Some(interface.owner.to_string()),
        network_card_index: Some(0),
        status: Some("attached".into()),
        ..NetworkInterfaceAttachment::default()
    };
    match &interface.role {
        InterfaceRole::Available => None,
        InterfaceRole::Instance {
            instance,
            attachment,
            device_index,
            attached: time,
            delete_on_termination,
        } => Some(NetworkInterfaceAttachment {
            attach_time: Some(*time),
            attachment_id: Some(attachment.to_string()),
            delete_on_termination: Some(*delete_on_termination),
            device_index: Some(*device_index),
            instance_id: Some(instance.to_string()),
            ..attached
        }),
        InterfaceRole::Namespace { attachment, attached: time, .. } => Some(NetworkInterfaceAttachment {
            attach_time: Some(*time),
            attachment_id: Some(attachment.to_string()),
            ..attached
        }),
        InterfaceRole::VpcEndpoint { .. }
        | InterfaceRole::LoadBalancer { .. }
        | InterfaceRole::NatGateway { .. }
        | InterfaceRole::Database { .. } => {
            let digits = interface.id.as_str().trim_start_matches("eni-");
            Some(NetworkInterfaceAttachment {
                attach_time: Some(interface.created),
                attachment_id: Some(format!("ela-attach-{digits}")),
                instance_owner_id: Some(SERVICE_OWNER.into()),
                ..attached
            })
        }
    }
}

/// The zone of an interface: its subnet's.
pub(super) fn zone<'a>(state: &'a Snapshot, interface: &NetworkInterface) -> Option<&'a str> {
    state.get::<Subnet>(&interface.subnet).map(|subnet| subnet.zone.as_str())
}

/// The elastic address that stands for one of an interface's.
pub(crate) fn public(
    state: &Snapshot,
    interface: &NetworkInterface,
    address: Ipv4Addr,
) -> Option<NetworkInterfaceAssociation> {
    let (elastic, association) = elastic_address::of(state, &interface.id, address)?;
    Some(NetworkInterfaceAssociation {
        allocation_id: Some(elastic.id.to_string()),
        association_id: Some(association.id.to_string()),
        ip_owner_id: Some(elastic.owner.to_string()),
        public_dns_name: Some(elastic.public_dns_name()),
        public_ip: Some(elastic.address.to_string()),
        ..NetworkInterfaceAssociation::default()
    })
}

/// An interface's IPv6 addresses, and whether each is the primary one.
pub(crate) fn ipv6_addresses(
    interface: &NetworkInterface,
) -> impl Iterator<Item = (Option<String>, Option<bool>)> + '_ {
    let primary = interface.primary_ipv6_address();
    let shape = move |address: &Ipv6Addr| (Some(address.to_string()), Some(primary == Some(*address)));
    interface.ipv6_addresses.iter().map(shape)
}

/// Endpoints' IPv6 addresses are closed to internet gateways, though they are public ones by their form. Source: AWS
/// PrivateLink's guide, "Access AWS services", of IP address types.
fn denies_gateways(interface: &NetworkInterface) -> bool {
    matches!(interface.role, InterfaceRole::VpcEndpoint { .. }) && !interface.ipv6_addresses.is_empty()
}

pub(super) fn shape(state: &Snapshot, interface: &NetworkInterface) -> NetworkInterfaceShape {
    let zone = zone(state, interface);
    let address = |address| NetworkInterfacePrivateIpAddress {
        association: public(state, interface, address),
        primary: Some(address == interface.address),
        private_dns_name: Some(interface.private_dns_name(address)),
        private_ip_address: Some(address.to_string()),
    };
    NetworkInterfaceShape {
        association: public(state, interface, interface.address),
        attachment: attachment(interface),
        availability_zone: zone.map(str::to_owned),
        availability_zone_id: zone.and_then(Zone::find).map(|zone| zone.id.to_owned()),
        deny_all_igw_traffic: denies_gateways(interface).then_some(true),
        description: Some(interface.description.clone()),
        groups: identifiers(state, &interface.groups),
        interface_type: Some(interface_type(interface).into()),
        ipv6_address: interface.ipv6_addresses.first().map(ToString::to_string),
        ipv6_addresses: ipv6_addresses(interface)
            .map(|(ipv6_address, is_primary_ipv6)| NetworkInterfaceIpv6Address {
                ipv6_address,
                is_primary_ipv6,
                ..NetworkInterfaceIpv6Address::default()
            })
            .collect(),
        mac_address: Some(interface.mac.to_string()),
        network_interface_id: Some(interface.id.to_string()),
        operator: Some(OperatorResponse { managed: Some(false), ..OperatorResponse::default() }),
        owner_id: Some(interface.owner.to_string()),
        private_dns_name: Some(interface.private_dns_name(interface.address)),
        private_ip_address: Some(interface.address.to_string()),
        private_ip_addresses: interface.addresses().map(address).collect(),
        requester_id: requester(interface).map(str::to_owned),
        requester_managed: Some(interface.requester_managed()),
        source_dest_check: Some(interface.source_dest_check),
        status: Some(status(interface).into()),
        subnet_id: Some(interface.subnet.to_string()),
        tag_set: tags::shape(&interface.tags),
        vpc_id: Some(interface.vpc.to_string()),
        ..NetworkInterfaceShape::default()
    }
}
