//! XML as a client reads it.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// An element: either text or elements.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    pub(crate) text: String,
    children: Vec<Element>,
}

impl Element {
    /// The outermost element of a document.
    pub(crate) fn parse(document: &str) -> Self {
        let mut reader = Reader::from_str(document);
        let mut open = vec![Self::default()];
        loop {
            let top = open.last_mut().expect("as many elements end as begin");
            match reader.read_event().expect("XML") {
                Event::Start(start) => {
                    let name = str::from_utf8(start.name().as_ref()).expect("UTF-8").to_owned();
                    open.push(Self { name, ..Self::default() });
                }
                Event::Empty(start) => {
                    let name = str::from_utf8(start.name().as_ref()).expect("UTF-8").to_owned();
                    top.children.push(Self { name, ..Self::default() });
                }
                Event::End(_) => {
                    let element = open.pop().expect("as many elements end as begin");
                    open.last_mut().expect("as many elements end as begin").children.push(element);
                }
                Event::Text(text) => top.text.push_str(&text.decode().expect("UTF-8")),
                Event::GeneralRef(reference) => match reference.resolve_char_ref().expect("a character") {
                    Some(letter) => top.text.push(letter),
                    None => {
                        let name = reference.decode().expect("UTF-8");
                        top.text.push_str(resolve_predefined_entity(&name).expect("an entity of XML"));
                    }
                },
                Event::Eof => return open.remove(0).children.remove(0),
                _ => {}
            }
        }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        let mut found = self.children.iter().filter(|child| child.name == name);
        let child = found.next();
        assert!(found.next().is_none(), "{name} comes twice");
        child
    }

    /// The items of a list, or the entries of a map: all of one name.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Self> {
        assert!(self.children.iter().all(|child| child.name == self.children[0].name), "{self:?}");
        self.children.iter()
    }
}
