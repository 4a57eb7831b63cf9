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
        let mut found = Vec::new();
        self.find(path, false, is_wrapped, &mut found);
        found
    }

    /// `may_wrap`: a name may stand around what is looked for here; `is_wrapped`: and further down.
    fn find<'a>(&'a self, path: &str, may_wrap: bool, is_wrapped: bool, found: &mut Vec<&'a Value>) {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        match self {
            Self::Text(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.find(path, may_wrap, is_wrapped, found)),
            Self::Map(members) => match (members.get(name), rest) {
                (Some(value), Some(rest)) => value.find(rest, is_wrapped, is_wrapped, found),
                (Some(value), None) => value.items(found),
                (None, _) => {
                    if let Some(wrapped @ (Self::List(_) | Self::Map(_))) = self.only().filter(|_| may_wrap) {
                        wrapped.find(path, may_wrap, is_wrapped, found);
                    }
                }
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
    fn items<'a>(&'a self, found: &mut Vec<&'a Value>) {
        match (self, self.only()) {
            (Self::List(items), _) => items.iter().for_each(|item| item.items(found)),
            (Self::Map(_), Some(list @ Self::List(_))) => list.items(found),
            _ => found.push(self),
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
