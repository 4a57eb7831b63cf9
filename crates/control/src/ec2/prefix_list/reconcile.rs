//! What becomes of lists: a change is complete once the packet path follows it.

use linkway_model::Timestamp;
use linkway_model::prefix_list::{PrefixList, PrefixListState};
use linkway_store::Transaction;

/// How long a deleted list is shown.
const SHOWN_FOR: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

pub(crate) fn reconcile(tx: &mut Transaction, applied: u64, now: Timestamp) {
    let due: Vec<_> = tx.all::<PrefixList>().filter(|list| is_due(list, applied, now)).cloned().collect();
    for list in due {
        match list.state.completed() {
            Some(next) => {
                tx.update::<PrefixList>(&list.id, |list| list.state = next);
            }
            None => {
                tx.delete::<PrefixList>(&list.id);
            }
        }
    }
}

fn is_due(list: &PrefixList, applied: u64, now: Timestamp) -> bool {
    let old = |deleted: Timestamp| now.duration_since(deleted) > SHOWN_FOR;
    match list.state {
        PrefixListState::DeleteComplete => list.deleted.is_none_or(old),
        state => state.completed().is_some() && list.since <= applied,
    }
}
