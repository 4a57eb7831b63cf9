//! What instances are filtered by.

use linkway_model::Snapshot;
use linkway_model::image::{Image, host_architecture};
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::launch::{Launch, Volume};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::region::Zone;
use linkway_wire::ec2::{GroupIdentifier, NetworkInterfaceAssociation, NetworkInterfaceAttachment};

use super::shape::{private_dns_name, state_reason};
use super::{instance_type, interface};
use crate::ec2::image::{HYPERVISOR, PLATFORM, USAGE_OPERATION};
use crate::ec2::network_interface::{self, attachment, ipv6_addresses, public, status};
use crate::ec2::security_group::identifiers;
use crate::ec2::volume::ROOT_DEVICE;
use crate::filter::{Field, fields, many, none, one};

fn groups(state: &Snapshot, instance: &Instance) -> Vec<GroupIdentifier> {
    interface(state, instance).map_or_else(Vec::new, |found| identifiers(state, &found.groups))
}

/// An instance's interfaces.
fn interfaces<'a>(state: &'a Snapshot, instance: &Instance) -> impl Iterator<Item = &'a NetworkInterface> {
    network_interface::attached(state, &instance.id).into_iter().map(|(_, found)| found.as_ref())
}

/// One thing of each of an instance's interfaces.
fn each<V: ToString>(
    state: &Snapshot,
    instance: &Instance,
    read: impl Fn(&NetworkInterface) -> V,
) -> Vec<String> {
    many(interfaces(state, instance).map(read))
}

/// One thing of the attachment of each.
fn each_attached<V: ToString>(
    state: &Snapshot,
    instance: &Instance,
    read: impl Fn(NetworkInterfaceAttachment) -> Option<V>,
) -> Vec<String> {
    many(interfaces(state, instance).filter_map(attachment).filter_map(read))
}

/// One thing of the elastic address of each of their addresses, or of the primary ones.
fn each_public<V: ToString>(
    state: &Snapshot,
    instance: &Instance,
    all: bool,
    read: impl Fn(NetworkInterfaceAssociation) -> Option<V>,
) -> Vec<String> {
    let addresses =
        |found: &NetworkInterface| found.addresses().take(if all { usize::MAX } else { 1 }).collect();
    let associations = interfaces(state, instance).flat_map(|found| {
        let addresses: Vec<_> = addresses(found);
        addresses.into_iter().filter_map(|address| public(state, found, address))
    });
    many(associations.filter_map(read))
}

/// The elastic address of an instance's own address.
fn own_public(state: &Snapshot, instance: &Instance) -> Option<NetworkInterfaceAssociation> {
    let found = interface(state, instance)?;
    public(state, found, found.address)
}

/// One thing of the launch of an instance of an image.
fn launched<V: ToString>(instance: &Instance, read: impl Fn(&Launch) -> V) -> Vec<String> {
    many(instance.launch.as_deref().map(read))
}

/// One thing of each of its volumes.
fn volumes<V: ToString>(instance: &Instance, read: impl Fn(&Volume) -> V) -> Vec<String> {
    let launch = instance.launch.as_deref().filter(|_| instance.state != InstanceState::Terminated);
    many(launch.iter().flat_map(|launch| &launch.volumes).map(read))
}

/// Whichever of two words fits.
fn either(which: bool, yes: &'static str, no: &'static str) -> &'static str {
    if which { yes } else { no }
}

pub(super) const FILTERS: &[Field<Instance>] = fields! {
    "architecture" => |state, found| one(
        found
            .launch
            .as_ref()
            .and_then(|launch| Image::find(state, &launch.image))
            .map_or_else(|| host_architecture().to_owned(), |image| image.architecture.clone())
    );
    "block-device-mapping.attach-time" => |_, found| volumes(found, |one| format!("{:.3}", one.created));
    "block-device-mapping.delete-on-termination" => |_, found| volumes(found, |one| one.delete_on_termination);
    "block-device-mapping.device-name" => |_, found| volumes(found, |one| one.device.clone());
    "block-device-mapping.status" => |_, found| volumes(found, |_| "attached");
    "block-device-mapping.volume-id" => |_, found| volumes(found, |one| one.id.clone());
    "boot-mode" => none;
    "capacity-reservation-specification.capacity-reservation-preference" =>
        |_, found| launched(found, |launch| launch.kept.capacity.clone());
    "client-token" => |_, found| many(found.launch.as_ref().and_then(|launch| launch.client_token.as_ref()));
    "current-instance-boot-mode" => |_, found| many(instance_type(found).map(|found| {
        either(found.hypervisor == "nitro", "uefi", "legacy-bios")
    }));
    "dns-name" => |state, found| many(own_public(state, found).and_then(|public| public.public_dns_name));
    "ebs-optimized" => |_, found| launched(found, |launch| launch.kept.ebs_optimized);
    "ena-support" => |_, found| launched(found, |_| true);
    "enclave-options.enabled" | "hibernation-options.configured" => |_, found| launched(found, |_| false);
    "hypervisor" => |_, found| launched(found, |_| HYPERVISOR);
    "iam-instance-profile.arn" => |_, found|
        many(found.launch.as_ref().and_then(|launch| launch.profile.as_ref()).map(|profile| &profile.arn));
    "iam-instance-profile.id" => |_, found|
        many(found.launch.as_ref().and_then(|launch| launch.profile.as_ref()).map(|profile| &profile.profile_id));
    "image-id" => |_, found| launched(found, |launch| launch.image.clone());
    "instance-type" => |_, found| launched(found, |launch| launch.instance_type.clone());
    "ip-address" => |state, found| many(own_public(state, found).and_then(|public| public.public_ip));
    "key-name" => |_, found|
        many(found.launch.as_ref().and_then(|launch| launch.key.as_ref()).map(|key| &key.name));
    "maintenance-options.auto-recovery" => |_, found| launched(found, |launch| launch.kept.auto_recovery.clone());
    "metadata-options.http-endpoint" =>
        |_, found| launched(found, |launch| either(launch.metadata.enabled, "enabled", "disabled"));
    "metadata-options.http-protocol-ipv4" => |_, found| launched(found, |_| "enabled");
    "metadata-options.http-protocol-ipv6" =>
        |_, found| launched(found, |launch| either(launch.metadata.ipv6, "enabled", "disabled"));
    "metadata-options.http-put-response-hop-limit" =>
        |_, found| launched(found, |launch| launch.metadata.hop_limit);
    "metadata-options.http-tokens" =>
        |_, found| launched(found, |launch| either(launch.metadata.tokens_required, "required", "optional"));
    "metadata-options.instance-metadata-tags" =>
        |_, found| launched(found, |launch| either(launch.metadata.tags, "enabled", "disabled"));
    "metadata-options.state" => |_, found| launched(found, |_| "applied");
    "network-performance-options.bandwidth-weighting" => |_, found| launched(found, |_| "default");
    "operator.managed" => |_, _| one(false);
    "platform-details" => |_, found| launched(found, |_| PLATFORM);
    "private-dns-name-options.enable-resource-name-dns-a-record" =>
        |state, found| many(found.names(state).map(|names| names.resource_name_a_record));
    "private-dns-name-options.enable-resource-name-dns-aaaa-record" =>
        |state, found| many(found.names(state).map(|names| names.resource_name_aaaa_record));
    "private-dns-name-options.hostname-type" =>
        |state, found| many(found.names(state).map(|names| names.hostname_type));
    "root-device-name" => |_, found| launched(found, |_| ROOT_DEVICE);
    "root-device-type" => |_, found| one(either(found.launch.is_some(), "ebs", "instance-store"));
    "state-reason-code" => |_, found| many(state_reason(found).and_then(|reason| reason.code));
    "usage-operation" => |_, found| launched(found, |_| USAGE_OPERATION);
    "usage-operation-update-time" => |_, found| volumes(found, |one| format!("{:.3}", one.created));
    "virtualization-type" => |_, found| launched(found, |_| "hvm");
    "availability-zone" => |_, found| one(&found.zone);
    "availability-zone-id" => |_, found| many(Zone::find(&found.zone).map(|zone| zone.id));
    "instance-id" => |_, found| one(&found.id);
    "instance-state-code" => |_, found| one(found.state.code());
    "instance-state-name" => |_, found| one(found.state.name());
    "instance.group-id" =>
        |state, found| many(interface(state, found).into_iter().flat_map(|one| &one.groups));
    "instance.group-name" =>
        |state, found| many(groups(state, found).into_iter().filter_map(|group| group.group_name));
    "ipv6-address" =>
        |state, found| many(interface(state, found).into_iter().flat_map(|one| &one.ipv6_addresses));
    "launch-index" => |_, found| one(found.launch.as_ref().map_or(0, |launch| launch.index));
    "launch-time" => |_, found| one(format!("{:.3}", found.launched));
    "monitoring-state" => |_, found| one(either(
        found.launch.as_ref().is_some_and(|launch| launch.kept.monitoring), "enabled", "disabled"
    ));
    "network-interface.addresses.association.allocation-id" =>
        |state, found| each_public(state, found, true, |one| one.allocation_id);
    "network-interface.addresses.association.association-id" =>
        |state, found| each_public(state, found, true, |one| one.association_id);
    "network-interface.addresses.association.ip-owner-id" =>
        |state, found| each_public(state, found, true, |one| one.ip_owner_id);
    "network-interface.addresses.association.public-dns-name" =>
        |state, found| each_public(state, found, true, |one| one.public_dns_name);
    "network-interface.addresses.association.public-ip" =>
        |state, found| each_public(state, found, true, |one| one.public_ip);
    "network-interface.addresses.primary" =>
        |state, found| many(interfaces(state, found).flat_map(|one| one.addresses().map(|own| own == one.address)));
    "network-interface.addresses.private-dns-name" => |state, found| many(
        interfaces(state, found).flat_map(|one| one.addresses().map(|address| one.private_dns_name(address)))
    );
    "network-interface.addresses.private-ip-address" =>
        |state, found| many(interfaces(state, found).flat_map(NetworkInterface::addresses));
    "network-interface.association.allocation-id" =>
        |state, found| each_public(state, found, false, |one| one.allocation_id);
    "network-interface.association.association-id" =>
        |state, found| each_public(state, found, false, |one| one.association_id);
    "network-interface.association.ip-owner-id" =>
        |state, found| each_public(state, found, false, |one| one.ip_owner_id);
    "network-interface.association.public-dns-name" | "network-interface.public-dns-name" =>
        |state, found| each_public(state, found, false, |one| one.public_dns_name);
    "network-interface.association.public-ip" =>
        |state, found| each_public(state, found, false, |one| one.public_ip);
    "network-interface.attachment.attach-time" =>
        |state, found| each_attached(state, found, |one| one.attach_time.map(|time| format!("{time:.3}")));
    "network-interface.attachment.attachment-id" =>
        |state, found| each_attached(state, found, |one| one.attachment_id);
    "network-interface.attachment.delete-on-termination" =>
        |state, found| each_attached(state, found, |one| one.delete_on_termination);
    "network-interface.attachment.device-index" =>
        |state, found| each_attached(state, found, |one| one.device_index);
    "network-interface.attachment.instance-id" =>
        |state, found| each_attached(state, found, |one| one.instance_id);
    "network-interface.attachment.instance-owner-id" =>
        |state, found| each_attached(state, found, |one| one.instance_owner_id);
    "network-interface.attachment.network-card-index" =>
        |state, found| each_attached(state, found, |one| one.network_card_index);
    "network-interface.attachment.status" => |state, found| each_attached(state, found, |one| one.status);
    "network-interface.availability-zone" => |state, found| each(state, found, |_| found.zone.clone());
    "network-interface.description" => |state, found| each(state, found, |one| one.description.clone());
    "network-interface.group-id" =>
        |state, found| many(interfaces(state, found).flat_map(|one| &one.groups));
    "network-interface.group-name" => |state, found| many(
        interfaces(state, found).flat_map(|one| identifiers(state, &one.groups)).filter_map(|group| group.group_name)
    );
    "network-interface.ipv6-address" =>
        |state, found| many(interfaces(state, found).filter_map(|one| one.ipv6_addresses.first()));
    "network-interface.ipv6-addresses.ipv6-address" =>
        |state, found| many(interfaces(state, found).flat_map(|one| &one.ipv6_addresses));
    "network-interface.ipv6-addresses.is-primary-ipv6" => |state, found| many(
        interfaces(state, found).flat_map(ipv6_addresses).filter_map(|(_, primary)| primary)
    );
    "network-interface.mac-address" => |state, found| each(state, found, |one| one.mac);
    "network-interface.network-interface-id" => |state, found| each(state, found, |one| one.id.clone());
    "network-interface.operator.managed" => |state, found| each(state, found, |_| false);
    "network-interface.owner-id" => |state, found| each(state, found, |one| one.owner.clone());
    "network-interface.private-dns-name" =>
        |state, found| each(state, found, |one| one.private_dns_name(one.address));
    "network-interface.private-ip-address" => |state, found| each(state, found, |one| one.address);
    "network-interface.requester-managed" => |state, found| each(state, found, |_| false);
    "network-interface.status" => |state, found| each(state, found, status);
    "network-interface.source-dest-check" => |state, found| each(state, found, |one| one.source_dest_check);
    "network-interface.subnet-id" => |state, found| each(state, found, |one| one.subnet.clone());
    "network-interface.tag-key" => |state, found|
        many(interfaces(state, found).flat_map(|one| one.tags.keys()));
    "network-interface.tag-value" => |state, found|
        many(interfaces(state, found).flat_map(|one| one.tags.values()));
    "network-interface.vpc-id" => |state, found| each(state, found, |one| one.vpc.clone());
    "owner-id" => |_, found| one(&found.owner);
    "private-dns-name" => |state, found| many(private_dns_name(state, found));
    "private-ip-address" => |state, found| many(interface(state, found).map(|one| one.address));
    "reason" => |_, found| one(&found.reason);
    "reservation-id" => |_, found| one(&found.reservation);
    "source-dest-check" => |state, found| many(interface(state, found).map(|one| one.source_dest_check));
    "state-reason-message" => |_, found| many(state_reason(found).and_then(|reason| reason.message));
    "subnet-id" => |_, found| one(&found.subnet);
    "tenancy" => |_, found| one(found.launch.as_ref().map_or("default", |launch| &launch.kept.tenancy));
    "vpc-id" => |_, found| one(&found.vpc);
    "affinity" | "capacity-reservation-id"
        | "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id"
        | "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn"
        | "host-id" | "instance-lifecycle" | "kernel-id"
        | "network-interface.addresses.association.carrier-ip"
        | "network-interface.addresses.association.customer-owned-ip"
        | "network-interface.association.carrier-ip" | "network-interface.association.customer-owned-ip"
        | "network-interface.deny-all-igw-traffic" | "network-interface.ipv4-prefixes.ipv4-prefix"
        | "network-interface.ipv6-native"
        | "network-interface.ipv6-prefixes.ipv6-prefix" | "network-interface.operator.principal"
        | "network-interface.outpost-arn" | "network-interface.requester-id" | "operator.principal"
        | "outpost-arn" | "placement-group-name" | "placement-partition-number" | "platform" | "product-code"
        | "product-code.type" | "ramdisk-id" | "requester-id" | "spot-instance-request-id" | "tpm-support"
        => none;
};
