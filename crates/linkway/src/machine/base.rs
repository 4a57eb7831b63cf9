//! What an instance of the host's own file system begins with: a root directory of its own, in which the host's
//! programs stand, and of the host's settings those that every user of the host may read.
//!
//! The instance's root may read all files that are mapped into its user namespace, whatever their modes say. So the
//! programs are mapped, as what is in `/usr` is no secret, and of `/etc` it gets copies: of what is for all to read
//! already. All else of the host is not there at all.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use anyhow::{Context, Result};

use crate::machine::directory::IDS;
use crate::state_dir::remove;

/// Directories of programs: shown as the host has them, with a layer of the instance's own on top.
pub(crate) const PROGRAMS: [&str; 7] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// Files of `/etc` that are about the host itself.
const OF_THE_HOST: [&str; 7] = ["fstab", "hostname", "hosts", "machine-id", "mtab", "resolv.conf", "shadow"];

/// Directories that are the instance's own, and their modes.
const OWN: [(&str, u32); 21] = [
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("media", 0o755),
    ("mnt", 0o755),
    ("opt", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("run", 0o755),
    ("srv", 0o755),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("var", 0o755),
    ("var/cache", 0o755),
    ("var/lib", 0o755),
    ("var/local", 0o755),
    ("var/log", 0o755),
    ("var/mail", 0o1777),
    ("var/opt", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
];

/// Make the root directory `root`, whose files are the user `ids`'s, of the host's files below `host`.
pub(crate) fn make(host: &Path, root: &Path, ids: u32) -> Result<()> {
    let base = Base { ids };
    let new = root.with_extension("new");
    remove(&new)?;
    base.directory(&new, 0o755, (0, 0))?;
    for (name, mode) in OWN {
        base.directory(&new.join(name), mode, (0, 0))?;
    }
    base.link(Path::new("/run"), &new.join("var/run"), (0, 0))?;
    base.link(Path::new("/run/lock"), &new.join("var/lock"), (0, 0))?;
    for name in PROGRAMS {
        let path = host.join(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => base.link(&fs::read_link(&path)?, &new.join(name), (0, 0))?,
            Ok(found) if found.is_dir() => base.directory(&new.join(name), 0o755, (0, 0))?,
            _ => {}
        }
    }
    base.copy_public(&host.join("etc"), &new.join("etc"), &OF_THE_HOST)?;
    base.write_shadow(&new.join("etc"))?;
    fs::rename(&new, root).with_context(|| format!("cannot make {}", root.display()))
}

struct Base {
    ids: u32,
}

impl Base {
    /// Copy what all may read of the directory `from` into `to`, but for `left_out`.
    fn copy_public(&self, from: &Path, to: &Path, left_out: &[&str]) -> Result<()> {
        let reading = || format!("cannot read {}", from.display());
        for entry in fs::read_dir(from).with_context(reading)? {
            let entry = entry.with_context(reading)?;
            let name = entry.file_name();
            if left_out.iter().any(|left_out| *left_out == name) {
                continue;
            }
            let (path, copy) = (entry.path(), to.join(&name));
            // It may be gone already: somebody is at the host's settings.
            let Ok(found) = fs::symlink_metadata(&path) else { continue };
            let owner = (found.uid(), found.gid());
            let mode = found.mode() & 0o1777;
            if found.is_symlink() {
                self.link(&fs::read_link(&path).with_context(reading)?, &copy, owner)?;
            } else if found.is_dir() && mode & 0o005 == 0o005 {
                self.directory(&copy, mode, owner)?;
                self.copy_public(&path, &copy, &[])?;
            } else if found.is_file() && mode & 0o004 != 0 {
                fs::copy(&path, &copy).with_context(|| format!("cannot copy {}", path.display()))?;
                self.give(&copy, mode, owner)?;
            }
        }
        Ok(())
    }

    /// Nobody has a password.
    fn write_shadow(&self, etc: &Path) -> Result<()> {
        let users = fs::read_to_string(etc.join("passwd")).unwrap_or_default();
        let names = users.lines().filter_map(|line| line.split(':').next()).filter(|name| !name.is_empty());
        let shadow: String = names.map(|name| format!("{name}:*:19000:0:99999:7:::\n")).collect();
        let path = etc.join("shadow");
        fs::write(&path, shadow).context("cannot write the instance's shadow")?;
        self.give(&path, 0o600, (0, 0))
    }

    fn directory(&self, path: &Path, mode: u32, owner: (u32, u32)) -> Result<()> {
        DirBuilder::new()
            .mode(0o700)
            .create(path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        self.give(path, mode, owner)
    }

    fn link(&self, target: &Path, path: &Path, owner: (u32, u32)) -> Result<()> {
        let (uid, gid) = self.mapped(owner);
        symlink(target, path)
            .and_then(|()| lchown(path, Some(uid), Some(gid)))
            .with_context(|| format!("cannot make {}", path.display()))
    }

    /// To the owner who has this id in the instance. Modes last: a change of owners takes some of them away.
    fn give(&self, path: &Path, mode: u32, owner: (u32, u32)) -> Result<()> {
        let (uid, gid) = self.mapped(owner);
        chown(path, Some(uid), Some(gid))
            .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
            .with_context(|| format!("cannot give away {}", path.display()))
    }

    fn mapped(&self, (uid, gid): (u32, u32)) -> (u32, u32) {
        // An owner whom the instance does not have is nobody's: its root's.
        let mapped = |id: u32| self.ids + if id < IDS { id } else { 0 };
        (mapped(uid), mapped(gid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_for_all_to_read_is_not_copied() {
        let host = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32, text: &str| {
            let path = host.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        };
        file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
        file("etc/shadow", 0o644, "root:$6$secret:1::::::\n");
        file("etc/app/key", 0o640, "secret");
        file("etc/app/conf", 0o4755, "public");
        file("etc/private/conf", 0o644, "secret");
        fs::set_permissions(host.path().join("etc/private"), Permissions::from_mode(0o750)).unwrap();
        file("usr/bin/true", 0o755, "");
        file("home/app/notes", 0o644, "secret");
        symlink("usr/bin", host.path().join("bin")).unwrap();
        symlink("/etc/app/conf", host.path().join("etc/link")).unwrap();

        let state = tempfile::tempdir().unwrap();
        let root = state.path().join("root");
        make(host.path(), &root, 0x7000_0000).unwrap();
        let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        assert_eq!(read("etc/shadow"), "root:*:19000:0:99999:7:::\napp:*:19000:0:99999:7:::\n");
        assert_eq!(read("etc/app/conf"), "public");
        assert_eq!(fs::metadata(root.join("etc/app/conf")).unwrap().mode() & 0o7777, 0o755);
        assert_eq!(fs::metadata(root.join("etc/app/conf")).unwrap().uid(), 0x7000_0000);
        assert!(!root.join("etc/app/key").exists());
        assert!(!root.join("etc/private").exists());
        assert_eq!(fs::read_dir(root.join("home")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(root.join("usr")).unwrap().count(), 0, "it is mounted there");
        assert_eq!(fs::read_link(root.join("bin")).unwrap(), Path::new("usr/bin"));
        assert_eq!(fs::read_link(root.join("etc/link")).unwrap(), Path::new("/etc/app/conf"));
        assert_eq!(fs::metadata(root.join("tmp")).unwrap().mode() & 0o7777, 0o1777);
    }
}
