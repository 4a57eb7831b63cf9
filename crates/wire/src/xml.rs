//! A writer of XML documents: elements and text, no attributes but the root's namespace.

use std::fmt::{Display, Write as _};

use crate::Dialect;

/// A document being written.
pub(crate) struct Xml {
    text: String,
    dialect: Dialect,
}

impl Xml {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), dialect }
    }

    /// What the items of a list are called.
    pub(crate) fn item_name(&self) -> &'static str {
        match self.dialect {
            Dialect::Ec2 => "item",
            Dialect::Query => "member",
        }
    }

    /// Writes the outermost element, which names the namespace.
    pub(crate) fn root(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push_str(" xmlns=\"");
        self.escape(namespace);
        self.text.push_str("\">");
        content(self);
        self.close(name);
    }

    /// Writes an element; one without content as `<name/>`.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
        let start = self.text.len();
        content(self);
        if self.text.len() == start {
            self.text.truncate(start - 1);
            self.text.push_str("/>");
        } else {
            self.close(name);
        }
    }

    /// Writes an element that holds text.
    pub(crate) fn text_element(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.escape(text));
    }

    /// Writes an element that holds a number, a time or a truth: what needs no escaping.
    pub(crate) fn plain_element(&mut self, name: &str, value: impl Display) {
        self.element(name, |xml| write!(xml.text, "{value}").expect("a string takes all that is written"));
    }

    /// How many bytes are written.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Make room for this many bytes more.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// Writes text. What XML 1.0 cannot carry in any spelling becomes U+FFFD, so that no stored value can break
    /// the document it is listed in; a carriage return is spelled out, as parsers turn a bare one into a newline.
    fn escape(&mut self, text: &str) {
        let mut rest = text;
        // Most of it is copied as it is.
        while let Some(at) = rest.bytes().position(|byte| !PLAIN[usize::from(byte)]) {
            let (plain, special) = rest.split_at(at);
            self.text.push_str(plain);
            let mut letters = special.chars();
            match letters.next() {
                Some('&') => self.text.push_str("&amp;"),
                Some('<') => self.text.push_str("&lt;"),
                Some('>') => self.text.push_str("&gt;"),
                Some('"') => self.text.push_str("&quot;"),
                Some('\r') => self.text.push_str("&#xD;"),
                Some('\0'..='\x1f' | '\u{fffe}' | '\u{ffff}') => self.text.push('\u{fffd}'),
                Some(letter) => self.text.push(letter),
                None => {}
            }
            rest = letters.as_str();
        }
        self.text.push_str(rest);
    }
}

/// Whether a byte of a text is written as it is, wherever it stands. U+FFFE and U+FFFF begin with 0xEF.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        plain[control] = matches!(control as u8, b'\t' | b'\n');
        control += 1;
    }
    let special = *b"&<>\"\xef";
    let mut at = 0;
    while at < special.len() {
        plain[special[at] as usize] = false;
        at += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    fn body(write: impl FnOnce(&mut Xml)) -> String {
        let mut xml = Xml::new(Dialect::Ec2);
        write(&mut xml);
        xml.finish().split_once('\n').unwrap().1.to_owned()
    }

    #[test]
    fn elements_nest_and_empty_ones_are_short() {
        let text = body(|xml| {
            xml.root("R", "http://x/", |xml| {
                xml.element("a", |xml| xml.text_element("b", "1"));
                xml.text_element("c", "");
            })
        });
        assert_eq!(text, "<R xmlns=\"http://x/\"><a><b>1</b></a><c/></R>");
    }

    #[test]
    fn text_cannot_leave_its_element() {
        assert_eq!(body(|xml| xml.text_element("a", "</a>&\"é\r\n")), "<a>&lt;/a&gt;&amp;&quot;é&#xD;\n</a>");
    }

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(
            body(|xml| xml.text_element("a", "x\0\u{1b}\u{ffff}")),
            "<a>x\u{fffd}\u{fffd}\u{fffd}</a>"
        );
    }
}
