//! Filters of describe calls: names known to the resource, values with wildcards.
//!
//! Values of one filter are alternatives; all filters must match; one without values matches nothing. `*` stands for any text, `?` for one
//! character, and a backslash takes the meaning from what follows. Source: "Filtering your resources" in the
//! EC2 user guide.

use linkway_model::index::{self, Term};
use linkway_model::{Snapshot, Tags};
use linkway_wire::ec2::Filter;

use crate::Error;

/// Values that one call may filter by, all filters together.
const MAX_VALUES: usize = 200;

/// One filter of a resource: its name and other spellings of it that AWS takes, and the resource's values for
/// it. It matches when any value does, so a resource without one never matches.
pub(crate) struct Field<T> {
    pub(crate) names: &'static [&'static str],
    pub(crate) values: fn(&Snapshot, &T) -> Vec<String>,
    /// The term that the index has resources under by these values, and no others.
    pub(crate) term: Option<Term>,
}

/// The value of a field that has one.
pub(crate) fn one(value: impl ToString) -> Vec<String> {
    vec![value.to_string()]
}

/// The values of a field that has several, or none.
pub(crate) fn many<V: ToString>(values: impl IntoIterator<Item = V>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

/// Lists a resource's filters: `"name" | "other-name" => |state, resource| one(resource.value);`. A filter that
/// AWS has, on something that no resource of ours has yet, is listed with `none` and matches nothing. After the
/// values, the term that the index has for them, if it has one: `=> |_, found| one(&found.vpc), Term::EndpointVpc;`.
macro_rules! fields {
    ($($($name:literal)|+ => $values:expr $(, $term:expr)?;)*) => {
        &[$($crate::filter::Field {
            names: &[$($name),+],
            values: $values,
            term: [$(Some($term),)? None][0],
        }),*]
    };
}
pub(crate) use fields;

/// The values of a filter that no resource of ours has.
pub(crate) fn none<T>(_: &Snapshot, _: &T) -> Vec<String> {
    Vec::new()
}

/// The filters of one call.
pub(crate) struct Filters<'a, T: 'static> {
    tests: Vec<(Subject<'a, T>, Vec<Pattern>)>,
}

enum Subject<'a, T: 'static> {
    Field(&'static Field<T>),
    Tag(&'a str),
    TagKey,
    TagValue,
}

impl<'a, T> Filters<'a, T> {
    /// Check the call's filters against the resource's.
    pub(crate) fn new(fields: &'static [Field<T>], given: &'a [Filter]) -> Result<Self, Error> {
        if given.iter().map(|filter| filter.values.len()).sum::<usize>() > MAX_VALUES {
            return Err(Error::TooManyFilterValues(MAX_VALUES));
        }
        let test = |filter: &'a Filter| {
            let name = filter.name.as_deref().ok_or(Error::MissingParameter("Filter.Name"))?;
            let subject = match name {
                "tag-key" => Subject::TagKey,
                "tag-value" => Subject::TagValue,
                _ => match name.strip_prefix("tag:") {
                    Some(key) => Subject::Tag(key),
                    None => fields
                        .iter()
                        .find(|field| field.names.contains(&name))
                        .map(Subject::Field)
                        .ok_or_else(|| Error::UnknownFilter(name.to_owned()))?,
                },
            };
            Ok::<_, Error>((subject, filter.values.iter().map(|value| Pattern::read(value)).collect()))
        };
        Ok(Self { tests: given.iter().map(test).collect::<Result<_, _>>()? })
    }

    /// Terms with their texts: what the index has under the texts of any one of them holds all that matches. None
    /// for filters that have wildcards. `tags`: what the index has tags under, if it has.
    pub(crate) fn narrow(&self, tags: Option<Term>) -> Vec<(Term, Vec<String>)> {
        let narrow = |(subject, patterns): &(Subject<'_, T>, Vec<Pattern>)| {
            let words: Vec<&str> = patterns.iter().map(Pattern::word).collect::<Option<_>>()?;
            match subject {
                Subject::Field(field) => Some((field.term?, words.into_iter().map(str::to_owned).collect())),
                Subject::Tag(key) => {
                    Some((tags?, words.into_iter().map(|value| index::tag(key, value)).collect()))
                }
                Subject::TagKey | Subject::TagValue => None,
            }
        };
        self.tests.iter().filter_map(narrow).collect()
    }

    /// Whether a resource with these tags matches all filters.
    pub(crate) fn matches(&self, state: &Snapshot, resource: &T, tags: &Tags) -> bool {
        self.tests.iter().all(|(subject, patterns)| {
            let any = |value: &str| patterns.iter().any(|pattern| pattern.matches(value));
            match subject {
                Subject::Field(field) => (field.values)(state, resource).iter().any(|value| any(value)),
                Subject::Tag(key) => tags.get(*key).is_some_and(|value| any(value)),
                Subject::TagKey => tags.keys().any(|key| any(key)),
                Subject::TagValue => tags.values().any(|value| any(value)),
            }
        })
    }
}

/// A filter's value, read once for all of the resources that are held against it.
enum Pattern {
    /// One without wildcards.
    Word(String),
    Pieces(Vec<Piece>),
}

/// What a pattern is made of.
#[derive(PartialEq)]
enum Piece {
    Any,
    One,
    Letter(char),
}

impl Pattern {
    fn read(value: &str) -> Self {
        let mut letters = value.chars();
        let mut pieces = Vec::new();
        while let Some(letter) = letters.next() {
            let piece = match letter {
                '*' => Piece::Any,
                '?' => Piece::One,
                '\\' => Piece::Letter(letters.next().unwrap_or('\\')),
                _ => Piece::Letter(letter),
            };
            // Any text, and any text after it, are any text.
            if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                pieces.push(piece);
            }
        }
        let letter = |piece: &Piece| if let Piece::Letter(letter) = piece { Some(*letter) } else { None };
        match pieces.iter().map(letter).collect() {
            Some(word) => Self::Word(word),
            None => Self::Pieces(pieces),
        }
    }

    fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }

    /// Whether `text` is what the pattern stands for.
    fn matches(&self, text: &str) -> bool {
        let pieces = match self {
            Self::Word(word) => return word == text,
            Self::Pieces(pieces) => pieces,
        };
        let text: Vec<char> = text.chars().collect();
        // Greedy, going back to the last `*` only: linear in practice, quadratic in the text at worst.
        let (mut at, mut piece) = (0, 0);
        let mut star = None;
        while at < text.len() {
            match pieces.get(piece) {
                Some(Piece::Any) => {
                    star = Some((piece, at));
                    piece += 1;
                }
                Some(Piece::One) => (at, piece) = (at + 1, piece + 1),
                Some(Piece::Letter(letter)) if *letter == text[at] => (at, piece) = (at + 1, piece + 1),
                _ => match star {
                    Some((star_piece, taken)) => {
                        star = Some((star_piece, taken + 1));
                        (at, piece) = (taken + 1, star_piece + 1);
                    }
                    None => return false,
                },
            }
        }
        pieces[piece..].iter().all(|rest| *rest == Piece::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::read(pattern).matches(text)
    }

    #[test]
    fn wildcards() {
        for (pattern, text) in [
            ("", ""),
            ("web", "web"),
            ("*", ""),
            ("w**b**", "web"),
            ("w*", "web"),
            ("*b", "web"),
            ("w?b", "web"),
            ("*e*b*", "a web b"),
            ("\\*", "*"),
            ("a\\?c", "a?c"),
            ("?", "é"),
            ("*ab", "aab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("web", "Web"), ("w?b", "wb"), ("w", "web"), ("*x", "web"), ("\\*", "a"), ("?", ""), ("", "a")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
