//! A DB instance's name, `NAME.HASH.REGION.rds.amazonaws.com`. As on AWS, whoever knows the name may resolve it,
//! whatever VPC it is in.

use std::collections::HashMap;

use linkway_model::Snapshot;
use linkway_model::database::{DbInstance, DbStatus};
use linkway_model::network_interface::NetworkInterface;

use super::{Answer, Question};
use crate::rotation::Rotation;

/// The names of all DB instances.
#[derive(Default)]
pub(crate) struct DatabaseNames {
    /// Names and addresses; those that are being made or deleted have none.
    databases: HashMap<String, Option<Rotation>>,
}

impl DatabaseNames {
    /// Collect them.
    pub(crate) fn compile(snapshot: &Snapshot) -> Self {
        let named = snapshot.all::<DbInstance>().map(|database| {
            let exists = !matches!(database.status, DbStatus::Creating | DbStatus::Deleting);
            let interface = snapshot.get::<NetworkInterface>(&database.interface).filter(|_| exists);
            let address = interface.map(|interface| Rotation::new([interface.address.into()], 0));
            (database.dns_name.to_lowercase(), address)
        });
        Self { databases: named.collect() }
    }

    /// The answer for a database's name.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let (_, zone) = question.name.split_once('.')?;
        Some(match self.databases.get(question.name)? {
            Some(address) => Answer::addresses(question, zone, address),
            None => Answer::no_name(zone),
        })
    }
}
