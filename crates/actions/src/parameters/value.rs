//! A body's content, the same for every spelling.

use std::collections::BTreeMap;

/// Text, or what holds text. Numbers and booleans are text, as policies see them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
}

impl Default for Value {
    fn default() -> Self {
        Self::Map(BTreeMap::new())
    }
}

impl Value {
    /// What stands at a path of names. Lists are gone through; so is, if the spelling has such and not at the
    /// beginning, a name that is alone in its place and not the one looked for: `member` or `Tag` around items.
    pub(crate) fn at(&self, path: &str, is_wrapped: bool) -> Vec<&Value> {
        let mut here = vec![self];
        for (depth, name) in path.split('.').enumerate() {
            here = here.into_iter().flat_map(|value| value.step(name, is_wrapped && depth > 0)).collect();
        }
        here.into_iter().flat_map(Value::items).collect()
    }

    fn step(&self, name: &str, is_wrapped: bool) -> Vec<&Value> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::List(items) => items.iter().flat_map(|item| item.step(name, is_wrapped)).collect(),
            Self::Map(members) => match members.get(name) {
                Some(value) => vec![value],
                None => match self.only().filter(|_| is_wrapped) {
                    Some(wrapped @ (Self::List(_) | Self::Map(_))) => wrapped.step(name, is_wrapped),
                    _ => Vec::new(),
                },
            },
        }
    }

    /// What a map holds that holds one thing.
    fn only(&self) -> Option<&Value> {
        match self {
            Self::Map(members) if members.len() == 1 => members.values().next(),
            _ => None,
        }
    }

    /// A list's items, and of a list within its wrapper; of anything else itself.
    fn items(&self) -> Vec<&Value> {
        match self {
            Self::List(items) => items.iter().flat_map(Value::items).collect(),
            Self::Map(_) => match self.only() {
                Some(list @ Self::List(_)) => list.items(),
                _ => vec![self],
            },
            Self::Text(_) => vec![self],
        }
    }

    /// Every text in it, through lists.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(items) => items.iter().flat_map(Value::texts).collect(),
            Self::Map(_) => self.only().map(Value::texts).unwrap_or_default(),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn members(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::Map(members) => Some(members),
            _ => None,
        }
    }
}
