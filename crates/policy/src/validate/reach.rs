//! Statements that never apply, and policies that allow nothing.

use super::contradictions::{exclude, is_null, needs_key};
use super::{Actions, Findings, principals};
use crate::document::{Effect, Statement, Values};
use crate::keys;
use crate::policy::Policy;

pub(super) fn check(policy: &Policy, actions: &dyn Actions, findings: &mut Findings) {
    let statements = &policy.document.statements;
    let mut allows = false;
    for (index, statement) in statements.iter().enumerate() {
        findings.statement = Some(index);
        if let Some(why) = never(policy, actions, index) {
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
fn never(policy: &Policy, actions: &dyn Actions, index: usize) -> Option<String> {
    let statement = &policy.document.statements[index];
    let empty = |values: &Values| !values.negated && values.values.is_empty();
    let everything = |values: &Values| values.negated && values.values.iter().any(|value| value.value == "*");
    if policy.statements[index].principal.is_nobody() {
        return Some("nobody is its principal".to_owned());
    }
    let named = &statement.principal.named;
    if !statement.principal.negated && !named.iter().any(principals::can_be) {
        return Some("none of its principals can be".to_owned());
    }
    if empty(&statement.action) || everything(&statement.action) {
        return Some("no action is left for it".to_owned());
    }
    if empty(&statement.resource) || everything(&statement.resource) {
        return Some("no resource is left for it".to_owned());
    }
    if let Some(why) = about_nothing(&statement.action, &statement.resource, actions) {
        return Some(why);
    }
    for (i, condition) in statement.conditions.iter().enumerate() {
        let key = &condition.key.value;
        if policy.statements[index].conditions[i].wants_nothing() {
            return Some(format!("no value of {key} can satisfy {}", condition.operator.value));
        }
        if keys::is_absent_through_endpoint(key) && (needs_key(condition) || is_null(condition, "false")) {
            return Some(format!("no request through an endpoint has {key}"));
        }
        let contradicts = statement.conditions.iter().zip(&policy.statements[index].conditions).find(
            |(other, compiled)| {
                other.key.value.eq_ignore_ascii_case(key) && exclude(condition, other, compiled)
            },
        );
        if let Some((other, _)) = contradicts {
            if std::ptr::eq(condition, other) {
                return Some(format!("no value of {key} can satisfy {}", condition.operator.value));
            }
            let (one, other) = (condition.operator.value, other.operator.value);
            return Some(format!("{one} and {other} on {key} exclude each other"));
        }
    }
    None
}

/// Why no action is about any of the resources.
fn about_nothing(asked: &Values, resources: &Values, actions: &dyn Actions) -> Option<String> {
    if asked.negated {
        return None;
    }
    let written = |values: &Values| {
        let values: Vec<_> = values.values.iter().map(|value| value.value.as_str()).collect();
        values.join(" or ")
    };
    let is_any = |action: &str| action.bytes().all(|byte| byte == b'*');
    let values = asked.values.iter().map(|action| action.value.as_str());
    let mut existing = values.filter(|action| is_any(action) || actions.exists(action)).peekable();
    if existing.peek().is_none() {
        return Some(format!("there is no action {}", written(asked)));
    }
    let about = |action| resources.values.iter().any(|resource| actions.is_about(action, &resource.value));
    (!resources.negated && !existing.any(about))
        .then(|| format!("{} is never about {}", written(asked), written(resources)))
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
