//! Decisions of the language, one JSON object a line: a policy, a request, and what must come out.
//!
//! `use` says what a difference means. `gate`: the documentation and an independent simulator agree. `doc`:
//! they differ and the documentation is right. `open`: the documentation is silent; what this crate does is
//! printed, and never fails the test.

use std::collections::BTreeMap;

use linkway_policy::{Context, Policy, Principal, Request, Verdict};
use serde_json::Value;

const CASES: &str = include_str!("cases.jsonl");

/// What the policy says to a case's request: the verdict and the deciding statements.
fn decide(case: &Value) -> (String, Vec<usize>) {
    let policy = Policy::parse(&case["policy"].to_string()).expect("a policy");
    let request = &case["request"];
    let mut context = Context::new();
    for (key, value) in request["context"].as_object().expect("a context") {
        match value {
            Value::Array(values) => {
                context.insert_many(key, values.iter().map(|value| value.as_str().expect("a string")));
            }
            value => context.insert(key, value.as_str().expect("a string")),
        }
    }
    let principal = &request["principal"];
    let request = Request {
        principal: Principal {
            kind: principal["type"].as_str().expect("a type").parse().expect("a kind"),
            arn: principal["arn"].as_str(),
            account: principal["account"].as_str(),
            canonical_user: None,
        },
        action: request["action"].as_str().expect("an action"),
        resource: request["resource"].as_str().expect("a resource"),
        resource_account: request["resource_account"].as_str(),
        context: &context,
    };
    let decision = policy.evaluate(&request);
    let explanation = policy.explain(&request);
    assert_eq!(explanation.decision, decision, "explaining changes nothing");
    // What decided must be what the explanation calls matching, with the decision's effect.
    for statement in &explanation.statements {
        let decided = decision.statements.contains(statement.index);
        let denies = decision.verdict == Verdict::ExplicitDeny;
        let of_effect = (statement.effect == linkway_policy::document::Effect::Deny) == denies;
        assert_eq!(decided, statement.mismatches.is_empty() && of_effect, "{explanation}");
    }
    (decision.verdict.to_string(), decision.statements.iter().collect())
}

#[test]
fn every_case() {
    let (mut passed, mut differ) = (BTreeMap::new(), BTreeMap::new());
    let mut failures = Vec::new();
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).expect("JSON");
        let (verdict, statements) = decide(&case);
        let usage = case["use"].as_str().expect("a use").to_owned();
        let decided = case.get("decided_by").is_none_or(|decided| *decided == serde_json::json!(statements));
        if case["expected"] == *verdict && decided {
            *passed.entry(usage).or_insert(0) += 1;
        } else if usage == "open" {
            *differ.entry(case["why"].as_str().unwrap_or_default().to_owned()).or_insert(0) += 1;
            println!("open: {} {verdict}, not {}: {}", case["id"], case["expected"], case["why"]);
        } else {
            failures.push(format!("{usage} {} {verdict} {statements:?}: {line}", case["id"]));
        }
    }
    println!("passed: {passed:?}\nopen, decided otherwise: {differ:#?}");
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
    assert!(passed.values().sum::<i32>() > 2800, "the cases are there");
}
