//! Values with wildcards and variables, compiled; and the matcher.
//!
//! `*` is any text, `?` is one character. No pattern takes exponential time: the matcher returns only to the
//! last `*` it passed, which is enough because a later one can do whatever an earlier one could.

use crate::context::Context;
use crate::variables::{Piece, Variable};

/// A compiled value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    tokens: Box<[Token]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// This text. In a pattern that ignores case it is in lower case.
    Text(Box<str>),
    /// What the request has for this variable.
    Variable(Variable),
    /// `*`.
    Star,
    /// `?`.
    One,
}

/// Whether wildcards are wildcards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcards {
    /// `*` and `?` are.
    Yes,
    /// They are characters like any other.
    No,
}

impl Pattern {
    pub(crate) fn new(pieces: &[Piece], wildcards: Wildcards) -> Self {
        let mut tokens = Builder::default();
        for piece in pieces {
            match piece {
                Piece::Text(text) if wildcards == Wildcards::Yes => text.chars().for_each(|c| tokens.wild(c)),
                Piece::Text(text) => tokens.text.push_str(text),
                Piece::Literal(c) => tokens.text.push(*c),
                Piece::Variable(variable) => tokens.push(Token::Variable(variable.clone())),
            }
        }
        tokens.finish()
    }

    /// A pattern without variables.
    pub(crate) fn wild(text: &str) -> Self {
        let mut tokens = Builder::default();
        text.chars().for_each(|c| tokens.wild(c));
        tokens.finish()
    }

    /// Whether all of `text` matches. A variable without a value matches nothing.
    pub(crate) fn matches(&self, text: &str, context: &Context<'_>) -> bool {
        match &*self.tokens {
            [] => text.is_empty(),
            [Token::Star] => true,
            [Token::Text(whole)] => **whole == *text,
            [Token::Text(start), Token::Star] => text.starts_with(&**start),
            tokens => run(tokens, text, |token, text| match token {
                Token::Text(part) => text.strip_prefix(&**part),
                Token::Variable(variable) => text.strip_prefix(variable.resolve(context)?),
                Token::Star | Token::One => None,
            }),
        }
    }

    /// Whether all of `text` matches in any (ASCII) case; the pattern was made from lower case, without
    /// variables.
    pub(crate) fn matches_ignoring_case(&self, text: &str) -> bool {
        match &*self.tokens {
            [Token::Star] => true,
            [Token::Text(whole)] => whole.eq_ignore_ascii_case(text),
            [Token::Text(start), Token::Star] => strip_ignoring_case(text, start).is_some(),
            tokens => run(tokens, text, |token, text| match token {
                Token::Text(part) => strip_ignoring_case(text, part),
                _ => None,
            }),
        }
    }

    /// Whether `text` is the same but for case, in any script. For patterns without wildcards.
    pub(crate) fn equals_ignoring_case(&self, text: &str, context: &Context<'_>) -> bool {
        if let [Token::Text(whole)] = &*self.tokens
            && whole.is_ascii()
        {
            return whole.eq_ignore_ascii_case(text);
        }
        let part = |token: &'_ Token| match token {
            Token::Text(part) => Some(part.to_string()),
            Token::Variable(variable) => variable.resolve(context).map(str::to_owned),
            Token::Star | Token::One => None,
        };
        // A variable without a value makes it no text at all.
        let whole: Option<String> = self.tokens.iter().map(part).collect();
        whole.is_some_and(|whole| whole.to_lowercase() == text.to_lowercase())
    }

    /// Whether it matches everything.
    pub(crate) fn is_any(&self) -> bool {
        matches!(&*self.tokens, [Token::Star])
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

/// Gathers tokens, neighbouring characters into one text and neighbouring stars into one.
#[derive(Default)]
struct Builder {
    tokens: Vec<Token>,
    text: String,
}

impl Builder {
    fn wild(&mut self, c: char) {
        match c {
            '*' => {
                let repeated = self.text.is_empty() && self.tokens.last() == Some(&Token::Star);
                if !repeated {
                    self.push(Token::Star);
                }
            }
            '?' => self.push(Token::One),
            c => self.text.push(c),
        }
    }

    fn push(&mut self, token: Token) {
        self.flush();
        self.tokens.push(token);
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.tokens.push(Token::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn finish(mut self) -> Pattern {
        self.flush();
        Pattern { tokens: self.tokens.into() }
    }
}

/// The matcher. `strip` takes a text or a variable off the front, if it is there.
fn run<'t>(tokens: &[Token], text: &'t str, strip: impl Fn(&Token, &'t str) -> Option<&'t str>) -> bool {
    let (mut todo, mut rest) = (tokens, text);
    // What to do and what to read on the return to the last star.
    let mut star: Option<(&[Token], &str)> = None;
    loop {
        match todo {
            [] if rest.is_empty() => return true,
            [Token::Star] => return true,
            [Token::Star, after @ ..] => {
                star = Some((after, rest));
                todo = after;
                continue;
            }
            [Token::One, after @ ..] => {
                if let Some(shorter) = skip_one(rest) {
                    (todo, rest) = (after, shorter);
                    continue;
                }
            }
            [token, after @ ..] => {
                if let Some(shorter) = strip(token, rest) {
                    (todo, rest) = (after, shorter);
                    continue;
                }
            }
            [] => {}
        }
        // No match here: let the last star take one character more.
        let Some((after, from)) = star else { return false };
        let Some(shorter) = skip_one(from) else { return false };
        star = Some((after, shorter));
        (todo, rest) = (after, shorter);
    }
}

fn skip_one(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

/// `part` is in lower case.
fn strip_ignoring_case<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(part.len())?;
    head.eq_ignore_ascii_case(part).then_some(rest)
}
