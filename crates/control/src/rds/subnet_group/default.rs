//! The DB subnet group of DB instances that are made without one.

use linkway_model::database::DbSubnetGroup;
use linkway_model::subnet::Subnet;
use linkway_model::{SubnetId, Tags};
use linkway_store::Transaction;

use crate::ec2::default_vpc;
use crate::error::DatabaseError;
use crate::rds::arn;
use crate::{Caller, Error};

/// Its name, which callers cannot give.
const NAME: &str = "default";

/// The default VPC's default subnets, as a group that is made when it is first needed.
pub(crate) fn default(tx: &mut Transaction, caller: &Caller) -> Result<DbSubnetGroup, Error> {
    default_vpc::ensure(tx, caller);
    let vpc = default_vpc::of(tx, caller).map(|vpc| vpc.id.clone()).ok_or_else(none)?;
    let arn = arn::made::<DbSubnetGroup>(caller, NAME);
    if let Some(present) = tx.get::<DbSubnetGroup>(&arn).filter(|group| group.vpc == vpc) {
        return Ok(DbSubnetGroup::clone(present));
    }
    let subnets: Vec<SubnetId> = tx
        .all::<Subnet>()
        .filter(|subnet| subnet.vpc == vpc && subnet.default_for_az)
        .map(|subnet| subnet.id.clone())
        .collect();
    if subnets.is_empty() {
        return Err(none());
    }
    let group = DbSubnetGroup {
        arn,
        name: NAME.to_owned(),
        owner: caller.account.clone(),
        region: caller.region.clone(),
        description: NAME.to_owned(),
        vpc,
        subnets,
        tags: Tags::new(),
    };
    tx.put(group.clone());
    Ok(group)
}

fn none() -> Error {
    let words = "No default subnet detected in VPC. Specify DBSubnetGroupName, or make a default VPC";
    DatabaseError::InvalidSubnet(words.into()).into()
}
