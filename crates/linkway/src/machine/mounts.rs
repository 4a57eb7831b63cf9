//! An instance's file system, put together by who has the host's rights, before the instance is entered: what is
//! mounted here, nobody inside can take away or change.

use std::fs::{self, File, Permissions};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};
use serde::{Deserialize, Serialize};

use crate::instance::attributes::mount_mapped;

/// A directory of programs that others have as well, with a layer on top of what the instance changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layered {
    /// Where the instance has it: a path without a leading `/`, or empty, its root.
    pub(crate) at: PathBuf,
    /// The directory below.
    pub(crate) lower: PathBuf,
    /// The instance's layer.
    pub(crate) upper: PathBuf,
}

/// What an instance's file system is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileSystem {
    /// A directory that is empty, and under whose path it is put together.
    pub(crate) place: PathBuf,
    /// The root directory; nothing, if one of `layered` is that.
    pub(crate) root: Option<PathBuf>,
    /// What is layered.
    pub(crate) layered: Vec<Layered>,
    /// The host's id of the instance's root.
    pub(crate) ids: u32,
}

/// Devices that an instance has.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// The group of terminals, as in all distributions.
const TTY_GROUP: u32 = 5;

/// Directories of the kernel's about the machine that are of no use inside.
const COVERED: [&str; 2] = ["sys/firmware", "sys/devices/virtual/powercap"];

const GUARDED: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);
const INERT: MsFlags = GUARDED.union(MsFlags::MS_NOEXEC);

impl FileSystem {
    /// Put it together in the calling process's own mount namespace. Returns where its root is. The process is in the
    /// instance's network namespace, whose devices `/sys` shows.
    pub(crate) fn mount(&self, user_namespace: BorrowedFd<'_>) -> Result<PathBuf> {
        // Nothing that is mounted from here on may show outside.
        change(None, Path::new("/"), None, MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
        // Its own, so that nothing is left behind, and so that no path has a character that overlayfs would mistake.
        change(Some("tmpfs"), &self.place, Some("tmpfs"), INERT, "mode=0755,size=1m")?;
        let root = self.place.join("root");
        fs::create_dir(&root)?;
        if let Some(own) = &self.root {
            bind(own, &root)?;
            change(None, &root, None, MsFlags::MS_REMOUNT | MsFlags::MS_BIND | GUARDED, "")?;
        }
        for (number, layered) in self.layered.iter().enumerate() {
            self.mount_layered(number, layered, &root, user_namespace)?;
        }
        self.mount_devices(&root)?;
        let run = self.directory(&root, "run")?;
        self.mount_fresh(&run, "mode=0755,size=64m")?;
        let sys = self.directory(&root, "sys")?;
        change(Some("sysfs"), &sys, Some("sysfs"), INERT | MsFlags::MS_RDONLY, "")?;
        for covered in COVERED.map(|path| root.join(path)).into_iter().filter(|path| path.is_dir()) {
            change(Some("tmpfs"), &covered, Some("tmpfs"), INERT | MsFlags::MS_RDONLY, "mode=0755")?;
        }
        self.directory(&root, "proc")?;
        Ok(root)
    }

    fn mount_layered(
        &self,
        number: usize,
        layered: &Layered,
        root: &Path,
        user_namespace: BorrowedFd<'_>,
    ) -> Result<()> {
        let lower = self.place.join(format!("lower-{number}"));
        let own = self.place.join(format!("own-{number}"));
        fs::create_dir(&lower)?;
        fs::create_dir(&own)?;
        let Layered { at, lower: from, upper } = layered;
        mount_mapped(from, &lower, user_namespace).with_context(|| {
            format!(
                "cannot map the owners of {}: its file system has to be one that can, such as ext4, XFS or Btrfs",
                from.display()
            )
        })?;
        bind(upper, &own)?;
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.display(),
            own.join("upper").display(),
            own.join("work").display()
        );
        let target = match at.to_str() {
            Some("") | None => root.to_owned(),
            Some(name) => self.directory(root, name)?,
        };
        change(Some("overlay"), &target, Some("overlay"), GUARDED, &options)
            .with_context(|| format!("cannot lay the instance's changes over {}", from.display()))
    }

    fn mount_devices(&self, root: &Path) -> Result<()> {
        let dev = self.directory(root, "dev")?;
        self.mount_fresh(&dev, "mode=0755,size=64k")?;
        for device in DEVICES {
            let target = dev.join(device);
            File::create(&target).with_context(|| format!("cannot make {}", target.display()))?;
            bind(&Path::new("/dev").join(device), &target)?;
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
            ("ptmx", "pts/ptmx"),
        ] {
            symlink(target, dev.join(name)).with_context(|| format!("cannot make /dev/{name}"))?;
        }
        let (pts, shm) = (dev.join("pts"), dev.join("shm"));
        fs::create_dir(&pts)?;
        fs::create_dir(&shm)?;
        let options = format!("newinstance,ptmxmode=0666,mode=0620,gid={}", self.ids + TTY_GROUP);
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
        change(Some("devpts"), &pts, Some("devpts"), flags, &options)?;
        self.mount_fresh(&shm, "mode=1777,size=64m")
    }

    /// A directory of the root's, made if it is not there. An image has what it likes; what leads elsewhere would have
    /// the host's rights mount something there.
    fn directory(&self, root: &Path, name: &str) -> Result<PathBuf> {
        let path = root.join(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => return Ok(path),
            Ok(_) => bail!("the image has a /{name} that is no directory"),
            Err(_) => {}
        }
        let making = || format!("cannot make /{name}");
        fs::create_dir(&path).with_context(making)?;
        chown(&path, Some(self.ids), Some(self.ids)).with_context(making)?;
        fs::set_permissions(&path, Permissions::from_mode(0o755)).with_context(making)?;
        Ok(path)
    }

    fn mount_fresh(&self, target: &Path, options: &str) -> Result<()> {
        let options = format!("{options},uid={0},gid={0}", self.ids);
        change(Some("tmpfs"), target, Some("tmpfs"), GUARDED, &options)
    }
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .with_context(|| format!("cannot mount {}", source.display()))
}

/// mount(2).
pub(crate) fn change(
    source: Option<&str>,
    target: &Path,
    kind: Option<&str>,
    flags: MsFlags,
    options: &str,
) -> Result<()> {
    mount(source, target, kind, flags, Some(options))
        .with_context(|| format!("cannot mount {}", target.display()))
}
