//! XML bodies.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Value;

/// Elements within elements; the deepest in the models has about ten.
const MAX_DEPTH: usize = 32;

#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: BTreeMap<String, Vec<Value>>,
}

/// Reads a document into what its outermost element holds; `None` if it is not well formed.
pub(crate) fn read(body: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_reader(body);
    let mut open: Vec<Element> = Vec::new();
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return None;
                }
                let name = std::str::from_utf8(start.local_name().into_inner()).ok()?.to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(start) => {
                let name = std::str::from_utf8(start.local_name().into_inner()).ok()?.to_owned();
                let Some(parent) = open.last_mut() else { return Some(Value::default()) };
                parent.children.entry(name).or_default().push(Value::Text(String::new()));
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(std::str::from_utf8(&text).ok()?);
                }
            }
            Event::CData(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(std::str::from_utf8(&text).ok()?);
                }
            }
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().ok()? {
                    Some(letter) => letter.to_string(),
                    None => {
                        let name = std::str::from_utf8(&reference).ok()?.to_owned();
                        quick_xml::escape::resolve_predefined_entity(&name)?.to_owned()
                    }
                };
                open.last_mut()?.text.push_str(&resolved);
            }
            Event::End(_) => {
                let element = open.pop()?;
                let name = element.name.clone();
                let value = element.value();
                match open.last_mut() {
                    Some(parent) => parent.children.entry(name).or_default().push(value),
                    None => return Some(value),
                }
            }
            Event::Eof => return None,
            _ => {}
        }
        buffer.clear();
    }
}

impl Element {
    fn value(self) -> Value {
        if self.children.is_empty() {
            return Value::Text(self.text);
        }
        let members = self.children.into_iter().map(|(name, mut values)| match values.len() {
            1 => (name, values.remove(0)),
            _ => (name, Value::List(values)),
        });
        Value::Map(members.collect())
    }
}
