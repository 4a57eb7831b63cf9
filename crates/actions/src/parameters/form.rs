//! The query protocols' forms: `Filter.1.Value.2=x`.

use std::collections::BTreeMap;

use super::Value;

/// Levels that a name may have; the deepest in the models has eight.
const MAX_DEPTH: usize = 16;

/// Pairs that a form may have.
const MAX_PAIRS: usize = 20_000;

/// Names around the items of a list.
const WRAPPERS: [&str; 3] = ["member", "entry", "item"];

#[derive(Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

/// Reads pairs; `None` if there are too many, or too deep, or a name has two values or a value and members, or a
/// list's items have names: which counts is the server's secret.
pub(crate) fn read(pairs: Vec<(String, String)>) -> Option<Value> {
    if pairs.len() > MAX_PAIRS {
        return None;
    }
    let mut root = Node::default();
    for (name, value) in pairs {
        let mut node = &mut root;
        for (depth, part) in name.split('.').enumerate() {
            if depth >= MAX_DEPTH {
                return None;
            }
            node = node.children.entry(part.to_owned()).or_default();
        }
        if node.text.as_ref().is_some_and(|known| *known != value) {
            return None;
        }
        node.text = Some(value);
    }
    root.value()
}

impl Node {
    fn value(self) -> Option<Value> {
        if self.children.is_empty() {
            return Some(Value::Text(self.text.unwrap_or_default()));
        }
        if self.text.is_some() {
            return None;
        }
        let numbered = self.children.keys().filter(|name| name.parse::<u32>().is_ok()).count();
        if numbered == self.children.len() {
            let mut items: Vec<_> = self
                .children
                .into_iter()
                .filter_map(|(name, node)| Some((name.parse::<u32>().ok()?, node)))
                .collect();
            items.sort_by_key(|(number, _)| *number);
            let items = items.into_iter().map(|(_, node)| node.value());
            return items.collect::<Option<_>>().map(Value::List);
        }
        if numbered > 0 {
            return None;
        }
        let is_wrapped =
            self.children.len() == 1 && self.children.keys().any(|name| WRAPPERS.contains(&&**name));
        let members = self.children.into_iter().map(|(name, node)| Some((name, node.value()?)));
        let mut members = members.collect::<Option<BTreeMap<_, _>>>()?;
        let wrapped = if is_wrapped { members.pop_first() } else { None };
        Some(match wrapped {
            Some((_, list @ Value::List(_))) => list,
            Some((name, value)) => Value::Map(BTreeMap::from([(name, value)])),
            None => Value::Map(members),
        })
    }
}
