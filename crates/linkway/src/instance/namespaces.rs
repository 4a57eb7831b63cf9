//! Entering namespaces.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail};
use linkway_model::instance::Process;
use nix::sched::{CloneFlags, setns, unshare};

use crate::instance::process;

/// Enter a network namespace.
pub(crate) fn enter_network(path: &Path) -> Result<()> {
    let namespace =
        File::open(path).with_context(|| format!("there is no network namespace {}", path.display()))?;
    setns(namespace, CloneFlags::CLONE_NEWNET)
        .with_context(|| format!("cannot enter the network namespace {}", path.display()))
}

/// Have the next child be process 1 of a new PID namespace.
pub(crate) fn new_processes() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWPID).context("cannot make a PID namespace")
}

/// Leave the host's mount and UTS namespaces for new ones, where this host's name is `host_name`.
pub(crate) fn new_mounts_and_name(host_name: &str) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS).context("cannot make namespaces")?;
    fs::write("/proc/sys/kernel/hostname", host_name).context("cannot set the instance's host name")
}

/// Enter all namespaces of an instance, by its first process. Children are in its PID namespace too. Whether that took
/// this process into another user namespace, where it is still the user that it was.
pub(crate) fn enter(instance: Process) -> Result<bool> {
    // The last, as it takes away the right to enter those that the host's root has made.
    let kinds = [
        ("net", CloneFlags::CLONE_NEWNET),
        ("uts", CloneFlags::CLONE_NEWUTS),
        ("ipc", CloneFlags::CLONE_NEWIPC),
        ("cgroup", CloneFlags::CLONE_NEWCGROUP),
        ("pid", CloneFlags::CLONE_NEWPID),
        ("mnt", CloneFlags::CLONE_NEWNS),
        ("user", CloneFlags::CLONE_NEWUSER),
    ];
    // All are opened first: from inside of the mount namespace, /proc is another.
    let mut namespaces = Vec::new();
    for (name, kind) in kinds {
        let path = format!("/proc/{}/ns/{name}", instance.pid);
        let opening = || format!("cannot open {path}: has the instance ended?");
        if fs::read_link(&path).with_context(opening)? == fs::read_link(format!("/proc/self/ns/{name}"))? {
            continue;
        }
        namespaces.push((name, kind, File::open(&path).with_context(opening)?));
    }
    // Only now is it sure that these were not a later process's.
    if !process::is_alive(instance) {
        bail!("the instance has ended");
    }
    let other_users = namespaces.iter().any(|(name, ..)| *name == "user");
    for (name, kind, file) in namespaces {
        setns(file, kind).with_context(|| format!("cannot enter the instance's {name} namespace"))?;
    }
    Ok(other_users)
}
