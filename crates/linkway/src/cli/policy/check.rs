//! `linkway policy check`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use linkway_policy::{Finding, Policy, Severity};
use serde::Serialize;

use crate::cli::output::{self, Format, Output};

/// Check a policy.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The policy document, JSON.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// One finding, for programs too.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Row {
    severity: &'static str,
    code: &'static str,
    line: u32,
    column: u32,
    statement: Option<usize>,
    message: String,
    hint: String,
}

impl Check {
    /// Carry it out. Returns the exit status.
    pub(crate) fn run(&self) -> Result<i32> {
        let rows = look(&super::read(&self.file)?);
        match self.output.output {
            Format::Json => output::json(&rows)?,
            Format::Table if rows.is_empty() => output::text("nothing to remark\n")?,
            Format::Table => {
                for row in &rows {
                    let Row { severity, code, line, column, message, hint, .. } = row;
                    let place = format!("{}:{line}:{column}", self.file.display());
                    output::text(&format!("{place}: {severity}: {message} [{code}]\n  {hint}\n"))?;
                }
            }
        }
        Ok(i32::from(rows.iter().any(|row| row.severity == "error")))
    }
}

/// What is to be said of a policy: the error that it does not parse for, or what validation finds.
fn look(text: &str) -> Vec<Row> {
    match Policy::parse(text) {
        Ok(policy) => policy.validate(&exists).into_iter().map(row).collect(),
        Err(error) => vec![Row {
            severity: "error",
            code: "syntax",
            line: error.at.line,
            column: error.at.column,
            statement: None,
            message: error.reason,
            hint: error.hint,
        }],
    }
}

/// Whether an action, or one that a pattern matches, exists on AWS.
fn exists(pattern: &str) -> bool {
    if pattern.contains(['*', '?']) {
        !linkway_actions::complete(pattern).is_empty()
    } else {
        linkway_actions::known_action(pattern)
    }
}

fn row(finding: Finding) -> Row {
    Row {
        severity: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        code: finding.code,
        line: finding.at.line,
        column: finding.at.column,
        statement: finding.statement,
        message: finding.message,
        hint: finding.hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<(&'static str, &'static str)> {
        look(text).iter().map(|row| (row.severity, row.code)).collect()
    }

    #[test]
    fn full_access_is_nothing_to_remark() {
        assert_eq!(codes(linkway_policy::DEFAULT_POLICY), []);
    }

    #[test]
    fn a_place_is_told() {
        let [row] = &look("{\"Statement\": [\n  oops]}")[..] else { panic!("one error") };
        assert_eq!((row.severity, row.line, row.column), ("error", 2, 3));
    }

    #[test]
    fn an_action_that_does_not_exist_is_found() {
        let text = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"rds:DescribeDatabase","Resource":"*"}]}"#;
        assert!(codes(text).iter().any(|(_, code)| *code == "unknown-action"), "{:?}", codes(text));
        let known = text.replace("DescribeDatabase", "DescribeDBInstances");
        assert_eq!(codes(&known), []);
    }
}
