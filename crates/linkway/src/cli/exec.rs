//! `linkway exec`.

use std::fs;
use std::process::Command;

use anyhow::Result;
use clap::Args;
use linkway_model::InstanceId;

use crate::admin::client::Client;
use crate::admin::protocol::FindInstance;
use crate::instance::files::Files;
use crate::instance::namespaces;
use crate::instance::wait::{self, Signals};
use crate::machine::{boot, confine, first_boot};
use crate::state_dir::{StateDir, instance_run_directory};

/// Run a command inside an instance.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sudo linkway exec i-… -- curl http://service.example.com/\n\n\
Exit status: the command's; 126 if it could not be executed, 127 if there is no such command.")]
pub(crate) struct Exec {
    /// The instance.
    instance: InstanceId,
    /// The command.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl Exec {
    /// Carry it out. Returns the exit status.
    pub(crate) fn run(self, state: &StateDir) -> Result<i32> {
        let process = Client::new(state).call(&FindInstance { instance: self.instance.clone() })?;
        let files = Files::at(&instance_run_directory(&state.read_daemon()?.name, &self.instance));
        let directory = std::env::current_dir().ok();
        let confined = namespaces::enter(process)?;
        let signals = Signals::hold()?;
        let mut words = self.command.iter();
        let program = words.next().map(String::as_str).unwrap_or_default();
        let mut command = Command::new(program);
        command.args(words);
        if confined {
            confine(&mut command)?;
        } else {
            command.envs(files.variables());
            // Entering a mount namespace leads to its root.
            if let Some(directory) = directory.filter(|directory| directory.is_dir()) {
                command.current_dir(directory);
            }
        }
        match wait::start(&mut command) {
            Ok(child) => signals.pass_on_until_exit(&child),
            Err(error) => {
                eprintln!("linkway: cannot run {program}: {error}");
                Ok(wait::status_of(&error))
            }
        }
    }
}

/// In an instance that the API has started, the command is its root's, as whatever else runs there, and sees nothing of
/// the environment that this one has.
fn confine(command: &mut Command) -> Result<()> {
    boot::become_its_root()?;
    confine::apply()?;
    command.env_clear();
    if let Some(terminal) = std::env::var_os("TERM") {
        command.env("TERM", terminal);
    }
    let environment = fs::read_to_string(first_boot::ENVIRONMENT).unwrap_or_default();
    command.envs(first_boot::read_environment(&environment));
    command.current_dir("/");
    Ok(())
}
