//! JSON lines in a file that is set aside when it is full. What cannot be written is counted, and the count written
//! as soon as something can be.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use linkway_model::Timestamp;
use serde_json::{Value, json};

use super::files;

/// Bytes that wait for more before they are written, while more is there.
const BUFFERED: usize = 256 * 1024;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of a file before the next one is begun.
    pub(super) bytes: u64,
    /// Full files that are kept.
    pub(super) full: usize,
}

/// The log.
pub(super) struct Log {
    directory: PathBuf,
    limits: Limits,
    file: File,
    /// Whole lines that are not written yet.
    waiting: Vec<u8>,
    lost: Lost,
    /// Whether the last attempt to write failed.
    failing: bool,
}

/// Records that are in no file, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Lost {
    /// More came than could be written.
    queue: u64,
    /// They could not be written.
    disk: u64,
}

impl Log {
    /// Go on where the last one ended, however it ended.
    pub(super) fn open(directory: &Path, limits: Limits) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let mut log = Self {
            directory: directory.to_owned(),
            limits,
            file: open(directory)?,
            waiting: Vec::new(),
            lost: Lost::default(),
            failing: false,
        };
        let path = files::current(directory);
        log.lost.disk = mend(&mut log.file).with_context(|| format!("cannot mend {}", path.display()))?;
        Ok(log)
    }

    /// Take a record, spelled without its line's end, which is in the file at the next [`Self::flush`] at the latest.
    pub(super) fn append(&mut self, spell: impl FnOnce(&mut Vec<u8>)) {
        push_line(&mut self.waiting, spell);
        if self.waiting.len() >= BUFFERED {
            self.flush();
        }
    }

    /// Some records never came here.
    pub(super) fn overrun(&mut self, count: u64) {
        self.lost.queue += count;
    }

    /// Write what waits.
    pub(super) fn flush(&mut self) {
        if self.waiting.is_empty() && self.lost == Lost::default() {
            return;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        let written = self.write(&waiting);
        let left = count_lines(&waiting[written..]);
        waiting.clear();
        self.waiting = waiting;
        self.lost.disk += left;
        if left == 0 {
            self.tell();
        }
    }

    /// Write what waits, to the disk itself.
    pub(super) fn end(mut self) {
        self.flush();
        if let Err(error) = self.file.sync_all() {
            tracing::error!(%error, "the last audit records may not be on the disk");
        }
        let Lost { queue, disk } = self.lost;
        if queue + disk > 0 {
            tracing::error!("{} audit records are lost, and no record says so", queue + disk);
        }
    }

    /// Say in the log, and to the operator, how many records are lost since it was last said.
    fn tell(&mut self) {
        let Lost { queue, disk } = self.lost;
        if queue + disk == 0 {
            return;
        }
        let mut line = Vec::new();
        push_line(&mut line, |line| line.extend(loss(self.lost).to_string().bytes()));
        if self.write(&line) == line.len() {
            self.lost = Lost::default();
            tracing::warn!(
                "audit records are lost: {queue} that came faster than they could be written, {disk} that could \
                 not be written; a record says so"
            );
        }
    }

    /// Append whole lines, as many as there is room for. Returns how many bytes that are.
    fn write(&mut self, lines: &[u8]) -> usize {
        if lines.is_empty() {
            return 0;
        }
        match self.try_write(lines) {
            Ok(()) => {
                self.failing = false;
                lines.len()
            }
            Err((written, error)) => {
                // Said once: more of the kind are counted.
                if !std::mem::replace(&mut self.failing, true) {
                    let path = files::current(&self.directory);
                    tracing::error!(%error, "audit records cannot be written to {}", path.display());
                }
                written
            }
        }
    }

    fn try_write(&mut self, lines: &[u8]) -> Result<(), (usize, io::Error)> {
        let size = self.make_room(lines.len() as u64).map_err(|error| (0, error))?;
        let mut written = 0;
        while written < lines.len() {
            match self.file.write(&lines[written..]) {
                Ok(count) if count > 0 => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                failed => {
                    // A record is there whole or not at all.
                    let whole = end_of_last_line(&lines[..written]);
                    let error = failed.err().unwrap_or_else(|| ErrorKind::WriteZero.into());
                    self.file.set_len(size + whole as u64).map_err(|error| (whole, error))?;
                    return Err((whole, error));
                }
            }
        }
        Ok(())
    }

    /// See to it that the file is there and takes this many bytes more. Returns its size.
    fn make_room(&mut self, more: u64) -> io::Result<u64> {
        let found = self.file.metadata()?;
        if found.nlink() == 0 {
            // Somebody removed it.
            self.file = open(&self.directory).map_err(io::Error::other)?;
            return Ok(self.file.metadata()?.len());
        }
        if found.len() == 0 || found.len() + more <= self.limits.bytes {
            return Ok(found.len());
        }
        self.file.sync_all()?;
        let full = files::all_full(&self.directory)?;
        let next = full.last_key_value().map_or(1, |(number, _)| number + 1);
        match fs::rename(files::current(&self.directory), files::full(&self.directory, next)) {
            // It was set aside before, and a new one could not be made then.
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.file = open(&self.directory).map_err(io::Error::other)?;
        let given_up = (full.len() + 1).saturating_sub(self.limits.full);
        for path in full.values().take(given_up) {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(%error, "{} cannot be removed", path.display());
            }
        }
        Ok(0)
    }
}

fn open(directory: &Path) -> Result<File> {
    let path = files::current(directory);
    OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write to {}", path.display()))
}

/// A machine that stopped may have left a record without its end. Returns how many records are lost by that.
fn mend(file: &mut File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let (mut start, mut tail) = (size, Vec::new());
    while start > 0 && !tail.contains(&b'\n') {
        let step = start.min(64 * 1024);
        start -= step;
        let mut piece = vec![0; usize::try_from(step).expect("64 KiB")];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut piece)?;
        piece.append(&mut tail);
        tail = piece;
    }
    let whole = end_of_last_line(&tail);
    let cut = &tail[whole..];
    if cut.is_empty() {
        return Ok(0);
    }
    if serde_json::from_slice::<Value>(cut).is_ok() {
        file.write_all(b"\n")?;
        return Ok(0);
    }
    file.set_len(start + whole as u64)?;
    Ok(1)
}

/// What stands in the log for records that do not.
fn loss(lost: Lost) -> Value {
    json!({
        "eventVersion": "1.09",
        "eventTime": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": "linkway",
        "eventName": "RecordsLost",
        "eventType": "LinkwayServiceEvent",
        "eventCategory": "Management",
        "additionalEventData": {"tooFast": lost.queue, "notWritten": lost.disk},
    })
}

fn push_line(lines: &mut Vec<u8>, spell: impl FnOnce(&mut Vec<u8>)) {
    spell(lines);
    lines.push(b'\n');
}

fn end_of_last_line(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests;
