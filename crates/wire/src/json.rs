//! JSON 1.1: a header names the operation, JSON goes in and out.
//!
//! Source: the Smithy specification, "AWS JSON 1.1 protocol".

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::JsonProtocol;
use crate::{ApiError, Blob};

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_base64(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no base64"))
    }
}

/// Moments as seconds since 1970.
pub(crate) mod seconds {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(moment: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => to.serialize_f64(moment.as_millisecond() as f64 / 1000.0),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let Some(seconds) = Option::<f64>::deserialize(from)? else { return Ok(None) };
        Timestamp::from_millisecond((seconds * 1000.0).round() as i64).map(Some).map_err(D::Error::custom)
    }
}

/// One request that is authenticated, on its way to its operation.
#[derive(Clone, Copy, Debug)]
pub struct JsonCall<'a> {
    action: &'a str,
    body: &'a [u8],
}

/// An operation's input.
pub(crate) trait Input: DeserializeOwned {
    /// Members that the model requires, as their name is in messages, and whether they are absent.
    fn required(&self) -> Vec<(&'static str, bool)>;
}

impl<'a> JsonCall<'a> {
    /// The call that a request's `X-Amz-Target` and body are.
    ///
    /// # Errors
    ///
    /// If the header is not there, or names another service's operation.
    pub fn new(protocol: JsonProtocol, target: Option<&'a str>, body: &'a [u8]) -> Result<Self, ApiError> {
        let operation = |target: &'a str| target.strip_prefix(protocol.target)?.strip_prefix('.');
        let action = target.and_then(operation).ok_or_else(unknown_operation)?;
        Ok(Self { action, body })
    }

    /// The operation's name.
    pub fn action(&self) -> &str {
        self.action
    }

    /// Decodes the input, runs the operation, spells its output.
    pub(crate) fn answer<I: Input, O: Serialize>(
        self,
        operation: impl FnOnce(I) -> Result<O, ApiError>,
    ) -> Result<String, ApiError> {
        let body = if self.body.is_empty() { b"{}" } else { self.body };
        let input: I = serde_json::from_slice(body)
            .map_err(|error| ApiError::new("SerializationException", error.to_string()))?;
        if let Some((name, _)) = input.required().into_iter().find(|(_, absent)| *absent) {
            return Err(ApiError::new(
                "ValidationException",
                format!(
                    "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must \
                     not be null"
                ),
            ));
        }
        let text = serde_json::to_string(&operation(input)?).map_err(|_| ApiError::internal())?;
        // An operation without output answers with nothing.
        Ok(if text == "null" { String::new() } else { text })
    }

    /// The service has no such operation.
    pub(crate) fn unknown_action(&self) -> ApiError {
        unknown_operation()
    }
}

fn unknown_operation() -> ApiError {
    ApiError::new("UnknownOperationException", "The requested operation is not recognized by the service.")
}

/// Makes a service's `dispatch` of the table of its operations; and for tests, a service that writes down what it
/// is asked and answers with samples, and a way to send every operation's input there and its output back.
macro_rules! json_operations {
    ($service:ident { $($action:literal => $method:ident($input:ty) -> $output:ty,)* }) => {
        /// Calls the operation that the call names.
        ///
        /// # Errors
        ///
        /// The operation's own, and AWS's for what cannot be its input and for unknown operations.
        pub fn dispatch<S: $service>(
            service: &S,
            cx: &S::Context,
            call: crate::json::JsonCall<'_>,
        ) -> Result<String, ApiError> {
            match call.action() {
                $($action => call.answer(|input| service.$method(cx, input)),)*
                _ => Err(call.unknown_action()),
            }
        }

        #[cfg(test)]
        impl $service for crate::tests::Sampler {
            type Context = std::cell::RefCell<String>;

            $(fn $method(&self, asked: &Self::Context, input: $input) -> Result<$output, ApiError> {
                *asked.borrow_mut() = format!("{input:?}");
                Ok(crate::tests::Drawn::draw(&mut crate::tests::Draw::Sample))
            })*
        }

        #[cfg(test)]
        pub(crate) const ROUND_TRIPS: &[(&str, crate::tests::JsonRoundTrip)] =
            &[$(($action, crate::tests::json_round_trip::<$input, $output>),)*];
    };
}
pub(crate) use json_operations;

/// Whether a member has the value of one that was not given.
pub(crate) fn is_absent<T: Default + PartialEq>(member: &T) -> bool {
    *member == T::default()
}

/// Says which members of an operation's input it cannot be without.
macro_rules! json_input {
    ($ty:ident requires [$($field:ident: $name:literal),*]) => {
        impl crate::json::Input for $ty {
            fn required(&self) -> Vec<(&'static str, bool)> {
                vec![$(($name, crate::json::is_absent(&self.$field))),*]
            }
        }
    };
}
pub(crate) use json_input;

/// For tests, values of a structure.
macro_rules! json_sample {
    ($ty:ident { $($field:ident,)* }) => {
        #[cfg(test)]
        impl crate::tests::Drawn for $ty {
            fn draw(_draw: &mut crate::tests::Draw) -> Self {
                Self { $($field: crate::tests::Drawn::draw(_draw),)* }
            }
        }
    };
}
pub(crate) use json_sample;
