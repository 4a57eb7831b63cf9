//! `linkway advise`.

use anyhow::Result;
use clap::Args;
use linkway_model::VpcEndpointId;

use crate::admin::client::Client;
use crate::admin::protocol::GetAdvice;
use crate::advise::{Finding, Severity};
use crate::cli::output::{self, Format, Output};
use crate::state_dir::StateDir;

/// Look at endpoints.
#[derive(Debug, Args)]
pub(crate) struct Advise {
    /// The endpoint; all of them if none is given.
    #[arg(value_name = "ENDPOINT")]
    endpoint: Option<VpcEndpointId>,
    #[command(flatten)]
    output: Output,
}

impl Advise {
    /// Carry it out. Returns the exit status.
    pub(crate) fn run(&self, state: &StateDir) -> Result<i32> {
        let findings = Client::new(state).call(&GetAdvice { endpoint: self.endpoint.clone() })?;
        match self.output.output {
            Format::Json => output::json(&findings)?,
            Format::Table if findings.is_empty() => output::text("nothing to remark\n")?,
            Format::Table => output::text(&findings.iter().map(block).collect::<String>())?,
        }
        Ok(i32::from(findings.iter().any(|finding| finding.severity == Severity::Error)))
    }
}

/// A finding on a few lines.
fn block(finding: &Finding) -> String {
    let Finding { id, severity, endpoint, message, remedy, command } = finding;
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let command = command.as_ref().map(|command| format!("    {command}\n")).unwrap_or_default();
    format!("{endpoint}: {severity}: {message} [{id}]\n  {remedy}\n{command}")
}
