//! Statements that never apply, and policies that allow nothing.

use super::Findings;
use crate::document::{Condition, Effect, Statement, Values};
use crate::keys;
use crate::operators::{Quantifier, Test};
use crate::policy::Policy;

pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    let statements = &policy.document.statements;
    let mut allows = false;
    for (index, statement) in statements.iter().enumerate() {
        findings.statement = Some(index);
        if let Some(why) = never(policy, index) {
            let message = format!("the statement never applies: {why}");
            findings.warn("never-applies", statement.at, message, "correct it or leave it out");
        } else if statement.effect == Effect::Allow {
            match (0..statements.len()).find(|deny| covers(policy, *deny, statement)) {
                Some(deny) => {
                    let message = format!("statement {deny} denies everything that this one allows");
                    findings.warn("shadowed-by-deny", statement.at, message, "narrow one of them");
                }
                None => allows = true,
            }
        }
    }
    if !allows {
        findings.statement = None;
        let message = "the policy allows nothing: every request through the endpoint is denied";
        findings.warn("allows-nothing", statements[0].at, message, "add an Allow statement that applies");
    }
}

/// Why no request can match a statement.
fn never(policy: &Policy, index: usize) -> Option<String> {
    let statement = &policy.document.statements[index];
    let empty = |values: &Values| !values.negated && values.values.is_empty();
    let everything = |values: &Values| values.negated && values.values.iter().any(|value| value.value == "*");
    if policy.statements[index].principal.is_nobody() {
        return Some("nobody is its principal".to_owned());
    }
    if empty(&statement.action) || everything(&statement.action) {
        return Some("no action is left for it".to_owned());
    }
    if empty(&statement.resource) || everything(&statement.resource) {
        return Some("no resource is left for it".to_owned());
    }
    for (i, condition) in statement.conditions.iter().enumerate() {
        let key = &condition.key.value;
        if policy.statements[index].conditions[i].wants_nothing() {
            return Some(format!("no value of {key} can satisfy {}", condition.operator.value));
        }
        if keys::is_absent_through_endpoint(key) && (needs_key(condition) || is_null(condition, "false")) {
            return Some(format!("no request through an endpoint has {key}"));
        }
        let contradicts =
            |other: &&Condition| other.key.value.eq_ignore_ascii_case(key) && excludes(condition, other);
        if let Some(other) = statement.conditions.iter().find(contradicts) {
            let (one, other) = (condition.operator.value, other.operator.value);
            return Some(format!("{one} and {other} on {key} exclude each other"));
        }
    }
    None
}

/// Whether a condition holds only if its key is there.
fn needs_key(condition: &Condition) -> bool {
    let operator = condition.operator.value;
    match operator.quantifier {
        Quantifier::Single => operator.test != Test::Null && !operator.negated && !operator.if_exists,
        Quantifier::ForAnyValue => true,
        Quantifier::ForAllValues => false,
    }
}

fn is_null(condition: &Condition, answer: &str) -> bool {
    let all = condition.values.iter().all(|value| value.value.eq_ignore_ascii_case(answer));
    condition.operator.value.test == Test::Null && !condition.values.is_empty() && all
}

/// Whether no value of their common key satisfies both conditions.
fn excludes(one: &Condition, other: &Condition) -> bool {
    if needs_key(one) && is_null(other, "true") {
        return true;
    }
    let (a, b) = (one.operator.value, other.operator.value);
    let single = a.quantifier == Quantifier::Single && b.quantifier == Quantifier::Single;
    let exact = a.test == Test::StringEquals && b.test == Test::StringEquals;
    // `StringEquals` of values all of which `StringNotEquals` forbids.
    let forbidden = |values: &Condition| {
        one.values.iter().all(|value| values.values.iter().any(|other| other.value == value.value))
    };
    single && exact && !a.negated && !a.if_exists && b.negated && forbidden(other)
}

/// Whether a statement is a Deny without conditions for everyone, and for all that `allow` allows.
fn covers(policy: &Policy, deny: usize, allow: &Statement) -> bool {
    let written = &policy.document.statements[deny];
    let compiled = &policy.statements[deny];
    written.effect == Effect::Deny
        && written.conditions.is_empty()
        && compiled.principal.is_everyone()
        && (compiled.action.is_any() || covers_values(&written.action, &allow.action, true))
        && (compiled.resource.is_any() || covers_values(&written.resource, &allow.resource, false))
}

fn covers_values(wide: &Values, narrow: &Values, ignore_case: bool) -> bool {
    let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
    !wide.negated
        && !narrow.negated
        && narrow.values.iter().all(|narrow| {
            let narrow = fold(&narrow.value);
            wide.values.iter().any(|wide| covers_pattern(&fold(&wide.value), &narrow))
        })
}

/// Whether everything that `narrow` matches, `wide` does too. May say no where it is so.
fn covers_pattern(wide: &str, narrow: &str) -> bool {
    let plain = |text: &str| !text.contains(['*', '?', '$']);
    wide == narrow || wide.strip_suffix('*').is_some_and(|start| plain(start) && narrow.starts_with(start))
}
