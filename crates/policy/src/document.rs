//! A policy document as it was written: every element with its place, nothing interpreted yet.

use crate::error::Position;
use crate::operators::Operator;

/// Something and where it begins in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub value: T,
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2008-10-17`, also what a document without a `Version` has: `${…}` is text like any other.
    V2008,
    /// `2012-10-17`: `${…}` is a policy variable.
    V2012,
}

/// A whole document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The language's version; `V2008` where the document has none.
    pub version: Version,
    /// The policy's own name, which nothing reads.
    pub id: Option<String>,
    /// The statements, in the document's order. Never empty.
    pub statements: Vec<Statement>,
}

/// What a statement does with the requests it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Lets them pass, unless another statement denies them.
    Allow,
    /// Denies them, whatever the other statements say.
    Deny,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where its opening brace is.
    pub at: Position,
    /// Its name, if it has one.
    pub sid: Option<At<String>>,
    /// Allow or deny.
    pub effect: Effect,
    /// Who: `Principal` or `NotPrincipal`.
    pub principal: Principals,
    /// What is done: `Action` or `NotAction`.
    pub action: Values,
    /// To what: `Resource` or `NotResource`.
    pub resource: Values,
    /// `Condition`: all must hold.
    pub conditions: Vec<Condition>,
}

/// `Action`, `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// Where the element's name is.
    pub at: Position,
    /// `true` for the `Not…` form, which matches what no value matches.
    pub negated: bool,
    /// The values, with their wildcards and variables.
    pub values: Vec<At<String>>,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principals {
    /// Where the element's name is.
    pub at: Position,
    /// `true` for `NotPrincipal`.
    pub negated: bool,
    /// The principals named. The short form `"*"` is one of type [`PrincipalType::Aws`] that reads `*`.
    pub named: Vec<NamedPrincipal>,
}

/// One principal that a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPrincipal {
    /// The member it stands under.
    pub kind: PrincipalType,
    /// The account, ARN, host name, provider or canonical user id.
    pub value: At<String>,
}

/// The members that a `Principal` can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalType {
    /// `AWS`: accounts, users, roles, sessions, or everyone.
    Aws,
    /// `Service`: an AWS service, by its host name.
    Service,
    /// `Federated`: an identity provider.
    Federated,
    /// `CanonicalUser`: an account, by S3's obfuscated id.
    CanonicalUser,
}

impl PrincipalType {
    /// The member's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Service => "Service",
            Self::Federated => "Federated",
            Self::CanonicalUser => "CanonicalUser",
        }
    }
}

/// One operator with one key: `"StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The operator and where it is.
    pub operator: At<Operator>,
    /// The key as written and where it is.
    pub key: At<String>,
    /// The values, of which one must match; numbers and Booleans as text.
    pub values: Vec<At<String>>,
}
