//! `linkway policy check`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::cli::output::{self, Format, Output};
use crate::policy_check::{Remark, Service, look};

/// Check a policy.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The policy document, JSON.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also check that the actions are this service's: com.amazonaws.REGION.rds, or rds.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl Check {
    /// Carry it out. Returns the exit status.
    pub(crate) fn run(&self) -> Result<i32> {
        let service = self.service.as_deref().map(Service::find).transpose()?;
        let rows = look(&super::read(&self.file)?, service.as_ref());
        match self.output.output {
            Format::Json => output::json(&rows)?,
            Format::Table if rows.is_empty() => output::text("nothing to remark\n")?,
            Format::Table => {
                for row in &rows {
                    let Remark { severity, code, line, column, message, hint, .. } = row;
                    let place = format!("{}:{line}:{column}", self.file.display());
                    output::text(&format!("{place}: {severity}: {message} [{code}]\n  {hint}\n"))?;
                }
            }
        }
        Ok(i32::from(rows.iter().any(|row| row.severity == "error")))
    }
}
