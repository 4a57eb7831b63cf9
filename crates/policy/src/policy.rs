//! A policy: its document, and the same compiled.

use crate::compile::{self, CompiledStatement};
use crate::decision::{Decision, Statements, Verdict};
use crate::document::{Document, Effect};
use crate::error::ParseError;
use crate::parse::{self, Form};
use crate::request::Request;

/// A policy that can be asked.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) document: Document,
    pub(crate) statements: Box<[CompiledStatement]>,
}

/// The policy that AWS gives to an endpoint for which none was written: full access.
pub const DEFAULT_POLICY: &str =
    r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

impl Policy {
    /// Reads and compiles an endpoint policy.
    ///
    /// # Errors
    ///
    /// If the text is too long, not JSON, or not a policy. Values that no request can match are no error
    /// here: [`validate`](Self::validate) finds them.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::read(text, Form::Endpoint)
    }

    /// Reads and compiles a policy of a user, a group, a role or a session: its statements name no principal, and
    /// are about whoever asks. How long it may be depends on whose it is, and is not checked; nor is whether each
    /// statement says what is done and to what, since IAM says so after other things: what lacks it matches nothing.
    ///
    /// # Errors
    ///
    /// If the text is not JSON or not such a policy.
    pub fn parse_identity(text: &str) -> Result<Self, ParseError> {
        Self::read(text, Form::Identity)
    }

    /// Reads and compiles a role's trust policy: its statements name no resource, and are about the role. How long
    /// it may be is not checked.
    ///
    /// # Errors
    ///
    /// If the text is not JSON or not such a policy.
    pub fn parse_trust(text: &str) -> Result<Self, ParseError> {
        Self::read(text, Form::Trust)
    }

    fn read(text: &str, form: Form) -> Result<Self, ParseError> {
        let document = parse::document(text, form)?;
        let statements = compile::document(&document);
        Ok(Self { document, statements })
    }

    /// The document as it was written.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Whether some statement allows everyone everything and none denies anything.
    #[must_use]
    pub fn is_full_access(&self) -> bool {
        let full = |statement: &CompiledStatement| {
            statement.principal.is_everyone()
                && statement.action.is_any()
                && statement.resource.is_any()
                && statement.conditions.is_empty()
        };
        self.statements.iter().all(|statement| statement.effect == Effect::Allow)
            && self.statements.iter().any(full)
    }

    /// Decides on a request whose resource nobody knows, as if it were the one that is worst for it: only a
    /// statement about any resource allows it, and one about some resource denies it.
    #[must_use]
    pub fn evaluate_unknown_resource(&self, request: &Request<'_>) -> Decision {
        self.decide(|statement| {
            (statement.effect == Effect::Deny || statement.resource.is_any())
                && statement.matches_but_resource(request)
        })
    }

    /// Decides on a request. One Deny that matches is enough to deny it, one Allow to allow it.
    #[must_use]
    pub fn evaluate(&self, request: &Request<'_>) -> Decision {
        self.decide(|statement| statement.matches(request))
    }

    fn decide(&self, matches: impl Fn(&CompiledStatement) -> bool) -> Decision {
        let (mut allows, mut denies) = (Statements::default(), Statements::default());
        for (index, statement) in self.statements.iter().enumerate() {
            if matches(statement) {
                match statement.effect {
                    Effect::Allow => allows.insert(index),
                    Effect::Deny => denies.insert(index),
                }
            }
        }
        if !denies.is_empty() {
            Decision { verdict: Verdict::ExplicitDeny, statements: denies }
        } else if !allows.is_empty() {
            Decision { verdict: Verdict::Allow, statements: allows }
        } else {
            Decision { verdict: Verdict::ImplicitDeny, statements: allows }
        }
    }
}
