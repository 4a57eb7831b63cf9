//! Network namespaces: named ones under `/run/netns`, kept by bind mounts as `ip netns` does, so that
//! `ip netns exec` works on them; and others, by any path.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statfs::{FsType, statfs};

use crate::error::FabricError;

/// Where named namespaces are.
pub const DIRECTORY: &str = "/run/netns";

/// The namespace that the calling thread is in.
pub const OWN: &str = "/proc/thread-self/ns/net";

/// The file system that namespaces' files are in (`NSFS_MAGIC` of Linux's `magic.h`).
const NSFS: FsType = FsType(0x6e73_6673);

/// What tells a namespace from a later one at the same path: device and inode of its file.
pub type Identity = (u64, u64);

/// The path of a named namespace.
pub fn path(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

/// The namespace at a path, if there is one.
pub fn identity(path: &Path) -> Option<Identity> {
    look(path).ok()
}

/// The namespace at a path.
pub(crate) fn look(path: &Path) -> Result<Identity, FabricError> {
    let file = fs::metadata(path);
    match (file, statfs(path)) {
        (Ok(file), Ok(system)) if system.filesystem_type() == NSFS => Ok((file.dev(), file.ino())),
        (Err(error), _) if error.kind() != io::ErrorKind::NotFound => {
            Err(FabricError::io("look at the network namespace", path)(error))
        }
        _ => Err(FabricError::NamespaceGone { path: path.to_owned() }),
    }
}

/// Make a named namespace, unless it is there. `prepare` runs inside before others can see it.
pub fn create(
    path: &Path,
    prepare: impl FnOnce() -> Result<(), FabricError> + Send,
) -> Result<(), FabricError> {
    if identity(path).is_some() {
        return Ok(());
    }
    share_directory().map_err(FabricError::io("set up", Path::new(DIRECTORY)))?;
    // What is there without a namespace was left by a process that was killed between the two steps below.
    File::create(path).map_err(FabricError::io("make", path))?;
    on_a_thread(|| {
        unshare(CloneFlags::CLONE_NEWNET).map_err(FabricError::io("make the network namespace", path))?;
        prepare()?;
        mount(Some(OWN), path, Some("none"), MsFlags::MS_BIND, None::<&str>)
            .map_err(FabricError::io("keep the network namespace", path))
    })
}

/// Take a named namespace's name away. It goes when nothing is in it any more. No error if it is not there.
pub fn remove(path: &Path) -> Result<(), FabricError> {
    while identity(path).is_some() {
        umount2(path, MntFlags::MNT_DETACH).map_err(FabricError::io("unmount", path))?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FabricError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Names of the named namespaces.
pub fn names() -> Vec<String> {
    let entries = fs::read_dir(DIRECTORY).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Do something inside a namespace, on a thread that ends with it.
pub fn enter<T: Send>(
    path: &Path,
    act: impl FnOnce() -> Result<T, FabricError> + Send,
) -> Result<T, FabricError> {
    on_a_thread(|| join(path).and_then(|()| act()))
}

/// Move the calling thread into a namespace, for good.
pub fn join(path: &Path) -> Result<(), FabricError> {
    look(path)?;
    let file = File::open(path).map_err(FabricError::io("open", path))?;
    setns(&file, CloneFlags::CLONE_NEWNET).map_err(FabricError::io("enter the network namespace", path))
}

/// Do something on a thread that ends with it: what it does to itself, nobody else notices.
pub(crate) fn on_a_thread<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(act).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

/// Make `/run/netns` a mount that other mount namespaces share, so that names made here are seen, and
/// removed, everywhere: what `ip netns add` does too, under the same lock, as two mounts would hide names.
fn share_directory() -> Result<(), io::Error> {
    fs::create_dir_all(DIRECTORY)?;
    let _alone = Flock::lock(File::open(DIRECTORY)?, FlockArg::LockExclusive).map_err(|(_, error)| error)?;
    let share = MsFlags::MS_SHARED | MsFlags::MS_REC;
    let none = None::<&str>;
    match mount(none, DIRECTORY, none, share, none) {
        Err(Errno::EINVAL) => {
            mount(Some(DIRECTORY), DIRECTORY, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
            mount(none, DIRECTORY, none, share, none)?;
        }
        other => other?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_namespace_has_no_identity() {
        assert_eq!(identity(Path::new("/proc/self/status")), None);
        assert_eq!(identity(Path::new("/nowhere")), None);
        assert!(identity(Path::new(OWN)).is_some());
    }

    #[test]
    fn entering_what_is_gone_says_so() {
        let entered = enter(Path::new("/proc/self/status"), || Ok(()));
        assert!(matches!(entered, Err(FabricError::NamespaceGone { .. })));
    }
}
