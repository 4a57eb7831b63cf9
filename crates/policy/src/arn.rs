//! ARNs as patterns: `arn:partition:service:region:account:resource`, of which only the last part may have
//! colons in it.

use crate::context::Context;
use crate::pattern::{Pattern, Token, Wildcards};
use crate::variables::{self, Piece};

/// The number of an ARN's parts.
const PARTS: usize = 6;

/// The parts of an ARN. `None` if it has fewer than six or does not begin with `arn`.
pub(crate) fn parts(arn: &str) -> Option<[&str; PARTS]> {
    let mut parts = arn.splitn(PARTS, ':');
    let mut next = || parts.next();
    let parts = [next()?, next()?, next()?, next()?, next()?, next()?];
    (parts[0] == "arn").then_some(parts)
}

/// The pattern of `Resource` and `NotResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResourcePattern {
    /// Matched as one text: a `*` that ends a part may reach over the colons into the next.
    Whole(Pattern),
    /// A wildcard within one of the first five parts stays within it. With fewer than six patterns the last is
    /// for all the rest.
    Parts(Box<[Pattern]>),
}

impl ResourcePattern {
    /// With `variables`, `${…}` after the fifth colon is a variable; before it, it is text (IAM User Guide,
    /// "Where you can use policy variables").
    pub(crate) fn new(text: &str, variables: bool) -> Self {
        let header = header_length(text);
        let mut pieces = vec![Piece::Text(text[..header].to_owned())];
        if variables {
            pieces.extend(variables::split(&text[header..]).0);
        } else {
            pieces.push(Piece::Text(text[header..].to_owned()));
        }
        let inner_wildcard = text[..header].split_inclusive(':').any(|part| {
            let part = part.strip_suffix(':').unwrap_or(part);
            part.contains('?') || part.trim_end_matches('*').contains('*')
        });
        if inner_wildcard {
            let parts = split_pieces(&pieces);
            Self::Parts(parts.iter().map(|part| Pattern::new(part, Wildcards::Yes)).collect())
        } else {
            Self::Whole(Pattern::new(&pieces, Wildcards::Yes))
        }
    }

    pub(crate) fn matches(&self, resource: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Whole(pattern) => pattern.matches(resource, context),
            Self::Parts(patterns) => match_parts(patterns, resource, context),
        }
    }

    pub(crate) fn is_any(&self) -> bool {
        matches!(self, Self::Whole(pattern) if pattern.is_any())
    }

    /// The tokens that can be variables.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Token> {
        let patterns = match self {
            Self::Whole(pattern) => std::slice::from_ref(pattern),
            Self::Parts(patterns) => patterns,
        };
        patterns.iter().flat_map(Pattern::tokens)
    }
}

/// The pattern of `ArnEquals` and `ArnLike`: each part is matched by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    /// `*`: any ARN.
    Any,
    /// Six parts.
    Parts(Box<[Pattern]>),
    /// One text: no wildcard before the resource, or fewer parts, which only a variable that holds a whole ARN
    /// can make match.
    Whole(Pattern),
}

impl ArnPattern {
    pub(crate) fn new(pieces: &[Piece]) -> Self {
        if matches!(pieces, [Piece::Text(text)] if text == "*") {
            return Self::Any;
        }
        let parts = split_pieces(pieces);
        let plain = |piece: &Piece| match piece {
            Piece::Text(text) => !text.contains(['*', '?']),
            Piece::Literal(_) => true,
            Piece::Variable(_) => false,
        };
        if parts.len() < PARTS {
            Self::Whole(Pattern::new(pieces, Wildcards::No))
        } else if parts[..PARTS - 1].iter().flatten().all(plain) {
            // Only the resource can match in more than one way: the fast matcher sees to all of it.
            Self::Whole(Pattern::new(pieces, Wildcards::Yes))
        } else {
            Self::Parts(parts.iter().map(|part| Pattern::new(part, Wildcards::Yes)).collect())
        }
    }

    pub(crate) fn matches(&self, arn: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Any => parts(arn).is_some(),
            Self::Parts(patterns) => parts(arn).is_some() && match_parts(patterns, arn, context),
            Self::Whole(pattern) => pattern.matches(arn, context) && parts(arn).is_some(),
        }
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Token> {
        let patterns = match self {
            Self::Any => &[],
            Self::Parts(patterns) => &**patterns,
            Self::Whole(pattern) => std::slice::from_ref(pattern),
        };
        patterns.iter().flat_map(Pattern::tokens)
    }
}

/// Matches each part of an ARN with its pattern, the last pattern with all the rest.
fn match_parts(patterns: &[Pattern], arn: &str, context: &Context<'_>) -> bool {
    let mut parts = arn.splitn(patterns.len(), ':');
    patterns.iter().all(|pattern| parts.next().is_some_and(|part| pattern.matches(part, context)))
}

/// How far the first five parts reach, the fifth colon included. Colons in `${…}` are not the ARN's.
pub(crate) fn header_length(text: &str) -> usize {
    let (mut colons, mut in_variable) = (0, false);
    for (index, c) in text.char_indices() {
        match c {
            '{' if text[..index].ends_with('$') => in_variable = true,
            '}' => in_variable = false,
            ':' if !in_variable => colons += 1,
            _ => {}
        }
        if colons == PARTS - 1 {
            return index + 1;
        }
    }
    text.len()
}

/// Divides pieces at the first five colons of their text, into as many parts as there are.
fn split_pieces(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut parts = vec![Vec::new()];
    for piece in pieces {
        let Piece::Text(text) = piece else {
            parts.last_mut().expect("never empty").push(piece.clone());
            continue;
        };
        for (i, part) in text.splitn(PARTS + 1 - parts.len(), ':').enumerate() {
            if i > 0 {
                parts.push(Vec::new());
            }
            if !part.is_empty() {
                parts.last_mut().expect("never empty").push(Piece::Text(part.to_owned()));
            }
        }
    }
    parts
}
