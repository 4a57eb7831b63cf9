//! CBOR bodies (RFC 8949), as far as Smithy's RPC protocol has it.

use std::collections::BTreeMap;

use super::Value;

/// Values within values.
const MAX_DEPTH: usize = 32;

/// Reads one value; `None` if it is not proper CBOR.
pub(crate) fn read(body: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: body };
    match reader.item(0)? {
        Item::Value(value) if reader.rest.is_empty() => Some(value),
        _ => None,
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

enum Item {
    Value(Value),
    /// `null` and `undefined`: as if it were not there.
    Nothing,
    /// The end of what has no length.
    Break,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// A head's argument: `None` inside for an indefinite length.
    #[expect(clippy::option_option, reason = "malformed and indefinite are different")]
    fn argument(&mut self, low: u8) -> Option<Option<u64>> {
        let size = match low {
            0..=23 => return Some(Some(u64::from(low))),
            24..=27 => 1 << (low - 24),
            31 => return Some(None),
            _ => return None,
        };
        let bytes = self.take(size)?;
        Some(Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))))
    }

    fn item(&mut self, depth: usize) -> Option<Item> {
        if depth > MAX_DEPTH {
            return None;
        }
        let head = self.take(1)?[0];
        let (major, low) = (head >> 5, head & 31);
        if major == 7 {
            return self.simple(low);
        }
        let argument = self.argument(low)?;
        Some(Item::Value(match major {
            0 => Value::Text(argument?.to_string()),
            1 => Value::Text((-1 - i128::from(argument?)).to_string()),
            2 | 3 => Value::Text(String::from_utf8_lossy(&self.bytes(major, argument)?).into_owned()),
            4 => Value::List(self.list(argument, depth)?),
            5 => Value::Map(self.map(argument, depth)?),
            _ => return self.item(depth + 1),
        }))
    }

    fn simple(&mut self, low: u8) -> Option<Item> {
        let number = |number: f64| Item::Value(Value::Text(number.to_string()));
        Some(match low {
            20 | 21 => Item::Value(Value::Text((low == 21).to_string())),
            22 | 23 => Item::Nothing,
            25 => {
                self.take(2)?;
                Item::Nothing
            }
            26 => number(f64::from(f32::from_be_bytes(self.take(4)?.try_into().ok()?))),
            27 => number(f64::from_be_bytes(self.take(8)?.try_into().ok()?)),
            31 => Item::Break,
            _ => return None,
        })
    }

    fn bytes(&mut self, major: u8, length: Option<u64>) -> Option<Vec<u8>> {
        if let Some(length) = length {
            return self.take(usize::try_from(length).ok()?).map(<[u8]>::to_vec);
        }
        let mut bytes = Vec::new();
        loop {
            match self.take(1)?[0] {
                0xff => return Some(bytes),
                head if head >> 5 == major => {
                    let length = self.argument(head & 31)??;
                    bytes.extend(self.take(usize::try_from(length).ok()?)?);
                }
                _ => return None,
            }
        }
    }

    fn list(&mut self, length: Option<u64>, depth: usize) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        let mut count = 0;
        while length.is_none_or(|length| count < length) {
            match self.item(depth + 1)? {
                Item::Value(value) => items.push(value),
                Item::Nothing => {}
                Item::Break if length.is_none() => break,
                Item::Break => return None,
            }
            count += 1;
        }
        Some(items)
    }

    fn map(&mut self, length: Option<u64>, depth: usize) -> Option<BTreeMap<String, Value>> {
        let mut members = BTreeMap::new();
        let mut count = 0;
        while length.is_none_or(|length| count < length) {
            let name = match self.item(depth + 1)? {
                Item::Value(Value::Text(name)) => name,
                Item::Break if length.is_none() => break,
                _ => return None,
            };
            match self.item(depth + 1)? {
                // Which of two counts is the server's secret.
                Item::Value(_) if members.contains_key(&name) => return None,
                Item::Value(value) => drop(members.insert(name, value)),
                Item::Nothing => {}
                Item::Break => return None,
            }
            count += 1;
        }
        Some(members)
    }
}
