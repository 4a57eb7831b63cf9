//! What instances are filtered by.

use linkway_model::Snapshot;
use linkway_model::image::host_architecture;
use linkway_model::instance::Instance;
use linkway_model::region::Zone;
use linkway_wire::ec2::{GroupIdentifier, NetworkInterfaceAttachment};

use super::interface;
use crate::ec2::network_interface::{attachment, status};
use crate::ec2::security_group::identifiers;
use crate::filter::{Field, fields, many, none, one};

fn groups(state: &Snapshot, instance: &Instance) -> Vec<GroupIdentifier> {
    interface(state, instance).map_or_else(Vec::new, |found| identifiers(state, &found.groups))
}

fn attached(state: &Snapshot, instance: &Instance) -> Option<NetworkInterfaceAttachment> {
    interface(state, instance).and_then(attachment)
}

pub(super) const FILTERS: &[Field<Instance>] = fields! {
    "architecture" => |_, _| one(host_architecture());
    "availability-zone" => |_, found| one(&found.zone);
    "availability-zone-id" => |_, found| many(Zone::find(&found.zone).map(|zone| zone.id));
    "instance-id" => |_, found| one(&found.id);
    "instance-state-code" => |_, found| one(found.state.code());
    "instance-state-name" => |_, found| one(found.state.name());
    "instance.group-id" =>
        |state, found| many(interface(state, found).into_iter().flat_map(|one| &one.groups));
    "instance.group-name" =>
        |state, found| many(groups(state, found).into_iter().filter_map(|group| group.group_name));
    "launch-index" => |_, _| one(0);
    "launch-time" => |_, found| one(format!("{:.3}", found.launched));
    "monitoring-state" => |_, _| one("disabled");
    "network-interface.addresses.primary" => |state, found| many(interface(state, found).map(|_| true));
    "network-interface.addresses.private-dns-name" => |state, found| {
        many(interface(state, found).into_iter().flat_map(|one| one.addresses().map(|address| one.private_dns_name(address))))
    };
    "network-interface.addresses.private-ip-address" =>
        |state, found| many(interface(state, found).into_iter().flat_map(|one| one.addresses()));
    "network-interface.attachment.attach-time" => |state, found| {
        many(attached(state, found).and_then(|one| one.attach_time).map(|time| format!("{time:.3}")))
    };
    "network-interface.attachment.attachment-id" =>
        |state, found| many(attached(state, found).and_then(|one| one.attachment_id));
    "network-interface.attachment.delete-on-termination" =>
        |state, found| many(attached(state, found).and_then(|one| one.delete_on_termination));
    "network-interface.attachment.device-index" =>
        |state, found| many(attached(state, found).and_then(|one| one.device_index));
    "network-interface.attachment.instance-id" =>
        |state, found| many(attached(state, found).and_then(|one| one.instance_id));
    "network-interface.attachment.instance-owner-id" =>
        |state, found| many(attached(state, found).and_then(|one| one.instance_owner_id));
    "network-interface.attachment.network-card-index" =>
        |state, found| many(attached(state, found).and_then(|one| one.network_card_index));
    "network-interface.attachment.status" =>
        |state, found| many(attached(state, found).and_then(|one| one.status));
    "network-interface.availability-zone" =>
        |state, found| many(interface(state, found).map(|_| &found.zone));
    "network-interface.description" =>
        |state, found| many(interface(state, found).map(|one| &one.description));
    "network-interface.group-id" =>
        |state, found| many(interface(state, found).into_iter().flat_map(|one| &one.groups));
    "network-interface.group-name" =>
        |state, found| many(groups(state, found).into_iter().filter_map(|group| group.group_name));
    "network-interface.mac-address" => |state, found| many(interface(state, found).map(|one| one.mac));
    "network-interface.network-interface-id" =>
        |state, found| many(interface(state, found).map(|one| &one.id));
    "network-interface.owner-id" => |state, found| many(interface(state, found).map(|one| &one.owner));
    "network-interface.private-dns-name" =>
        |state, found| many(interface(state, found).map(|one| one.private_dns_name(one.address)));
    "network-interface.requester-managed" => |state, found| many(interface(state, found).map(|_| false));
    "network-interface.status" => |state, found| many(interface(state, found).map(status));
    "network-interface.source-dest-check" =>
        |state, found| many(interface(state, found).map(|one| one.source_dest_check));
    "network-interface.subnet-id" => |state, found| many(interface(state, found).map(|one| &one.subnet));
    "network-interface.vpc-id" => |state, found| many(interface(state, found).map(|one| &one.vpc));
    "owner-id" => |_, found| one(&found.owner);
    "private-dns-name" =>
        |state, found| many(interface(state, found).map(|one| one.private_dns_name(one.address)));
    "private-ip-address" => |state, found| many(interface(state, found).map(|one| one.address));
    "reason" => |_, found| one(&found.reason);
    "reservation-id" => |_, found| one(&found.reservation);
    "source-dest-check" => |state, found| many(interface(state, found).map(|one| one.source_dest_check));
    "state-reason-message" => |_, found| one(&found.reason);
    "subnet-id" => |_, found| one(&found.subnet);
    "tenancy" => |_, _| one("default");
    "vpc-id" => |_, found| one(&found.vpc);
    "affinity" | "block-device-mapping.attach-time" | "block-device-mapping.delete-on-termination"
        | "block-device-mapping.device-name" | "block-device-mapping.status"
        | "block-device-mapping.volume-id" | "boot-mode" | "capacity-reservation-id"
        | "capacity-reservation-specification.capacity-reservation-preference"
        | "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id"
        | "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn"
        | "client-token" | "current-instance-boot-mode" | "dns-name" | "ebs-optimized" | "ena-support"
        | "enclave-options.enabled" | "hibernation-options.configured" | "host-id" | "hypervisor"
        | "iam-instance-profile.arn" | "iam-instance-profile.id" | "image-id" | "instance-lifecycle"
        | "instance-type" | "ip-address" | "ipv6-address" | "kernel-id" | "key-name"
        | "maintenance-options.auto-recovery" | "metadata-options.http-endpoint"
        | "metadata-options.http-protocol-ipv4" | "metadata-options.http-protocol-ipv6"
        | "metadata-options.http-put-response-hop-limit" | "metadata-options.http-tokens"
        | "metadata-options.instance-metadata-tags" | "metadata-options.state"
        | "network-interface.addresses.association.allocation-id"
        | "network-interface.addresses.association.association-id"
        | "network-interface.addresses.association.carrier-ip"
        | "network-interface.addresses.association.customer-owned-ip"
        | "network-interface.addresses.association.ip-owner-id"
        | "network-interface.addresses.association.public-dns-name"
        | "network-interface.addresses.association.public-ip"
        | "network-interface.association.allocation-id" | "network-interface.association.association-id"
        | "network-interface.association.carrier-ip" | "network-interface.association.customer-owned-ip"
        | "network-interface.association.ip-owner-id" | "network-interface.association.public-dns-name"
        | "network-interface.association.public-ip" | "network-interface.deny-all-igw-traffic"
        | "network-interface.ipv4-prefixes.ipv4-prefix" | "network-interface.ipv6-address"
        | "network-interface.ipv6-addresses.ipv6-address"
        | "network-interface.ipv6-addresses.is-primary-ipv6" | "network-interface.ipv6-native"
        | "network-interface.ipv6-prefixes.ipv6-prefix" | "network-interface.operator.managed"
        | "network-interface.operator.principal" | "network-interface.outpost-arn"
        | "network-interface.private-ip-address" | "network-interface.public-dns-name"
        | "network-interface.requester-id" | "network-interface.tag-key" | "network-interface.tag-value"
        | "network-performance-options.bandwidth-weighting" | "operator.managed" | "operator.principal"
        | "outpost-arn" | "placement-group-name" | "placement-partition-number" | "platform"
        | "platform-details" | "private-dns-name-options.enable-resource-name-dns-a-record"
        | "private-dns-name-options.enable-resource-name-dns-aaaa-record"
        | "private-dns-name-options.hostname-type" | "product-code" | "product-code.type" | "ramdisk-id"
        | "requester-id" | "root-device-name" | "root-device-type" | "spot-instance-request-id"
        | "state-reason-code" | "tpm-support" | "usage-operation" | "usage-operation-update-time"
        | "virtualization-type" => none;
};
