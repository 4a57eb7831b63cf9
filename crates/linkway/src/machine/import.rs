//! Filling an image's directory from a directory or an archive.

use std::fs::{self, DirBuilder, File};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use nix::unistd::syncfs;
use tar::{Archive, Builder, EntryType};

use crate::state_dir::remove;

/// How an archive begins that gzip has compressed (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Directories that an instance has something mounted on.
const MOUNTED: [&str; 4] = ["dev", "proc", "run", "sys"];

/// Fill the directory `image`, which is not there, with what is in `source`. It is there when this returns without an
/// error, whole and on the disk, and not at all otherwise.
pub(crate) fn fill(source: &Path, image: &Path) -> Result<()> {
    let new = image.with_extension("new");
    remove(&new)?;
    let filled = fill_new(source, &new).and_then(|()| {
        File::open(&new).map_err(anyhow::Error::from).and_then(|new| Ok(syncfs(new)?))?;
        fs::rename(&new, image).with_context(|| format!("cannot make {}", image.display()))
    });
    if filled.is_err() {
        // The first error is the one that says why.
        drop(remove(&new));
    }
    filled
}

fn fill_new(source: &Path, new: &Path) -> Result<()> {
    DirBuilder::new().mode(0o755).create(new).with_context(|| format!("cannot make {}", new.display()))?;
    let reading = || format!("cannot read {}", source.display());
    if fs::metadata(source).with_context(reading)?.is_dir() {
        copy(source, new)?;
    } else {
        let mut file = File::open(source).with_context(reading)?;
        let mut begin = Vec::new();
        (&file).take(2).read_to_end(&mut begin).with_context(reading)?;
        file.seek(SeekFrom::Start(0)).with_context(reading)?;
        let file = BufReader::new(file);
        if begin == GZIP { extract(MultiGzDecoder::new(file), new)? } else { extract(file, new)? }
    }
    for name in MOUNTED {
        if fs::symlink_metadata(new.join(name)).is_ok_and(|found| !found.is_dir()) {
            bail!("its /{name} is no directory");
        }
    }
    if fs::read_dir(new)?.next().is_none() {
        bail!("{} is empty", source.display());
    }
    Ok(())
}

/// Copy a directory, as an archive that nobody keeps.
fn copy(source: &Path, new: &Path) -> Result<()> {
    let (archive, input) = std::io::pipe().context("cannot make a pipe")?;
    thread::scope(|scope| {
        let packing = scope.spawn(|| {
            let mut builder = Builder::new(input);
            builder.follow_symlinks(false);
            pack(&mut builder, source, Path::new(""))?;
            builder.into_inner()?.flush()?;
            anyhow::Ok(())
        });
        let extracted = extract(archive, new);
        let packed = packing.join().unwrap_or_else(|_| bail!("copying failed"));
        // What cannot be read ends the archive early; what cannot be written is the reason otherwise.
        extracted.and(packed)
    })
}

fn pack(builder: &mut Builder<impl Write>, source: &Path, at: &Path) -> Result<()> {
    let directory = source.join(at);
    let reading = || format!("cannot read {}", directory.display());
    for entry in fs::read_dir(&directory).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let (kind, name) = (entry.file_type().with_context(reading)?, at.join(entry.file_name()));
        if kind.is_socket() || kind.is_fifo() || kind.is_char_device() || kind.is_block_device() {
            continue;
        }
        builder
            .append_path_with_name(entry.path(), &name)
            .with_context(|| format!("cannot copy {}", entry.path().display()))?;
        if kind.is_dir() {
            pack(builder, source, &name)?;
        }
    }
    Ok(())
}

/// Extract an archive. What would be written anywhere else is refused, by `..` or through a link in the archive.
fn extract(archive: impl Read, new: &Path) -> Result<()> {
    let mut archive = Archive::new(archive);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    const READING: &str = "this is no tar archive, or it is broken (compressed ones can be with gzip)";
    for entry in archive.entries().context(READING)? {
        let mut entry = entry.context(READING)?;
        let path = entry.path().context(READING)?.into_owned();
        if matches!(entry.header().entry_type(), EntryType::Block | EntryType::Char | EntryType::Fifo) {
            continue;
        }
        let extracted = entry.unpack_in(new).with_context(|| format!("cannot extract {}", path.display()))?;
        if !extracted {
            bail!("{} leads out of the archive", path.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use tar::Header;

    use super::*;

    /// An archive with one file after what `before` puts in.
    fn archive(path: &Path, before: impl FnOnce(&mut Builder<File>), name: &str) {
        let mut builder = Builder::new(File::create(path).unwrap());
        before(&mut builder);
        let mut header = Header::new_gnu();
        // `set_path` would refuse what an attacker writes.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(4);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        builder.append(&header, &b"evil"[..]).unwrap();
        builder.finish().unwrap();
    }

    fn link(builder: &mut Builder<File>, name: &str, target: &Path, kind: EntryType) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o777);
        header.set_uid(0);
        header.set_gid(0);
        builder.append_link(&mut header, name, target).unwrap();
    }

    #[test]
    fn nothing_is_written_elsewhere() {
        let place = tempfile::tempdir().unwrap();
        let (tarball, image, outside) =
            (place.path().join("a.tar"), place.path().join("ami-1"), place.path().join("outside"));
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "good").unwrap();
        archive(&tarball, |_| {}, "../outside/file");
        assert!(fill(&tarball, &image).unwrap_err().to_string().contains("leads out"));
        archive(&tarball, |b| link(b, "way", &outside, EntryType::Symlink), "way/file");
        fill(&tarball, &image).unwrap_err();
        archive(&tarball, |b| link(b, "hard", &outside.join("file"), EntryType::Link), "hard");
        fill(&tarball, &image).unwrap_err();
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "good");
        assert!(!image.exists() && !image.with_extension("new").exists());
        // From the root of the archive, as some have it.
        archive(&tarball, |_| {}, "/etc/file");
        fill(&tarball, &image).unwrap();
        assert_eq!(fs::read_to_string(image.join("etc/file")).unwrap(), "evil");
    }

    #[test]
    fn what_is_broken_is_no_image() {
        let place = tempfile::tempdir().unwrap();
        let (tarball, image) = (place.path().join("a.tar"), place.path().join("ami-1"));
        archive(&tarball, |_| {}, "etc/file");
        let whole = fs::read(&tarball).unwrap();
        fs::write(&tarball, &whole[..514]).unwrap();
        fill(&tarball, &image).unwrap_err();
        fs::write(&tarball, "no archive").unwrap();
        fill(&tarball, &image).unwrap_err();
        archive(&tarball, |_| {}, "proc");
        assert!(fill(&tarball, &image).unwrap_err().to_string().contains("/proc"));
        assert!(!image.exists() && !image.with_extension("new").exists());
    }

    #[test]
    fn a_directory_is_copied_with_owners_modes_and_links() {
        let place = tempfile::tempdir().unwrap();
        let (source, image) = (place.path().join("source"), place.path().join("ami-1"));
        fs::create_dir_all(source.join("bin")).unwrap();
        fs::write(source.join("bin/sh"), "#!").unwrap();
        chown(source.join("bin/sh"), Some(1000), Some(1001)).unwrap();
        fs::set_permissions(source.join("bin/sh"), fs::Permissions::from_mode(0o4751)).unwrap();
        symlink("/bin/sh", source.join("bin/bash")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(source.join("socket")).unwrap();
        fill(&source, &image).unwrap();
        let copied = fs::metadata(image.join("bin/sh")).unwrap();
        assert_eq!((copied.uid(), copied.gid(), copied.mode() & 0o7777), (1000, 1001, 0o4751));
        assert_eq!(fs::read_link(image.join("bin/bash")).unwrap(), Path::new("/bin/sh"));
        assert!(!image.join("socket").exists());
        fs::remove_dir_all(source).unwrap();
        fs::create_dir(place.path().join("source")).unwrap();
        assert!(fill(&place.path().join("source"), &place.path().join("ami-2")).is_err());
    }
}
