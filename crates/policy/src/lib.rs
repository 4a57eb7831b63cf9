//! The JSON policy language of AWS IAM, as VPC endpoint policies use it: parse, validate, evaluate, explain.
//!
//! ```
//! use linkway_policy::{Context, Policy, Principal, PrincipalKind, Request, Verdict};
//!
//! let policy = Policy::parse(
//!     r#"{
//!       "Version": "2012-10-17",
//!       "Statement": {
//!         "Effect": "Allow",
//!         "Principal": "*",
//!         "Action": "rds:Describe*",
//!         "Resource": "*",
//!         "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0a1b2c3d"}}
//!       }
//!     }"#,
//! )?;
//!
//! let mut context = Context::new();
//! context.insert("aws:SourceVpc", "vpc-0a1b2c3d");
//! let request = Request {
//!     principal: Principal {
//!         kind: PrincipalKind::User,
//!         arn: Some("arn:aws:iam::111122223333:user/alice"),
//!         account: Some("111122223333"),
//!         canonical_user: None,
//!     },
//!     action: "rds:DescribeDBInstances",
//!     resource: "arn:aws:rds:us-east-1:111122223333:db:*",
//!     resource_account: Some("111122223333"),
//!     context: &context,
//! };
//!
//! let decision = policy.evaluate(&request);
//! assert_eq!(decision.verdict, Verdict::Allow);
//! assert_eq!(decision.statements.iter().collect::<Vec<_>>(), [0]);
//!
//! let other = Request { action: "rds:DeleteDBInstance", ..request };
//! println!("{}", policy.explain(&other)); // which element of which statement did not match, and why
//! # Ok::<(), linkway_policy::ParseError>(())
//! ```
//!
//! # The language
//!
//! Everything in the IAM User Guide's reference of policy elements: both versions, `Principal` and
//! `NotPrincipal` in all forms, `Action` and `NotAction`, `Resource` and `NotResource`, all condition
//! operators with `IfExists`, `ForAllValues:` and `ForAnyValue:`, policy variables with defaults, wildcards.
//! Where the guide is silent:
//!
//! - a negated operator is the negation of its opposite: a value that is no number is `NumericNotEquals`
//!   to any, a variable without a value equals nothing;
//! - a key with several values under an operator without a prefix: all of them must pass;
//! - a key with an empty list of values is absent, for `Null` too; one with an empty string is there;
//! - `ForAnyValue:…IfExists` with an absent key is false;
//! - an empty string is no value for a variable;
//! - a `NotResource` with a variable without a value: the statement does not apply;
//! - numbers have no exponent and no spaces;
//! - variables before an ARN's fifth colon are text;
//! - the names of roles and users are compared with their case.
//!
//! An element or member that the language does not have is an error, and so is one that is there twice.
//! Names of elements have their case; operators, keys and actions do not.
//!
//! # Speed
//!
//! [`Policy::parse`] compiles; [`Policy::evaluate`] allocates nothing but for `StringEqualsIgnoreCase` with
//! variables or beyond ASCII, and takes a few hundred nanoseconds for a policy of four statements (`cargo bench`). No
//! pattern takes exponential time.
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
pub use decision::{Decision, Statements, Verdict};
pub use error::{ParseError, ParseErrorKind, Position};
pub use explain::{Explanation, Mismatch, StatementExplanation};
pub use operators::{Comparison, Operator, Quantifier, Test};
pub use parse::MAX_CHARACTERS;
pub use policy::{DEFAULT_POLICY, Policy};
pub use request::{Principal, PrincipalKind, Request};
pub use validate::{Finding, Severity};
