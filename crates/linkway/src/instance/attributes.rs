//! Attributes of mounts, by mount_setattr(2) (Linux 5.12), and mounts that nobody sees yet, by open_tree(2).

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};
use std::path::Path;

/// Nothing is written.
pub(crate) const READ_ONLY: u64 = 0x1;
/// No program changes who runs it.
pub(crate) const NO_SUID: u64 = 0x2;
/// Device nodes are files like others.
pub(crate) const NO_DEVICES: u64 = 0x4;
/// Owners appear as a user namespace maps them.
const MAPPED: u64 = 0x0010_0000;

/// What to change, in the layout that the system call takes (linux/mount.h).
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

impl Attributes {
    /// Set some, and clear others.
    pub(crate) fn new(set: u64, clear: u64) -> Self {
        Self { set, clear, propagation: 0, user_namespace: 0 }
    }

    /// Change the mount at `path`.
    pub(crate) fn apply(&self, path: &Path) -> io::Result<()> {
        self.change(libc::AT_FDCWD, path, 0)
    }

    /// Change the mount at `path`, and all mounts below it.
    pub(crate) fn apply_below(&self, path: &Path) -> io::Result<()> {
        self.change(libc::AT_FDCWD, path, libc::AT_RECURSIVE)
    }

    fn change(&self, directory: i32, path: &Path, flags: i32) -> io::Result<()> {
        let path = CString::new(path.as_os_str().as_encoded_bytes())?;
        // SAFETY: the call reads a path that ends in a zero and as many bytes of attributes as it is told; both
        // outlive it, and it writes to neither.
        let done = unsafe {
            libc::syscall(
                libc::SYS_mount_setattr,
                directory,
                path.as_ptr(),
                flags,
                std::ptr::from_ref(self),
                size_of::<Self>(),
            )
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Mount what is at `source`, without what is mounted below it, at `target` once more: read-only, without devices, and
/// with owners as the user namespace maps them. Not every file system can (ext4, XFS, Btrfs and F2FS can).
pub(crate) fn mount_mapped(source: &Path, target: &Path, user_namespace: BorrowedFd<'_>) -> io::Result<()> {
    let from = CString::new(source.as_os_str().as_encoded_bytes())?;
    let to = CString::new(target.as_os_str().as_encoded_bytes())?;
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC;
    // SAFETY: the call reads a path that ends in a zero.
    let opened = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, from.as_ptr(), flags) };
    let opened =
        i32::try_from(opened).ok().filter(|opened| *opened >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel has just given this descriptor, and nobody else has it.
    let tree = unsafe { File::from_raw_fd(opened) };
    let user_namespace = u64::try_from(user_namespace.as_raw_fd()).map_err(io::Error::other)?;
    let attributes =
        Attributes { user_namespace, ..Attributes::new(MAPPED | READ_ONLY | NO_SUID | NO_DEVICES, 0) };
    attributes.change(tree.as_raw_fd(), Path::new(""), libc::AT_EMPTY_PATH)?;
    // SAFETY: the call reads two paths that end in a zero.
    let moved = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    if moved == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
