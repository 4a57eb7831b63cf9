//! `Condition`.

use super::resources::is_partial;
use super::{Findings, check_variables};
use crate::arn;
use crate::date::Moment;
use crate::document::{At, Condition, Effect, Statement, Version};
use crate::keys::{self, Arity};
use crate::network::Network;
use crate::number::Decimal;
use crate::operators::{Quantifier, Test};
use crate::variables::{self, Piece};

pub(super) fn check(statement: &Statement, version: Version, findings: &mut Findings) {
    for condition in &statement.conditions {
        check_key(condition, findings);
        check_quantifier(statement, condition, findings);
        if condition.values.is_empty() {
            let message = format!("{} has no value to compare with", condition.key.value);
            findings.warn("empty-list", condition.key.at, message, "give it one");
        }
        for value in &condition.values {
            check_value(condition, value, version, findings);
        }
    }
}

fn check_key(condition: &Condition, findings: &mut Findings) {
    let (at, key) = (condition.key.at, condition.key.value.as_str());
    let operator = condition.operator.value;
    if !key.contains(':') {
        let message = format!("{key:?} is no condition key");
        findings.error("invalid-key", at, message, "a key has a prefix, for example aws:SourceVpc");
    } else if keys::is_global(key) && keys::global(key).is_none() {
        let message = format!("there is no global key {key:?}");
        findings.warn("unknown-key", at, message, "see AWS's global condition context keys");
    }
    if keys::is_absent_through_endpoint(key) {
        let waits = operator.test != Test::Null && !operator.negated && !operator.if_exists;
        let effect = match (operator.test, waits) {
            (Test::Null, _) => "Null true always holds for it and Null false never",
            (_, true) => "this condition never holds",
            (_, false) => "this condition always holds",
        };
        let message = format!("no request through an endpoint has {key}: {effect}");
        findings.warn("absent-key", at, message, "use aws:VpcSourceIp, aws:SourceVpc or aws:SourceVpce");
    }
}

fn check_quantifier(statement: &Statement, condition: &Condition, findings: &mut Findings) {
    let (at, key) = (condition.operator.at, condition.key.value.as_str());
    let operator = condition.operator.value;
    let Some(known) = keys::global(key) else { return };
    match (known.arity, operator.quantifier) {
        (Arity::Many, Quantifier::Single) if operator.test != Test::Null => {
            let message = format!("{key} can have several values, which {operator} is not for");
            let hint = format!("use ForAnyValue:{operator} or ForAllValues:{operator}");
            findings.warn("needs-set-operator", at, message, hint);
        }
        (Arity::One, Quantifier::ForAllValues | Quantifier::ForAnyValue) => {
            let message = format!("{key} has one value, which {operator} is not for");
            findings.warn("set-operator-on-single-value", at, message, "leave the prefix out");
        }
        _ => {}
    }
    let asks_for_key = statement.conditions.iter().any(|other| {
        other.operator.value.test == Test::Null
            && other.key.value.eq_ignore_ascii_case(key)
            && other.values.iter().all(|value| value.value.eq_ignore_ascii_case("false"))
    });
    if operator.quantifier == Quantifier::ForAllValues && statement.effect == Effect::Allow && !asks_for_key {
        let message = format!("{operator} also holds for a request without {key}, and so allows it");
        let hint = format!("add \"Null\": {{\"{key}\": \"false\"}}");
        findings.warn("allows-without-key", at, message, hint);
    }
}

fn check_value(condition: &Condition, value: &At<String>, version: Version, findings: &mut Findings) {
    let operator = condition.operator.value;
    let text = value.value.as_str();
    if operator.takes_variables() {
        check_variables(value, text, version, findings);
    } else if text.contains("${") {
        let message = format!("{operator} takes no policy variables, so {text:?} matches nothing");
        findings.error(
            "variable-not-supported",
            value.at,
            message,
            "only String and Arn operators take them",
        );
        return;
    }
    let wanted = match operator.test {
        Test::Numeric(_) if Decimal::parse(text).is_none() => "a number",
        Test::Date(_) if Moment::parse(text).is_none() => "a date like 2026-06-01T12:00:00Z",
        Test::Bool | Test::Null
            if !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") =>
        {
            "true or false"
        }
        Test::IpAddress if Network::parse(text).is_none() => "an address or a network like 10.0.0.0/16",
        Test::BinaryEquals if !is_base64(text) => "base64",
        Test::ArnLike if !is_arn_pattern(text) => "an ARN with its six parts, or \"*\"",
        _ => "",
    };
    if !wanted.is_empty() {
        let message = format!("{text:?} matches nothing: {operator} compares with {wanted}");
        findings.error("invalid-value", value.at, message, format!("write {wanted}"));
    }
    check_wildcards(condition, value, findings);
}

/// Amazon VPC's rules for endpoint policies ("Control access to VPC endpoints using endpoint policies").
fn check_wildcards(condition: &Condition, value: &At<String>, findings: &mut Findings) {
    let (key, text) = (condition.key.value.as_str(), value.value.as_str());
    let system_id = keys::global(key).is_some_and(|key| key.system_id);
    let has_wildcard = text.contains(['*', '?']);
    match condition.operator.value.test {
        Test::Numeric(_) if system_id => {
            let message = format!("{key} is an identifier, not a number, and AWS refuses this");
            findings.warn("number-for-system-id", condition.operator.at, message, "use StringEquals");
        }
        Test::StringLike if system_id && has_wildcard => {
            let message = format!("AWS refuses a wildcard in {key}, an identifier that it generates");
            findings.warn("wildcard-in-system-id", value.at, message, "list the identifiers");
        }
        Test::StringLike if has_wildcard && text != "*" && longest_text(text) < 6 => {
            let message =
                format!("{text:?} has fewer than six characters beside its wildcard, which AWS refuses");
            findings.warn("short-wildcard", value.at, message, "write more of the value");
        }
        Test::ArnLike => {
            if let Some(account) = arn::parts(text).map(|parts| parts[4]).filter(|part| is_partial(part)) {
                let message = format!("the account {account:?} is partly a wildcard, which AWS refuses");
                findings.warn("partial-account", value.at, message, "write twelve digits or \"*\"");
            }
        }
        _ => {}
    }
}

/// The characters of the longest piece between wildcards. A variable counts as long enough.
fn longest_text(text: &str) -> usize {
    let length = |piece: &Piece| match piece {
        Piece::Text(text) => text.split(['*', '?']).map(|part| part.chars().count()).max().unwrap_or(0),
        Piece::Literal(_) => 1,
        Piece::Variable(_) => usize::MAX,
    };
    variables::split(text).0.iter().map(length).max().unwrap_or(0)
}

fn is_arn_pattern(text: &str) -> bool {
    // What a variable stands for is not known here.
    text == "*" || text.contains("${") || text.split(':').count() >= 6 && text.starts_with("arn:")
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - digits.len() <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}
