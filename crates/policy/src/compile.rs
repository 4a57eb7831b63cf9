//! From a [`Document`] to what evaluates fast: names folded and hashed, numbers, dates and networks read,
//! wildcards and variables taken apart.

use crate::arn::ResourcePattern;
use crate::condition::{CompiledCondition, unresolved};
use crate::context::Context;
use crate::document::{Document, Effect, Statement, Values, Version};
use crate::pattern::{Pattern, Token};
use crate::principal::PrincipalMatcher;
use crate::request::Request;

/// A statement, ready to be matched.
#[derive(Clone, Debug)]
pub(crate) struct CompiledStatement {
    pub(crate) effect: Effect,
    pub(crate) principal: PrincipalMatcher,
    pub(crate) action: ActionMatcher,
    pub(crate) resource: ResourceMatcher,
    /// In the order of the document's.
    pub(crate) conditions: Box<[CompiledCondition]>,
}

/// `Action` or `NotAction`.
#[derive(Clone, Debug)]
pub(crate) struct ActionMatcher {
    negated: bool,
    patterns: Box<[Pattern]>,
}

/// `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(crate) struct ResourceMatcher {
    negated: bool,
    has_variables: bool,
    patterns: Box<[ResourcePattern]>,
}

pub(crate) fn document(document: &Document) -> Box<[CompiledStatement]> {
    let variables = document.version == Version::V2012;
    document.statements.iter().map(|statement| CompiledStatement::new(statement, variables)).collect()
}

impl CompiledStatement {
    fn new(statement: &Statement, variables: bool) -> Self {
        let Statement { effect, principal, action, resource, conditions, .. } = statement;
        Self {
            effect: *effect,
            principal: PrincipalMatcher::new(principal.negated, &principal.named),
            action: ActionMatcher::new(action),
            resource: ResourceMatcher::new(resource, variables),
            conditions: conditions.iter().map(|c| CompiledCondition::new(c, variables)).collect(),
        }
    }

    /// Whether the statement is about this request.
    pub(crate) fn matches(&self, request: &Request<'_>) -> bool {
        self.action.matches(request.action)
            && self.resource.matches(request.resource, request.context)
            && self.principal.matches(&request.principal)
            && self.conditions.iter().all(|condition| condition.holds(request.context))
    }

    /// Whether the statement is about this request, whatever the resource.
    pub(crate) fn matches_but_resource(&self, request: &Request<'_>) -> bool {
        self.action.matches(request.action)
            && self.principal.matches(&request.principal)
            && self.conditions.iter().all(|condition| condition.holds(request.context))
    }
}

impl ActionMatcher {
    fn new(values: &Values) -> Self {
        let patterns = values.values.iter().map(|value| action_pattern(&value.value)).collect();
        Self { negated: values.negated, patterns }
    }

    pub(crate) fn matches(&self, action: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches_ignoring_case(action)) != self.negated
    }

    /// Whether it matches every action.
    pub(crate) fn is_any(&self) -> bool {
        !self.negated && self.patterns.iter().any(Pattern::is_any)
    }
}

impl ResourceMatcher {
    fn new(values: &Values, variables: bool) -> Self {
        let patterns: Box<[ResourcePattern]> =
            values.values.iter().map(|value| ResourcePattern::new(&value.value, variables)).collect();
        let is_variable = |token: &Token| matches!(token, Token::Variable(_));
        let has_variables = patterns.iter().flat_map(ResourcePattern::tokens).any(is_variable);
        Self { negated: values.negated, has_variables, patterns }
    }

    pub(crate) fn matches(&self, resource: &str, context: &Context<'_>) -> bool {
        if self.negated && self.has_variables && self.unresolved(context).next().is_some() {
            // Nobody knows what such a `NotResource` leaves out: AWS takes the statement for invalid.
            return false;
        }
        self.patterns.iter().any(|pattern| pattern.matches(resource, context)) != self.negated
    }

    /// The variables that this request has nothing for.
    pub(crate) fn unresolved<'a>(&'a self, context: &'a Context<'_>) -> impl Iterator<Item = &'a str> {
        unresolved(self.patterns.iter().flat_map(ResourcePattern::tokens), context)
    }

    /// Whether it matches every resource.
    pub(crate) fn is_any(&self) -> bool {
        !self.negated && self.patterns.iter().any(ResourcePattern::is_any)
    }
}

/// An action with its wildcards; actions are the same in any case.
pub(crate) fn action_pattern(text: &str) -> Pattern {
    Pattern::wild(&text.to_ascii_lowercase())
}

/// Whether an action matches a value of `Action`, in any case: `action_matches("s3:Get*", "s3:GetObject")`.
#[must_use]
pub fn action_matches(pattern: &str, action: &str) -> bool {
    action_pattern(pattern).matches_ignoring_case(action)
}
