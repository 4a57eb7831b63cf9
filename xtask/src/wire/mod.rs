//! `cargo xtask wire`: committed Rust from botocore's service models.
//!
//! Only what the operations of `crates/wire/operations.txt` reach is generated: shapes and names,
//! none of the models' prose.

mod emit;
mod json;
mod model;
mod names;
mod operations;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io::Write as _};

use anyhow::{Context as _, bail, ensure};

/// The release of botocore whose models are generated from. Another one is refused, so that everyone generates
/// the same.
pub(crate) const BOTOCORE_VERSION: &str = "1.43.11";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if what is committed differs from what would be generated
    #[arg(long)]
    check: bool,
    /// The directory of the botocore package (default: ask .venv/bin/python3, else python3)
    #[arg(long, value_name = "DIR")]
    botocore: Option<PathBuf>,
}

/// Generates every service's file, or compares it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let botocore = botocore(root, arguments.botocore.as_deref())?;

    let wire = root.join("crates/wire");
    let list = fs::read_to_string(wire.join("operations.txt")).context("crates/wire/operations.txt")?;
    let mut stale = Vec::new();
    for service in operations::parse(&list)? {
        let model = model::Model::read(&botocore.join("data").join(&service.model))?;
        let source = emit::Emitter::new(&model, &service)?.source(BOTOCORE_VERSION)?;
        let source = rustfmt(root, &source)?;
        let path = wire.join(format!("src/generated/{}.rs", service.module()));
        if fs::read_to_string(&path).is_ok_and(|committed| committed == source) {
            continue;
        }
        if arguments.check {
            stale.push(path.display().to_string());
        } else {
            fs::write(&path, source).with_context(|| path.display().to_string())?;
        }
    }
    ensure!(stale.is_empty(), "differs from what is generated, run `cargo xtask wire`: {}", stale.join(", "));
    Ok(())
}

/// The directory of the botocore package: the one given, or the one installed.
pub(crate) fn botocore(root: &Path, given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let directory = match given {
        Some(directory) => directory.to_owned(),
        None => installed_botocore(root)?,
    };
    require_version(&directory)?;
    Ok(directory)
}

/// Where the project's own interpreter, or else the machine's, finds botocore.
fn installed_botocore(root: &Path) -> anyhow::Result<PathBuf> {
    let own = root.join(".venv/bin/python3");
    let python = if own.exists() { own } else { PathBuf::from("python3") };
    let output = Command::new(&python)
        .args(["-c", "import botocore; print(botocore.__path__[0])"])
        .output()
        .with_context(|| format!("cannot run {}", python.display()))?;
    if !output.status.success() {
        bail!("{} has no botocore: pip install botocore=={BOTOCORE_VERSION}", python.display());
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
}

fn require_version(botocore: &Path) -> anyhow::Result<()> {
    let path = botocore.join("__init__.py");
    let source = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let version = source
        .lines()
        .find_map(|line| line.strip_prefix("__version__ = "))
        .map(|version| version.trim_matches(['\'', '"']))
        .with_context(|| format!("{} names no version", path.display()))?;
    ensure!(
        version == BOTOCORE_VERSION,
        "botocore {version} in {}, {BOTOCORE_VERSION} is needed",
        botocore.display()
    );
    Ok(())
}

/// Formats as the project's `rustfmt.toml` says, so that a formatted tree stays equal to what is generated.
fn rustfmt(root: &Path, source: &str) -> anyhow::Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt")?;
    let mut input = child.stdin.take().context("rustfmt's input is piped")?;
    let source = source.to_owned();
    let writer = std::thread::spawn(move || input.write_all(source.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().expect("writing does not panic")?;
    ensure!(output.status.success(), "rustfmt refuses what was generated");
    Ok(String::from_utf8(output.stdout)?)
}
