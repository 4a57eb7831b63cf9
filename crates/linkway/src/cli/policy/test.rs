//! `linkway policy test`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use linkway_policy::Verdict;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::Written;
use super::{compile, read};
use crate::cli::output::{self, Format, Output};

/// Try a policy.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The policy document, JSON.
    #[arg(long, value_name = "FILE", required_unless_present = "cases", requires = "request")]
    policy: Option<PathBuf>,
    /// The request, JSON: `principal`, `action`, `resource`, `resource_account`, `context`.
    #[arg(long, value_name = "FILE", requires = "policy")]
    request: Option<PathBuf>,
    /// Cases, a JSON object a line: `id`, `policy`, `request`, `expected`, `decided_by`, `use`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "request"])]
    cases: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// One case.
#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    policy: Value,
    request: Written,
    expected: String,
    decided_by: Option<Vec<usize>>,
    /// `gate` and `doc` must come out as expected; others may not.
    #[serde(rename = "use", default = "gate")]
    usage: String,
}

fn gate() -> String {
    "gate".to_owned()
}

impl Test {
    /// Carry it out. Returns the exit status.
    pub(crate) fn run(&self) -> Result<i32> {
        match (&self.policy, &self.request, &self.cases) {
            (Some(policy), Some(request), _) => {
                let from = policy.display().to_string();
                self.one(&read(policy)?, &from, &read(request)?, &request.display().to_string())
            }
            (_, _, Some(cases)) => self.many(&read(cases)?),
            _ => anyhow::bail!("give --policy and --request, or --cases"),
        }
    }

    fn one(&self, policy: &str, policy_from: &str, request: &str, request_from: &str) -> Result<i32> {
        let policy = compile(policy, policy_from)?;
        let request: Written =
            serde_json::from_str(request).with_context(|| format!("{request_from} is no request"))?;
        let explanation = request.with(|request| policy.explain(request))?;
        match self.output.output {
            Format::Table => output::text(&format!("{explanation}\n"))?,
            Format::Json => output::json(&json!({
                "verdict": explanation.decision.verdict.to_string(),
                "statements": explanation.decision.statements.iter().collect::<Vec<_>>(),
                "explanation": explanation.statements.iter().map(|statement| json!({
                    "statement": statement.index,
                    "sid": statement.sid,
                    "mismatches": statement.mismatches.iter().map(|mismatch| json!({
                        "element": mismatch.element,
                        "line": mismatch.at.line,
                        "column": mismatch.at.column,
                        "why": mismatch.why,
                    })).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
            }))?,
        }
        Ok(i32::from(explanation.decision.verdict != Verdict::Allow))
    }

    fn many(&self, cases: &str) -> Result<i32> {
        let mut tally: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut failed = false;
        for (number, line) in cases.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let case: Case =
                serde_json::from_str(line).with_context(|| format!("line {} is no case", number + 1))?;
            let difference = difference(&case)?;
            let counts = tally.entry(case.usage.clone()).or_default();
            counts.0 += usize::from(difference.is_none());
            counts.1 += 1;
            if let Some(difference) = difference {
                failed |= matches!(case.usage.as_str(), "gate" | "doc");
                if self.output.output == Format::Table {
                    output::text(&format!("{} ({}): {difference}\n", case.id, case.usage))?;
                }
            }
        }
        let rows: Vec<Value> = tally
            .iter()
            .map(|(usage, (passed, all))| json!({"use": usage, "passed": passed, "cases": all}))
            .collect();
        self.output.list(&rows, ["USE", "PASSED", "CASES"], |row| {
            [
                row["use"].as_str().unwrap_or_default().into(),
                row["passed"].to_string(),
                row["cases"].to_string(),
            ]
        })?;
        Ok(i32::from(failed))
    }
}

/// How a case comes out other than expected, if it does.
fn difference(case: &Case) -> Result<Option<String>> {
    let policy = compile(&case.policy.to_string(), &case.id)?;
    let decision = case.request.with(|request| policy.evaluate(request))?;
    let verdict = decision.verdict.to_string();
    if verdict != case.expected {
        return Ok(Some(format!("{verdict}, not {}", case.expected)));
    }
    let decided: Vec<usize> = decision.statements.iter().collect();
    Ok(case
        .decided_by
        .as_ref()
        .filter(|expected| **expected != decided)
        .map(|expected| format!("decided by statements {decided:?}, not {expected:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(expected: &str) -> Case {
        let text = json!({
            "id": "a",
            "policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "rds:Describe*", "Resource": "*"}]},
            "request": {"action": "rds:DescribeDBInstances", "resource": "*", "context": {"aws:TagKeys": ["a", "b"]}},
            "expected": expected,
            "decided_by": [0],
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn what_comes_out_as_expected_is_no_difference() {
        assert_eq!(difference(&case("Allow")).unwrap(), None);
        assert_eq!(difference(&case("ExplicitDeny")).unwrap().unwrap(), "Allow, not ExplicitDeny");
    }
}
