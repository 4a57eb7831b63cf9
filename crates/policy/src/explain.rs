//! Why a statement is or is not about a request.

use std::fmt;

use crate::compile::CompiledStatement;
use crate::condition::CompiledCondition;
use crate::context::Context;
use crate::decision::Decision;
use crate::document::{At, Condition, Effect, Principals, Statement, Values};
use crate::error::Position;
use crate::operators::{Quantifier, Test};
use crate::policy::Policy;
use crate::request::{PrincipalKind, Request};

/// A decision, statement by statement.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Every statement, in the document's order.
    pub statements: Vec<StatementExplanation>,
}

/// Whether one statement is about the request, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementExplanation {
    /// Its index, from 0.
    pub index: usize,
    /// Its name, if it has one.
    pub sid: Option<String>,
    /// What it does with the requests it matches.
    pub effect: Effect,
    /// Where it begins.
    pub at: Position,
    /// The elements that did not match; empty if the statement is about the request.
    pub mismatches: Vec<Mismatch>,
}

/// An element that did not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// `Action`, `NotPrincipal`, `Condition StringEquals aws:SourceVpc`.
    pub element: String,
    /// Where it is.
    pub at: Position,
    /// A sentence without a full stop.
    pub why: String,
}

impl Policy {
    /// Decides on a request and tells, for every statement, what did not match. Much slower than
    /// [`evaluate`](Self::evaluate), with the same decision.
    #[must_use]
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        let statements = self.document.statements.iter().zip(&self.statements).enumerate();
        let statements = statements.map(|(index, (written, compiled))| StatementExplanation {
            index,
            sid: written.sid.as_ref().map(|sid| sid.value.clone()),
            effect: written.effect,
            at: written.at,
            mismatches: mismatches(written, compiled, request),
        });
        Explanation { decision: self.evaluate(request), statements: statements.collect() }
    }
}

fn mismatches(written: &Statement, compiled: &CompiledStatement, request: &Request<'_>) -> Vec<Mismatch> {
    let mut found = Vec::new();
    if !compiled.principal.matches(&request.principal) {
        found.push(principal(&written.principal, request));
    }
    if !compiled.action.matches(request.action) {
        found.push(values(&written.action, "Action", request.action, String::new()));
    }
    if !compiled.resource.matches(request.resource, request.context) {
        let lacking = no_value(compiled.resource.unresolved(request.context));
        found.push(values(&written.resource, "Resource", request.resource, lacking));
    }
    for (written, compiled) in written.conditions.iter().zip(&compiled.conditions) {
        if !compiled.holds(request.context) {
            found.push(condition(written, compiled, request.context));
        }
    }
    found
}

fn principal(written: &Principals, request: &Request<'_>) -> Mismatch {
    let caller = match (request.principal.arn, request.principal.kind) {
        (Some(arn), _) => arn.to_owned(),
        (None, PrincipalKind::Anonymous) => "the caller is anonymous and".to_owned(),
        (None, _) => "the caller has no ARN and".to_owned(),
    };
    let named: Vec<String> =
        written.named.iter().map(|named| format!("{} {:?}", named.kind.name(), named.value.value)).collect();
    let (element, why) = match written.negated {
        true => ("NotPrincipal", format!("{caller} is among {}", named.join(", "))),
        false if named.is_empty() => ("Principal", "it names nobody".to_owned()),
        false => ("Principal", format!("{caller} is not {}", named.join(" or "))),
    };
    Mismatch { element: element.to_owned(), at: written.at, why }
}

fn values(written: &Values, name: &str, asked: &str, lacking: String) -> Mismatch {
    let list = list(&written.values);
    let (element, why) = match written.negated {
        true if !lacking.is_empty() => {
            (format!("Not{name}"), format!("nobody knows whether {asked} is among {list}{lacking}"))
        }
        true => (format!("Not{name}"), format!("{asked} matches {list}")),
        false => (name.to_owned(), format!("{asked} does not match {list}{lacking}")),
    };
    Mismatch { element, at: written.at, why }
}

fn condition(written: &Condition, compiled: &CompiledCondition, context: &Context<'_>) -> Mismatch {
    let operator = written.operator.value;
    let key = &written.key.value;
    let value = context.find(compiled.key()).filter(|value| value.len() > 0);
    let why = match value {
        None if operator.test == Test::Null => format!("the request has no {key}"),
        None => format!("the request has no {key}; wanted: {}", list(&written.values)),
        Some(_) if operator.test == Test::Null => format!("the request has {key}"),
        Some(value) => {
            let has: Vec<String> = value.iter().map(|value| format!("{value:?}")).collect();
            let wanted = if operator.negated { "must not be" } else { "wanted" };
            let lacking = no_value(compiled.unresolved(context));
            let several = match (has.len(), operator.quantifier) {
                (2.., Quantifier::Single) => {
                    "; for a key with several values use ForAllValues or ForAnyValue"
                }
                _ => "",
            };
            format!(
                "the request has {}; {wanted}: {}{lacking}{several}",
                has.join(", "),
                list(&written.values)
            )
        }
    };
    Mismatch { element: format!("Condition {operator} {key}"), at: written.key.at, why }
}

/// Values as a policy would have them.
fn list(values: &[At<String>]) -> String {
    if values.is_empty() {
        return "nothing, the list is empty".to_owned();
    }
    let values: Vec<String> = values.iter().map(|value| format!("{:?}", value.value)).collect();
    values.join(" or ")
}

/// The reason that is easily overlooked: a variable that the request has nothing for.
fn no_value<'a>(variables: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = variables.collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" (the request has no single value for {})", names.join(", ")),
    }
}

impl fmt::Display for StatementExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index)?;
        if let Some(sid) = &self.sid {
            write!(f, " ({sid})")?;
        }
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        write!(f, ", {effect}: ")?;
        if self.mismatches.is_empty() {
            return f.write_str("matches");
        }
        f.write_str("does not match")?;
        for Mismatch { element, at, why } in &self.mismatches {
            write!(f, "\n  {element} ({at}): {why}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.decision.verdict)?;
        self.statements.iter().try_for_each(|statement| write!(f, "\n{statement}"))
    }
}
