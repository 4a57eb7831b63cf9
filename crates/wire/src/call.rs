//! One request that is authenticated and taken apart, on its way to its operation.

use crate::decode::Decode;
use crate::encode::Output;
use crate::{ApiError, Dialect, Params, Protocol};

/// What a service's `dispatch` is given.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub(crate) action: &'a str,
    params: Params,
    protocol: Protocol,
    request_id: &'a str,
}

impl<'a> Call<'a> {
    /// A call of `action` (the parameter `Action`) with the request's parameters.
    pub fn new(protocol: Protocol, action: &'a str, params: Params, request_id: &'a str) -> Self {
        Self { action, params, protocol, request_id }
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
        Ok(self.protocol.answer(self.action, self.request_id, |xml| output.members(xml)))
    }

    /// The service has no such operation.
    pub(crate) fn unknown_action(&self) -> ApiError {
        let Self { action, protocol, .. } = self;
        ApiError::new(
            "InvalidAction",
            match protocol.dialect {
                Dialect::Ec2 => format!("The action {action} is not valid for this web service."),
                Dialect::Query => {
                    format!("Could not find operation {action} for version {}", protocol.version)
                }
            },
        )
    }
}
