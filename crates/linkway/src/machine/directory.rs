//! An instance's directory in the state directory: `machines/ID`.
//!
//! `root` is its root directory, or the upper layer of it; `layers` has the upper layers of other directories; both
//! belong to its own ids. `console` is where its first process writes what it prints.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use linkway_model::InstanceId;

use crate::database::console;
use crate::keeper::protocol::Place;
use crate::state_dir::{StateDir, lock, remove, write_private};

/// How many ids an instance has: as many as its programs can name with 16 bits.
pub(crate) const IDS: u32 = 1 << 16;

/// The first id of the ranges, and how many ranges there are. From 0x70000000 on ids are unallocated; systemd keeps
/// 0x7FFE0000 for others. Source: systemd, "Users, Groups, UIDs and GIDs on systemd Systems".
const FIRST: u32 = 0x7000_0000;
const RANGES: u32 = 0x0FFE;

/// Where a daemon's instances have their directories.
pub(crate) fn machines(place: &Place) -> PathBuf {
    let state = StateDir::at(&place.state);
    if place.ephemeral { state.ephemeral_machines() } else { state.machines() }
}

/// Where the images that were imported have their directories.
pub(crate) fn images(place: &Place) -> PathBuf {
    let state = StateDir::at(&place.state);
    if place.ephemeral { state.ephemeral_images() } else { state.images() }
}

/// What an instance wrote to its console, the earlier file and the later one.
pub(crate) fn console_files(machines: &Path, instance: &InstanceId) -> [PathBuf; 2] {
    let directory = machines.join(instance.as_str()).join("console");
    [directory.join(console::EARLIER), directory.join(console::NAME)]
}

/// An instance's directory.
pub(crate) struct Directory {
    above: PathBuf,
    path: PathBuf,
}

impl Directory {
    /// The directory of this instance.
    pub(crate) fn of(place: &Place, instance: &InstanceId) -> Self {
        let above = machines(place);
        Self { path: above.join(instance.as_str()), above }
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its root directory, or the upper layer of it.
    pub(crate) fn root(&self) -> PathBuf {
        self.path.join("root")
    }

    /// Make it, if need be, and have it to ourselves for as long as the answer is kept.
    pub(crate) fn lock(&self) -> Result<File> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .with_context(|| format!("cannot make {}", self.path.display()))?;
        lock(&self.path.join("lock"))
    }

    /// The first of its ids: chosen once, and of no other instance in the same state directory. Which of the ranges
    /// are tried first depends on that directory, so that the instances of two daemons rarely meet.
    pub(crate) fn ids(&self) -> Result<u32> {
        let file = self.path.join("ids");
        if let Some(ids) = read_ids(&file) {
            return Ok(ids);
        }
        let _alone = lock(&self.above.join("lock"))?;
        let entries = fs::read_dir(&self.above)
            .with_context(|| format!("cannot read {}", self.above.display()))?
            .flatten();
        let taken: Vec<u32> = entries.filter_map(|entry| read_ids(&entry.path().join("ids"))).collect();
        let ids = free(first_tried(&self.above), &taken).context("all ranges of ids are taken")?;
        write_private(&file, ids.to_string().as_bytes())
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(ids)
    }

    /// Make a directory of the instance's own, unless it is there.
    pub(crate) fn make_owned(&self, path: &Path, ids: u32) -> Result<()> {
        let making = || format!("cannot make {}", path.display());
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o755).create(path).with_context(making)?;
        }
        // Each time: whoever made it may have been killed before it came to this.
        chown(path, Some(ids), Some(ids)).with_context(making)
    }

    /// Where its console is kept.
    pub(crate) fn console(&self) -> PathBuf {
        self.path.join("console")
    }

    /// Remove it, with all that the instance wrote.
    pub(crate) fn remove(&self) -> Result<()> {
        if self.path.parent() != Some(&self.above) {
            bail!("{} is no instance's directory", self.path.display());
        }
        remove(&self.path)
    }
}

fn read_ids(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// A number that depends on the path, of FNV-1a (public domain).
fn first_tried(path: &Path) -> u32 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
        % RANGES
}

/// The first id of the first range, from the one numbered `first` on, that is not taken.
fn free(first: u32, taken: &[u32]) -> Option<u32> {
    let ids = |number: u32| FIRST + (first + number) % RANGES * IDS;
    (0..RANGES).map(ids).find(|ids| !taken.contains(ids))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_each_ones_own_and_do_not_change() {
        let state = tempfile::tempdir().unwrap();
        let place = Place { name: "linkway".into(), state: state.path().to_owned(), ephemeral: false };
        let directories: Vec<_> = (0..20).map(|_| Directory::of(&place, &InstanceId::random())).collect();
        let mut ids = Vec::new();
        for directory in &directories {
            let _lock = directory.lock().unwrap();
            ids.push(directory.ids().unwrap());
            assert_eq!(directory.ids().unwrap(), *ids.last().unwrap());
        }
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), ids.len());
        assert!(ids.iter().all(|ids| (FIRST..0x7FFE_0000).contains(ids) && ids % IDS == 0));
        directories[0].remove().unwrap();
        assert!(!directories[0].path().exists());
    }

    #[test]
    fn when_all_are_taken_there_is_none() {
        let all: Vec<u32> = (0..RANGES).map(|number| FIRST + number * IDS).collect();
        assert_eq!(free(7, &all), None);
        assert_eq!(free(RANGES - 1, &all[1..]), Some(FIRST));
    }
}
