//! JSON, written as fast as its bytes can be copied: there is one record for every request, and to go through each of
//! its bytes one by one, as `serde_json` does, takes longer than to decide on the request.

/// An object that is being written.
pub(crate) struct Object<'a> {
    text: &'a mut Vec<u8>,
    is_empty: bool,
}

impl Object<'_> {
    /// Writes an object at the end of a text.
    pub(crate) fn write(text: &mut Vec<u8>, members: impl FnOnce(&mut Object<'_>)) {
        text.push(b'{');
        members(&mut Object { text, is_empty: true });
        text.push(b'}');
    }

    /// Adds text.
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        string(self.text, value);
    }

    /// Adds text, if there is any.
    pub(crate) fn text_of(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Adds a number or a boolean.
    pub(crate) fn plain(&mut self, name: &'static str, value: impl Into<serde_json::Value>) {
        self.name(name);
        self.text.extend_from_slice(value.into().to_string().as_bytes());
    }

    /// Adds an object.
    pub(crate) fn object(&mut self, name: &'static str, members: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        Object::write(self.text, members);
    }

    /// Adds a list of texts.
    pub(crate) fn texts<'b>(&mut self, name: &'static str, values: impl Iterator<Item = &'b str>) {
        self.list(name, values, string);
    }

    /// Adds a list of objects.
    pub(crate) fn objects<T>(
        &mut self,
        name: &'static str,
        items: impl Iterator<Item = T>,
        members: impl Fn(T, &mut Object<'_>),
    ) {
        self.list(name, items, |text, item| Object::write(text, |object| members(item, object)));
    }

    fn list<T>(
        &mut self,
        name: &'static str,
        items: impl Iterator<Item = T>,
        write: impl Fn(&mut Vec<u8>, T),
    ) {
        self.name(name);
        self.text.push(b'[');
        for (at, item) in items.enumerate() {
            if at > 0 {
                self.text.push(b',');
            }
            write(self.text, item);
        }
        self.text.push(b']');
    }

    /// A member's name, in which nothing is to be escaped.
    fn name(&mut self, name: &'static str) {
        self.text.extend_from_slice(if self.is_empty { b"\"" } else { b",\"" });
        self.is_empty = false;
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\":");
    }
}

/// Writes a string.
fn string(text: &mut Vec<u8>, value: &str) {
    // All are looked at, for the processor does that sixteen at a time.
    let escaped =
        value.bytes().fold(false, |escaped, byte| escaped | (byte < b' ') | (byte == b'"') | (byte == b'\\'));
    if escaped {
        text.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes());
    } else {
        text.push(b'"');
        text.extend_from_slice(value.as_bytes());
        text.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let every: String = (0..=0xFF_u32).filter_map(char::from_u32).chain(['\u{2028}', '🦀']).collect();
        for text in ["", "plain", "a \"quote\"", "\\", "line\nfeed", "\u{0}", "\u{7f}é", &every] {
            let mut written = Vec::new();
            Object::write(&mut written, |object| {
                object.text("text", text);
                object.text_of("some", Some(text));
                object.text_of("none", None);
                object.plain("number", 200);
                object.plain("flag", true);
                object.object("object", |object| object.text("text", text));
                object.object("empty", |_| {});
                object.texts("texts", [text, text].into_iter());
                object.texts("nothing", [].into_iter());
                object.objects("objects", [1, 2].into_iter(), |item, object| object.plain("item", item));
            });
            let expected = json!({
                "text": text,
                "some": text,
                "number": 200,
                "flag": true,
                "object": {"text": text},
                "empty": {},
                "texts": [text, text],
                "nothing": [],
                "objects": [{"item": 1}, {"item": 2}],
            });
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), expected);
            // One record is one line.
            assert!(!written.contains(&b'\n'));
        }
    }
}
