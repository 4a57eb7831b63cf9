//! What refers to a list.

use std::collections::BTreeSet;

use linkway_model::security_group::{Peer, SecurityGroup, SecurityGroupRule};
use linkway_model::{PrefixListId, Resource, SecurityGroupId, Snapshot};
use linkway_wire::ec2::{
    GetManagedPrefixListAssociationsRequest, GetManagedPrefixListAssociationsResult, PrefixListAssociation,
};

use super::listed::find;
use crate::lookup::{Owned, required};
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

/// Security groups whose rules refer to a list, in the order of ids.
pub(super) fn users(state: &Snapshot, list: &PrefixListId) -> BTreeSet<SecurityGroupId> {
    let refers = |rule: &SecurityGroupRule| rule.peer == Peer::PrefixList(list.clone());
    state.all::<SecurityGroupRule>().filter(|rule| refers(rule)).map(|rule| rule.group.clone()).collect()
}

pub(crate) fn associations(
    control: &Control,
    caller: &Caller,
    input: GetManagedPrefixListAssociationsRequest,
) -> Result<GetManagedPrefixListAssociationsResult, Error> {
    let state = control.read(input.dry_run)?;
    let list = find(&state, caller, required(input.prefix_list_id.as_deref(), "PrefixListId")?)?;
    let groups = users(&state, list.id());
    let groups = groups.iter().filter_map(|id| state.get::<SecurityGroup>(id));
    let limits = Limits { least: 5, most: 255, clamp: false };
    let page = Page::new(limits, input.max_results, &input.next_token);
    let (groups, next_token) =
        page.cut(groups.filter(|group| group.belongs_to(caller)), |group| group.id().to_owned())?;
    let shape = |group: &SecurityGroup| PrefixListAssociation {
        resource_id: Some(group.id.to_string()),
        resource_owner: Some(group.owner.to_string()),
    };
    Ok(GetManagedPrefixListAssociationsResult {
        next_token,
        prefix_list_associations: groups.into_iter().map(|group| shape(group)).collect(),
    })
}
