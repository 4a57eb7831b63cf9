//! All that reads what strangers send, each as one function of bytes.
//!
//! None of these functions may panic, whatever the bytes: that is what they are for. Where more than that must hold
//! for any input, the function panics itself if it does not. `fuzz/` gives them inputs of its own invention, and
//! the test `corpus` those under `fuzz/corpus/`, which are what fuzzing found worth keeping.
//!
//! | target | the bytes are |
//! |---|---|
//! | [`api()`] | a script of calls, a line each, on a control plane of its own |
//! | [`signature()`] | an HTTP request, to be verified |
//! | [`action()`] | an HTTP request, of which action and resources are asked for |
//! | [`policy()`] | a policy, and a request that it decides on |
//! | [`text()`] | an identifier, an ARN, a range of addresses, a name |
//! | [`client_hello()`] | the beginning of a connection with TLS |
//! | [`aws_chunked()`] | a body in the encoding `aws-chunked` |
//! | [`proxy_header()`] | two addresses and ports |
//! | [`dns()`] | a DNS message |
#![forbid(unsafe_code)]

mod action;
mod api;
mod dns;
mod gateway;
mod http;
mod policy;
mod signature;
mod text;

pub use action::action;
pub use api::api;
pub use dns::dns;
pub use gateway::{aws_chunked, client_hello, proxy_header};
pub use policy::policy;
pub use signature::signature;
pub use text::text;

/// Reads what a stranger sent. Panics where that is a fault.
pub type Target = fn(&[u8]);

/// Every target under its name, which is also the name of its corpus.
pub const TARGETS: [(&str, Target); 9] = [
    ("action", action),
    ("api", api),
    ("aws_chunked", aws_chunked),
    ("client_hello", client_hello),
    ("dns", dns),
    ("policy", policy),
    ("proxy_header", proxy_header),
    ("signature", signature),
    ("text", text),
];
