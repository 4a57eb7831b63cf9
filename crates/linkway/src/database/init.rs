//! The init of a database: the first process of its PID namespace, which makes its sandbox, runs one program in it as
//! an unprivileged user, and ends with that one's status.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::Builder;

use anyhow::{Context, Result};
use linkway_model::instance::Process;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, setsid};
use serde::{Deserialize, Serialize};

use crate::daemon::privileges;
use crate::database::console::Console;
use crate::database::sandbox::{self, Sandbox};
use crate::instance::files::Files;
use crate::instance::init::STARTED;
use crate::instance::wait::{self, Signals};
use crate::instance::{namespaces, process};

/// What the init is told.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The database's network namespace.
    pub(crate) network_namespace: PathBuf,
    /// Its directory of files of this run.
    pub(crate) run_directory: PathBuf,
    /// Its host name.
    pub(crate) host_name: String,
    /// The server's data.
    pub(crate) data: PathBuf,
    /// Its configuration.
    pub(crate) configuration: PathBuf,
    /// What of the host is not to be seen.
    pub(crate) hidden: Vec<PathBuf>,
    /// The user and the group of the program.
    pub(crate) user: (u32, u32),
    /// The program and its arguments: nothing secret.
    pub(crate) command: Vec<String>,
    /// How the program runs.
    pub(crate) manner: Manner,
}

/// How a program runs.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Manner {
    /// It ends by itself, or with the worker that waits for it, and its output is the worker's.
    Once,
    /// It is the server: it runs on, and is noted for `linkway down`.
    Server {
        /// The directory of its console.
        console: PathBuf,
        /// The number of the signal that makes it end, which SIGTERM becomes.
        stop_signal: i32,
    },
}

/// Be the init. Returns the program's exit status.
pub(crate) fn run(plan: &Plan) -> i32 {
    match try_run(plan) {
        Ok(status) => status,
        Err(error) => {
            // A server's worker reads it here; all others' from standard error.
            match plan.manner {
                Manner::Once => eprintln!("{error:#}"),
                Manner::Server { .. } => println!("{error:#}"),
            }
            wait::FAILED
        }
    }
}

fn try_run(plan: &Plan) -> Result<i32> {
    let server = match &plan.manner {
        Manner::Once => {
            prctl::set_pdeathsig(Signal::SIGKILL).context("cannot be told of the worker's end")?;
            None
        }
        Manner::Server { console, stop_signal } => {
            setsid().context("cannot leave the session")?;
            let stop = Signal::try_from(*stop_signal).context("the plan has no signal")?;
            // Before there is anything to find: whoever looks for the server finds all of it by this.
            Files::at(&plan.run_directory).write_process(outer_self()?)?;
            Some((Console::open(console)?, stop))
        }
    };
    umask(Mode::from_bits_truncate(0o022));
    let signals = Signals::hold()?;
    namespaces::enter_network(&plan.network_namespace)?;
    namespaces::new_mounts_and_name(&plan.host_name)?;
    unshare(CloneFlags::CLONE_NEWIPC).context("cannot make an IPC namespace")?;
    let sandbox = Sandbox {
        data: &plan.data,
        configuration: &plan.configuration,
        user: plan.user,
        hidden: &plan.hidden,
    };
    sandbox::set_up(&sandbox, &Files::at(&plan.run_directory))?;

    let (program, arguments) = plan.command.split_first().context("there is no program to run")?;
    let (uid, gid) = plan.user;
    let mut command = Command::new(program);
    command.args(arguments).uid(uid).gid(gid).current_dir("/").stdin(Stdio::null());
    command.env_clear().envs([
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("HOME", "/tmp"),
    ]);
    let output = match &server {
        None => None,
        Some(_) => {
            let (output, input) = std::io::pipe().context("cannot make a pipe")?;
            command.stdout(input.try_clone()?).stderr(input);
            Some(output)
        }
    };
    let child = wait::start(&mut command).with_context(|| format!("cannot run {program}"))?;
    // Its ends of the pipe: the console ends with the server.
    drop(command);
    // From here on it passes on signals, to a process of another user.
    privileges::keep_signalling()?;
    let Some((console, stop)) = server else { return signals.pass_on_until_exit(&child) };
    let output = output.context("the server has no output")?;
    let keeper = Builder::new().name("console".into()).spawn(move || console.keep(output));
    keeper.context("cannot start a thread")?;
    print!("{STARTED}");
    let null = File::options().read(true).write(true).open("/dev/null").context("cannot open /dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(null)?;
    signals.pass_on_as(&child, |signal| if signal == Signal::SIGTERM { stop } else { signal })
}

/// This process, by its id outside of its own PID namespace: `/proc` is still the host's.
fn outer_self() -> Result<Process> {
    let path = std::fs::read_link("/proc/self").context("there is no /proc")?;
    process::find(path.to_string_lossy().parse().context("/proc/self is no process")?)
}
