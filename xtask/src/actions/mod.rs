//! `cargo xtask actions`: the tables of `crates/actions`, from botocore's service models and AWS's Service
//! Authorization Reference.
//!
//! Facts only: names of operations, actions, resource types, members and condition keys, and ARN formats.

mod bind;
mod botocore;
mod emit;
mod join;
mod members;
mod reference;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::wire;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if what is committed differs from what would be generated
    #[arg(long)]
    check: bool,
    /// Print what the tables say of one IAM prefix, and write nothing
    #[arg(long, value_name = "PREFIX", conflicts_with = "check")]
    show: Option<String>,
    /// The directory of the botocore package (default: ask .venv/bin/python3, else python3)
    #[arg(long, value_name = "DIR")]
    botocore: Option<PathBuf>,
}

/// Generates the tables, or compares them.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let package = wire::botocore(root, arguments.botocore.as_deref())?;
    let services = botocore::read(&package)?;
    let reference = reference::Reference::fetch(&root.join("target/xtask/reference"))?;
    if let Some(prefix) = &arguments.show {
        print!("{}", emit::show(prefix, &services, &reference)?);
        return Ok(());
    }
    let tables = emit::tables(wire::BOTOCORE_VERSION, &services, &reference)?;
    let path = root.join("crates/actions/src/tables/tables.bin");
    if fs::read(&path).is_ok_and(|committed| committed == tables) {
        return Ok(());
    }
    ensure!(
        !arguments.check,
        "differs from what is generated, run `cargo xtask actions`: {}",
        path.display()
    );
    fs::write(&path, tables).with_context(|| path.display().to_string())
}
