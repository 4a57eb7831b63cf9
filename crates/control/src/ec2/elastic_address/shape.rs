//! An elastic address as responses carry it, and what it is filtered by.

use linkway_model::Snapshot;
use linkway_model::elastic_address::ElasticAddress;
use linkway_model::network_interface::InterfaceRole;
use linkway_wire::ec2::{Address, AddressAttribute};

use super::{AMAZON, association};
use crate::filter::{Field, fields, many, one};
use crate::tags;

pub(super) const FILTERS: &[Field<ElasticAddress>] = fields! {
    "allocation-id" => |_, address| one(&address.id);
    "association-id" => |state, address| many(shape(state, address).association_id);
    "domain" => |_, _| one("vpc");
    "instance-id" => |state, address| many(shape(state, address).instance_id);
    "network-border-group" => |_, address| one(&address.region);
    "network-interface-id" => |state, address| many(shape(state, address).network_interface_id);
    "network-interface-owner-id" => |state, address| many(shape(state, address).network_interface_owner_id);
    "private-ip-address" => |state, address| many(shape(state, address).private_ip_address);
    "public-ip" => |_, address| one(address.address);
};

pub(super) fn shape(state: &Snapshot, address: &ElasticAddress) -> Address {
    let unassociated = Address {
        allocation_id: Some(address.id.to_string()),
        domain: Some("vpc".into()),
        network_border_group: Some(address.region.clone()),
        public_ip: Some(address.address.to_string()),
        public_ipv4_pool: Some(AMAZON.into()),
        tags: tags::shape(&address.tags),
        ..Address::default()
    };
    let Some((association, interface)) = association(state, address) else { return unassociated };
    let instance_id = match &interface.role {
        InterfaceRole::Instance { instance, .. } => Some(instance.to_string()),
        _ => None,
    };
    Address {
        association_id: Some(association.id.to_string()),
        instance_id,
        network_interface_id: Some(interface.id.to_string()),
        network_interface_owner_id: Some(interface.owner.to_string()),
        private_ip_address: Some(association.private_address.to_string()),
        ..unassociated
    }
}

/// The attribute that there is, a reverse name: no address has one.
pub(super) fn attribute(address: &ElasticAddress) -> AddressAttribute {
    AddressAttribute {
        allocation_id: Some(address.id.to_string()),
        public_ip: Some(address.address.to_string()),
        ..AddressAttribute::default()
    }
}
