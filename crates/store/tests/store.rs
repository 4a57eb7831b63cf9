//! The store, as the control plane uses it.

use linkway_model::Timestamp;
use linkway_model::account::Account;
use linkway_store::{Store, StoreError};

fn account(id: &str) -> Account {
    Account {
        id: id.parse().expect("an account's number"),
        name: "test".into(),
        organization: None,
        created: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let number = store
        .transact(|tx| {
            tx.put(account("111111111111"));
            tx.put(account("222222222222"));
            Ok::<_, StoreError>(tx.next_number("vpc"))
        })
        .unwrap();
    store.transact(|tx| Ok::<_, StoreError>(tx.delete::<Account>("222222222222"))).unwrap();
    let before = store.snapshot();
    drop(store);

    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.snapshot(), before);
    assert_eq!(store.snapshot().all::<Account>().count(), 1);
    let next = store.transact(|tx| Ok::<_, StoreError>(tx.next_number("vpc"))).unwrap();
    assert_eq!(next, number + 1);
}

#[test]
fn a_failed_transaction_changes_nothing() {
    let store = Store::ephemeral();
    let before = store.snapshot();
    let answer: Result<(), StoreError> = store.transact(|tx| {
        tx.put(account("111111111111"));
        assert!(tx.get::<Account>("111111111111").is_some());
        Err(StoreError::Full("/nowhere".into()))
    });
    assert!(answer.is_err());
    assert_eq!(store.snapshot(), before);
}

#[test]
fn a_directory_has_one_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let _held = Store::open(directory.path()).unwrap();
    assert!(matches!(Store::open(directory.path()), Err(StoreError::Locked(_))));
}

#[test]
fn watchers_see_the_revision_of_each_write() {
    let store = Store::ephemeral();
    let watch = store.subscribe();
    store
        .transact(|tx| {
            tx.put(account("111111111111"));
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert!(watch.has_changed().unwrap());
    assert_eq!(watch.borrow().revision, 1);
    // Reading alone is no revision.
    store.transact(|tx| Ok::<_, StoreError>(tx.all::<Account>().count())).unwrap();
    assert_eq!(store.snapshot().revision, 1);
}
