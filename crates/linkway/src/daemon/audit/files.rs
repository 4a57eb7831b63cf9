//! Where the records of requests lie: one file that grows, and those that were full, numbered in their order.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const NAME: &str = "network-activity";

/// The file that grows.
pub(crate) fn current(directory: &Path) -> PathBuf {
    directory.join(format!("{NAME}.jsonl"))
}

/// A full file, by its number.
pub(super) fn full(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{NAME}-{number:06}.jsonl"))
}

/// The full files by their numbers: oldest first. None where there is no directory.
pub(super) fn all_full(directory: &Path) -> io::Result<BTreeMap<u64, PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(number) {
            files.insert(number, entry.path());
        }
    }
    Ok(files)
}

/// All files, oldest records first, opened so that one that becomes full meanwhile is neither missed nor there twice.
pub(crate) fn open_all(directory: &Path) -> io::Result<Vec<File>> {
    // First of all: what becomes full from now on is in here.
    let current = open(&current(directory))?;
    let identity = |file: &File| file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
    let newest = current.as_ref().map(identity).transpose()?;
    let mut files = Vec::new();
    for path in all_full(directory)?.values() {
        // One that is not there any more was the oldest, and is given up meanwhile.
        let Some(file) = open(path)? else { continue };
        if Some(identity(&file)?) == newest {
            break;
        }
        files.push(file);
    }
    files.extend(current);
    Ok(files)
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix(NAME)?.strip_prefix('-')?.strip_suffix(".jsonl")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_known_by_their_numbers() {
        assert_eq!(number("network-activity-000012.jsonl"), Some(12));
        assert_eq!(number("network-activity-1000000.jsonl"), Some(1_000_000));
        assert_eq!(number("network-activity.jsonl"), None);
        assert_eq!(number("network-activity-x.jsonl"), None);
    }

    #[test]
    fn nothing_written_is_no_files() {
        let directory = tempfile::tempdir().unwrap();
        assert!(open_all(&directory.path().join("none")).unwrap().is_empty());
    }
}
