//! `linkway run`.

use std::io::Read;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use linkway_model::{SecurityGroupId, SubnetId};

use crate::admin::client::Client;
use crate::admin::protocol::{Ended, Launch, Launched, Started};
use crate::ca;
use crate::cli::output;
use crate::instance::files::{Files, host_name};
use crate::instance::init::{self, Plan, STARTED};
use crate::instance::wait::Signals;
use crate::instance::{namespaces, process};
use crate::state_dir::StateDir;

/// Run a command as an instance.
#[derive(Debug, Args)]
#[command(after_help = "\
The command sees the host's files, with an /etc/hosts, /etc/resolv.conf and trust store of its own, and nothing of \
the host's network: what it reaches is what its subnet, its security groups and the VPC's endpoints give it.

Examples:
  sudo linkway run --subnet subnet-… -- bash
  sudo linkway run --subnet subnet-… --security-group sg-… --name web --detach -- nginx -g 'daemon off;'

Exit status: the command's; 125 if the instance could not be made, 126 if the command could not be executed, 127 if \
there is no such command.")]
pub(crate) struct Run {
    /// The subnet that the instance is in.
    #[arg(long)]
    pub(crate) subnet: SubnetId,
    /// A security group of the instance; may be given several times. The VPC's default one otherwise.
    #[arg(long = "security-group", value_name = "GROUP")]
    pub(crate) groups: Vec<SecurityGroupId>,
    /// Its private address. A free one of the subnet otherwise.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) private_ip: Option<Ipv4Addr>,
    /// A name: its tag `Name`.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Leave it running in the background, and print its id. Its output goes to
    /// STATE_DIR/instances/ID/console.log.
    #[arg(long)]
    pub(crate) detach: bool,
    /// The command.
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<String>,
}

/// The first process of an instance; see [`init`].
#[derive(Debug, Args)]
pub(crate) struct InstanceInit {
    plan: String,
}

impl InstanceInit {
    /// Be it. Returns the exit status.
    pub(crate) fn run(&self) -> Result<i32> {
        Ok(init::run(&serde_json::from_str(&self.plan).context("started by linkway run only")?))
    }
}

impl Run {
    /// Carry it out. Returns the exit status.
    pub(crate) fn run(self, state: &StateDir) -> Result<i32> {
        let client = Client::new(state);
        let ca = ca::certificate(state)?;
        let launched = client.call(&Launch {
            subnet: self.subnet,
            groups: self.groups,
            private_ip: self.private_ip,
            name: self.name,
            command: self.command.clone(),
            launcher: process::find(std::process::id())?,
        })?;
        let instance = launched.instance.clone();
        let outcome = start(state, &client, launched, &ca, self.command, self.detach);
        let reason = match &outcome {
            Ok(Outcome::Detached) => return output::text(&format!("{instance}\n")).map(|()| 0),
            Ok(Outcome::Exited(status)) => format!("its command exited with status {status}"),
            Err(error) => format!("it could not be started: {error:#}"),
        };
        // The daemon would notice by itself; told, it has no need to look first.
        let ended = client.call(&Ended { instance, reason });
        match outcome? {
            Outcome::Exited(status) => {
                if let Err(error) = ended {
                    eprintln!("linkway: the daemon was not told of the instance's end: {error:#}");
                }
                Ok(status)
            }
            Outcome::Detached => Ok(0),
        }
    }
}

/// How far `linkway run` has come with an instance.
enum Outcome {
    /// Its command runs on.
    Detached,
    /// Its command has ended, or could not be started, with this status.
    Exited(i32),
}

fn start(
    state: &StateDir,
    client: &Client,
    launched: Launched,
    ca: &str,
    command: Vec<String>,
    detach: bool,
) -> Result<Outcome> {
    let files = Files::at(&launched.run_directory);
    files.write(&launched.identity, ca)?;
    let console = detach.then(|| state.console_log(&launched.instance));
    if let Some(directory) = console.as_deref().and_then(Path::parent) {
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    }
    let plan = Plan {
        network_namespace: launched.network_namespace,
        run_directory: launched.run_directory,
        host_name: host_name(launched.identity.address),
        console,
        command,
    };
    // Held from here on, so that no signal falls between the init's start and its own care for them.
    let signals = Signals::hold()?;
    namespaces::new_processes()?;
    let mut init = Command::new("/proc/self/exe");
    init.arg("instance-init").arg(serde_json::to_string(&plan)?);
    if detach {
        init.stdout(Stdio::piped());
    }
    let mut child = init.spawn().context("cannot start the instance's first process")?;
    let reported = report(client, &launched.instance, &files, &child);
    if let Err(error) = reported {
        child.kill().context("cannot end an instance that the daemon does not want")?;
        child.wait().context("cannot wait for the instance's end")?;
        return Err(error);
    }
    let started = child.stdout.take().map(has_started).transpose()?;
    match started {
        Some(true) => Ok(Outcome::Detached),
        _ => signals.pass_on_until_exit(&child).map(Outcome::Exited),
    }
}

/// Tell the daemon, and `linkway down`, of the instance's first process.
fn report(client: &Client, instance: &linkway_model::InstanceId, files: &Files, child: &Child) -> Result<()> {
    let process = process::find(child.id())?;
    files.write_process(process)?;
    client.call(&Started { instance: instance.clone(), process })
}

/// Wait until a detached instance's command runs, or could not be started, of which the init has told then.
fn has_started(mut stdout: ChildStdout) -> Result<bool> {
    let mut said = String::new();
    stdout.read_to_string(&mut said).context("cannot read from the instance's first process")?;
    match said.as_str() {
        STARTED => Ok(true),
        "" => Ok(false),
        other => bail!("the instance's first process said {other:?}"),
    }
}
