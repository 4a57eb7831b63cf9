//! What is handed from many threads to one, in batches: the one is woken for the first of a batch and not for each,
//! which would cost the others more than the handing over.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a batch may grow.
const GATHER: Duration = Duration::from_millis(10);

/// A queue with room for so many.
pub(crate) struct Queue<T> {
    room: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: Vec<T>,
    /// How many found no room since the last batch.
    overrun: u64,
    ended: bool,
}

/// What came since the last one.
pub(crate) struct Batch<T> {
    /// In their order.
    pub(crate) values: Vec<T>,
    /// How many more found no room.
    pub(crate) overrun: u64,
    /// Whether nothing comes after it.
    pub(crate) last: bool,
}

/// The queue has ended: the value is given back.
#[derive(Debug)]
pub(crate) struct Ended<T>(pub(crate) T);

impl<T> Queue<T> {
    pub(crate) fn new(room: usize) -> Self {
        let state = State { waiting: Vec::new(), overrun: 0, ended: false };
        Self { room, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Hands a value over, or counts it where there is no room. Never waits for the one who takes.
    pub(crate) fn push(&self, value: T) -> Result<(), Ended<T>> {
        let mut state = self.lock();
        if state.ended {
            return Err(Ended(value));
        }
        if state.waiting.len() >= self.room {
            state.overrun += 1;
            return Ok(());
        }
        state.waiting.push(value);
        let notable = state.waiting.len() == 1 || state.waiting.len() == self.room / 2;
        drop(state);
        if notable {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Lets nothing more come.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_one();
    }

    /// Waits for the next batch.
    pub(crate) fn take(&self) -> Batch<T> {
        let state = self.changed.wait_while(self.lock(), |state| state.waiting.is_empty() && !state.ended);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let grows = |state: &mut State<T>| state.waiting.len() < self.room / 2 && !state.ended;
        let gathered = self.changed.wait_timeout_while(state, GATHER, grows);
        let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        Batch {
            values: std::mem::take(&mut state.waiting),
            overrun: std::mem::take(&mut state.overrun),
            last: state.ended,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
