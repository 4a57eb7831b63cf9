//! Conditions, compiled.
//!
//! The rules, from the IAM User Guide ("Condition operators", "Single-valued vs. multivalued context keys"):
//!
//! - a value of the request passes if it matches one of the policy's values; with a negated operator, if it
//!   matches none of them;
//! - without a prefix all of the key's values must pass (there should be one only). If the key is absent,
//!   a negated operator and `IfExists` hold, the others do not;
//! - `ForAllValues:` holds if every value passes, and for an absent key or one that is only empty text;
//! - `ForAnyValue:` holds if some value passes, and never for an absent key or one that is only empty text,
//!   not even with `IfExists`, which is about the single values;
//! - a value that is not of the operator's type matches nothing.

use std::net::IpAddr;

use crate::arn::ArnPattern;
use crate::context::{Context, ContextValue, Key};
use crate::date::Moment;
use crate::document::Condition;
use crate::network::Network;
use crate::number::{Decimal, OwnedDecimal};
use crate::operators::{Comparison, Operator, Quantifier, Test};
use crate::pattern::{Pattern, Token, Wildcards};
use crate::variables::{self, Piece};

/// One operator with one key.
#[derive(Clone, Debug)]
pub(crate) struct CompiledCondition {
    operator: Operator,
    key: Key,
    values: Wanted,
}

/// The policy's values, read for their operator. Those that are not of its type are left out: they match
/// nothing.
#[derive(Clone, Debug)]
enum Wanted {
    Text(Box<[Pattern]>),
    TextIgnoringCase(Box<[Pattern]>),
    Arns(Box<[ArnPattern]>),
    Numbers(Comparison, Box<[OwnedDecimal]>),
    Dates(Comparison, Box<[Moment]>),
    Bool { yes: bool, no: bool },
    Binary(Box<[Box<str>]>),
    Networks(Box<[Network]>),
    Null { absent: bool, present: bool },
}

impl CompiledCondition {
    /// With `variables`, `${…}` in text and ARNs is a policy variable.
    pub(crate) fn new(condition: &Condition, variables: bool) -> Self {
        let operator = condition.operator.value;
        let values = condition.values.iter().map(|value| value.value.as_str());
        let pieces = |text: &str| match variables {
            true => variables::split(text).0,
            false => vec![Piece::Text(text.to_owned())],
        };
        let exact = |text: &str| Pattern::new(&pieces(text), Wildcards::No);
        let says = |word: &str| condition.values.iter().any(|value| value.value.eq_ignore_ascii_case(word));
        let values = match operator.test {
            Test::StringEquals => Wanted::Text(values.map(exact).collect()),
            Test::StringEqualsIgnoreCase => Wanted::TextIgnoringCase(values.map(exact).collect()),
            Test::StringLike => {
                Wanted::Text(values.map(|text| Pattern::new(&pieces(text), Wildcards::Yes)).collect())
            }
            Test::ArnLike => Wanted::Arns(values.map(|text| ArnPattern::new(&pieces(text))).collect()),
            Test::Numeric(how) => Wanted::Numbers(how, values.filter_map(OwnedDecimal::parse).collect()),
            Test::Date(how) => Wanted::Dates(how, values.filter_map(Moment::parse).collect()),
            Test::Bool => Wanted::Bool { yes: says("true"), no: says("false") },
            Test::BinaryEquals => Wanted::Binary(values.map(Into::into).collect()),
            Test::IpAddress => Wanted::Networks(values.filter_map(Network::parse).collect()),
            Test::Null => Wanted::Null { absent: says("true"), present: says("false") },
        };
        Self { operator, key: Key::new(&condition.key.value), values }
    }

    /// Whether the condition is met.
    pub(crate) fn holds(&self, context: &Context<'_>) -> bool {
        let found = context.find(&self.key).filter(|value| value.len() > 0);
        if let Wanted::Null { absent, present } = self.values {
            return if found.is_some() { present } else { absent };
        }
        let Some(found) = found else {
            return match self.operator.quantifier {
                Quantifier::Single => self.operator.if_exists || self.operator.negated,
                Quantifier::ForAllValues => true,
                Quantifier::ForAnyValue => false,
            };
        };
        let passes = |value: &str| self.values.match_one(value, context) != self.operator.negated;
        match self.operator.quantifier {
            Quantifier::Single => found.iter().all(passes),
            Quantifier::ForAllValues => only_empty(found) || found.iter().all(passes),
            Quantifier::ForAnyValue => !only_empty(found) && found.iter().any(passes),
        }
    }

    /// The key.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Whether it cannot hold, because no value of the policy's is of the operator's type.
    pub(crate) fn wants_nothing(&self) -> bool {
        let Operator { quantifier, negated, if_exists, .. } = self.operator;
        let holds_when_absent = match quantifier {
            Quantifier::Single => negated || if_exists,
            Quantifier::ForAllValues => true,
            Quantifier::ForAnyValue => negated,
        };
        let empty = match &self.values {
            Wanted::Text(patterns) | Wanted::TextIgnoringCase(patterns) => patterns.is_empty(),
            Wanted::Arns(patterns) => patterns.is_empty(),
            Wanted::Numbers(_, numbers) => numbers.is_empty(),
            Wanted::Dates(_, dates) => dates.is_empty(),
            Wanted::Bool { yes, no } => !yes && !no,
            Wanted::Binary(values) => values.is_empty(),
            Wanted::Networks(networks) => networks.is_empty(),
            Wanted::Null { absent, present } => !absent && !present,
        };
        empty && !holds_when_absent
    }

    /// The variables in the values that this request has nothing for.
    pub(crate) fn unresolved<'a>(&'a self, context: &'a Context<'_>) -> impl Iterator<Item = &'a str> {
        let mut tokens: Vec<&Token> = Vec::new();
        match &self.values {
            Wanted::Text(patterns) | Wanted::TextIgnoringCase(patterns) => {
                tokens.extend(patterns.iter().flat_map(Pattern::tokens));
            }
            Wanted::Arns(patterns) => tokens.extend(patterns.iter().flat_map(ArnPattern::tokens)),
            _ => {}
        }
        unresolved(tokens.into_iter(), context)
    }
}

/// The variables among tokens that this request has nothing for.
pub(crate) fn unresolved<'a>(
    tokens: impl Iterator<Item = &'a Token>,
    context: &'a Context<'_>,
) -> impl Iterator<Item = &'a str> {
    tokens.filter_map(|token| match token {
        Token::Variable(variable) if variable.resolve(context).is_none() => Some(variable.key.name()),
        _ => None,
    })
}

/// Whether a value is a "null data set, such as an empty string".
fn only_empty(value: &ContextValue<'_>) -> bool {
    value.iter().all(str::is_empty)
}

impl Wanted {
    /// Whether one value of the request matches one of the policy's.
    fn match_one(&self, value: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Text(patterns) => patterns.iter().any(|p| p.matches(value, context)),
            Self::TextIgnoringCase(patterns) => {
                patterns.iter().any(|p| p.equals_ignoring_case(value, context))
            }
            Self::Arns(patterns) => patterns.iter().any(|p| p.matches(value, context)),
            Self::Numbers(how, numbers) => Decimal::parse(value)
                .is_some_and(|value| numbers.iter().any(|number| how.holds(value.compare(number.borrow())))),
            Self::Dates(how, dates) => {
                Moment::parse(value).is_some_and(|value| dates.iter().any(|date| how.holds(value.cmp(date))))
            }
            Self::Bool { yes, no } => {
                (*yes && value.eq_ignore_ascii_case("true")) || (*no && value.eq_ignore_ascii_case("false"))
            }
            Self::Binary(values) => values.iter().any(|wanted| **wanted == *value),
            Self::Networks(networks) => value
                .parse::<IpAddr>()
                .is_ok_and(|address| networks.iter().any(|network| network.contains(address))),
            // Answered before any value is looked at.
            Self::Null { .. } => false,
        }
    }
}
