//! Values of every shape, and the other end of the wire: what a client does with them.
//!
//! The macros of generated code implement these traits, so that a shape that is generated is tested.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::element::Element;
use super::form::Form;
use crate::Blob;

/// Implements every service: it writes down what it is asked and answers with samples.
pub(crate) struct Sampler;

/// What decides what is in a value.
pub(crate) enum Draw {
    /// Nothing is absent, and every text is the same, as `client.py` expects.
    Sample,
    /// Bytes, each a choice. Once they are used up, everything that may be is absent, so that a value ends.
    Bytes(std::vec::IntoIter<u8>),
}

impl Draw {
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into_iter())
    }

    /// Whether something that may be absent is there.
    fn presence(&mut self) -> bool {
        match self {
            Self::Sample => true,
            Self::Bytes(bytes) => bytes.next().is_some_and(|byte| byte & 1 == 1),
        }
    }

    /// How many there are, where `sample` is how many a sample has.
    fn count(&mut self, sample: usize, most: u8) -> usize {
        match self {
            Self::Sample => sample,
            Self::Bytes(bytes) => usize::from(bytes.next().unwrap_or_default() % (most + 1)),
        }
    }

    /// The sample, or what is made of some bytes.
    fn choose<T, const N: usize>(&mut self, sample: T, of_bytes: impl FnOnce([u8; N]) -> T) -> T {
        match self {
            Self::Sample => sample,
            Self::Bytes(bytes) => of_bytes(std::array::from_fn(|_| bytes.next().unwrap_or_default())),
        }
    }
}

/// A value that requests carry.
pub(crate) trait Asked: Sized {
    /// A value; one that may not be absent, if it is `required`.
    fn draw(draw: &mut Draw, required: bool) -> Self;
    /// Spells it as a client does, under this name.
    fn spell(&self, name: &str, form: &mut Form);
}

/// A value that is made up.
pub(crate) trait Drawn: Sized {
    fn draw(draw: &mut Draw) -> Self;
}

/// A value that answers carry.
pub(crate) trait Answered: Drawn {
    /// Reads it as a client does, from the element of its name.
    fn read(element: Option<&Element>) -> Self;
}

impl<T: Asked> Asked for Option<T> {
    fn draw(draw: &mut Draw, required: bool) -> Self {
        (required || draw.presence()).then(|| T::draw(draw, false))
    }

    fn spell(&self, name: &str, form: &mut Form) {
        self.iter().for_each(|value| value.spell(name, form));
    }
}

impl<T: Drawn> Drawn for Option<T> {
    fn draw(draw: &mut Draw) -> Self {
        draw.presence().then(|| T::draw(draw))
    }
}

impl<T: Answered> Answered for Option<T> {
    fn read(element: Option<&Element>) -> Self {
        element.map(|element| T::read(Some(element)))
    }
}

impl<T: Asked> Asked for Vec<T> {
    fn draw(draw: &mut Draw, _: bool) -> Self {
        (0..draw.count(2, 3)).map(|_| T::draw(draw, false)).collect()
    }

    fn spell(&self, name: &str, form: &mut Form) {
        form.list(self, name, "member");
    }
}

impl<T: Drawn> Drawn for Vec<T> {
    fn draw(draw: &mut Draw) -> Self {
        (0..draw.count(2, 3)).map(|_| T::draw(draw)).collect()
    }
}

impl<T: Answered> Answered for Vec<T> {
    fn read(element: Option<&Element>) -> Self {
        element.map(|list| list.items().map(|item| T::read(Some(item))).collect()).unwrap_or_default()
    }
}

impl<T: Asked> Asked for BTreeMap<String, T> {
    fn draw(draw: &mut Draw, _: bool) -> Self {
        (0..draw.count(1, 3)).map(|_| (map_key(draw), T::draw(draw, false))).collect()
    }

    fn spell(&self, name: &str, form: &mut Form) {
        for (at, (key, value)) in self.iter().enumerate() {
            key.spell(&format!("{name}.entry.{}.key", at + 1), form);
            value.spell(&format!("{name}.entry.{}.value", at + 1), form);
        }
    }
}

impl<T: Drawn> Drawn for BTreeMap<String, T> {
    fn draw(draw: &mut Draw) -> Self {
        (0..draw.count(1, 3)).map(|_| (map_key(draw), T::draw(draw))).collect()
    }
}

impl<T: Answered> Answered for BTreeMap<String, T> {
    fn read(element: Option<&Element>) -> Self {
        let entries = element.into_iter().flat_map(Element::items);
        entries.map(|entry| (String::read(entry.child("key")), T::read(entry.child("value")))).collect()
    }
}

fn map_key(draw: &mut Draw) -> String {
    match draw {
        Draw::Sample => "key".to_owned(),
        Draw::Bytes(_) => text(draw),
    }
}

/// A text of what has a meaning of its own in forms or XML, and of what has none.
fn text(draw: &mut Draw) -> String {
    const LETTERS: [char; 16] =
        ['a', 'Z', '0', ' ', '\t', '\n', '\r', '<', '>', '&', '"', '=', '%', '+', 'é', '😀'];
    let letters = draw.count(0, 7);
    (0..letters).map(|_| draw.choose('a', |[byte]| LETTERS[usize::from(byte % 16)])).collect()
}

/// An operation without output.
impl Drawn for () {
    fn draw(_: &mut Draw) -> Self {}
}

impl Answered for () {
    fn read(element: Option<&Element>) -> Self {
        let done = element.and_then(|element| element.child("return"));
        assert_eq!(done.map(|done| done.text.as_str()), Some("true"));
    }
}

macro_rules! leaves {
    ($($ty:ty: $draw:ident => $value:expr,)*) => { $(
        impl Drawn for $ty {
            fn draw($draw: &mut Draw) -> Self {
                $value
            }
        }

        impl Asked for $ty {
            fn draw(draw: &mut Draw, _: bool) -> Self {
                Drawn::draw(draw)
            }

            fn spell(&self, name: &str, form: &mut Form) {
                form.add(name, &self.to_string());
            }
        }

        impl Answered for $ty {
            fn read(element: Option<&Element>) -> Self {
                element.expect("it is there").text.parse().expect("a value of the type")
            }
        }
    )* };
}

leaves! {
    String: draw => match draw {
        Draw::Sample => " <sample> & é ".to_owned(),
        Draw::Bytes(_) => text(draw),
    },
    bool: draw => draw.choose(true, |[byte]| byte & 1 == 1),
    i32: draw => draw.choose(7, i32::from_be_bytes),
    i64: draw => draw.choose(7_000_000_000, i64::from_be_bytes),
    f64: draw => draw.choose(1.5, |bytes| f64::from(i32::from_be_bytes(bytes)) / 64.0),
    // No finer than answers tell it.
    Timestamp: draw => draw.choose("2026-05-01T12:00:00.5Z".parse().expect("a time"), |bytes| {
        let milliseconds = i64::from(u32::from_be_bytes(bytes)) * 1000 + i64::from(bytes[3]);
        Timestamp::from_millisecond(milliseconds).expect("before the year 2107")
    }),
}

impl Drawn for Blob {
    fn draw(draw: &mut Draw) -> Self {
        let length = draw.count(3, 7);
        let bytes: Vec<u8> = (0..length).map(|_| draw.choose(0, |[byte]| byte)).collect();
        Self(if matches!(draw, Draw::Sample) { vec![0, 254, 255] } else { bytes })
    }
}

impl Asked for Blob {
    fn draw(draw: &mut Draw, _: bool) -> Self {
        Drawn::draw(draw)
    }

    fn spell(&self, name: &str, form: &mut Form) {
        form.add(name, &self.to_base64());
    }
}

impl Answered for Blob {
    fn read(element: Option<&Element>) -> Self {
        Self::from_base64(&element.expect("it is there").text).expect("Base64")
    }
}
