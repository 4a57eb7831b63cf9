//! The first process of an instance: it finishes the instance from inside, runs its user data, reaps what ends, and
//! stays until it is told to end. It is told by SIGTERM, by the daemon or by whoever is root inside.

use std::fs::File;
use std::io::{PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::Builder;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, umount2};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, chdir, dup2_stderr, dup2_stdin, dup2_stdout, pivot_root, sethostname};

use crate::database::console::Console;
use crate::instance::process::GRACE;
use crate::instance::wait;
use crate::machine::confine;
use crate::machine::first_boot::{self, Identity, Script};
use crate::machine::mounts::change;

/// What ends an instance: init's signals for power that fails, and Ctrl-Alt-Delete's, too.
const ENDING: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGPWR];

/// How long processes have to end before this one does, and all with it: less than the daemon waits.
const PATIENCE: Duration = GRACE.saturating_sub(Duration::from_secs(2));

/// How often it is looked whether they have.
const PERIOD: Duration = Duration::from_millis(20);

/// Files of `/proc` about the machine, of which a kernel's fault might show or change more than it should.
const HIDDEN: [&str; 7] =
    ["kcore", "keys", "kmsg", "latency_stats", "sched_debug", "sysrq-trigger", "timer_list"];

/// Directories of `/proc` that are read and not written.
const READ_ONLY: [&str; 4] = ["bus", "fs", "irq", "sys"];

/// Be it, with the instance's root directory at `root`. `started` is called when nothing can go wrong any more.
pub(crate) fn run(
    root: &Path,
    console: Console,
    identity: &Identity,
    started: impl FnOnce() -> Result<()>,
) -> Result<i32> {
    let signals = hold()?;
    enter(root)?;
    sethostname(&identity.host_name).context("cannot set the host name")?;
    let environment = first_boot::write(identity)?;
    let script = first_boot::script(&identity.user_data)?;
    confine::apply()?;

    let (output, input) = std::io::pipe().context("cannot make a pipe")?;
    let keeper = Builder::new().name("console".into()).spawn(move || console.keep(output));
    keeper.context("cannot start a thread")?;
    started()?;
    let null = File::options().read(true).write(true).open("/dev/null").context("cannot open /dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(null)?;
    let mut init = Init { signals, input, script: None };
    init.note("the instance has booted");
    init.begin(script, &environment)?;
    init.stay()
}

/// Signals are taken one by one; a signal that the first process does not wait for would be lost.
fn hold() -> Result<SignalFd> {
    let mut set = SigSet::from_iter(ENDING);
    set.add(Signal::SIGCHLD);
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None).context("cannot hold signals")?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC).context("cannot hold signals")
}

/// Leave all files of the host behind.
fn enter(root: &Path) -> Result<()> {
    let inert = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let none = None::<&str>;
    // What came from outside is locked, and a locked mount becomes no root: its copy is not, but for those below.
    change(root.to_str(), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, "")?;
    change(Some("proc"), &root.join("proc"), Some("proc"), inert, "")?;
    chdir(root).context("cannot enter the instance's root directory")?;
    // The old root ends up over the new one, and goes from there: no directory is needed to put it.
    pivot_root(".", ".").context("cannot make the instance's root directory the root")?;
    umount2(".", MntFlags::MNT_DETACH).context("cannot leave the host's files")?;
    chdir("/").context("cannot enter the root directory")?;
    let null = Path::new("/dev/null");
    for path in HIDDEN.map(|name| Path::new("/proc").join(name)).iter().filter(|path| path.exists()) {
        change(null.to_str(), path, none, MsFlags::MS_BIND, "")?;
    }
    for path in READ_ONLY.map(|name| Path::new("/proc").join(name)).iter().filter(|path| path.exists()) {
        change(path.to_str(), path, none, MsFlags::MS_BIND, "")?;
        change(None, path, none, MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | inert, "")?;
    }
    Ok(())
}

struct Init {
    signals: SignalFd,
    /// Where the console's lines go in.
    input: PipeWriter,
    /// The user data's process, while it runs.
    script: Option<Pid>,
}

impl Init {
    fn note(&mut self, what: &str) {
        // A console that takes nothing is no reason to end.
        drop(writeln!(self.input, "[linkway] {what}"));
    }

    fn begin(&mut self, script: Script, environment: &[(String, String)]) -> Result<()> {
        let path = match script {
            Script::Nothing => return Ok(()),
            Script::NotRun => {
                self.note("user data is not run: it does not begin with #!");
                return Ok(());
            }
            Script::At(path) => path,
        };
        let mut command = Command::new(&path);
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value))).current_dir("/");
        command.stdin(Stdio::null()).stdout(self.input.try_clone()?).stderr(self.input.try_clone()?);
        // What it starts in the background is in no group with this process.
        command.process_group(0);
        match wait::start(&mut command) {
            Ok(child) => self.script = Some(Pid::from_raw(child.id().cast_signed())),
            Err(error) => self.note(&format!("user data cannot be run: {error}")),
        }
        Ok(())
    }

    fn stay(mut self) -> Result<i32> {
        loop {
            self.reap()?;
            let Some(info) = self.signals.read_signal().context("cannot wait for signals")? else { continue };
            if ENDING.iter().any(|signal| *signal as i32 == info.ssi_signo.cast_signed()) {
                break;
            }
        }
        self.note("the instance ends");
        let all = Pid::from_raw(-1);
        // A stopped process takes no signal. It is no error that there is nobody else.
        for signal in [Signal::SIGTERM, Signal::SIGCONT] {
            kill(all, signal).or_else(|error| if error == Errno::ESRCH { Ok(()) } else { Err(error) })?;
        }
        let deadline = Instant::now() + PATIENCE;
        while self.reap()? && Instant::now() < deadline {
            std::thread::sleep(PERIOD);
        }
        Ok(0)
    }

    /// Reap all that has ended. Whether anything is left.
    fn reap(&mut self) -> Result<bool> {
        loop {
            let how = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return Ok(true),
                Err(Errno::ECHILD) => return Ok(false),
                Ok(WaitStatus::Exited(pid, status)) => (pid, format!("status {status}")),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, signal.to_string()),
                Ok(_) | Err(Errno::EINTR) => continue,
                Err(error) => return Err(error).context("cannot wait for what has ended"),
            };
            if self.script == Some(how.0) {
                self.script = None;
                self.note(&format!("user data has ended: {}", how.1));
            }
        }
    }
}
