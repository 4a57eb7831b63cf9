//! A transaction: a copy of the state that remembers what was changed in it.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use linkway_model::snapshot::Counter;
use linkway_model::{Resource, Snapshot};

/// Changes by kind and id: the document, or `None` for one that was deleted.
pub(crate) type Changes = BTreeMap<(&'static str, String), Option<Arc<dyn Document>>>;

/// A document of whichever kind, to be written.
pub(crate) trait Document: Send + Sync {
    /// Its JSON text.
    fn json(&self) -> String;
}

impl<T: Resource> Document for T {
    fn json(&self) -> String {
        serde_json::to_string(self).expect("documents are plain data with text keys")
    }
}

/// A piece of work on the state. Reading goes to the snapshot behind it, which shows its own writes.
pub struct Transaction {
    snapshot: Snapshot,
    changes: Changes,
}

impl Deref for Transaction {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Transaction {
    pub(crate) fn begin(state: &Snapshot) -> Self {
        let mut snapshot = state.clone();
        snapshot.revision += 1;
        Self { snapshot, changes: Changes::new() }
    }

    pub(crate) fn finish(self) -> Option<(Snapshot, Changes)> {
        (!self.changes.is_empty()).then_some((self.snapshot, self.changes))
    }

    /// The revision that the state has once this transaction is committed.
    pub fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// Write a document, new or in place of the one with its id.
    pub fn put<T: Resource>(&mut self, document: T) {
        let document = Arc::new(document);
        self.changes.insert((T::KIND, document.id().to_owned()), Some(Arc::clone(&document) as _));
        self.snapshot.put(document);
    }

    /// Change the document with this id, if there is one. Whether there was.
    pub fn update<T: Resource>(&mut self, id: impl AsRef<str>, change: impl FnOnce(&mut T)) -> bool {
        let Some(document) = self.snapshot.get::<T>(id) else { return false };
        let mut changed = T::clone(document);
        change(&mut changed);
        if changed != **document {
            self.put(changed);
        }
        true
    }

    /// Delete the document with this id, if there is one. Whether there was.
    pub fn delete<T: Resource>(&mut self, id: impl AsRef<str>) -> bool {
        self.delete_key(T::KIND, id.as_ref(), T::table(&self.snapshot).contains_key(id.as_ref()))
    }

    /// Delete every document but those of the kinds given.
    pub fn clear_except(&mut self, kept: &[&str]) {
        for (kind, id) in self.snapshot.keys() {
            if !kept.contains(&kind) {
                self.delete_key(kind, &id, true);
            }
        }
    }

    fn delete_key(&mut self, kind: &'static str, id: &str, exists: bool) -> bool {
        if exists {
            self.snapshot.unload(kind, id);
            self.changes.insert((kind, id.to_owned()), None);
        }
        exists
    }

    /// The next number of a kind, from 1; never the same again.
    pub fn next_number(&mut self, kind: &str) -> u32 {
        let last = self.snapshot.get::<Counter>(kind).map_or(0, |counter| counter.last) + 1;
        self.put(Counter { name: kind.to_owned(), last });
        last
    }
}
