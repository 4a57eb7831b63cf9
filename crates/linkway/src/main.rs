//! `linkway`: the daemon and its command line.

mod admin;
mod advise;
mod api;
mod ca;
mod cli;
mod cni;
mod daemon;
mod database;
mod gateway;
mod http;
mod instance;
mod keeper;
mod learn;
mod machine;
mod metadata;
mod policy_check;
mod state_dir;
mod stop;

use std::process::exit;

use anyhow::Result;
use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command, output};
use crate::instance::wait;
use crate::state_dir::StateDir;

/// Requests and changes allocate many small things, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if cni::is_called() {
        exit(cni::run());
    }
    let cli = Cli::parse();
    // A command that runs another one has that one's exit status, so its own failure must be told from it.
    let failed = match &cli.command {
        Command::Run(_) | Command::Exec(_) => wait::FAILED,
        _ => 1,
    };
    exit(run(cli).unwrap_or_else(|error| {
        eprintln!("linkway: {error:#}");
        failed
    }));
}

/// Carry the command out. Returns the exit status.
fn run(cli: Cli) -> Result<i32> {
    let state = &StateDir::at(&cli.state_dir);
    match cli.command {
        Command::Up(up) => up.run(state)?,
        Command::Down(down) => down.run(state)?,
        Command::Env(env) => env.run(state)?,
        Command::Account(account) => account.run(state)?,
        Command::Key(key) => key.run(state)?,
        Command::Service(service) => service.run(state)?,
        Command::Image(image) => image.run(state)?,
        Command::Notification(notification) => notification.run(state)?,
        Command::Run(run) => return run.run(state),
        Command::Exec(exec) => return exec.run(state),
        Command::Terminate(terminate) => terminate.run(state)?,
        Command::Attach(attach) => attach.run(state)?,
        Command::Detach(detach) => detach.run(state)?,
        Command::Status(status) => status.run(state)?,
        Command::Doctor(doctor) => doctor.run()?,
        Command::Drops(drops) => drops.run(state)?,
        Command::Policy(policy) => return policy.run(state),
        Command::Advise(advise) => return advise.run(state),
        Command::Ca => output::text(&ca::certificate(state)?)?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "linkway", &mut std::io::stdout());
        }
        Command::InstanceInit(init) => return init.run(),
        Command::Keeper(keeper) => return keeper.run(),
    }
    Ok(0)
}
