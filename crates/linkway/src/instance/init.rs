//! The init: an instance's first process, which makes the instance around it and runs the command.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, setsid};
use serde::{Deserialize, Serialize};

use crate::instance::files::Files;
use crate::instance::wait::{self, Signals};
use crate::instance::{mounts, namespaces};

/// What a detached init writes to its standard output, a pipe, when the command runs.
pub(crate) const STARTED: &str = "started\n";

/// What `linkway run` tells the init.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The instance's network namespace.
    pub(crate) network_namespace: PathBuf,
    /// Its directory of files.
    pub(crate) run_directory: PathBuf,
    /// Its host name.
    pub(crate) host_name: String,
    /// Where the command's output goes; also says that it is detached.
    pub(crate) console: Option<PathBuf>,
    /// The command.
    pub(crate) command: Vec<String>,
}

/// Be the init. Returns the command's exit status.
pub(crate) fn run(plan: &Plan) -> i32 {
    match try_run(plan) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("linkway: {error:#}");
            wait::FAILED
        }
    }
}

fn try_run(plan: &Plan) -> Result<i32> {
    if plan.console.is_some() {
        setsid().context("cannot leave the session")?;
    } else {
        // In the foreground the instance ends with the command that started it, however that ends.
        prctl::set_pdeathsig(Signal::SIGTERM).context("cannot be told of the parent's end")?;
    }
    let signals = Signals::hold()?;
    let files = Files::at(&plan.run_directory);
    namespaces::enter_network(&plan.network_namespace)?;
    namespaces::new_mounts_and_name(&plan.host_name)?;
    mounts::set_up(&files)?;

    let (program, arguments) = plan.command.split_first().context("there is no command to run")?;
    let mut command = Command::new(program);
    command.args(arguments).envs(files.variables());
    let console = plan.console.as_ref().map(open_console).transpose()?;
    if let Some(console) = &console {
        command.stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console.try_clone()?);
    }
    let child = match wait::start(&mut command) {
        Ok(child) => child,
        Err(error) => {
            eprintln!("linkway: cannot run {program}: {error}");
            return Ok(wait::status_of(&error));
        }
    };
    if let Some(console) = console {
        print!("{STARTED}");
        let null = File::open("/dev/null").context("cannot open /dev/null")?;
        dup2_stdin(null)?;
        dup2_stdout(&console)?;
        dup2_stderr(console)?;
    }
    signals.pass_on_until_exit(&child)
}

fn open_console(path: &PathBuf) -> Result<File> {
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write to the console {}", path.display()))
}
