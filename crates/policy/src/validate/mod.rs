//! What is wrong with a policy that can be read: values that can match nothing, statements that never apply,
//! and constructions that AWS refuses or warns of.

mod actions;
mod conditions;
mod contradictions;
mod principals;
mod reach;
mod resources;

use std::fmt;

use crate::document::{At, Statement, Version};
use crate::error::Position;
use crate::policy::Policy;
use crate::variables::{self, Fault};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The policy does what it says, but probably not what its author meant.
    Warning,
    /// A part of the policy has no effect, or not the one it seems to have.
    Error,
}

/// What is known of the actions that exist.
pub trait Actions {
    /// Whether some action matches a value of `Action`, wildcards and all. Not asked for `*`.
    /// [`action_matches`](crate::action_matches) helps.
    fn exists(&self, pattern: &str) -> bool;

    /// The actions that match a value of `Action`, to name one in the place of one that does not exist. None where
    /// they are not known.
    fn matching(&self, _pattern: &str) -> Vec<String> {
        Vec::new()
    }

    /// Whether some action that matches a value of `Action` can be about a resource that matches a value of
    /// `Resource`: `s3:GetObject` is never about `arn:aws:sqs:…`, nor `s3:ListAllMyBuckets` about anything but `*`.
    /// `true` where that is not known.
    fn is_about(&self, _pattern: &str, _resource: &str) -> bool {
        true
    }
}

/// Knows no actions, so that every one may exist.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyActions;

impl Actions for AnyActions {
    fn exists(&self, _pattern: &str) -> bool {
        true
    }
}

/// Something wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for the sort of finding, for example `unknown-action`.
    pub code: &'static str,
    /// Where it is.
    pub at: Position,
    /// The statement's index, from 0; `None` if it is about the whole policy.
    pub statement: Option<usize>,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}[{}]: {} ({}); {}", self.code, self.message, self.at, self.hint)
    }
}

impl Policy {
    /// Looks for mistakes that the grammar lets pass, in the document's order.
    ///
    /// `actions` is what is known of the actions that exist: [`AnyActions`], if nothing is.
    pub fn validate(&self, actions: &dyn Actions) -> Vec<Finding> {
        let version = self.document.version;
        let mut findings = Findings::default();
        for (index, statement) in self.document.statements.iter().enumerate() {
            findings.statement = Some(index);
            check_sid(&self.document.statements[..index], statement, &mut findings);
            principals::check(statement, &mut findings);
            actions::check(&statement.action, &statement.resource, actions, &mut findings);
            resources::check(&statement.resource, version, &mut findings);
            conditions::check(statement, version, &mut findings);
        }
        reach::check(self, actions, &mut findings);
        findings.found.sort_by_key(|finding| finding.at);
        findings.found
    }
}

/// The findings so far, and the statement that is being looked at.
#[derive(Default)]
struct Findings {
    found: Vec<Finding>,
    statement: Option<usize>,
}

impl Findings {
    fn error(
        &mut self,
        code: &'static str,
        at: Position,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Error, code, at, message.into(), hint.into());
    }

    fn warn(
        &mut self,
        code: &'static str,
        at: Position,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, at, message.into(), hint.into());
    }

    fn add(&mut self, severity: Severity, code: &'static str, at: Position, message: String, hint: String) {
        self.found.push(Finding { severity, code, at, statement: self.statement, message, hint });
    }
}

fn check_sid(earlier: &[Statement], statement: &Statement, findings: &mut Findings) {
    let Some(sid) = &statement.sid else { return };
    let same = |other: &Statement| other.sid.as_ref().is_some_and(|other| other.value == sid.value);
    if !sid.value.is_empty() && earlier.iter().any(same) {
        let message = format!("two statements have the Sid {:?}", sid.value);
        findings.error("duplicate-sid", sid.at, message, "give each its own, or none");
    }
}

/// Checks the variables of a value of which `text` is the part that can have them.
fn check_variables(value: &At<String>, text: &str, version: Version, findings: &mut Findings) {
    if !text.contains("${") {
        return;
    }
    if version == Version::V2008 {
        let message = format!("{:?} is taken literally: this version has no policy variables", value.value);
        findings.warn("variable-is-text", value.at, message, "add \"Version\": \"2012-10-17\"");
        return;
    }
    for fault in variables::split(text).1 {
        let (what, hint) = match fault {
            Fault::MissingBrace => ("has no closing brace", "close it: ${aws:username}"),
            Fault::Empty => ("names no key", "for example ${aws:username}"),
            Fault::BadDefault => (
                "has a default that is not in single quotation marks",
                "for example ${aws:username, 'nobody'}",
            ),
            Fault::BadKey => ("has a character that no key has", "for example ${aws:PrincipalTag/team}"),
        };
        let message = format!("a variable in {:?} {what}, so it is taken literally", value.value);
        findings.error("broken-variable", value.at, message, hint);
    }
}
