//! Policy variables: `${aws:username}`, with a default `${aws:PrincipalTag/team, 'none'}`, and the escapes
//! `${*}`, `${?}` and `${$}` for characters that otherwise mean something.

use crate::context::{Context, Key};

/// A piece of a value that may have variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text as the author wrote it, in which wildcards are wildcards.
    Text(String),
    /// One of `*`, `?` and `$` from an escape: never a wildcard.
    Literal(char),
    /// A variable.
    Variable(Variable),
}

/// A variable: a key of the request, and what stands in where the request has no value for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) key: Key,
    pub(crate) default: Option<Box<str>>,
}

impl Variable {
    /// The text to put in. A key that is absent, empty or multivalued has none: then only a default helps.
    pub(crate) fn resolve<'a>(&'a self, context: &'a Context<'_>) -> Option<&'a str> {
        context.single(&self.key).filter(|value| !value.is_empty()).or(self.default.as_deref())
    }
}

/// What is wrong with a `${…}`. It is then text like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No closing brace.
    MissingBrace,
    /// Nothing between the braces.
    Empty,
    /// A default that is not in quotation marks, or goes on after them.
    BadDefault,
    /// A space or another character that no key has.
    BadKey,
}

/// Takes a value apart, and lists what is wrong with it.
pub(crate) fn split(text: &str) -> (Vec<Piece>, Vec<Fault>) {
    let (mut pieces, mut faults) = (Vec::new(), Vec::new());
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        plain.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        match read(inner) {
            Ok((piece, length)) => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(piece);
                rest = &inner[length..];
            }
            Err(fault) => {
                faults.push(fault);
                plain.push_str("${");
                rest = inner;
            }
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    (pieces, faults)
}

/// Reads what follows `${`, up to and with its brace: the piece and the length read.
fn read(inner: &str) -> Result<(Piece, usize), Fault> {
    let end = closing_brace(inner).ok_or(Fault::MissingBrace)?;
    let body = inner[..end].trim();
    let piece = match body {
        "" => return Err(Fault::Empty),
        "*" | "?" | "$" => Piece::Literal(char::from(body.as_bytes()[0])),
        _ => {
            let (name, default) = match body.split_once(',') {
                Some((name, default)) => (name.trim_end(), Some(unquote(default.trim())?)),
                None => (body, None),
            };
            if name.is_empty() {
                return Err(Fault::Empty);
            }
            if !name.chars().all(is_key_character) {
                return Err(Fault::BadKey);
            }
            Piece::Variable(Variable { key: Key::new(name), default: default.map(Into::into) })
        }
    };
    Ok((piece, end + 1))
}

/// The closing brace, which a default in quotation marks may have inside.
fn closing_brace(inner: &str) -> Option<usize> {
    let mut quoted = false;
    let found = inner.bytes().position(|byte| {
        quoted ^= byte == b'\'';
        byte == b'}' && !quoted
    });
    // An apostrophe that opens no default must not hide the brace.
    found.or_else(|| inner.find('}'))
}

/// The text between single quotation marks, where two stand for one.
fn unquote(default: &str) -> Result<String, Fault> {
    let inner =
        default.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).ok_or(Fault::BadDefault)?;
    let pieces: Vec<&str> = inner.split("''").collect();
    match pieces.iter().any(|piece| piece.contains('\'')) {
        true => Err(Fault::BadDefault),
        false => Ok(pieces.join("'")),
    }
}

/// Key names have letters, digits and what tag keys may have; the space only inside a tag key.
fn is_key_character(c: char) -> bool {
    c.is_alphanumeric() || " _.:/=+-@".contains(c)
}
