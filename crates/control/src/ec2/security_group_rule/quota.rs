//! How many rules a group has, as AWS counts them: one that refers to a prefix list counts as many as the list may
//! have ranges.

use linkway_model::security_group::{Direction, Peer, SecurityGroupRule};
use linkway_model::{PrefixListId, SecurityGroupId, Snapshot};

use crate::Error;
use crate::ec2::prefix_list;
use crate::ec2::security_group::rules_of;

/// Rules that a group may have, a direction.
pub(crate) const MAX_RULES: usize = 60;

/// What a rule with this peer counts as.
fn weight(state: &Snapshot, region: &str, peer: &Peer) -> usize {
    match peer {
        Peer::Cidr(_) | Peer::Group(_) => 1,
        Peer::PrefixList(id) => prefix_list::weight(state, region, id),
    }
}

/// Refuse what would be too many rules of one direction: those with the peers `present`, and `more` of them.
pub(super) fn check<'a>(
    state: &Snapshot,
    region: &str,
    peers: impl IntoIterator<Item = &'a Peer>,
) -> Result<(), Error> {
    let count: usize = peers.into_iter().map(|peer| weight(state, region, peer)).sum();
    if count > MAX_RULES { Err(Error::RulesPerSecurityGroupLimitExceeded) } else { Ok(()) }
}

/// What a group's rules count as, and how many of them refer to `list`: a pair a direction.
pub(crate) fn counted(state: &Snapshot, group: &SecurityGroupId, list: &PrefixListId) -> [(usize, usize); 2] {
    let rules = rules_of(state, group);
    [Direction::Ingress, Direction::Egress].map(|direction| {
        let rules: Vec<&SecurityGroupRule> =
            rules.iter().map(AsRef::as_ref).filter(|rule| rule.direction == direction).collect();
        let count = rules.iter().map(|rule| weight(state, &rule.region, &rule.peer)).sum();
        let refers = |rule: &&&SecurityGroupRule| rule.peer == Peer::PrefixList(list.clone());
        (count, rules.iter().filter(refers).count())
    })
}
