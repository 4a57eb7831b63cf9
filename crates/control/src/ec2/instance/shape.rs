//! An instance as responses carry it. What an instance of the command line's does not have (an image, a type, volumes)
//! is left out.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::image::{Image, host_architecture};
use linkway_model::instance::{Instance, InstanceState, StateCause};
use linkway_model::launch::{Launch, MetadataOptions, Volume};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::region::Zone;
use linkway_model::{ReservationId, Snapshot};
use linkway_wire::ec2::{
    CapacityReservationSpecificationResponse, CpuOptions, EbsInstanceBlockDevice, EnclaveOptions,
    HibernationOptions, IamInstanceProfile, Instance as InstanceShape, InstanceBlockDeviceMapping,
    InstanceIpv6Address, InstanceMaintenanceOptions, InstanceMetadataOptionsResponse,
    InstanceNetworkInterface, InstanceNetworkInterfaceAssociation, InstanceNetworkInterfaceAttachment,
    InstanceNetworkPerformanceOptions, InstancePrivateIpAddress, InstanceState as InstanceStateShape,
    Monitoring, OperatorResponse, Placement, PrivateDnsNameOptionsResponse, Reservation, StateReason,
};

use super::{instance_type, interface};
use crate::ec2::image::{HYPERVISOR, PLATFORM, USAGE_OPERATION};
use crate::ec2::network_interface::{attached, attachment, ipv6_addresses, public, status};
use crate::ec2::security_group::identifiers;
use crate::ec2::volume::ROOT_DEVICE;
use crate::tags;

/// Instances within what launched them, in the order of reservations, and of launch within each.
pub(super) fn reservations(state: &Snapshot, instances: &[Arc<Instance>]) -> Vec<Reservation> {
    let mut by_reservation = BTreeMap::<&ReservationId, Vec<&Instance>>::new();
    for instance in instances {
        by_reservation.entry(&instance.reservation).or_default().push(instance);
    }
    let shape = |(id, mut instances): (&ReservationId, Vec<&Instance>)| {
        instances.sort_by_key(|instance| instance.launch.as_ref().map_or(0, |launch| launch.index));
        Reservation {
            owner_id: instances.first().map(|first| first.owner.to_string()),
            instances: instances.into_iter().map(|instance| shape(state, instance)).collect(),
            reservation_id: Some(id.to_string()),
            ..Reservation::default()
        }
    };
    by_reservation.into_iter().map(shape).collect()
}

/// A state's name and code.
pub(super) fn state(state: InstanceState) -> InstanceStateShape {
    InstanceStateShape { code: Some(state.code()), name: Some(state.name().into()) }
}

fn shape(snapshot: &Snapshot, instance: &Instance) -> InstanceShape {
    let interface = interface(snapshot, instance);
    let public = interface.and_then(|found| public(snapshot, found, found.address));
    let shape = InstanceShape {
        ami_launch_index: Some(0),
        architecture: Some(host_architecture().into()),
        instance_id: Some(instance.id.to_string()),
        ipv6_address: interface.and_then(|found| found.ipv6_addresses.first()).map(ToString::to_string),
        launch_time: Some(instance.launched),
        monitoring: Some(Monitoring { state: Some("disabled".into()) }),
        network_interfaces: attached(snapshot, &instance.id)
            .into_iter()
            .map(|(_, found)| interface_shape(snapshot, found))
            .collect(),
        operator: Some(OperatorResponse { managed: Some(false), ..OperatorResponse::default() }),
        placement: Some(Placement {
            availability_zone: Some(instance.zone.clone()),
            availability_zone_id: Zone::find(&instance.zone).map(|zone| zone.id.into()),
            group_name: Some(String::new()),
            tenancy: Some("default".into()),
            ..Placement::default()
        }),
        private_dns_name: Some(private_dns_name(snapshot, instance).unwrap_or_default()),
        private_dns_name_options: instance.names(snapshot).map(|names| PrivateDnsNameOptionsResponse {
            enable_resource_name_dns_a_record: Some(names.resource_name_a_record),
            enable_resource_name_dns_aaaa_record: Some(names.resource_name_aaaa_record),
            hostname_type: Some(names.hostname_type),
        }),
        private_ip_address: interface.map(|found| found.address.to_string()),
        public_dns_name: Some(
            public.as_ref().and_then(|found| found.public_dns_name.clone()).unwrap_or_default(),
        ),
        public_ip_address: public.and_then(|found| found.public_ip),
        security_groups: interface.map_or_else(Vec::new, |found| identifiers(snapshot, &found.groups)),
        source_dest_check: interface.map(|found| found.source_dest_check),
        state: Some(state(instance.state)),
        state_reason: state_reason(instance),
        state_transition_reason: Some(instance.reason.clone()),
        subnet_id: Some(instance.subnet.to_string()),
        tags: tags::shape(&instance.tags),
        vpc_id: Some(instance.vpc.to_string()),
        ..InstanceShape::default()
    };
    match &instance.launch {
        Some(launch) => with_launch(snapshot, instance, launch, shape),
        None => InstanceShape { root_device_type: Some("instance-store".into()), ..shape },
    }
}

/// What an instance of an image has besides.
fn with_launch(
    snapshot: &Snapshot,
    instance: &Instance,
    launch: &Launch,
    shape: InstanceShape,
) -> InstanceShape {
    let found = instance_type(instance);
    let nitro = found.is_some_and(|found| found.hypervisor == "nitro");
    let profile = launch.profile.as_ref();
    let monitoring = if launch.kept.monitoring { "enabled" } else { "disabled" };
    let architecture = Image::find(snapshot, &launch.image).map(|image| image.architecture.clone());
    InstanceShape {
        ami_launch_index: Some(launch.index),
        architecture: architecture.or(shape.architecture),
        block_device_mappings: devices(instance),
        capacity_reservation_specification: Some(CapacityReservationSpecificationResponse {
            capacity_reservation_preference: Some(launch.kept.capacity.clone()),
            ..CapacityReservationSpecificationResponse::default()
        }),
        client_token: Some(launch.client_token.clone().unwrap_or_default()),
        cpu_options: Some(CpuOptions {
            core_count: Some(launch.kept.cpu.0),
            threads_per_core: Some(launch.kept.cpu.1),
            ..CpuOptions::default()
        }),
        ebs_optimized: Some(launch.kept.ebs_optimized),
        ena_support: Some(true),
        enclave_options: Some(EnclaveOptions { enabled: Some(false) }),
        hibernation_options: Some(HibernationOptions { configured: Some(false) }),
        hypervisor: Some(HYPERVISOR.into()),
        iam_instance_profile: profile.map(|profile| IamInstanceProfile {
            arn: Some(profile.arn.clone()),
            id: Some(profile.profile_id.clone()),
        }),
        image_id: Some(launch.image.to_string()),
        instance_type: Some(launch.instance_type.clone()),
        current_instance_boot_mode: Some(if nitro { "uefi" } else { "legacy-bios" }.into()),
        key_name: launch.key.as_ref().map(|key| key.name.clone()),
        maintenance_options: Some(InstanceMaintenanceOptions {
            auto_recovery: Some(launch.kept.auto_recovery.clone()),
            reboot_migration: Some(launch.kept.reboot_migration.clone()),
        }),
        metadata_options: Some(metadata(launch.metadata, "applied")),
        monitoring: Some(Monitoring { state: Some(monitoring.into()) }),
        network_performance_options: Some(InstanceNetworkPerformanceOptions {
            bandwidth_weighting: Some("default".into()),
        }),
        placement: shape
            .placement
            .map(|placement| Placement { tenancy: Some(launch.kept.tenancy.clone()), ..placement }),
        platform_details: Some(PLATFORM.into()),
        root_device_name: Some(ROOT_DEVICE.into()),
        root_device_type: Some("ebs".into()),
        usage_operation: Some(USAGE_OPERATION.into()),
        usage_operation_update_time: Some(
            launch.volumes.first().map_or(instance.launched, |root| root.created),
        ),
        virtualization_type: Some("hvm".into()),
        ..shape
    }
}

/// An instance's volumes as its devices; none once it is terminated.
pub(super) fn devices(instance: &Instance) -> Vec<InstanceBlockDeviceMapping> {
    let launch = instance.launch.as_ref().filter(|_| instance.state != InstanceState::Terminated);
    let device = |volume: &Volume| InstanceBlockDeviceMapping {
        device_name: Some(volume.device.clone()),
        ebs: Some(EbsInstanceBlockDevice {
            attach_time: Some(volume.created),
            delete_on_termination: Some(volume.delete_on_termination),
            status: Some("attached".into()),
            volume_id: Some(volume.id.to_string()),
            ..EbsInstanceBlockDevice::default()
        }),
    };
    launch.iter().flat_map(|launch| &launch.volumes).map(device).collect()
}

/// Metadata options; `state` says whether they are in effect yet.
pub(super) fn metadata(options: MetadataOptions, state: &str) -> InstanceMetadataOptionsResponse {
    let either = |on, yes: &str, no: &str| Some(if on { yes } else { no }.to_owned());
    InstanceMetadataOptionsResponse {
        http_endpoint: either(options.enabled, "enabled", "disabled"),
        http_protocol_ipv6: either(options.ipv6, "enabled", "disabled"),
        http_put_response_hop_limit: Some(options.hop_limit.into()),
        http_tokens: either(options.tokens_required, "required", "optional"),
        instance_metadata_tags: either(options.tags, "enabled", "disabled"),
        state: Some(state.into()),
    }
}

/// An instance's private name: by its address, or by its id.
pub(super) fn private_dns_name(snapshot: &Snapshot, instance: &Instance) -> Option<String> {
    Some(instance.private_dns_name(interface(snapshot, instance)?))
}

/// AWS's code and words for what brought an instance to its end, or for that it is not up yet.
pub(super) fn state_reason(instance: &Instance) -> Option<StateReason> {
    if instance.state == InstanceState::Pending {
        return Some(StateReason { code: Some("pending".into()), message: Some("pending".into()) });
    }
    let cause = instance.cause?;
    let words = match cause {
        StateCause::User => "User initiated shutdown",
        StateCause::Instance => "Instance initiated shutdown",
        StateCause::Failure => "Internal error on launch",
    };
    Some(StateReason { code: Some(cause.code().into()), message: Some(format!("{}: {words}", cause.code())) })
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
        ipv6_addresses: ipv6_addresses(interface)
            .map(|(ipv6_address, is_primary_ipv6)| InstanceIpv6Address { ipv6_address, is_primary_ipv6 })
            .collect(),
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
