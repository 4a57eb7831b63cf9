//! An instance as responses carry it. What Linkway's instances do not have (an image, a type, volumes) is left
//! out.

use std::net::Ipv4Addr;

use linkway_model::Snapshot;
use linkway_model::image::host_architecture;
use linkway_model::instance::{Instance, InstanceState, StateCause};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::region::Zone;
use linkway_model::subnet::Subnet;
use linkway_wire::ec2::{
    Instance as InstanceShape, InstanceNetworkInterface, InstanceNetworkInterfaceAssociation,
    InstanceNetworkInterfaceAttachment, InstancePrivateIpAddress, InstanceState as InstanceStateShape,
    Monitoring, Placement, PrivateDnsNameOptionsResponse, Reservation, StateReason,
};

use super::interface;
use crate::ec2::network_interface::{attached, attachment, public, status};
use crate::ec2::security_group::identifiers;
use crate::tags;

/// An instance within what launched it.
pub(super) fn reservation(state: &Snapshot, instance: &Instance) -> Reservation {
    Reservation {
        instances: vec![shape(state, instance)],
        owner_id: Some(instance.owner.to_string()),
        reservation_id: Some(instance.reservation.to_string()),
        ..Reservation::default()
    }
}

/// A state's name and code.
pub(super) fn state(state: InstanceState) -> InstanceStateShape {
    InstanceStateShape { code: Some(state.code()), name: Some(state.name().into()) }
}

fn shape(snapshot: &Snapshot, instance: &Instance) -> InstanceShape {
    let interface = interface(snapshot, instance);
    let public = interface.and_then(|found| public(snapshot, found, found.address));
    InstanceShape {
        ami_launch_index: Some(0),
        architecture: Some(host_architecture().into()),
        instance_id: Some(instance.id.to_string()),
        launch_time: Some(instance.launched),
        monitoring: Some(Monitoring { state: Some("disabled".into()) }),
        network_interfaces: attached(snapshot, &instance.id)
            .into_iter()
            .map(|(_, found)| interface_shape(snapshot, found))
            .collect(),
        placement: Some(Placement {
            availability_zone: Some(instance.zone.clone()),
            availability_zone_id: Zone::find(&instance.zone).map(|zone| zone.id.into()),
            group_name: Some(String::new()),
            tenancy: Some("default".into()),
            ..Placement::default()
        }),
        private_dns_name: Some(
            interface.map(|found| found.private_dns_name(found.address)).unwrap_or_default(),
        ),
        private_dns_name_options: snapshot.get::<Subnet>(&instance.subnet).map(|subnet| {
            PrivateDnsNameOptionsResponse {
                enable_resource_name_dns_a_record: Some(subnet.resource_name_a_record),
                enable_resource_name_dns_aaaa_record: Some(false),
                hostname_type: Some(subnet.hostname_type.clone()),
            }
        }),
        private_ip_address: interface.map(|found| found.address.to_string()),
        public_dns_name: Some(
            public.as_ref().and_then(|found| found.public_dns_name.clone()).unwrap_or_default(),
        ),
        public_ip_address: public.and_then(|found| found.public_ip),
        security_groups: interface.map_or_else(Vec::new, |found| identifiers(snapshot, &found.groups)),
        source_dest_check: interface.map(|found| found.source_dest_check),
        state: Some(state(instance.state)),
        state_reason: instance.cause.map(state_reason),
        state_transition_reason: Some(instance.reason.clone()),
        subnet_id: Some(instance.subnet.to_string()),
        tags: tags::shape(&instance.tags),
        vpc_id: Some(instance.vpc.to_string()),
        ..InstanceShape::default()
    }
}

/// AWS's code and words for what brought an instance to its end.
fn state_reason(cause: StateCause) -> StateReason {
    let words = match cause {
        StateCause::User => "User initiated shutdown",
        StateCause::Instance => "Instance initiated shutdown",
        StateCause::Failure => "Internal error on launch",
    };
    StateReason { code: Some(cause.code().into()), message: Some(format!("{}: {words}", cause.code())) }
}

/// The elastic address that stands for one of an instance's.
fn associated(
    snapshot: &Snapshot,
    interface: &NetworkInterface,
    address: Ipv4Addr,
) -> Option<InstanceNetworkInterfaceAssociation> {
    let public = public(snapshot, interface, address)?;
    Some(InstanceNetworkInterfaceAssociation {
        ip_owner_id: public.ip_owner_id,
        public_dns_name: public.public_dns_name,
        public_ip: public.public_ip,
        ..InstanceNetworkInterfaceAssociation::default()
    })
}

fn interface_shape(snapshot: &Snapshot, interface: &NetworkInterface) -> InstanceNetworkInterface {
    let address = |address| InstancePrivateIpAddress {
        association: associated(snapshot, interface, address),
        primary: Some(address == interface.address),
        private_dns_name: Some(interface.private_dns_name(address)),
        private_ip_address: Some(address.to_string()),
    };
    let attachment = attachment(interface).map(|attached| InstanceNetworkInterfaceAttachment {
        attach_time: attached.attach_time,
        attachment_id: attached.attachment_id,
        delete_on_termination: attached.delete_on_termination,
        device_index: attached.device_index,
        network_card_index: attached.network_card_index,
        status: attached.status,
        ..InstanceNetworkInterfaceAttachment::default()
    });
    InstanceNetworkInterface {
        association: associated(snapshot, interface, interface.address),
        attachment,
        description: Some(interface.description.clone()),
        groups: identifiers(snapshot, &interface.groups),
        interface_type: Some("interface".into()),
        mac_address: Some(interface.mac.to_string()),
        network_interface_id: Some(interface.id.to_string()),
        owner_id: Some(interface.owner.to_string()),
        private_dns_name: Some(interface.private_dns_name(interface.address)),
        private_ip_address: Some(interface.address.to_string()),
        private_ip_addresses: interface.addresses().map(address).collect(),
        source_dest_check: Some(interface.source_dest_check),
        status: Some(status(interface).into()),
        subnet_id: Some(interface.subnet.to_string()),
        vpc_id: Some(interface.vpc.to_string()),
        ..InstanceNetworkInterface::default()
    }
}
