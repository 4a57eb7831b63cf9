//! JSON bodies.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result as Written};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Value;

/// Reads JSON; `None` if it is not, or if an object has two members of one name: which counts is the server's
/// secret.
pub(crate) fn read(body: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Json>(body).ok()?.0
}

/// A value; `None` for `null`, which is as if it were not there.
struct Json(Option<Value>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

fn text<E>(value: impl Display) -> Result<Json, E> {
    Ok(Json(Some(Value::Text(value.to_string()))))
}

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> Written {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json(None))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        text(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        text(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        text(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        text(serde_json::Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        text(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut found = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            found.extend(item);
        }
        Ok(Json(Some(Value::List(found))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut found = BTreeMap::new();
        while let Some((name, Json(value))) = members.next_entry::<String, _>()? {
            if found.insert(name, value).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
        }
        let given = found.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Ok(Json(Some(Value::Map(given.collect()))))
    }
}
