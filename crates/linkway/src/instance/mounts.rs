//! An instance's view of the file system: the host's, with a few files of its own on top.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};

use crate::instance::files::{Files, TRUST_STORES};

/// Mount, in the calling process's own mount namespace, an instance's files over the host's; a `/sys` that shows
/// its network namespace; and a `/proc` that shows its PID namespace.
pub(crate) fn set_up(files: &Files) -> Result<()> {
    // Nothing that is mounted from here on may show outside.
    change(None, "/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE)?;
    bind(&files.hosts(), Path::new("/etc/hosts"))?;
    bind(&files.resolv_conf(), Path::new("/etc/resolv.conf"))?;
    for store in TRUST_STORES.map(Path::new).into_iter().filter(|store| store.exists()) {
        bind(&files.ca_bundle(), store)?;
    }
    fresh_sys()?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    change(Some(Path::new("proc")), "/proc", Some("proc"), flags)
}

/// A sysfs of this network namespace, with the host's control groups, which programs size themselves by.
fn fresh_sys() -> Result<()> {
    const CGROUPS: &str = "/sys/fs/cgroup";
    let cgroups = File::open(CGROUPS).ok();
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    change(Some(Path::new("sysfs")), "/sys", Some("sysfs"), flags)?;
    if let Some(cgroups) = cgroups {
        // Its path leads elsewhere now; the open directory does not.
        let open = format!("/proc/self/fd/{}", cgroups.as_raw_fd());
        change(Some(Path::new(&open)), CGROUPS, None, MsFlags::MS_BIND | MsFlags::MS_REC)?;
    }
    Ok(())
}

/// Put `file` over `target`, or over what that is a link to.
fn bind(file: &Path, target: &Path) -> Result<()> {
    mount(Some(file), target, None::<&str>, MsFlags::MS_BIND, None::<&str>).with_context(|| {
        format!(
            "cannot put the instance's {0} in place: the host needs a file {0} to put it over",
            target.display()
        )
    })
}

fn change(source: Option<&Path>, target: &str, kind: Option<&str>, flags: MsFlags) -> Result<()> {
    mount(source, target, kind, flags, None::<&str>).with_context(|| format!("cannot mount {target}"))
}
