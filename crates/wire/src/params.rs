//! A request's form: `a=1&b.1.c=2`, taken apart into a tree of names.

use std::collections::BTreeMap;

use crate::ApiError;
use crate::decode::Fault;

/// Pairs that a form may have. EC2's own limit on a request's size lets none that is larger be meant.
const MAX_PAIRS: usize = 10_000;

/// Bytes that a form may have, AWS's limit for a POST to the query services.
const MAX_BYTES: usize = 1 << 20;

/// Levels that a name may have; the deepest in the models has eight.
const MAX_DEPTH: usize = 16;

/// Why a form cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// More than a form may hold: bytes, pairs, or levels of a name.
    #[error("the form is too large")]
    TooLarge,
    /// Not UTF-8 once its escapes are resolved, or an escape that is none.
    #[error("the form is not properly encoded")]
    Encoding,
}

impl From<ParamsError> for ApiError {
    fn from(error: ParamsError) -> Self {
        match error {
            ParamsError::TooLarge => {
                Self::new("RequestEntityTooLarge", "The request is too large").with_status(413)
            }
            ParamsError::Encoding => {
                Self::new("MalformedQueryString", "The query string contains a syntax error")
            }
        }
    }
}

/// A request's parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    root: Node,
}

impl Params {
    /// Parses an `application/x-www-form-urlencoded` body or query string. Of a name given twice the last value
    /// holds.
    ///
    /// # Errors
    ///
    /// If it is too large (1 MiB, 10,000 pairs), or not properly encoded.
    pub fn parse(form: &[u8]) -> Result<Self, ParamsError> {
        let mut params = Self::default();
        params.extend(form)?;
        Ok(params)
    }

    /// Adds the pairs of another form: an action may be asked for in the URL and in the body.
    ///
    /// # Errors
    ///
    /// As [`Params::parse`].
    pub fn extend(&mut self, form: &[u8]) -> Result<(), ParamsError> {
        if form.len() > MAX_BYTES {
            return Err(ParamsError::TooLarge);
        }
        for (count, pair) in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).enumerate() {
            if count >= MAX_PAIRS {
                return Err(ParamsError::TooLarge);
            }
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let name = unescape(&pair[..at])?;
            let value = unescape(pair.get(at + 1..).unwrap_or_default())?;
            self.insert(&name, value)?;
        }
        Ok(())
    }

    /// The value of a plain parameter, as `Action`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.root.children.get(name)?.value.as_deref()
    }

    fn insert(&mut self, name: &str, value: String) -> Result<(), ParamsError> {
        let mut node = &mut self.root;
        for (depth, part) in name.split('.').enumerate() {
            if depth >= MAX_DEPTH {
                return Err(ParamsError::TooLarge);
            }
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.value = Some(value);
        Ok(())
    }

    /// The operation's own parameters: all but what every request has, and what a signature in the URL adds.
    pub(crate) fn into_input(mut self) -> Node {
        self.root.children.retain(|name, _| {
            !matches!(name.as_str(), "Action" | "Version") && !name.to_ascii_lowercase().starts_with("x-amz-")
        });
        self.root
    }
}

/// A name, or a name's beginning: what stands under it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    /// Removes and returns what stands under a name.
    pub(crate) fn take(&mut self, name: &str) -> Option<Node> {
        self.children.remove(name)
    }

    /// The names at this level.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.children.keys().map(String::as_str)
    }

    /// The text here, where nothing may stand below it.
    pub(crate) fn into_value(self) -> Result<String, Fault> {
        match self.children.into_keys().next() {
            Some(name) => Err(Fault::Unknown { name }),
            None => Ok(self.value.unwrap_or_default()),
        }
    }

    /// Refuses a text where only parts may stand. An empty one is how SDKs spell an empty list.
    pub(crate) fn require_parts(&self) -> Result<(), Fault> {
        match self.value.as_deref() {
            None | Some("") => Ok(()),
            Some(_) => Err(Fault::NotPlain { name: String::new() }),
        }
    }

    /// The items of a list, by number. A number needs not be the one after the last.
    pub(crate) fn numbered(self) -> Result<BTreeMap<u32, Node>, Fault> {
        let numbered = |(name, node): (String, Node)| match name.parse() {
            Ok(number) => Ok((number, node)),
            Err(_) => Err(Fault::Unknown { name }),
        };
        self.children.into_iter().map(numbered).collect()
    }
}

/// Resolves `+` and `%XX`.
fn unescape(text: &[u8]) -> Result<String, ParamsError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.copied().unwrap_or_default());
                let mut byte = [0];
                hex::decode_to_slice(digits, &mut byte).map_err(|_| ParamsError::Encoding)?;
                byte[0]
            }
            _ => *byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| ParamsError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_a_tree() {
        let params =
            Params::parse(b"Action=X&Version=1&Filter.1.Name=a%2Bb+c&Filter.1.Value.2=%C3%A9&X-Amz-Date=1")
                .unwrap();
        assert_eq!(params.get("Action"), Some("X"));
        assert_eq!(params.get("Filter"), None);
        let mut input = params.into_input();
        assert_eq!(input.names().collect::<Vec<_>>(), ["Filter"]);
        let mut filters = input.take("Filter").unwrap().numbered().unwrap();
        let mut filter = filters.remove(&1).unwrap();
        assert_eq!(filter.take("Name").unwrap().into_value().unwrap(), "a+b c");
        let mut values = filter.take("Value").unwrap().numbered().unwrap();
        assert_eq!(values.remove(&2).unwrap().into_value().unwrap(), "é");
    }

    #[test]
    fn items_come_by_number_and_not_by_spelling() {
        let mut params = Params::parse(b"A.10=c&A.2=b&A.1=a").unwrap();
        let items = params.root.take("A").unwrap().numbered().unwrap();
        assert_eq!(
            items.into_values().map(|item| item.into_value().unwrap()).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
    }

    #[test]
    fn bad_escapes_are_refused() {
        for form in ["a=%", "a=%4", "a=%zz", "a=%ff", "%+1=a"] {
            assert_eq!(Params::parse(form.as_bytes()), Err(ParamsError::Encoding), "{form}");
        }
    }

    #[test]
    fn size_is_bounded() {
        assert_eq!(Params::parse(&vec![b'a'; MAX_BYTES + 1]), Err(ParamsError::TooLarge));
        let pairs = |count| Params::parse("a=1&".repeat(count).as_bytes());
        assert!(pairs(MAX_PAIRS).is_ok());
        assert_eq!(pairs(MAX_PAIRS + 1), Err(ParamsError::TooLarge));
        assert_eq!(Params::parse("a.".repeat(MAX_DEPTH).as_bytes()), Err(ParamsError::TooLarge));
    }
}
