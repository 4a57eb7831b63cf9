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

/// Reads pairs; `None` if there are too many, or too deep, or a name has two values: which counts is the server's
/// secret.
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
    Some(root.value())
}

impl Node {
    fn value(self) -> Value {
        if self.children.is_empty() {
            return Value::Text(self.text.unwrap_or_default());
        }
        if self.children.keys().all(|name| name.parse::<u32>().is_ok()) {
            let mut items: Vec<_> = self
                .children
                .into_iter()
                .filter_map(|(name, node)| Some((name.parse::<u32>().ok()?, node)))
                .collect();
            items.sort_by_key(|(number, _)| *number);
            return Value::List(items.into_iter().map(|(_, node)| node.value()).collect());
        }
        let is_wrapped =
            self.children.len() == 1 && self.children.keys().any(|name| WRAPPERS.contains(&&**name));
        let mut members = self.children.into_iter().map(|(name, node)| (name, node.value()));
        match is_wrapped.then(|| members.next()).flatten() {
            Some((_, list @ Value::List(_))) => list,
            Some((name, value)) => Value::Map(BTreeMap::from([(name, value)])),
            None => Value::Map(members.collect()),
        }
    }
}
