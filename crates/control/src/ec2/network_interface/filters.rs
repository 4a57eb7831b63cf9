//! What network interfaces are filtered by.

use linkway_model::Snapshot;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::region::Zone;
use linkway_wire::ec2::NetworkInterfaceAssociation;

use super::shape::{attachment, interface_type, public, requester, status, zone};
use crate::filter::{Field, fields, many, none, one};

/// A member of the public address that stands for the primary one.
fn of_public(
    state: &Snapshot,
    interface: &NetworkInterface,
    member: fn(NetworkInterfaceAssociation) -> Option<String>,
) -> Vec<String> {
    many(public(state, interface, interface.address).and_then(member))
}

/// A member of the public addresses that stand for any of an interface's.
fn of_each(
    state: &Snapshot,
    interface: &NetworkInterface,
    member: fn(NetworkInterfaceAssociation) -> Option<String>,
) -> Vec<String> {
    many(interface.addresses().filter_map(|address| public(state, interface, address).and_then(member)))
}

pub(super) const FILTERS: &[Field<NetworkInterface>] = fields! {
    "association.allocation-id" => |state, found| of_public(state, found, |public| public.allocation_id);
    "association.association-id" => |state, found| of_public(state, found, |public| public.association_id);
    "addresses.association.owner-id" => |state, found| of_each(state, found, |public| public.ip_owner_id);
    "addresses.association.public-ip" => |state, found| of_each(state, found, |public| public.public_ip);
    "association.ip-owner-id" => |state, found| of_public(state, found, |public| public.ip_owner_id);
    "association.public-ip" => |state, found| of_public(state, found, |public| public.public_ip);
    "association.public-dns-name" => |state, found| of_public(state, found, |public| public.public_dns_name);
    "addresses.primary" => |_, found| many(found.addresses().map(|address| address == found.address));
    "addresses.private-ip-address" => |_, found| many(found.addresses());
    "attachment.attach-time" =>
        |_, found| many(attachment(found).and_then(|attached| attached.attach_time).map(|time| format!("{time:.3}")));
    "attachment.attachment-id" => |_, found| many(attachment(found).and_then(|attached| attached.attachment_id));
    "attachment.delete-on-termination" =>
        |_, found| many(attachment(found).and_then(|attached| attached.delete_on_termination));
    "attachment.device-index" => |_, found| many(attachment(found).and_then(|attached| attached.device_index));
    "attachment.instance-id" => |_, found| many(attachment(found).and_then(|attached| attached.instance_id));
    "attachment.instance-owner-id" =>
        |_, found| many(attachment(found).and_then(|attached| attached.instance_owner_id));
    "attachment.status" => |_, found| many(attachment(found).and_then(|attached| attached.status));
    "availability-zone" => |state, found| many(zone(state, found));
    "availability-zone-id" => |state, found| many(zone(state, found).and_then(Zone::find).map(|zone| zone.id));
    "description" => |_, found| one(&found.description);
    "group-id" => |_, found| many(&found.groups);
    "group-name" => |state, found| {
        many(found.groups.iter().filter_map(|id| state.security_groups.get(id.as_str())).map(|group| &group.name))
    };
    "ipv6-addresses.ipv6-address" => |_, found| many(&found.ipv6_addresses);
    "interface-type" => |_, found| one(interface_type(found));
    "mac-address" => |_, found| one(found.mac);
    "network-interface-id" => |_, found| one(&found.id);
    "operator.managed" => |_, _| one(false);
    "operator.principal" => none;
    "owner-id" => |_, found| one(&found.owner);
    "private-dns-name" => |_, found| one(found.private_dns_name(found.address));
    "private-ip-address" => |_, found| one(found.address);
    "requester-id" => |_, found| many(requester(found));
    "requester-managed" => |_, found| one(found.requester_managed());
    "source-dest-check" => |_, found| one(found.source_dest_check);
    "status" => |_, found| one(status(found));
    "subnet-id" => |_, found| one(&found.subnet);
    "vpc-id" => |_, found| one(&found.vpc);
};
