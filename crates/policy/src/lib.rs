#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod arn;
mod compile;
mod condition;
mod context;
mod date;
mod decision;
pub mod document;
mod error;
mod explain;
mod json;
mod keys;
mod network;
mod number;
mod operators;
mod parse;
mod pattern;
mod policy;
mod principal;
mod request;
mod validate;
mod variables;

pub use compile::action_matches;
pub use context::{Context, ContextValue};
pub use decision::{Decision, PolicyType, Statements, Verdict};
pub use error::{ParseError, ParseErrorKind, Position};
pub use explain::{Explanation, Mismatch, StatementExplanation};
pub use operators::{Comparison, Operator, Quantifier, Test};
pub use parse::MAX_CHARACTERS;
pub use policy::{DEFAULT_POLICY, Policy};
pub use request::{Principal, PrincipalKind, Request, UnknownPrincipalKind};
pub use validate::{Actions, AnyActions, Finding, Severity};
