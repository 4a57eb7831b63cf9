//! Bounds on what is under way: for all, and for each network interface, so that one cannot use up what is
//! there for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A bound. Clones count together.
#[derive(Clone)]
pub(crate) struct Quota {
    all: usize,
    each: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    each: HashMap<u32, usize>,
}

/// One place taken; given back when dropped.
pub(crate) struct Permit {
    taken: Arc<Mutex<Taken>>,
    client: u32,
}

impl Quota {
    /// At most `all`, and `each` for one client.
    pub(crate) fn new((all, each): (usize, usize)) -> Self {
        Self { all, each, taken: Arc::default() }
    }

    /// Take a place for `client`. `None`: there is none left.
    pub(crate) fn take(&self, client: u32) -> Option<Permit> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let its = taken.each.get(&client).copied().unwrap_or(0);
        if taken.all >= self.all || its >= self.each {
            return None;
        }
        taken.all += 1;
        taken.each.insert(client, its + 1);
        Some(Permit { taken: Arc::clone(&self.taken), client })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(its) = taken.each.get_mut(&self.client) {
            *its -= 1;
            if *its == 0 {
                taken.each.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_cannot_use_up_what_is_there_for_all() {
        let quota = Quota::new((3, 2));
        let (_first, second) = (quota.take(1).unwrap(), quota.take(1).unwrap());
        assert!(quota.take(1).is_none());
        let _other = quota.take(2).unwrap();
        assert!(quota.take(3).is_none(), "three are taken");
        drop(second);
        assert!(quota.take(1).is_some());
    }
}
