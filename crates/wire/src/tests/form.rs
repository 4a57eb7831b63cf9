//! A form as a client makes one.

use super::shape::Asked;
use crate::Dialect;

/// A form in the making.
pub(crate) struct Form {
    text: String,
    dialect: Dialect,
}

impl Form {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { text: String::new(), dialect }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Adds a pair.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.text.push('&');
        self.escape(name);
        self.text.push('=');
        self.escape(value);
    }

    fn escape(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                b' ' => self.text.push('+'),
                _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => self.text.push(byte.into()),
                _ => self.text.push_str(&format!("%{byte:02X}")),
            }
        }
    }

    /// Adds a list whose items have this name, in a dialect that has names for them. An empty one is its name
    /// alone, as botocore spells it.
    pub(crate) fn list<T: Asked>(&mut self, items: &[T], name: &str, item: &str) {
        if items.is_empty() {
            self.add(name, "");
        }
        for (at, value) in items.iter().enumerate() {
            let number = at + 1;
            let name = match self.dialect {
                Dialect::Ec2 => format!("{name}.{number}"),
                Dialect::Query => format!("{name}.{item}.{number}"),
            };
            value.spell(&name, self);
        }
    }

    /// Adds a structure: its members, or its name alone if none is there.
    pub(crate) fn structure(&mut self, name: &str, members: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        members(self);
        if self.text.len() == before && !name.is_empty() {
            self.add(name, "");
        }
    }
}

/// A member's name under its structure's. An operation's whole input has none.
pub(crate) fn within(name: &str, member: &str) -> String {
    if name.is_empty() { member.to_owned() } else { format!("{name}.{member}") }
}
