//! `linkway policy test --cases`: a file of cases, a JSON object a line.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::compile;
use super::request::Written;
use crate::cli::output::{self, Format, Output, table};

/// One case.
#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    /// As it stands there: a number must not change on the way.
    policy: Box<RawValue>,
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

/// Decide all of them and print how many of each use came out as expected, and all that did not. Returns the exit
/// status: 1 if one that must did not.
pub(super) fn run(cases: &str, output: Output) -> Result<i32> {
    let mut tally: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut mismatches = Vec::new();
    let mut failed = false;
    for (number, line) in cases.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let case: Case =
            serde_json::from_str(line).with_context(|| format!("line {} is no case", number + 1))?;
        let difference = difference(&case);
        let counts = tally.entry(case.usage.clone()).or_default();
        counts.0 += usize::from(difference.is_none());
        counts.1 += 1;
        if let Some(difference) = difference {
            failed |= matches!(case.usage.as_str(), "gate" | "doc");
            mismatches.push((case.id, case.usage, difference));
        }
    }
    match output.output {
        Format::Json => {
            let uses = tally
                .iter()
                .map(|(usage, (passed, all))| json!({"use": usage, "passed": passed, "cases": all}));
            let mismatches =
                mismatches.iter().map(|(id, usage, why)| json!({"id": id, "use": usage, "difference": why}));
            output::json(&json!({
                "uses": uses.collect::<Vec<_>>(),
                "mismatches": mismatches.collect::<Vec<_>>(),
            }))?;
        }
        Format::Table => {
            for (id, usage, difference) in &mismatches {
                output::text(&format!("{id} ({usage}): {difference}\n"))?;
            }
            let rows = tally
                .iter()
                .map(|(usage, (passed, all))| [usage.clone(), passed.to_string(), all.to_string()]);
            output::text(&table(["USE", "PASSED", "CASES"], rows))?;
        }
    }
    Ok(i32::from(failed))
}

/// How a case comes out other than expected, if it does. One that cannot be decided is different, too.
fn difference(case: &Case) -> Option<String> {
    let decided = compile(case.policy.get(), "its policy")
        .and_then(|policy| case.request.with(|request| policy.evaluate(request)));
    let decision = match decided {
        Ok(decision) => decision,
        Err(error) => return Some(format!("not decided, {error:#}; expected: {}", case.expected)),
    };
    let verdict = decision.verdict.to_string();
    if verdict != case.expected {
        return Some(format!("{verdict}, not {}", case.expected));
    }
    let decided: Vec<usize> = decision.statements.iter().collect();
    case.decided_by
        .as_ref()
        .filter(|expected| **expected != decided)
        .map(|expected| format!("decided by statements {decided:?}, not {expected:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(expected: &str, decided_by: usize) -> Case {
        let text = json!({
            "id": "a",
            "policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "rds:Describe*", "Resource": "*"}]},
            "request": {"action": "rds:DescribeDBInstances", "resource": "*", "context": {"aws:TagKeys": ["a", "b"]}},
            "expected": expected,
            "decided_by": [decided_by],
        });
        serde_json::from_str(&text.to_string()).unwrap()
    }

    #[test]
    fn what_comes_out_as_expected_is_no_difference() {
        assert_eq!(difference(&case("Allow", 0)), None);
        assert_eq!(difference(&case("ExplicitDeny", 0)).unwrap(), "Allow, not ExplicitDeny");
        assert_eq!(difference(&case("Allow", 1)).unwrap(), "decided by statements [0], not [1]");
    }

    #[test]
    fn a_policy_that_does_not_parse_is_a_difference() {
        let text = r#"{"id": "a", "policy": {}, "request": {"action": "a:B", "resource": "*"}, "expected": "Allow"}"#;
        let difference = difference(&serde_json::from_str(text).unwrap()).unwrap();
        assert!(
            difference.starts_with("not decided") && difference.ends_with("expected: Allow"),
            "{difference}"
        );
    }
}
