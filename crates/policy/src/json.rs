//! A JSON reader (RFC 8259) that remembers where everything was.
//!
//! General readers drop positions and let a repeated member win; a policy needs the first for its errors and
//! must refuse the second.

use crate::error::{ParseError, ParseErrorKind, Position};

/// Deeper than any policy (the deepest value of the language is at 6), shallow enough for any stack.
const MAX_DEPTH: u32 = 32;

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Json {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

/// A member of an object and where its name begins.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) at: Position,
    pub(crate) name: String,
    pub(crate) value: Json,
}

impl Value {
    /// What an error calls a value of this type.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a Boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads one JSON value and nothing after it.
pub(crate) fn read(text: &str) -> Result<Json, ParseError> {
    let mut reader = Reader { rest: text, at: Position { line: 1, column: 1 } };
    reader.skip_space();
    let value = reader.value(0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.fault("text after the end of the document", "remove it")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    at: Position,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    fn fault(&self, reason: impl Into<String>, hint: impl Into<String>) -> ParseError {
        ParseError::new(self.at, ParseErrorKind::Json, reason, hint)
    }

    /// The error for a character that cannot stand here.
    fn unexpected(&self, wanted: &str) -> ParseError {
        let reason = match self.peek() {
            Some(c) => format!("unexpected {c:?}"),
            None => "the document ends too early".to_owned(),
        };
        self.fault(reason, format!("{wanted} belongs here"))
    }

    fn value(&mut self, depth: u32) -> Result<Json, ParseError> {
        if depth > MAX_DEPTH {
            return Err(self.fault("values are nested too deeply", "a policy has at most six levels"));
        }
        let at = self.at;
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Value::String(self.string()?),
            Some('-' | '0'..='9') => Value::Number(self.number()?),
            Some('t') => self.word("true", Value::Bool(true))?,
            Some('f') => self.word("false", Value::Bool(false))?,
            Some('n') => self.word("null", Value::Null)?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Json { at, value })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, ParseError> {
        let fault = self.unexpected("a value");
        if !self.rest.starts_with(word) {
            return Err(fault);
        }
        for _ in word.chars() {
            self.next();
        }
        Ok(value)
    }

    fn object(&mut self, depth: u32) -> Result<Value, ParseError> {
        self.next();
        let mut members: Vec<Member> = Vec::new();
        self.skip_space();
        if self.peek() == Some('}') {
            self.next();
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let at = self.at;
            if self.peek() != Some('"') {
                return Err(self.unexpected("a name in double quotation marks"));
            }
            let name = self.string()?;
            if members.iter().any(|member| member.name == name) {
                return Err(ParseError::new(
                    at,
                    ParseErrorKind::DuplicateElement,
                    format!("{name:?} is here twice"),
                    "keep one, or put its values in one list",
                ));
            }
            self.skip_space();
            if self.peek() != Some(':') {
                return Err(self.unexpected("a colon"));
            }
            self.next();
            self.skip_space();
            let value = self.value(depth + 1)?;
            members.push(Member { at, name, value });
            self.skip_space();
            match self.peek() {
                Some(',') => self.next(),
                Some('}') => {
                    self.next();
                    return Ok(Value::Object(members));
                }
                _ => return Err(self.unexpected("a comma or a closing brace")),
            };
        }
    }

    fn array(&mut self, depth: u32) -> Result<Value, ParseError> {
        self.next();
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(']') {
            self.next();
            return Ok(Value::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(',') => self.next(),
                Some(']') => {
                    self.next();
                    return Ok(Value::Array(items));
                }
                _ => return Err(self.unexpected("a comma or a closing bracket")),
            };
        }
    }

    fn string(&mut self) -> Result<String, ParseError> {
        let opening = self.at;
        self.next();
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape(at)?),
                Some(c) if c < ' ' => {
                    let (reason, hint) = ("a control character in a string", "write it as \\u00XX, or \\n");
                    return Err(ParseError::new(at, ParseErrorKind::Json, reason, hint));
                }
                Some(c) => text.push(c),
                None => {
                    let (reason, hint) = ("a string without an end", "close it with a quotation mark");
                    return Err(ParseError::new(opening, ParseErrorKind::Json, reason, hint));
                }
            }
        }
    }

    /// What follows a backslash, which stood at `at`.
    fn escape(&mut self, at: Position) -> Result<char, ParseError> {
        let fault = |reason: &str| {
            ParseError::new(at, ParseErrorKind::Json, reason, "write a backslash itself as two of them")
        };
        Ok(match self.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.hex4().ok_or_else(|| fault("an escape without four hexadecimal digits"))?;
                let code = if (0xD800..0xDC00).contains(&first) {
                    // A character outside the basic plane is two escapes, a surrogate pair.
                    let low = (self.next() == Some('\\') && self.next() == Some('u'))
                        .then(|| self.hex4())
                        .flatten()
                        .filter(|low| (0xDC00..0xE000).contains(low))
                        .ok_or_else(|| fault("half a surrogate pair"))?;
                    0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| fault("half a surrogate pair"))?
            }
            _ => return Err(fault("an escape that JSON does not have")),
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + self.peek()?.to_digit(16)?;
            self.next();
        }
        Some(code)
    }

    fn number(&mut self) -> Result<String, ParseError> {
        let start = self.rest;
        let at = self.at;
        if self.peek() == Some('-') {
            self.next();
        }
        let zero = self.peek() == Some('0');
        let whole = self.digits();
        let mut sound = whole > 0 && (!zero || whole == 1);
        if self.peek() == Some('.') {
            self.next();
            sound &= self.digits() > 0;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            if matches!(self.peek(), Some('+' | '-')) {
                self.next();
            }
            sound &= self.digits() > 0;
        }
        if !sound {
            let (reason, hint) = ("a number that JSON does not have", "put it in quotation marks");
            return Err(ParseError::new(at, ParseErrorKind::Json, reason, hint));
        }
        Ok(start[..start.len() - self.rest.len()].to_owned())
    }

    fn digits(&mut self) -> usize {
        let mut count = 0;
        while matches!(self.peek(), Some('0'..='9')) {
            self.next();
            count += 1;
        }
        count
    }
}
