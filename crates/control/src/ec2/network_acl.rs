//! Network ACLs. Each ends, in both directions, in an entry that denies what no other allows.

mod entry;
mod shape;

use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use linkway_model::network_acl::{NetworkAcl, NetworkAclEntry};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{NetworkAclAssociationId, NetworkAclId, Tags, VpcId};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateNetworkAclRequest, CreateNetworkAclResult, DeleteNetworkAclRequest, DescribeNetworkAclsRequest,
    DescribeNetworkAclsResult, ReplaceNetworkAclAssociationRequest, ReplaceNetworkAclAssociationResult,
};

pub(crate) use entry::{create_entry, delete_entry, replace_entry};

use crate::describe::select;
use crate::ec2::dependency::refuse_if_used;
use crate::error::NetworkError;
use crate::idempotency::once;
use crate::lookup::{Owned, named, not_found, required};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error, tags};

/// The numbers of the last entries, about IPv4 and about IPv6.
const LAST: i32 = 32767;
const LAST_IPV6: i32 = 32768;

/// The number of the entry that allows everything in an ACL that a VPC is born with, and of the one about IPv6 that comes
/// with the VPC's first range. Source: the Amazon VPC user guide, "Default network ACL for a VPC".
const ALLOW_ALL: i32 = 100;
const ALLOW_ALL_IPV6: i32 = 101;

/// An entry about everything of one family.
fn everything(number: i32, egress: bool, cidr: IpNet, allow: bool) -> NetworkAclEntry {
    NetworkAclEntry { number, egress, protocol: None, cidr, allow, ports: None, icmp: None }
}

/// Write the ACL that a VPC is born with, which allows everything.
pub(crate) fn create_default(tx: &mut Transaction, caller: &Caller, vpc: &VpcId) -> NetworkAclId {
    let entries = vec![allow_all(true), allow_all(false)];
    write(tx, caller, vpc, true, entries, Tags::new())
}

fn allow_all(egress: bool) -> NetworkAclEntry {
    everything(ALLOW_ALL, egress, IpNet::V4(Ipv4Net::default()), true)
}

/// Have a VPC's default ACL allow everything of IPv6, too, in each direction that nobody has changed.
pub(crate) fn allow_ipv6(tx: &mut Transaction, default_acl: &NetworkAclId) {
    tx.update::<NetworkAcl>(default_acl, |acl| {
        for egress in [true, false] {
            let mut entries = acl.entries.iter().filter(|entry| entry.egress == egress);
            if entries.next() == Some(&allow_all(egress)) && entries.next().is_none() {
                let everywhere = IpNet::V6(Ipv6Net::default());
                acl.entries.push(everything(ALLOW_ALL_IPV6, egress, everywhere, true));
            }
        }
    });
}

fn write(
    tx: &mut Transaction,
    caller: &Caller,
    vpc: &VpcId,
    is_default: bool,
    entries: Vec<NetworkAclEntry>,
    tags: Tags,
) -> NetworkAclId {
    let id = NetworkAclId::random();
    tx.put(NetworkAcl {
        id: id.clone(),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        vpc: vpc.clone(),
        is_default,
        entries,
        tags,
    });
    id
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateNetworkAclRequest,
) -> Result<CreateNetworkAclResult, Error> {
    let tags = tags::specified(&input.tag_specifications, NetworkAcl::NOUN.resource_type)?;
    let (client_token, dry_run) = (input.client_token.take(), input.dry_run.take());
    let shape = control.write(dry_run, |tx| {
        let make = |tx: &mut Transaction| {
            let vpc = named::<Vpc>(tx, caller, input.vpc_id.as_deref(), "VpcId")?.id.clone();
            Ok(write(tx, caller, &vpc, false, Vec::new(), tags).into())
        };
        let token = client_token.as_deref();
        let id = once::<NetworkAcl>(tx, caller, control.now(), "CreateNetworkAcl", token, &input, make)?;
        let acl = tx.get::<NetworkAcl>(&id).ok_or_else(|| not_found::<NetworkAcl>(id))?;
        Ok(shape::shape(tx, acl))
    })?;
    Ok(CreateNetworkAclResult { client_token, network_acl: Some(shape) })
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeNetworkAclsRequest,
) -> Result<DescribeNetworkAclsResult, Error> {
    let state = control.read_given(caller, input.dry_run)?;
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (acls, next_token) =
        select(&state, caller, &input.network_acl_ids, shape::FILTERS, &input.filters, page)?;
    Ok(DescribeNetworkAclsResult {
        network_acls: acls.iter().map(|acl| shape::shape(&state, acl)).collect(),
        next_token,
    })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteNetworkAclRequest,
) -> Result<(), Error> {
    control.write(input.dry_run, |tx| {
        let acl =
            Arc::clone(named::<NetworkAcl>(tx, caller, input.network_acl_id.as_deref(), "NetworkAclId")?);
        if acl.is_default {
            return Err(Error::InvalidParameterValue(format!(
                "cannot delete default network ACL {}",
                acl.id
            )));
        }
        let words = format!("The networkAcl '{}' has dependencies and cannot be deleted.", acl.id);
        let users = tx.all::<Subnet>().filter(|subnet| subnet.network_acl.1 == acl.id);
        refuse_if_used(words, users.map(|subnet| subnet.id.to_string()))?;
        tx.delete::<NetworkAcl>(&acl.id);
        Ok(())
    })
}

pub(crate) fn replace_association(
    control: &Control,
    caller: &Caller,
    input: ReplaceNetworkAclAssociationRequest,
) -> Result<ReplaceNetworkAclAssociationResult, Error> {
    let id = required(input.association_id, "AssociationId")?;
    control.write(input.dry_run, |tx| {
        let acl =
            Arc::clone(named::<NetworkAcl>(tx, caller, input.network_acl_id.as_deref(), "NetworkAclId")?);
        let uses = |subnet: &Subnet| subnet.belongs_to(caller) && subnet.network_acl.0.as_str() == id;
        let subnet = tx.all::<Subnet>().find(|subnet| uses(subnet)).cloned();
        let subnet = subnet.ok_or_else(|| NetworkError::AssociationNotFound(id.clone()))?;
        if subnet.vpc != acl.vpc {
            return Err(Error::InvalidParameterValue(format!(
                "network ACL {} and subnet {} belong to different networks",
                acl.id, subnet.id
            )));
        }
        let association = NetworkAclAssociationId::random();
        tx.update::<Subnet>(&subnet.id, |subnet| {
            subnet.network_acl = (association.clone(), acl.id.clone());
        });
        Ok(ReplaceNetworkAclAssociationResult { new_association_id: Some(association.into()) })
    })
}
