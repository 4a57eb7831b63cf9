//! Conditions on one key that no value can satisfy together.

use std::cmp::Ordering;

use crate::condition::CompiledCondition;
use crate::context::Context;
use crate::date::Moment;
use crate::document::Condition;
use crate::network::Network;
use crate::number::OwnedDecimal;
use crate::operators::{Comparison, Quantifier, Test};

/// Whether a condition holds only if its key is there.
pub(super) fn needs_key(condition: &Condition) -> bool {
    let operator = condition.operator.value;
    match operator.quantifier {
        Quantifier::Single => operator.test != Test::Null && !operator.negated && !operator.if_exists,
        Quantifier::ForAnyValue => true,
        Quantifier::ForAllValues => false,
    }
}

/// Whether a condition is `Null` with this answer.
pub(super) fn is_null(condition: &Condition, answer: &str) -> bool {
    let all = condition.values.iter().all(|value| value.value.eq_ignore_ascii_case(answer));
    condition.operator.value.test == Test::Null && !condition.values.is_empty() && all
}

/// Whether nothing satisfies both conditions, which are on the same key. May say no where it is so.
pub(super) fn exclude(one: &Condition, other: &Condition, other_compiled: &CompiledCondition) -> bool {
    if (needs_key(one) || is_null(one, "false")) && is_null(other, "true") {
        return true;
    }
    let single = |condition: &Condition| condition.operator.value.quantifier == Quantifier::Single;
    let plain = |condition: &Condition| !condition.values.iter().any(|value| value.value.contains("${"));
    if !needs_key(one) || !single(one) || !single(other) || !plain(one) || !plain(other) {
        return false;
    }
    if let Some(values) = only_values(one) {
        return !values.into_iter().any(|value| {
            let mut context = Context::new();
            context.insert(one.key.value.as_str(), value);
            other_compiled.holds(&context)
        });
    }
    apart(one, other) || within(one, other)
}

/// The values that satisfy a condition, where they can be counted.
fn only_values(condition: &Condition) -> Option<Vec<&str>> {
    let countable = |value: &str| match condition.operator.value.test {
        Test::StringEquals
        | Test::BinaryEquals
        | Test::Bool
        | Test::Numeric(Comparison::Equals)
        | Test::Date(Comparison::Equals) => true,
        Test::StringLike | Test::ArnLike => !value.contains(['*', '?']),
        Test::IpAddress => !value.contains('/'),
        _ => false,
    };
    let values = || condition.values.iter().map(|value| value.value.as_str());
    values().all(countable).then(|| values().collect())
}

/// Whether two ranges of numbers or of dates have nothing in common.
fn apart(one: &Condition, other: &Condition) -> bool {
    let bounds = (bound(one), bound(other));
    let ((Some((upper, true, strict)), Some((lower, false, strict_too)))
    | (Some((lower, false, strict)), Some((upper, true, strict_too)))) = bounds
    else {
        return false;
    };
    match lower.compare(&upper) {
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) => strict || strict_too,
        _ => false,
    }
}

enum Bound {
    Number(OwnedDecimal),
    Date(Moment),
}

impl Bound {
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => Some(one.borrow().compare(other.borrow())),
            (Self::Date(one), Self::Date(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

/// The bound that a condition sets, whether it is an upper one, and whether it is itself left out. Only of conditions
/// that hold for an absent key no more than [`exclude`] has made sure of.
fn bound(condition: &Condition) -> Option<(Bound, bool, bool)> {
    let [value] = &condition.values[..] else { return None };
    let operator = condition.operator.value;
    let (bound, comparison) = match operator.test {
        Test::Numeric(how) => (Bound::Number(OwnedDecimal::parse(&value.value)?), how),
        Test::Date(how) => (Bound::Date(Moment::parse(&value.value)?), how),
        _ => return None,
    };
    match comparison {
        Comparison::LessThan => Some((bound, true, true)),
        Comparison::LessThanEquals => Some((bound, true, false)),
        Comparison::GreaterThan => Some((bound, false, true)),
        Comparison::GreaterThanEquals => Some((bound, false, false)),
        Comparison::Equals => None,
    }
}

/// Whether every network that one condition allows is within one that the other forbids.
fn within(one: &Condition, other: &Condition) -> bool {
    let is_network = |condition: &Condition| condition.operator.value.test == Test::IpAddress;
    if !is_network(one) || !is_network(other) || !other.operator.value.negated {
        return false;
    }
    let networks = |condition: &Condition| -> Vec<Network> {
        condition.values.iter().filter_map(|value| Network::parse(&value.value)).collect()
    };
    let forbidden = networks(other);
    networks(one).into_iter().all(|network| forbidden.iter().any(|wide| wide.covers(network)))
}
