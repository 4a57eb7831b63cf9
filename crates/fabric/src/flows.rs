//! Removes flows whose time is up, a bounded number of entries at a time, and keeps the shares of interfaces right.
//!
//! The programs find an expired flow gone when its next packet comes, so this is only about memory: it may
//! run late, or not at all for a while, and no packet is treated otherwise. It reads whole batches, and has the kernel
//! look at what seems idle and remove it (`bpf/upkeep.h`), by the same functions as for packets.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use libbpf_rs::{MapCore, MapFlags, MapHandle, libbpf_sys};

use crate::error::FabricError;
use crate::layout::{Collection, Correction, Flow, FlowKey, Fragment, Layout, Share};
use crate::programs::LinkwaySkel;
use crate::programs::types::{flow_flag, idle_seconds};
use crate::shares::Census;

/// Entries that one step reads: about 100 KiB, and a millisecond at most.
const BATCH: usize = 512;

const TCP: u8 = 6;

/// A walk through the flow table, over and over.
pub struct Collector {
    flows: MapHandle,
    fragments: MapHandle,
    shares: MapHandle,
    interfaces: MapHandle,
    collect: OwnedFd,
    settle: OwnedFd,
    /// Where the walk goes on: the kernel's number of a bucket. `None`: from the start.
    position: Option<u32>,
    keys: Vec<FlowKey>,
    values: Vec<Flow>,
    census: Census,
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
    pub fn new(programs: &LinkwaySkel<'_>) -> Result<Self, FabricError> {
        let (maps, progs) = (&programs.maps, &programs.progs);
        let keep = |program: &libbpf_rs::Program<'_>| {
            let fd = program.as_fd().try_clone_to_owned();
            fd.map_err(|error| failed("keep a program")(libbpf_rs::Error::from(error)))
        };
        let flows = MapHandle::try_from(&maps.flows).map_err(failed("open the table flows"))?;
        let fits = flows.key_size() as usize == size_of::<FlowKey>()
            && flows.value_size() as usize == size_of::<Flow>();
        assert!(fits, "not the flow table of this layout");
        Ok(Self {
            flows,
            fragments: MapHandle::try_from(&maps.fragments).map_err(failed("open the table fragments"))?,
            shares: MapHandle::try_from(&maps.shares).map_err(failed("open the table shares"))?,
            interfaces: MapHandle::try_from(&maps.interfaces).map_err(failed("open the table interfaces"))?,
            collect: keep(&progs.collect)?,
            settle: keep(&progs.settle)?,
            position: None,
            keys: vec![FlowKey::default(); BATCH],
            values: vec![Flow::default(); BATCH],
            census: Census::default(),
        })
    }

    /// Look at the next entries of the flow table, and remove those pairs that were idle for too long
    /// before `now` (of [`clock`]). How often this is called bounds what it costs.
    pub fn step(&mut self, now: Duration) -> Result<Step, FabricError> {
        if self.position.is_none() {
            self.census.begin(shares(&self.shares).map_err(failed("read the shares of the flow table"))?);
        }
        let (seen, finished) = self.read().map_err(failed("read the flow table"))?;
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let mut removed = 0;
        for (key, flow) in self.keys.iter().zip(&self.values).take(seen) {
            self.census.count(key, flow);
            if is_past(key, flow, now) {
                let collection = Collection { key: *key, pad: 0, now };
                removed += run(&self.collect, &collection).map_err(failed("remove a flow"))? as usize;
            }
        }
        if finished {
            self.settle().map_err(failed("keep the shares of the flow table"))?;
            self.forget_fragments(now).map_err(failed("forget fragments"))?;
        }
        Ok(Step { seen, removed, finished })
    }

    /// Correct the shares that are off, and forget those of interfaces that are gone.
    fn settle(&mut self) -> Result<(), libbpf_rs::Error> {
        let after = shares(&self.shares)?;
        for (interface, surplus) in self.census.end(&after) {
            tracing::debug!(interface, ?surplus, "an interface's share of the flow table was off");
            let (flows, half_open) = (surplus.flows, surplus.half_open);
            run(&self.settle, &Correction { interface, pad: 0, flows, half_open })?;
        }
        for (number, share) in after.iter().filter(|(number, share)| self.census.is_idle(**number, share)) {
            if self.interfaces.lookup(number.bytes(), MapFlags::ANY)?.is_none() {
                tracing::trace!(interface = number, ?share, "a share of the flow table is free");
                self.shares.delete(number.bytes())?;
            }
        }
        Ok(())
    }

    /// Remove what is known of first fragments that nothing can follow any more. Memory is all that it is about; one
    /// that has just been replaced may go with it, and then its datagram is lost.
    fn forget_fragments(&self, now: u64) -> Result<(), libbpf_rs::Error> {
        for key in self.fragments.keys() {
            let value = self.fragments.lookup(&key, MapFlags::ANY)?;
            let old = value.and_then(|bytes| Fragment::read(&bytes)).is_some_and(|first| {
                now.saturating_sub(first.seen) > u64::from(idle_seconds::IDLE_FRAGMENT.0) * 1_000_000_000
            });
            if old {
                self.fragments.delete(&key)?;
            }
        }
        Ok(())
    }

    /// Read the next batch: how many entries, and whether they were the last.
    ///
    /// The library's own iterator takes a batch that is not full for the last one; but the kernel gives
    /// whole buckets, so almost none is.
    fn read(&mut self) -> Result<(usize, bool), libbpf_rs::Error> {
        let mut count = BATCH as u32;
        let mut next = 0u32;
        let from = self.position.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: keys and values have room for `count` of the table's keys and values, whose sizes were
        // just compared and which are plain integers; a position of a hash table is 32 bits.
        let result = unsafe {
            libbpf_sys::bpf_map_lookup_batch(
                self.flows.as_fd().as_raw_fd(),
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

/// What each interface has of the flow table, by its number.
pub(crate) fn shares(table: &MapHandle) -> Result<BTreeMap<u32, Share>, libbpf_rs::Error> {
    let mut shares = BTreeMap::new();
    for key in table.keys() {
        let share = table.lookup(&key, MapFlags::ANY)?.and_then(|value| Share::read(&value));
        shares.extend(u32::read(&key).zip(share));
    }
    Ok(shares)
}

/// Run a program of the daemon's. Returns what it returns.
fn run<T: Layout>(program: &OwnedFd, given: &T) -> Result<u32, libbpf_rs::Error> {
    let mut options = libbpf_sys::bpf_test_run_opts {
        sz: size_of::<libbpf_sys::bpf_test_run_opts>() as u64,
        ctx_in: given.bytes().as_ptr().cast(),
        ctx_size_in: size_of::<T>() as u32,
        ..Default::default()
    };
    // SAFETY: the kernel reads `ctx_size_in` bytes from `given`, which outlives the call, and writes the options only.
    match unsafe { libbpf_sys::bpf_prog_test_run_opts(program.as_raw_fd(), &raw mut options) } {
        0 => Ok(options.retval),
        error => Err(libbpf_rs::Error::from_raw_os_error(-error)),
    }
}

/// Was this entry unused for longer than its flow's time-out? As `expired` in `bpf/flow.h` has it.
fn is_past(key: &FlowKey, flow: &Flow, now: u64) -> bool {
    let has = |flag: flow_flag| flow.flags & flag.0 != 0;
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
