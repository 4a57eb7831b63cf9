//! Starting a command, passing signals on to it, and waiting for its end.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Statuses for a command that could not be run, as shells and container tools have them.
pub(crate) const FAILED: i32 = 125;
/// The command was found and cannot be executed.
pub(crate) const NOT_EXECUTABLE: i32 = 126;
/// There is no such command.
pub(crate) const NOT_FOUND: i32 = 127;

/// What a waiting process passes on. Others (SIGTSTP, say) act on it as they would on any.
const PASSED_ON: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];

/// Signals, kept for [`Signals::pass_on_until_exit`] from when this is made.
pub(crate) struct Signals(SignalFd);

impl Signals {
    /// Keep signals from acting on this process.
    pub(crate) fn hold() -> Result<Self> {
        let mut set = SigSet::from_iter(PASSED_ON);
        set.add(Signal::SIGCHLD);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None).context("cannot hold signals")?;
        Ok(Self(SignalFd::new(&set).context("cannot hold signals")?))
    }

    /// Pass signals on to `child`, reap whatever else has ended meanwhile, and return the child's exit status:
    /// 128 and the signal's number if one ended it.
    pub(crate) fn pass_on_until_exit(&self, child: &Child) -> Result<i32> {
        self.pass_on_as(child, |signal| signal)
    }

    /// The same, with each signal passed on as what `translate` makes of it.
    pub(crate) fn pass_on_as(&self, child: &Child, translate: impl Fn(Signal) -> Signal) -> Result<i32> {
        let child = Pid::from_raw(child.id().cast_signed());
        loop {
            if let Some(status) = reap(child)? {
                return Ok(status);
            }
            let Some(info) = self.0.read_signal().context("cannot wait for signals")? else { continue };
            // What the terminal sends, it sends to the child as well.
            if info.ssi_code == libc::SI_KERNEL {
                continue;
            }
            let signal = Signal::try_from(info.ssi_signo.cast_signed()).context("an unknown signal")?;
            if signal != Signal::SIGCHLD {
                match kill(child, translate(signal)) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(error) => return Err(error).context("cannot pass a signal on"),
                }
            }
        }
    }
}

/// Reap all children that have ended. The status of `child`, if it is one of them.
fn reap(child: Pid) -> Result<Option<i32>> {
    let mut found = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == child => found = Some(status),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => found = Some(128 + signal as i32),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(found),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).context("cannot wait for the command"),
        }
    }
}

/// Start a command that takes all signals again, whatever this process holds back.
pub(crate) fn start(command: &mut Command) -> std::io::Result<Child> {
    // SAFETY: the closure runs between fork and exec, where only async-signal-safe functions may be called:
    // sigprocmask is one (signal-safety(7)), and nothing is allocated.
    unsafe {
        command.pre_exec(|| Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?));
    }
    command.spawn()
}

/// The exit status for a command that could not be started.
pub(crate) fn status_of(error: &std::io::Error) -> i32 {
    match error.kind() {
        std::io::ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_EXECUTABLE,
    }
}
