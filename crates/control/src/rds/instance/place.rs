//! Where a DB instance is: a subnet of its subnet group, and an interface there.

use linkway_model::database::{DbInstance, DbSubnetGroup};
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::{SecurityGroupId, Tags, Timestamp};
use linkway_store::Transaction;

use crate::Error;
use crate::ec2::network_interface::{Allocation, Ipv6, allocate};
use crate::error::DatabaseError;

/// Make the interface of the DB instance with this ARN, in the zone asked for or in the one with the fewest of
/// the group's DB instances.
pub(super) fn interface(
    tx: &mut Transaction,
    arn: &str,
    group: &DbSubnetGroup,
    zone: Option<&str>,
    groups: &[SecurityGroupId],
    now: Timestamp,
) -> Result<(NetworkInterface, Subnet), Error> {
    let mut subnets: Vec<Subnet> = group
        .subnets
        .iter()
        .filter_map(|id| tx.get::<Subnet>(id))
        .filter(|subnet| zone.is_none_or(|zone| subnet.zone == zone))
        .map(|subnet| Subnet::clone(subnet))
        .collect();
    if subnets.is_empty() {
        let where_ = zone.map_or(String::new(), |zone| format!(" in the Availability Zone {zone}"));
        let why = format!("The DB subnet group '{}' has no subnet{where_}", group.name);
        return Err(DatabaseError::NetworkState(why).into());
    }
    let used = |subnet: &Subnet| tx.all::<DbInstance>().filter(|other| other.subnet == subnet.id).count();
    subnets.sort_by_cached_key(|subnet| (used(subnet), subnet.zone.clone(), subnet.id.clone()));
    for subnet in subnets {
        let made = allocate(
            tx,
            Allocation {
                subnet: &subnet,
                address: None,
                ipv6: Ipv6::default(),
                groups: groups.to_vec(),
                description: "RDSNetworkInterface".into(),
                role: InterfaceRole::Database { database: arn.to_owned() },
                now,
                tags: Tags::new(),
            },
        );
        match made {
            Ok(interface) => return Ok((interface, subnet)),
            Err(Error::InsufficientFreeAddresses) => {}
            Err(error) => return Err(DatabaseError::NetworkState(error.to_string()).into()),
        }
    }
    let why = format!("The subnets of the DB subnet group '{}' have no free address", group.name);
    Err(DatabaseError::NetworkState(why).into())
}
