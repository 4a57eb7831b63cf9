//! Chores of the project that are programs: `cargo xtask --help` lists them.
#![forbid(unsafe_code)]

mod actions;
mod wire;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the project")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Generate the tables in crates/actions: which request needs which permission
    Actions(actions::Arguments),
    /// Generate the shapes in crates/wire from botocore's service models
    Wire(wire::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Actions(arguments) => actions::run(&arguments),
        Chore::Wire(arguments) => wire::run(&arguments),
    }
}
