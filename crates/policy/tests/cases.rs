//! Decisions of the language, one JSON object a line: a policy, a request, and what must come out.
//!
//! `use` says what a difference means. `gate`: the documentation and an independent simulator agree. `doc`:
//! they differ and the documentation is right. `open`: the documentation is silent; what this crate does is
//! printed, and never fails the test.

use std::collections::BTreeMap;

use linkway_policy::{AnyActions, Context, Policy, Principal, Request, Verdict};
use serde_json::{Value, json};

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

fn cases() -> impl Iterator<Item = Value> {
    CASES.lines().map(|line| serde_json::from_str(line).expect("JSON"))
}

fn statements(case: &mut Value) -> &mut Vec<Value> {
    let statements = &mut case["policy"]["Statement"];
    if !statements.is_array() {
        *statements = json!([statements.take()]);
    }
    statements.as_array_mut().expect("statements")
}

fn swap_case(text: &str) -> String {
    let swap = |c: char| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
    text.chars().map(swap).collect()
}

/// A list of one for a value, and a value for a list of one.
fn other_spelling(value: &mut Value) {
    *value = match value.take() {
        Value::Array(mut values) if values.len() == 1 => values.remove(0),
        Value::Array(values) => Value::Array(values),
        value => json!([value]),
    };
}

#[test]
fn what_means_the_same_is_decided_the_same() {
    for case in cases() {
        let decided = decide(&case);

        let mut spelled = case.clone();
        let request = &mut spelled["request"];
        request["action"] = swap_case(request["action"].as_str().expect("an action")).into();
        let context = request["context"].as_object().expect("a context").clone();
        request["context"] = context.into_iter().map(|(key, value)| (swap_case(&key), value)).collect();
        assert_eq!(decide(&spelled), decided, "keys and actions in another case: {}", case["id"]);

        let mut listed = case.clone();
        for statement in statements(&mut listed) {
            for name in ["Action", "NotAction", "Resource", "NotResource"] {
                if let Some(value) = statement.get_mut(name) {
                    other_spelling(value);
                }
            }
            for keys in statement.get_mut("Condition").into_iter().flat_map(Value::as_object_mut) {
                let keys = keys.values_mut().filter_map(Value::as_object_mut);
                keys.flat_map(|keys| keys.values_mut()).for_each(other_spelling);
            }
        }
        assert_eq!(decide(&listed), decided, "lists and single values: {}", case["id"]);

        let mut turned = case.clone();
        let all = statements(&mut turned);
        all.reverse();
        let last = all.len() - 1;
        let (verdict, mut found) = decide(&turned);
        found.reverse();
        let found: Vec<usize> = found.into_iter().map(|index| last - index).collect();
        assert_eq!((verdict, found), decided, "statements in another order: {}", case["id"]);

        let mut more = case.clone();
        statements(&mut more).push(json!({
            "Effect": "Deny", "Principal": "*", "Action": "none:Nothing", "Resource": "*",
        }));
        assert_eq!(decide(&more), decided, "a statement about something else: {}", case["id"]);
    }
}

/// What the checker says of statements must be so for every request.
#[test]
fn the_checker_is_not_contradicted() {
    let mut said = BTreeMap::new();
    for case in cases() {
        let policy = Policy::parse(&case["policy"].to_string()).expect("a policy");
        let (verdict, decided) = decide(&case);
        // The cases are not all requests through an endpoint.
        let keys = case["request"]["context"].as_object().expect("a context");
        if keys.keys().any(|key| key.eq_ignore_ascii_case("aws:SourceIp")) {
            continue;
        }
        for finding in policy.validate(&AnyActions) {
            *said.entry(finding.code).or_insert(0) += 1;
            let contradicted = match finding.code {
                "never-applies" => decided.contains(&finding.statement.expect("it is of a statement")),
                "allows-nothing" => verdict == "Allow",
                "shadowed-by-deny" => {
                    verdict == "Allow" && decided.contains(&finding.statement.unwrap_or_default())
                }
                _ => false,
            };
            assert!(!contradicted, "{finding}: {case}");
        }
    }
    assert!(said.get("never-applies").is_some_and(|count| *count > 10), "{said:?}");
}
