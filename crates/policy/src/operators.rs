//! The condition operators and their modifiers.

use std::fmt;

/// How the values of a key are compared with those of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// `StringEquals`: the same text.
    StringEquals,
    /// `StringEqualsIgnoreCase`: the same text but for case.
    StringEqualsIgnoreCase,
    /// `StringLike`: text with the wildcards `*` and `?`.
    StringLike,
    /// `NumericEquals` and its kin: decimal numbers.
    Numeric(Comparison),
    /// `DateEquals` and its kin: ISO 8601 or seconds since 1970.
    Date(Comparison),
    /// `Bool`: true or false.
    Bool,
    /// `BinaryEquals`: base64 text.
    BinaryEquals,
    /// `IpAddress`: an address in a network.
    IpAddress,
    /// `ArnEquals` and `ArnLike`, which are the same: wildcards within each of an ARN's six parts.
    ArnLike,
    /// `Null`: whether the key is absent.
    Null,
}

/// How two numbers or dates compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// The same.
    Equals,
    /// The request's is smaller, or earlier.
    LessThan,
    /// The request's is smaller, earlier or the same.
    LessThanEquals,
    /// The request's is greater, or later.
    GreaterThan,
    /// The request's is greater, later or the same.
    GreaterThanEquals,
}

impl Comparison {
    /// Whether the request's value, which compares to the policy's as `ordering`, passes.
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThan => ordering.is_gt(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

/// What a condition on a key with several values asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// No prefix: for keys that have one value.
    Single,
    /// `ForAllValues:`: every value of the request passes; true if it has none.
    ForAllValues,
    /// `ForAnyValue:`: some value of the request passes; false if it has none.
    ForAnyValue,
}

/// An operator with everything around it: `ForAnyValue:StringNotLikeIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operator {
    /// The prefix.
    pub quantifier: Quantifier,
    /// The comparison, without its negation.
    pub test: Test,
    /// `true` for the operators with `Not` in their name.
    pub negated: bool,
    /// `true` with the suffix `IfExists`: true if the key is absent.
    pub if_exists: bool,
}

/// Every operator without prefix and suffix: its name, its test, and whether it negates it.
const NAMES: [(&str, Test, bool); 27] = [
    ("StringEquals", Test::StringEquals, false),
    ("StringNotEquals", Test::StringEquals, true),
    ("StringEqualsIgnoreCase", Test::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Test::StringEqualsIgnoreCase, true),
    ("StringLike", Test::StringLike, false),
    ("StringNotLike", Test::StringLike, true),
    ("NumericEquals", Test::Numeric(Comparison::Equals), false),
    ("NumericNotEquals", Test::Numeric(Comparison::Equals), true),
    ("NumericLessThan", Test::Numeric(Comparison::LessThan), false),
    ("NumericLessThanEquals", Test::Numeric(Comparison::LessThanEquals), false),
    ("NumericGreaterThan", Test::Numeric(Comparison::GreaterThan), false),
    ("NumericGreaterThanEquals", Test::Numeric(Comparison::GreaterThanEquals), false),
    ("DateEquals", Test::Date(Comparison::Equals), false),
    ("DateNotEquals", Test::Date(Comparison::Equals), true),
    ("DateLessThan", Test::Date(Comparison::LessThan), false),
    ("DateLessThanEquals", Test::Date(Comparison::LessThanEquals), false),
    ("DateGreaterThan", Test::Date(Comparison::GreaterThan), false),
    ("DateGreaterThanEquals", Test::Date(Comparison::GreaterThanEquals), false),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::BinaryEquals, false),
    ("IpAddress", Test::IpAddress, false),
    ("NotIpAddress", Test::IpAddress, true),
    ("ArnEquals", Test::ArnLike, false),
    ("ArnNotEquals", Test::ArnLike, true),
    ("ArnLike", Test::ArnLike, false),
    ("ArnNotLike", Test::ArnLike, true),
    ("Null", Test::Null, false),
];

impl Operator {
    /// Reads an operator's name, in any case. `None` if there is no such operator.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = if let Some(rest) = strip_prefix(name, "ForAllValues:") {
            (Quantifier::ForAllValues, rest)
        } else if let Some(rest) = strip_prefix(name, "ForAnyValue:") {
            (Quantifier::ForAnyValue, rest)
        } else {
            (Quantifier::Single, name)
        };
        let (base, if_exists) = match strip_suffix(rest, "IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (_, test, negated) = NAMES.into_iter().find(|(known, ..)| known.eq_ignore_ascii_case(base))?;
        // `Null` asks for existence itself: it has neither modifier.
        if test == Test::Null && (if_exists || quantifier != Quantifier::Single) {
            return None;
        }
        Some(Self { quantifier, test, negated, if_exists })
    }

    /// The existing operator whose name is nearest to one that does not exist.
    pub(crate) fn suggest(name: &str) -> &'static str {
        let base = name.rsplit(':').next().unwrap_or(name);
        let base = strip_suffix(base, "IfExists").unwrap_or(base).to_ascii_lowercase();
        NAMES
            .iter()
            .map(|(known, ..)| *known)
            .min_by_key(|known| distance(known.to_ascii_lowercase().as_bytes(), base.as_bytes()))
            .unwrap_or("StringEquals")
    }

    /// Whether `${…}` in this operator's values is a policy variable: only text and ARNs have them.
    #[must_use]
    pub fn takes_variables(self) -> bool {
        matches!(
            self.test,
            Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::ArnLike
        )
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.quantifier {
            Quantifier::Single => "",
            Quantifier::ForAllValues => "ForAllValues:",
            Quantifier::ForAnyValue => "ForAnyValue:",
        })?;
        // ArnEquals and ArnLike are one test: the table's last spelling is the one people know.
        let name =
            NAMES.iter().rev().find(|(_, test, negated)| (*test, *negated) == (self.test, self.negated));
        f.write_str(name.map_or("", |(name, ..)| name))?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    tail.eq_ignore_ascii_case(suffix).then_some(rest)
}

/// The number of single-byte edits between two names (Levenshtein).
pub(crate) fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
