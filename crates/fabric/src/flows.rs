//! Removes flows whose time is up, a bounded number of entries at a time.
//!
//! The programs find an expired flow gone when its next packet comes, so this is only about memory: it may
//! run late, or not at all for a while, and no packet is treated otherwise. It goes by the same time-outs
//! (`bpf/flow.h`), reads whole batches, and looks at both entries of a pair again right before it removes
//! them.

use std::io;
use std::os::fd::AsRawFd;
use std::ptr;
use std::time::Duration;

use libbpf_rs::{MapCore, MapFlags, libbpf_sys};

use crate::error::FabricError;
use crate::layout::{Flow, FlowKey, Layout};
use crate::programs::types::{flow_flag, idle_seconds};

/// Entries that one step reads: about 100 KiB, and a millisecond at most.
const BATCH: usize = 512;

const TCP: u8 = 6;

/// A walk through the flow table, over and over.
pub struct Collector {
    /// Where the walk goes on: the kernel's number of a bucket. `None`: from the start.
    position: Option<u32>,
    keys: Vec<FlowKey>,
    values: Vec<Flow>,
}

/// What one step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Entries that it looked at, two a flow.
    pub seen: usize,
    /// Entries that it removed.
    pub removed: usize,
    /// The walk has come to the table's end; the next step begins at its start.
    pub finished: bool,
}

impl Collector {
    /// A walk that has not begun.
    pub fn new() -> Self {
        Self { position: None, keys: vec![FlowKey::default(); BATCH], values: vec![Flow::default(); BATCH] }
    }

    /// Look at the next entries of the table `flows`, and remove those pairs that were idle for too long
    /// before `now` (of [`clock`]). How often this is called bounds what it costs.
    pub fn step(&mut self, flows: &impl MapCore, now: Duration) -> Result<Step, FabricError> {
        let (seen, finished) = self.read(flows).map_err(failed("read the flow table"))?;
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let mut removed = 0;
        for (key, flow) in self.keys.iter().zip(&self.values).take(seen) {
            if is_past(key, flow, now) {
                removed += remove_if_idle(flows, key, flow, now).map_err(failed("remove a flow"))?;
            }
        }
        Ok(Step { seen, removed, finished })
    }

    /// Read the next batch: how many entries, and whether they were the last.
    ///
    /// The library's own iterator takes a batch that is not full for the last one; but the kernel gives
    /// whole buckets, so almost none is.
    fn read(&mut self, flows: &impl MapCore) -> Result<(usize, bool), libbpf_rs::Error> {
        let fits = flows.key_size() as usize == size_of::<FlowKey>()
            && flows.value_size() as usize == size_of::<Flow>();
        assert!(fits, "not the flow table of this layout");
        let mut count = BATCH as u32;
        let mut next = 0u32;
        let from = self.position.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: keys and values have room for `count` of the table's keys and values, whose sizes were
        // just compared and which are plain integers; a position of a hash table is 32 bits.
        let result = unsafe {
            libbpf_sys::bpf_map_lookup_batch(
                flows.as_fd().as_raw_fd(),
                from.cast(),
                ptr::from_mut(&mut next).cast(),
                self.keys.as_mut_ptr().cast(),
                self.values.as_mut_ptr().cast(),
                &mut count,
                ptr::null(),
            )
        };
        let finished = match result {
            0 => false,
            error if -error == libc::ENOENT => true,
            error => return Err(libbpf_rs::Error::from_raw_os_error(-error)),
        };
        self.position = (!finished).then_some(next);
        Ok((count as usize, finished))
    }
}

impl Default for Collector {
    fn default() -> Self {
        Self::new()
    }
}

/// Remove the pair that has this entry, if the other one has been idle as long, or is gone.
fn remove_if_idle(
    flows: &impl MapCore,
    key: &FlowKey,
    flow: &Flow,
    now: u64,
) -> Result<usize, libbpf_rs::Error> {
    let idle = |key: &FlowKey| -> Result<bool, libbpf_rs::Error> {
        let value = flows.lookup(key.bytes(), MapFlags::ANY)?;
        Ok(value.and_then(|bytes| Flow::read(&bytes)).is_none_or(|flow| is_past(key, &flow, now)))
    };
    if !idle(key)? || !idle(&flow.peer)? {
        return Ok(0);
    }
    let mut removed = 0;
    for key in [&flow.peer, key] {
        match flows.delete(key.bytes()) {
            Ok(()) => removed += 1,
            Err(error) if error.kind() == libbpf_rs::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

/// Was this entry unused for longer than its flow's time-out? As `expired` in `bpf/flow.h` has it.
fn is_past(key: &FlowKey, flow: &Flow, now: u64) -> bool {
    let has = |flag: flow_flag| u32::from(flow.flags) & flag.0 != 0;
    let open = has(flow_flag::FLOW_ESTABLISHED) && !has(flow_flag::FLOW_CLOSING);
    let seconds = if key.protocol == TCP && !open { idle_seconds::IDLE_SHORT.0 } else { flow.idle_seconds };
    now.saturating_sub(flow.seen) > u64::from(seconds) * 1_000_000_000
}

/// The time by which the programs note when a flow was last used: since boot, without suspension.
pub fn clock() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes the one structure it is given.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    assert_eq!(result, 0, "no monotonic clock: {}", io::Error::last_os_error());
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn failed(action: &'static str) -> impl Fn(libbpf_rs::Error) -> FabricError {
    move |source| FabricError::Bpf { action: action.to_owned(), source }
}
