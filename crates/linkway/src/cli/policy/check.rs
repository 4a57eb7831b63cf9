//! `linkway policy check`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use linkway_policy::document::Values;
use linkway_policy::{Finding, Policy, Severity};
use serde::Serialize;

use super::actions::{Known, Service};
use crate::cli::output::{self, Format, Output};

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
        let service = self.service.as_deref().map(Service::find).transpose()?;
        let rows = look(&super::read(&self.file)?, service.as_ref());
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
fn look(text: &str, service: Option<&Service>) -> Vec<Row> {
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            return vec![Row {
                severity: "error",
                code: "syntax",
                line: error.at.line,
                column: error.at.column,
                statement: None,
                message: error.reason,
                hint: error.hint,
            }];
        }
    };
    let mut rows: Vec<Row> = policy.validate(&Known).into_iter().map(row).collect();
    if let Some(service) = service {
        rows.extend(look_for(&policy, service));
        rows.sort_by_key(|row| (row.line, row.column));
    }
    rows
}

/// What is to be said of a policy on an endpoint to a service.
fn look_for(policy: &Policy, service: &Service) -> Vec<Row> {
    let name = &service.name;
    let mut rows = Vec::new();
    if !service.policies && !policy.is_full_access() {
        rows.push(Row {
            severity: "error",
            code: "service-without-policies",
            line: 1,
            column: 1,
            statement: None,
            message: format!("endpoints to {name} take no policy but full access"),
            hint: "leave the policy out".to_owned(),
        });
    }
    for (index, statement) in policy.document().statements.iter().enumerate() {
        let Values { negated, values, .. } = &statement.action;
        // What `NotAction` leaves out is more readable with the others' actions than wrong.
        for action in values.iter().filter(|action| !negated && !service.has(&action.value)) {
            let prefixes: Vec<_> = service.prefixes.iter().map(|prefix| format!("{prefix}:…")).collect();
            rows.push(Row {
                severity: "warning",
                code: "action-of-another-service",
                line: action.at.line,
                column: action.at.column,
                statement: Some(index),
                message: format!("no request through an endpoint to {name} is {}", action.value),
                hint: format!("its actions are {}", prefixes.join(" and ")),
            });
        }
    }
    rows
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
        look(text, None).iter().map(|row| (row.severity, row.code)).collect()
    }

    #[test]
    fn full_access_is_nothing_to_remark() {
        assert_eq!(codes(linkway_policy::DEFAULT_POLICY), []);
    }

    #[test]
    fn a_place_is_told() {
        let [row] = &look("{\"Statement\": [\n  oops]}", None)[..] else { panic!("one error") };
        assert_eq!((row.severity, row.line, row.column), ("error", 2, 3));
    }

    #[test]
    fn an_action_that_does_not_exist_is_found() {
        let text = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"rds:DescribeDatabase","Resource":"*"}]}"#;
        assert!(codes(text).iter().any(|(_, code)| *code == "unknown-action"), "{:?}", codes(text));
        let known = text.replace("DescribeDatabase", "DescribeDBInstances");
        assert_eq!(codes(&known), []);
    }

    #[test]
    fn a_policy_must_be_about_the_service() {
        let text = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":["rds:*","s3:Get*"],"Resource":"*"}]}"#;
        let mut service = Service::find("rds").unwrap();
        let codes = |text: &str, service: &Service| -> Vec<_> {
            look(text, Some(service)).iter().map(|row| row.code).collect()
        };
        assert_eq!(codes(text, &service), ["action-of-another-service"]);
        service.policies = false;
        assert_eq!(codes(text, &service), ["service-without-policies", "action-of-another-service"]);
        assert!(codes(linkway_policy::DEFAULT_POLICY, &service).is_empty());
    }
}
