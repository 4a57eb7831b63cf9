//! Running a client inside of a database's sandbox, where its Unix socket is.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use linkway_model::instance::Process;
use serde::{Deserialize, Serialize};

use crate::instance::namespaces;

/// What is run where.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The database's first process.
    pub(crate) process: Process,
    /// The user and the group of the client.
    pub(crate) user: (u32, u32),
    /// The client and its arguments: nothing secret, that goes by its standard input.
    pub(crate) command: Vec<String>,
}

/// Run it. Returns its exit status.
pub(crate) fn run(plan: &Plan) -> Result<i32> {
    namespaces::enter(plan.process)?;
    let (program, arguments) = plan.command.split_first().context("there is no client to run")?;
    let (uid, gid) = plan.user;
    let mut command = Command::new(program);
    command.args(arguments).uid(uid).gid(gid).current_dir("/");
    command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C.UTF-8"), ("HOME", "/tmp")]);
    let status = command.status().with_context(|| format!("cannot run {program}"))?;
    Ok(status.code().unwrap_or(crate::instance::wait::FAILED))
}
