//! One request that is authenticated and taken apart, on its way to its operation.

use crate::decode::Decode;
use crate::encode::Output;
use crate::{ApiError, Dialect, FormProtocol, Params};

/// What a service's `dispatch` is given.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    action: String,
    params: Params,
    protocol: FormProtocol,
    request_id: &'a str,
}

impl<'a> Call<'a> {
    /// The call that a request's parameters ask for.
    ///
    /// # Errors
    ///
    /// `MissingAction`, if they name none; `InvalidAction`, if they are for another version of a query service's
    /// API. (The older Elastic Load Balancing has the same name in signatures, and is told apart by nothing
    /// else. EC2 takes all its versions for one, since what they have in common is spelled alike.)
    pub fn new(protocol: FormProtocol, params: Params, request_id: &'a str) -> Result<Self, ApiError> {
        let action = params.get("Action").unwrap_or_default().to_owned();
        if action.is_empty() {
            return Err(ApiError::new("MissingAction", "The request must contain the parameter Action"));
        }
        let version = params.get("Version").unwrap_or("NO_VERSION_SPECIFIED");
        if protocol.dialect == Dialect::Query && version != protocol.version {
            return Err(invalid_action(protocol.dialect, &action, version));
        }
        Ok(Self { action, params, protocol, request_id })
    }

    /// The operation's name, as `DescribeVpcs`; whether there is one of this name shows in the answer.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Decodes the input, runs the operation, spells its output.
    pub(crate) fn answer<I: Decode, O: Output>(
        self,
        operation: impl FnOnce(I) -> Result<O, ApiError>,
    ) -> Result<String, ApiError> {
        let dialect = self.protocol.dialect;
        let input =
            I::decode(self.params.into_input(), dialect).map_err(|fault| fault.into_error(dialect))?;
        let output = operation(input)?;
        Ok(self.protocol.answer(&self.action, self.request_id, |xml| output.members(xml)))
    }

    /// The service has no such operation.
    pub fn unknown_action(&self) -> ApiError {
        invalid_action(self.protocol.dialect, &self.action, self.protocol.version)
    }
}

/// Makes a service's `dispatch` of the table of its operations; and for tests, a service that writes down what it
/// is asked and answers with samples, and a way to send every operation's input there and its output back.
macro_rules! operations {
    ($service:ident { $($action:literal => $method:ident($input:ty) -> $output:ty,)* }) => {
        /// Calls the operation that the call names.
        ///
        /// # Errors
        ///
        /// The operation's own, and AWS's for parameters that cannot be its input and for unknown actions.
        pub fn dispatch<S: $service>(service: &S, cx: &S::Context, call: Call<'_>) -> Result<String, ApiError> {
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
        pub(crate) const ROUND_TRIPS: &[(&str, crate::tests::RoundTrip)] =
            &[$(($action, crate::tests::round_trip::<$input, $output>),)*];
    };
}
pub(crate) use operations;

fn invalid_action(dialect: Dialect, action: &str, version: &str) -> ApiError {
    let message = match dialect {
        Dialect::Ec2 => format!("The action {action} is not valid for this web service."),
        Dialect::Query => format!("Could not find operation {action} for version {version}"),
    };
    ApiError::new("InvalidAction", message)
}
