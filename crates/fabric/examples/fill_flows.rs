//! For benchmarks: says what memory a table of a running fabric takes, and puts flows that no packet belongs to into
//! the flow table.
//!
//! ```text
//! fill_flows /sys/fs/bpf/linkway flows 1000000
//! ```
//!
//! Flows are of a VPC with a number that none has, and may be idle for an hour. Prints bytes before and after, as the
//! kernel counts them.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use libbpf_rs::{MapCore, MapFlags, MapHandle};
use linkway_fabric::flows::clock;
use linkway_fabric::layout::{Address, Flow, FlowKey, Layout};
use linkway_fabric::programs::types::flow_flag;

const NOBODYS: u32 = u32::MAX;
const UDP: u8 = 17;
const HOUR: u32 = 3600;
const BATCH: u32 = 1024;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [fabric, name, count] = arguments.as_slice() else {
        bail!("usage: fill_flows DIRECTORY TABLE COUNT")
    };
    let path = table(Path::new(fabric), name)?;
    let map = MapHandle::from_pinned_path(&path).with_context(|| path.display().to_string())?;
    let before = memory(&map)?;
    match count.parse().context("how many")? {
        0 => {}
        count if name == "flows" => fill(&map, count, clock())?,
        _ => bail!("only `flows` is filled"),
    }
    println!("{before} {}", memory(&map)?);
    Ok(())
}

/// Where a table is pinned: all have one version's directory.
fn table(fabric: &Path, name: &str) -> Result<PathBuf> {
    let version = fs::read_dir(fabric).with_context(|| fabric.display().to_string())?.next();
    Ok(version.context("no tables there")??.path().join(name))
}

fn fill(map: &MapHandle, flows: u32, now: Duration) -> Result<()> {
    for start in (0..flows).step_by(BATCH as usize) {
        let (mut keys, mut values, mut entries) = (Vec::new(), Vec::new(), 0);
        for number in start..flows.min(start + BATCH) {
            let (forward, reverse) = (key(number, 0), key(number, 1));
            for (key, peer, flags) in
                [(forward, reverse, flow_flag::FLOW_FORWARD.0), (reverse, forward, 0)]
            {
                let seen = now.as_nanos() as u64;
                let flow = Flow { peer, seen, idle_seconds: HOUR, flags, ..Flow::default() };
                keys.extend_from_slice(key.bytes());
                values.extend_from_slice(flow.bytes());
                entries += 1;
            }
        }
        map.update_batch(&keys, &values, entries, MapFlags::ANY, MapFlags::ANY).context("put flows")?;
    }
    Ok(())
}

/// One direction of a flow.
fn key(number: u32, direction: u32) -> FlowKey {
    let source = Address { word: [0, 0, direction, number] };
    FlowKey { vpc: NOBODYS, protocol: UDP, source, destination: source, ..FlowKey::default() }
}

/// Bytes.
fn memory(map: &MapHandle) -> Result<u64> {
    let told = fs::read_to_string(format!("/proc/self/fdinfo/{}", map.as_fd().as_raw_fd()))?;
    let line = told.lines().find_map(|line| line.strip_prefix("memlock:")).context("no memory told")?;
    line.trim().parse().context("memory")
}
