//! Booting an instance: the process that makes its boundaries, with the host's rights, and leaves.
//!
//! It says on its standard output what it has come to: `forked PID`, the instance's first process as the host knows
//! it, which then waits for `go` on the standard input, so that it is noted before it does anything; then
//! [`STARTED`], or why there is no instance.

use std::fs;
use std::io::{BufRead, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{ForkResult, Gid, Uid, fork, setgroups, setresgid, setresuid, setsid};
use serde::{Deserialize, Serialize};

use crate::database::console::Console;
use crate::instance::init::STARTED;
use crate::instance::{namespaces, wait};
use crate::machine::first_boot::Identity;
use crate::machine::init;
use crate::machine::mounts::FileSystem;
use crate::machine::user_namespace;

/// What comes before the first process's id.
pub(crate) const FORKED: &str = "forked ";

/// What the first process waits for.
pub(crate) const GO: &str = "go";

/// What the process is told, in a line on its standard input: user data may be secret.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The instance's network namespace.
    pub(crate) network_namespace: PathBuf,
    /// Its file system.
    pub(crate) file_system: FileSystem,
    /// The directory of its console.
    pub(crate) console: PathBuf,
    /// What it is, and what it runs at its first boot.
    pub(crate) identity: Identity,
}

/// Settings of the network namespace. The instance's root has no rights in it, as the fabric has made it, so what
/// programs expect of root they get without: low ports, and echo requests.
const NETWORK_SETTINGS: [(&str, &str); 2] = [
    ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"),
    ("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"),
];

/// Be the process, and then the instance's first one. Returns the exit status.
pub(crate) fn run() -> i32 {
    match try_run() {
        Ok(status) => status,
        Err(error) => {
            println!("{error:#}");
            wait::FAILED
        }
    }
}

fn try_run() -> Result<i32> {
    let plan: Plan = serde_json::from_str(&line()?).context("started by linkway up only")?;
    setsid().context("cannot leave the session")?;
    umask(Mode::from_bits_truncate(0o022));
    let FileSystem { ids, .. } = plan.file_system;
    namespaces::enter_network(&plan.network_namespace)?;
    for (setting, value) in NETWORK_SETTINGS {
        fs::write(setting, value).with_context(|| format!("cannot write {setting}"))?;
    }
    unshare(CloneFlags::CLONE_NEWNS).context("cannot make a mount namespace")?;
    let user_namespace = user_namespace::make(ids)?;
    let root = plan.file_system.mount(user_namespace.as_fd())?;
    let console = Console::open(&plan.console)?;

    setns(user_namespace, CloneFlags::CLONE_NEWUSER).context("cannot enter the user namespace")?;
    become_its_root()?;
    // Nobody inside may look at this process, or take its descriptors.
    prctl::set_dumpable(false).context("cannot hide from the instance")?;
    unshare(
        CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWCGROUP,
    )
    .context("cannot make namespaces")?;
    // SAFETY: this process has one thread, so that the child may do what any process may.
    match unsafe { fork() }.context("cannot start the instance's first process")? {
        ForkResult::Parent { child } => {
            say(&format!("{FORKED}{child}\n"))?;
            Ok(0)
        }
        ForkResult::Child => {
            if line()? != GO {
                bail!("whoever started the instance has ended");
            }
            init::run(&root, console, &plan.identity, || say(STARTED))
        }
    }
}

/// Be user and group 0 of the user namespace that this process is in, and of no other group.
pub(crate) fn become_its_root() -> Result<()> {
    let (user, group) = (Uid::from_raw(0), Gid::from_raw(0));
    setgroups(&[])
        .and_then(|()| setresgid(group, group, group))
        .and_then(|()| setresuid(user, user, user))
        .context("cannot become the instance's root")
}

fn line() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot read what to do")?;
    Ok(line.trim_end().to_owned())
}

fn say(what: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(what.as_bytes()).and_then(|()| stdout.flush()).context("nobody waits for the instance")
}
