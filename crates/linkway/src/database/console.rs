//! What a server writes to its standard output and error: kept in a file, up to a bound.

use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};
use nix::fcntl::{OFlag, open, openat, renameat};
use nix::sys::stat::Mode;

/// The file's name.
pub(crate) const NAME: &str = "console.log";

/// The name of the one before it.
pub(crate) const EARLIER: &str = "console.log.1";

/// How long the file grows before another is begun: so there are twice as many bytes at most.
const LIMIT: u64 = 8 << 20;

/// The file, in a directory that only root reaches. It is reached by the directory that it is in as that was when it was opened, whatever is mounted over
/// its path later.
pub(crate) struct Console {
    directory: OwnedFd,
    file: File,
    length: u64,
}

impl Console {
    /// The console in this directory.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let opening = || format!("cannot write a console in {}", directory.display());
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let directory_open = open(directory, flags, Mode::empty()).with_context(opening)?;
        let file = open_in(&directory_open).with_context(opening)?;
        let length = file.metadata().with_context(opening)?.len();
        Ok(Self { directory: directory_open, file, length })
    }

    /// Write down what comes, until nobody has the other end any more.
    pub(crate) fn keep(mut self, mut output: PipeReader) {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            // A disk that is full costs lines, not the server.
            drop(self.write(&buffer[..count]));
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.length >= LIMIT {
            renameat(&self.directory, NAME, &self.directory, EARLIER)?;
            self.file = open_in(&self.directory)?;
            self.length = 0;
        }
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

fn open_in(directory: &OwnedFd) -> std::io::Result<File> {
    let flags = OFlag::O_CREAT | OFlag::O_APPEND | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    // The daemon reads it without rights, whoever has written it.
    Ok(openat(directory, NAME, flags, Mode::from_bits_truncate(0o644))?.into())
}

/// The last lines of the console in this directory, in one: why a server has ended, say.
pub(crate) fn last_lines(directory: &Path, count: usize) -> String {
    let text = std::fs::read(directory.join(NAME)).unwrap_or_default();
    // Enough for any `count` that a reason has.
    let tail = String::from_utf8_lossy(&text[text.len().saturating_sub(4096)..]).into_owned();
    let lines: Vec<&str> = tail.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_a_bound_and_keeps_what_came_last() {
        let directory = tempfile::tempdir().unwrap();
        let (output, mut input) = std::io::pipe().unwrap();
        let console = Console::open(directory.path()).unwrap();
        let keeper = std::thread::spawn(move || console.keep(output));
        let line = format!("{}\n", "x".repeat((1 << 16) - 1));
        for _ in 0..(3 * LIMIT / (1 << 16)) {
            input.write_all(line.as_bytes()).unwrap();
        }
        input.write_all(b"first\n\nlast\n").unwrap();
        drop(input);
        keeper.join().unwrap();
        let length = |name: &str| std::fs::metadata(directory.path().join(name)).unwrap().len();
        assert!((LIMIT..LIMIT + 8192).contains(&length(EARLIER)));
        assert!(length(NAME) < LIMIT + 8192);
        assert_eq!(last_lines(directory.path(), 2), "first; last");
    }

    #[test]
    fn without_a_console_there_are_no_lines() {
        assert_eq!(last_lines(Path::new("/nowhere"), 3), "");
    }
}
