//! What must be allowed for an operation.

mod conditions;
mod dynamodb;
mod events;
mod gateway;
mod made;
mod resources;
mod s3;
mod spelled;

use std::collections::BTreeMap;

use crate::identify::Operation;
use crate::parameters::Parameters;
use crate::tables::{ActionRow, Section};

/// Where a request is served, for the ARNs that it names only in part.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `aws`.
    pub partition: &'a str,
    /// `us-east-1`.
    pub region: &'a str,
    /// The account whose resources a name without an account means: the caller's. `None` if it is unknown, and
    /// with it every ARN that needs it.
    pub account: Option<&'a str>,
}

/// One action, all its resources, and the condition keys that the request itself carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// `s3:GetObject`.
    pub action: String,
    /// Each must be allowed. Never empty.
    pub resources: Vec<Resource>,
    /// By key, as `aws:RequestTag/team`, the values. What the request does not carry is absent.
    pub context: BTreeMap<String, Vec<String>>,
}

/// What an action is done to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// Its ARN; `*` for an action that takes no resource, and where the ARN is unknown. A part that does not exist
    /// yet, or that the request leaves open, is `*` as well, as AWS has it.
    pub arn: String,
    /// The ARN cannot be told from the request: a statement that names resources must not allow it, and must be
    /// taken to match where it denies.
    pub unknown: bool,
}

impl Resource {
    pub(crate) fn known(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), unknown: false }
    }

    pub(crate) fn unknown() -> Self {
        Self { arn: "*".to_owned(), unknown: true }
    }
}

/// What must be allowed for an operation: every need, each for all its resources. Never empty.
///
/// The action that is called as the operation is always among them, others only if the request carries what needs
/// them. What a service does by itself with the caller's rights is not: it does not come through this endpoint.
pub fn authorize(operation: &Operation, parameters: &Parameters<'_>, scope: &Scope<'_>) -> Vec<Need> {
    let asked = Asked { operation, parameters, scope };
    let needs = match operation.prefix {
        "apigateway" => Some(gateway::management(&asked)),
        "execute-api" if operation.row.is_none() => Some(gateway::invocation(&asked)),
        "s3" if operation.service == "s3" => Some(s3::needs(&asked)),
        "dynamodb" => dynamodb::needs(&asked),
        _ => None,
    };
    let needs = needs.unwrap_or_else(|| asked.needs());
    if needs.is_empty() { vec![asked.unknown()] } else { needs }
}

/// A request for an operation.
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) parameters: &'a Parameters<'a>,
    pub(crate) scope: &'a Scope<'a>,
}

impl Asked<'_> {
    pub(crate) fn name(&self) -> &'static str {
        self.operation.name()
    }

    pub(crate) fn section(&self) -> Option<&'static Section> {
        self.operation.section
    }

    pub(crate) fn rows(&self) -> &'static [ActionRow] {
        self.operation.row.map_or(&[], |row| &row.actions)
    }

    /// What the tables say.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<_> = self.rows().iter().filter_map(|row| self.need(row)).collect();
        if (self.operation.prefix, self.name()) == ("kms", "ReEncrypt") {
            for need in &mut needs {
                let member =
                    if need.action == "kms:ReEncryptFrom" { "b.SourceKeyId" } else { "b.DestinationKeyId" };
                need.resources = resources::by_name(self, "key", member);
            }
        }
        needs
    }

    fn need(&self, row: &ActionRow) -> Option<Need> {
        let mut context = conditions::read(self, row.conditions);
        // A body that could not be read may hold tags.
        if row.with_tags && self.parameters.is_complete() && !context.contains_key("aws:TagKeys") {
            return None;
        }
        let mut tagged = None;
        if row.with_tags && row.name == "CreateTags" {
            conditions::add(&mut context, "ec2:CreateAction", vec![self.name()]);
            tagged = made::tagged(self);
        }
        let mut resources =
            tagged.or_else(|| made::resources(self)).unwrap_or_else(|| resources::read(self, row.resources));
        made::narrow(self, &mut resources);
        if resources.is_empty() {
            resources.push(Resource::unknown());
        }
        Some(Need { action: self.action(row), resources, context })
    }

    pub(crate) fn action(&self, row: &ActionRow) -> String {
        format!("{}:{}", row.prefix.unwrap_or(self.operation.prefix), row.name)
    }

    /// An operation of which only the name is known.
    pub(crate) fn unknown(&self) -> Need {
        Need {
            action: format!("{}:{}", self.operation.prefix, self.name()),
            resources: vec![Resource::unknown()],
            context: BTreeMap::new(),
        }
    }
}
