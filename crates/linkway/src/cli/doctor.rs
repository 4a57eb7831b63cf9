//! `linkway doctor`.

use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::cli::output::Output;
use crate::daemon::start::BPFFS;

/// Check what Linkway needs.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    output: Output,
}

/// A finding, as it is printed.
#[derive(Serialize)]
struct Finding {
    name: String,
    ok: bool,
    found: String,
    remedy: String,
}

impl Doctor {
    /// Carry it out. Fails if something is missing.
    pub(crate) fn run(&self) -> Result<()> {
        let findings: Vec<Finding> = linkway_fabric::doctor(Path::new(BPFFS))
            .into_iter()
            .map(|check| Finding {
                name: check.name.to_string(),
                ok: check.ok,
                found: check.found,
                remedy: if check.ok { String::new() } else { check.remedy.to_string() },
            })
            .collect();
        self.output.list(&findings, ["CHECK", "", "FOUND", "REMEDY"], |finding| {
            let verdict = if finding.ok { "ok" } else { "MISSING" };
            [finding.name.clone(), verdict.into(), finding.found.clone(), finding.remedy.clone()]
        })?;
        match findings.iter().filter(|finding| !finding.ok).count() {
            0 => Ok(()),
            missing => bail!("{missing} of {} checks failed", findings.len()),
        }
    }
}
