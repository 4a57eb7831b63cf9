//! From generated shapes to XML.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::xml::Xml;

/// What a response may hold.
pub(crate) trait Encode {
    /// Writes the value as an element; nothing where it is absent.
    fn encode(&self, xml: &mut Xml, name: &str);
}

/// A shape that is an operation's whole output.
pub(crate) trait Output {
    /// Writes the members without an element around them.
    fn members(&self, xml: &mut Xml);
}

/// An operation without output answers that it succeeded.
impl Output for () {
    fn members(&self, xml: &mut Xml) {
        xml.text_element("return", "true");
    }
}

impl<T: Output> Encode for T {
    fn encode(&self, xml: &mut Xml, name: &str) {
        xml.element(name, |xml| self.members(xml));
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, xml: &mut Xml, name: &str) {
        if let Some(value) = self {
            value.encode(xml, name);
        }
    }
}

/// An empty list is an empty element, as AWS writes it.
impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, xml: &mut Xml, name: &str) {
        list(self, xml, name, xml.item_name());
    }
}

/// Most bytes that are made room for before they are written.
const MOST_RESERVED: usize = 4 << 20;

/// A member that is a list, or may be one.
pub(crate) trait List {
    type Item: Encode;
    fn items(&self) -> Option<&[Self::Item]>;
}

impl<T: Encode> List for Vec<T> {
    type Item = T;
    fn items(&self) -> Option<&[T]> {
        Some(self)
    }
}

impl<T: Encode> List for Option<Vec<T>> {
    type Item = T;
    fn items(&self) -> Option<&[T]> {
        self.as_deref()
    }
}

/// Writes a list whose items have this name, if it is there.
pub(crate) fn list(list: &impl List, xml: &mut Xml, name: &str, item: &str) {
    let Some(items) = list.items() else { return };
    xml.element(name, |xml| {
        let [first, others @ ..] = items else { return };
        let start = xml.len();
        first.encode(xml, item);
        // The others take about as much as the first; or much less.
        xml.reserve(((xml.len() - start) * others.len()).min(MOST_RESERVED));
        others.iter().for_each(|value| value.encode(xml, item));
    });
}

impl<T: Encode> Encode for BTreeMap<String, T> {
    fn encode(&self, xml: &mut Xml, name: &str) {
        xml.element(name, |xml| {
            for (key, value) in self {
                xml.element("entry", |xml| {
                    xml.text_element("key", key);
                    value.encode(xml, "value");
                });
            }
        });
    }
}

impl Encode for String {
    fn encode(&self, xml: &mut Xml, name: &str) {
        xml.text_element(name, self);
    }
}

/// Milliseconds, always three digits: AWS's form, whatever the instant.
impl Encode for Timestamp {
    fn encode(&self, xml: &mut Xml, name: &str) {
        xml.plain_element(name, format_args!("{self:.3}"));
    }
}

macro_rules! encode_displayed {
    ($($ty:ty),*) => { $(
        impl Encode for $ty {
            fn encode(&self, xml: &mut Xml, name: &str) {
                xml.plain_element(name, self);
            }
        }
    )* };
}

encode_displayed!(bool, i32, i64, f64);

/// Says how a generated structure's members are spelled in responses, and the items of lists that have a name of
/// their own.
macro_rules! encode {
    (@member $value:expr, $xml:ident, $name:literal) => {
        crate::encode::Encode::encode($value, $xml, $name)
    };
    (@member $value:expr, $xml:ident, $name:literal, $item:literal) => {
        crate::encode::list($value, $xml, $name, $item)
    };
    ($ty:ident { $($field:ident: $name:literal $(of $item:literal)?,)* }) => {
        impl crate::encode::Output for $ty {
            fn members(&self, _xml: &mut crate::xml::Xml) {
                $(crate::encode::encode!(@member &self.$field, _xml, $name $(, $item)?);)*
            }
        }

        #[cfg(test)]
        impl crate::tests::Drawn for $ty {
            fn draw(_draw: &mut crate::tests::Draw) -> Self {
                Self { $($field: crate::tests::Drawn::draw(_draw),)* }
            }
        }

        #[cfg(test)]
        impl crate::tests::Answered for $ty {
            fn read(_element: Option<&crate::tests::Element>) -> Self {
                Self { $($field: crate::tests::Answered::read(_element.and_then(|it| it.child($name))),)* }
            }
        }
    };
}
pub(crate) use encode;
