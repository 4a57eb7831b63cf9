//! A user namespace whose ids are an unprivileged range of the host's.

use std::fs::{self, File};
use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use caps::{CapSet, Capability};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Uid, fork, seteuid};

use crate::machine::directory::IDS;

/// How many processes and threads an instance may have.
const PROCESSES: u64 = 4096;

/// Make one, whose id 0 is the host's `ids`. The caller has no other thread.
///
/// It is made by a process of the user `ids`, which bounds what the instance's users may have all together: the kernel
/// counts the processes of a namespace for its maker, too, within the maker's limit (user_namespaces(7)).
pub(crate) fn make(ids: u32) -> Result<File> {
    let (mut made, report) = std::io::pipe().context("cannot make a pipe")?;
    let (wait, held) = std::io::pipe().context("cannot make a pipe")?;
    // SAFETY: this process has one thread, so that the child may do what any process may.
    let holder = match unsafe { fork() }.context("cannot start a process")? {
        ForkResult::Child => {
            drop((made, held));
            let outcome = hold(ids, report, wait);
            // SAFETY: the child has nothing to tidy up, and must not return into its parent's work.
            unsafe { libc::_exit(i32::from(outcome.is_err())) }
        }
        ForkResult::Parent { child } => child,
    };
    drop((report, wait));
    let namespace = (|| {
        let mut said = String::new();
        made.read_to_string(&mut said)?;
        if said != "made" {
            bail!("cannot make a user namespace: {said}");
        }
        let map = format!("0 {ids} {IDS}\n");
        for file in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{holder}/{file}"), &map)
                .with_context(|| format!("cannot write the user namespace's {file}"))?;
        }
        File::open(format!("/proc/{holder}/ns/user")).context("cannot open the user namespace")
    })();
    drop(held);
    waitpid(holder, None).context("cannot wait for a process")?;
    namespace
}

fn hold(ids: u32, mut report: std::io::PipeWriter, mut wait: std::io::PipeReader) -> Result<()> {
    let made = (|| {
        setrlimit(Resource::RLIMIT_NPROC, PROCESSES, PROCESSES)?;
        seteuid(Uid::from_raw(ids))?;
        // The change of user has put it aside.
        caps::raise(None, CapSet::Effective, Capability::CAP_SYS_ADMIN)?;
        unshare(CloneFlags::CLONE_NEWUSER)?;
        anyhow::Ok(())
    })();
    match &made {
        Ok(()) => report.write_all(b"made")?,
        Err(error) => report.write_all(format!("{error:#}").as_bytes())?,
    }
    drop(report);
    // Until the other end is closed: by then the namespace is open, or is not wanted.
    wait.read_to_end(&mut Vec::new())?;
    made
}
