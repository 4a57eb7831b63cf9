//! ARNs, which are the ids of this service's resources in the state, and finding what a caller names.

use std::sync::Arc;

use linkway_model::database::{DbInstance, DbParameterGroup, DbSubnetGroup};
use linkway_model::{AccountId, Resource, Snapshot, Tags};

use crate::error::DatabaseError;
use crate::{Caller, Error};

/// A kind of resource that has a name and an ARN of this service.
pub(super) trait Named: Resource {
    /// What precedes the name in its ARN.
    const PATH: &'static str;

    fn owner(&self) -> &AccountId;
    fn region(&self) -> &str;
    fn tags(&self) -> &Tags;
    fn tags_mut(&mut self) -> &mut Tags;
    fn missing(name: String) -> DatabaseError;
}

macro_rules! named {
    ($($type:ident: $path:literal, $missing:ident;)*) => {$(
        impl Named for $type {
            const PATH: &'static str = $path;

            fn owner(&self) -> &AccountId {
                &self.owner
            }

            fn region(&self) -> &str {
                &self.region
            }

            fn tags(&self) -> &Tags {
                &self.tags
            }

            fn tags_mut(&mut self) -> &mut Tags {
                &mut self.tags
            }

            fn missing(name: String) -> DatabaseError {
                DatabaseError::$missing(name)
            }
        }
    )*};
}

named! {
    DbInstance: "db:", InstanceNotFound;
    DbSubnetGroup: "subgrp:", SubnetGroupNotFound;
    DbParameterGroup: "pg:", ParameterGroupNotFound;
}

/// The ARN of the caller's resource of this name.
pub(super) fn made<T: Named>(caller: &Caller, name: &str) -> String {
    placed::<T>(&caller.region, &caller.account, name)
}

/// The ARN of the resource of this name, in a region of an account.
pub(super) fn placed<T: Named>(region: &str, account: &AccountId, name: &str) -> String {
    format!("arn:aws:rds:{region}:{account}:{}{name}", T::PATH)
}

/// The name in an ARN of this kind, in the caller's account and region.
pub(super) fn name_in<'a, T: Named>(caller: &Caller, arn: &'a str) -> Option<&'a str> {
    arn.strip_prefix(&made::<T>(caller, "")).filter(|name| !name.is_empty())
}

/// All of the caller's, by name.
pub(super) fn own<'a, T: Named>(
    state: &'a Snapshot,
    caller: &'a Caller,
) -> impl Iterator<Item = &'a Arc<T>> + use<'a, T> {
    state.all::<T>().filter(|found| *found.owner() == caller.account && found.region() == caller.region)
}

/// The caller's resource that goes by this name, in whatever case, or by this ARN.
pub(super) fn find<'a, T: Named>(
    state: &'a Snapshot,
    caller: &Caller,
    name: &str,
) -> Result<&'a Arc<T>, Error> {
    let plain = name_in::<T>(caller, name).unwrap_or(name).to_ascii_lowercase();
    state.get::<T>(made::<T>(caller, &plain)).ok_or_else(|| T::missing(name.to_owned()).into())
}
