//! DB parameter groups: settings of database servers.
//!
//! Every family has a default group, `default.FAMILY`, that nobody made and nobody changes. It is in no state.

mod change;
mod family;
mod group;
mod parameters;

use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::database::{DbInstance, DbParameterGroup};

pub(crate) use change::{modify, reset};
pub(crate) use group::{create, delete, describe};
pub(crate) use parameters::{describe as describe_parameters, describe_defaults};

/// What the default groups' names begin with.
const DEFAULT: &str = "default.";

/// The name of a family's default group.
pub(super) fn default_name(family: &str) -> String {
    format!("{DEFAULT}{family}")
}

/// The family whose default group has this name.
pub(super) fn default_family(name: &str) -> Option<&str> {
    name.strip_prefix(DEFAULT)
}

/// Whether this is the name of a default group.
pub(super) fn is_default(name: &str) -> bool {
    default_family(name).is_some()
}

/// The DB instances that are made with this group.
fn members<'a>(
    state: &'a Snapshot,
    group: &'a DbParameterGroup,
) -> impl Iterator<Item = &'a Arc<DbInstance>> {
    state.all::<DbInstance>().filter(|database| {
        database.owner == group.owner
            && database.region == group.region
            && database.parameter_group == group.name
    })
}
