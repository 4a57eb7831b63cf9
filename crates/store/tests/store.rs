//! The store, as the control plane uses it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use linkway_model::Timestamp;
use linkway_model::account::{Account, Quotas};
use linkway_store::{Store, StoreError};

fn account(id: &str) -> Account {
    Account {
        id: id.parse().expect("an account's number"),
        name: "test".into(),
        organization: None,
        quotas: Quotas::default(),
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

/// Documents that are written, deleted and written again, while pieces of the journal are folded.
#[test]
fn a_long_history_ends_in_the_same_state() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    for step in 0..120 {
        store
            .transact(|tx| {
                let id = |number: u32| format!("{:012}", number % 700);
                for number in 0..20 {
                    tx.put(account(&id(step * 20 + number)));
                    tx.delete::<Account>(id(step * 7 + number * 3));
                }
                tx.next_number("vpc");
                Ok::<_, StoreError>(())
            })
            .unwrap();
        if step % 10 == 0 {
            store.fold().unwrap();
        }
        if step == 15 {
            let before = store.snapshot();
            drop(store);
            store = Store::open(directory.path()).unwrap();
            assert_eq!(store.snapshot(), before);
        }
    }
    let before = store.snapshot();
    while store.fold().unwrap() {}
    let database = rusqlite::Connection::open(directory.path().join("state.db")).unwrap();
    let count = |table| {
        database.query_one(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(
        (count("journal"), count("documents WHERE kind = 'account'")),
        (0, before.all::<Account>().count() as u32)
    );
    drop(store);
    assert_eq!(Store::open(directory.path()).unwrap().snapshot(), before);
}

/// Somebody who writes without a pause leaves a journal that gets no longer.
#[test]
fn commits_fold_a_long_journal() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    for step in 0..10u64 {
        store
            .transact(|tx| {
                (0..4000).for_each(|number| tx.put(account(&format!("{:012}", step * 3000 + number))));
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }
    let database = rusqlite::Connection::open(directory.path().join("state.db")).unwrap();
    let rows: u32 = database.query_one("SELECT count(*) FROM journal", [], |row| row.get(0)).unwrap();
    assert!(rows <= 24_000, "{rows}");
    let before = store.snapshot();
    drop(store);
    assert_eq!(Store::open(directory.path()).unwrap().snapshot(), before);
}

#[test]
fn a_state_of_the_first_format_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let database = rusqlite::Connection::open(directory.path().join("state.db")).unwrap();
    let document = serde_json::to_string(&account("111111111111")).unwrap();
    database
        .execute_batch(&format!(
            "CREATE TABLE documents (
                 kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id)
             ) WITHOUT ROWID;
             CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
             INSERT INTO meta VALUES ('format', 1), ('revision', 7);
             INSERT INTO documents VALUES ('account', '111111111111', '{document}');"
        ))
        .unwrap();
    let store = Store::open(directory.path()).unwrap();
    let state = store.snapshot();
    assert_eq!((state.revision, state.all::<Account>().count()), (7, 1));
    let format = || {
        database
            .query_one("SELECT value FROM meta WHERE name = 'format'", [], |row| row.get::<_, u32>(0))
            .unwrap()
    };
    assert_eq!(format(), 1, "nothing has been written that an older build could not read");
    store
        .transact(|tx| {
            tx.put(account("222222222222"));
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert_eq!(format(), 2, "an older build, which does not know the journal, refuses it");
    assert_eq!(store.snapshot().all::<Account>().count(), 2);
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

#[test]
fn writers_at_once_each_find_their_own_write_and_keep_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let watch = store.subscribe();
    thread::scope(|scope| {
        for writer in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..25 {
                    let id = format!("{:012}", writer * 100 + number);
                    let revision = store.transact(|tx| {
                        tx.put(account(&id));
                        tx.next_number("test");
                        Ok::<_, StoreError>(tx.revision())
                    });
                    let state = store.snapshot();
                    assert!(state.get::<Account>(&id).is_some(), "the answer comes after the snapshot");
                    assert!(state.revision >= revision.unwrap());
                }
            });
        }
    });
    assert_eq!(watch.borrow().revision, 200);
    let before = store.snapshot();
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.snapshot(), before);
    assert_eq!(store.transact(|tx| Ok::<_, StoreError>(tx.next_number("test"))).unwrap(), 201);
}

/// A trigger that refuses one document fails the commit that it is in, and whatever ran on top of it: nothing of it is
/// seen by anybody, and what is written next stands on what was there before.
#[test]
fn a_commit_that_fails_takes_with_it_what_stood_on_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let refused = "999999999999";
    rusqlite::Connection::open(directory.path().join("state.db"))
        .unwrap()
        .execute_batch(&format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON journal WHEN NEW.id = '{refused}'
             BEGIN SELECT RAISE(ABORT, 'refused'); END;"
        ))
        .unwrap();
    let failed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..8 {
            let (store, failed) = (&store, &failed);
            scope.spawn(move || {
                for number in 0..25 {
                    let bad = (writer + number) % 5 == 0;
                    let id = if bad { refused.to_owned() } else { format!("{:012}", writer * 100 + number) };
                    let done = store.transact(|tx| {
                        // Nobody stands on what will not be: it would be seen here.
                        tx.put(account(&id));
                        Ok::<_, StoreError>(())
                    });
                    let there = store.snapshot().get::<Account>(&id).is_some();
                    assert_eq!(there, done.is_ok(), "{id}");
                    failed.fetch_add(usize::from(done.is_err()), Ordering::Relaxed);
                    assert!(!bad || done.is_err());
                }
            });
        }
    });
    assert!(failed.load(Ordering::Relaxed) >= 40);
    let before = store.snapshot();
    drop(store);
    assert_eq!(Store::open(directory.path()).unwrap().snapshot(), before);
}

#[test]
fn reconciling_nothing_is_no_revision() {
    let store = Store::ephemeral();
    store.reconcile(|tx| assert_eq!(tx.all::<Account>().count(), 0)).unwrap();
    assert_eq!(store.snapshot().revision, 0);
    store.reconcile(|tx| tx.put(account("111111111111"))).unwrap();
    assert_eq!(store.snapshot().revision, 1);
}
