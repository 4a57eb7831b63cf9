//! Whether the shares that interfaces have of the flow table are what they hold, found out by counting.
//!
//! `bpf/share.h` counts as flows come and go, exactly but for entries that were replaced while somebody was deleting
//! them. A walk through the table counts the same; but a walk is not a moment. What was there from its start to
//! its end it sees once, and of what came or went meanwhile it sees as many as it may: so the number at the start is
//! between what it saw less what came, and what it saw and what went. Outside of that a count is off for certain,
//! and by how much at least. As a place is taken a moment before its entry is there, only what two walks in a row
//! find is corrected.

use std::collections::BTreeMap;

use crate::layout::{Flow, FlowKey, Share, Tally};
use crate::programs::types::flow_flag;

/// IANA's number of TCP.
const TCP: u8 = 6;

/// How many, of all flows and of those that are half-open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Surplus {
    pub(crate) flows: i64,
    pub(crate) half_open: i64,
}

impl Surplus {
    fn is_none(self) -> bool {
        self == Self::default()
    }

    /// What both say at least.
    fn agreed(self, other: Self) -> Self {
        let agreed = |one: i64, two: i64| {
            if one.signum() == two.signum() { one.signum() * one.abs().min(two.abs()) } else { 0 }
        };
        Self { flows: agreed(self.flows, other.flows), half_open: agreed(self.half_open, other.half_open) }
    }
}

/// Counts flows during a walk, and compares.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// As they were when the walk began, by the interface's number.
    before: BTreeMap<u32, Share>,
    seen: BTreeMap<u32, Surplus>,
    /// What the last walk found to be too many.
    suspected: BTreeMap<u32, Surplus>,
}

impl Census {
    /// A walk begins, and this is what is noted.
    pub(crate) fn begin(&mut self, shares: BTreeMap<u32, Share>) {
        self.before = shares;
        self.seen.clear();
    }

    /// An entry that the walk has come to.
    pub(crate) fn count(&mut self, key: &FlowKey, flow: &Flow) {
        let has = |flag: flow_flag| flow.flags & flag.0 != 0;
        if has(flow_flag::FLOW_FORWARD) {
            let seen = self.seen.entry(flow.sender).or_default();
            seen.flows += 1;
            seen.half_open += i64::from(key.protocol == TCP && !has(flow_flag::FLOW_ESTABLISHED));
        }
    }

    /// The walk has ended, and this is what is noted now: by how much is it too much?
    pub(crate) fn end(&mut self, after: &BTreeMap<u32, Share>) -> BTreeMap<u32, Surplus> {
        let found: BTreeMap<u32, Surplus> = after
            .iter()
            .map(|(number, share)| {
                let before = self.before.get(number).copied().unwrap_or_default();
                let seen = self.seen.get(number).copied().unwrap_or_default();
                let flows = surplus(before.flows, share.flows, seen.flows);
                let half_open = surplus(before.half_open, share.half_open, seen.half_open);
                (*number, Surplus { flows, half_open })
            })
            .filter(|(_, surplus)| !surplus.is_none())
            .collect();
        let last = |number| self.suspected.get(number).copied().unwrap_or_default();
        let certain: BTreeMap<u32, Surplus> = found
            .iter()
            .map(|(number, surplus)| (*number, surplus.agreed(last(number))))
            .filter(|(_, surplus)| !surplus.is_none())
            .collect();
        self.suspected = found;
        self.suspected.retain(|number, _| !certain.contains_key(number));
        certain
    }

    /// Whether an interface had nothing, and did nothing, while the walk lasted.
    pub(crate) fn is_idle(&self, number: u32, after: &Share) -> bool {
        let unused = after.flows.in_use() == 0 && after.half_open.in_use() == 0;
        unused && self.before.get(&number) == Some(after) && !self.seen.contains_key(&number)
    }
}

impl Tally {
    /// Places that are taken and not given back. Negative where the count is off.
    pub fn in_use(&self) -> i64 {
        self.taken.wrapping_sub(self.given).cast_signed()
    }
}

/// By how much a tally said too much, at least, when it was `before`; negative: too little.
fn surplus(before: Tally, after: Tally, seen: i64) -> i64 {
    let came = after.taken.wrapping_sub(before.taken).cast_signed();
    let went = after.given.wrapping_sub(before.given).cast_signed();
    let (least, most) = (seen - came, seen + went);
    let noted = before.in_use();
    noted - noted.clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(taken: u64, given: u64) -> BTreeMap<u32, Share> {
        let half_open = Tally::default();
        BTreeMap::from([(7, Share { flows: Tally { taken, given }, half_open })])
    }

    /// A walk that sees so many flows, from one state of the counts to another.
    fn walk(census: &mut Census, from: (u64, u64), seen: usize, to: (u64, u64)) -> i64 {
        census.begin(share(from.0, from.1));
        let flow = Flow { sender: 7, flags: flow_flag::FLOW_FORWARD.0, ..Flow::default() };
        (0..seen).for_each(|_| census.count(&FlowKey::default(), &flow));
        census.end(&share(to.0, to.1)).get(&7).map_or(0, |surplus| surplus.flows)
    }

    #[test]
    fn what_changes_meanwhile_is_not_held_against_a_count() {
        let mut census = Census::default();
        for seen in 5..=13 {
            assert_eq!(walk(&mut census, (10, 0), seen, (13, 5)), 0, "{seen}");
        }
    }

    #[test]
    fn what_two_walks_find_is_corrected_and_no_more() {
        let mut census = Census::default();
        assert_eq!(walk(&mut census, (10, 0), 4, (10, 0)), 0, "one walk");
        assert_eq!(walk(&mut census, (10, 0), 4, (12, 2)), 4, "six too many, of which two may have gone");
        assert_eq!(walk(&mut census, (12, 6), 4, (12, 6)), 0, "the rest is found anew");
        assert_eq!(walk(&mut census, (12, 6), 4, (12, 6)), 2);
        assert_eq!(walk(&mut census, (12, 8), 4, (12, 8)), 0);
    }

    #[test]
    fn too_little_is_found_as_well() {
        let mut census = Census::default();
        assert_eq!(walk(&mut census, (0, 3), 2, (0, 3)), 0);
        assert_eq!(walk(&mut census, (0, 3), 2, (1, 3)), -4);
    }

    #[test]
    fn walks_that_disagree_correct_nothing() {
        let mut census = Census::default();
        assert_eq!(walk(&mut census, (3, 0), 4, (3, 0)), 0);
        assert_eq!(walk(&mut census, (5, 0), 4, (5, 0)), 0);
        assert_eq!(walk(&mut census, (4, 0), 4, (4, 0)), 0);
        assert_eq!(walk(&mut census, (5, 0), 4, (5, 0)), 0, "the suspicion was forgotten");
    }
}
