//! What is worked on just now: each by one step at a time, and not too many at once.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use tokio::sync::watch;

/// Ids of what is worked on.
pub(crate) struct Busy<Id> {
    most: usize,
    ids: watch::Sender<BTreeSet<Id>>,
}

impl<Id: Ord + Clone> Busy<Id> {
    /// Nobody is worked on yet; later, `most` at a time.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ids: watch::Sender::default() }
    }

    /// Whether it is worked on.
    pub(crate) fn has(&self, id: &Id) -> bool {
        self.ids.borrow().contains(id)
    }

    /// Begin to work on it, until what is returned is dropped. `None`: somebody does already, or there is no room.
    pub(crate) fn begin(&self, id: &Id) -> Option<Work<Id>> {
        let begins = |ids: &mut BTreeSet<Id>| ids.len() < self.most && ids.insert(id.clone());
        let begun = self.ids.send_if_modified(begins);
        begun.then(|| Work { id: id.clone(), ids: self.ids.clone() })
    }

    /// Wait until nobody works on anything of this kind.
    pub(crate) async fn until_none(&self, kind: impl Fn(&Id) -> bool) -> Result<()> {
        let mut ids = self.ids.subscribe();
        ids.wait_for(|ids| !ids.iter().any(&kind)).await.context("the daemon is stopping")?;
        Ok(())
    }
}

/// Something that is worked on, until this is dropped.
pub(crate) struct Work<Id: Ord> {
    id: Id,
    ids: watch::Sender<BTreeSet<Id>>,
}

impl<Id: Ord> Drop for Work<Id> {
    fn drop(&mut self) {
        self.ids.send_if_modified(|ids| ids.remove(&self.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_works_on_each_and_few_at_once() {
        let busy = Busy::new(2);
        let first = busy.begin(&1).unwrap();
        assert!(busy.begin(&1).is_none(), "somebody does already");
        let _second = busy.begin(&2).unwrap();
        assert!(busy.begin(&3).is_none(), "no room");
        busy.until_none(|id| *id > 2).await.unwrap();
        drop(first);
        assert!(!busy.has(&1) && busy.has(&2));
        busy.until_none(|id| *id == 1).await.unwrap();
        assert!(busy.begin(&1).is_some());
    }

    #[tokio::test]
    async fn work_that_fails_ends_too() {
        let busy = Busy::new(1);
        let work = busy.begin(&1).unwrap();
        let failing = tokio::spawn(async move {
            let _work = work;
            panic!("on purpose");
        });
        busy.until_none(|_| true).await.unwrap();
        assert!(failing.await.unwrap_err().is_panic());
    }
}
