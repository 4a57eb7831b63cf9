//! A request, as a file says it.
//!
//! ```json
//! {
//!   "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/alice", "account": "111122223333"},
//!   "action": "rds:DescribeDBInstances", "resource": "*", "resource_account": "111122223333",
//!   "context": {"aws:SourceVpc": "vpc-1a2b3c4d", "aws:TagKeys": ["team", "stage"]}
//! }
//! ```

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use linkway_policy::{Context, Principal, Request};
use serde::Deserialize;

/// What is asked of a policy. The context is complete: nothing is added to it.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    principal: WrittenPrincipal,
    action: String,
    resource: String,
    resource_account: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, Values>,
}

/// Who asks; nobody known, if it is left out.
#[derive(Debug, Default, Deserialize)]
struct WrittenPrincipal {
    r#type: Option<String>,
    arn: Option<String>,
    account: Option<String>,
}

/// The values of a key: a string for one that has one value, a list for one that may have several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl Written {
    /// Hand it to `decide` in the form that policies are evaluated with.
    pub(super) fn with<R>(&self, decide: impl FnOnce(&Request<'_>) -> R) -> Result<R> {
        let kind = match self.principal.r#type.as_deref() {
            None => Default::default(),
            Some(kind) => kind.parse().map_err(|_| anyhow!("{kind:?} is no type of principal"))?,
        };
        let mut context = Context::new();
        for (key, values) in &self.context {
            match values {
                Values::One(value) => context.insert(key.as_str(), value.as_str()),
                Values::Many(values) => context.insert_many(key.as_str(), values.iter().map(String::as_str)),
            }
        }
        Ok(decide(&Request {
            principal: Principal {
                kind,
                arn: self.principal.arn.as_deref(),
                account: self.principal.account.as_deref(),
                canonical_user: None,
            },
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref(),
            context: &context,
        }))
    }
}
