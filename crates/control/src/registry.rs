//! How a service's operations are listed.

/// Implements a service's generated trait for `Control`: a line an operation, which names the function that
/// does it. Here, and only here, errors become AWS's.
macro_rules! operations {
    ($service:path { $($name:ident($input:ty) -> $output:ty = $function:path;)* }) => {
        impl $service for crate::Control {
            type Context = crate::Caller;
            $(
                fn $name(
                    &self,
                    caller: &crate::Caller,
                    input: $input,
                ) -> Result<$output, linkway_wire::ApiError> {
                    Ok($function(self, caller, input)?)
                }
            )*
        }
    };
}
pub(crate) use operations;
