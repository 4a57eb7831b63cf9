//! A request, as a file or a command line says it.
//!
//! ```json
//! {
//!   "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/alice", "account": "111122223333"},
//!   "action": "rds:DescribeDBInstances", "resource": "*", "resource_account": "111122223333",
//!   "context": {"aws:SourceVpc": "vpc-1a2b3c4d", "aws:TagKeys": ["team", "stage"]}
//! }
//! ```

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail};
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
    /// A request of a caller with this ARN or of this account; of an unknown one if there is none.
    pub(super) fn new(caller: Option<&str>, action: &str, resource: &str) -> Result<Self> {
        let (principal, context) = match caller {
            None | Some("*" | "anonymous") => {
                (WrittenPrincipal::default(), vec![("aws:PrincipalType", "Anonymous".into())])
            }
            Some(caller) => principal(caller)?,
        };
        let account = |arn: &str| arn.split(':').nth(4).filter(|part| !part.is_empty()).map(str::to_owned);
        let mut written = Self {
            principal,
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: account(resource),
            context: BTreeMap::new(),
        };
        context.into_iter().for_each(|(key, value)| written.provide(key, value));
        if let Some(account) = written.resource_account.clone() {
            written.provide("aws:ResourceAccount", account);
        }
        Ok(written)
    }

    /// Give a key a value, unless it has one.
    pub(super) fn provide(&mut self, key: &str, value: String) {
        if !self.context.keys().any(|known| known.eq_ignore_ascii_case(key)) {
            self.context.insert(key.to_owned(), Values::One(value));
        }
    }

    /// Give keys the values of `key=value`, in place of those that they have. A key that is there several times has
    /// several values; `key=` alone has none.
    pub(super) fn set_all(&mut self, pairs: &[String]) -> Result<()> {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in pairs {
            let (key, value) = pair.split_once('=').with_context(|| format!("{pair:?} is not key=value"))?;
            let values = given.entry(key.to_owned()).or_default();
            values.extend((!value.is_empty()).then(|| value.to_owned()));
        }
        for (key, mut values) in given {
            self.context.retain(|known, _| !known.eq_ignore_ascii_case(&key));
            match values.len() {
                0 => {}
                1 => drop(self.context.insert(key, Values::One(values.remove(0)))),
                _ => drop(self.context.insert(key, Values::Many(values))),
            }
        }
        Ok(())
    }

    /// What AWS calls the one who asks.
    pub(super) fn caller(&self) -> &str {
        self.principal.arn.as_deref().unwrap_or("anonymous")
    }

    /// The action.
    pub(super) fn action(&self) -> &str {
        &self.action
    }

    /// The resource.
    pub(super) fn resource(&self) -> &str {
        &self.resource
    }

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

/// A caller by its ARN, or by its account's number alone, and the keys that tell of it.
fn principal(caller: &str) -> Result<(WrittenPrincipal, Vec<(&'static str, String)>)> {
    let arn = match caller.len() == 12 && caller.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("arn:aws:iam::{caller}:root"),
        false => caller.to_owned(),
    };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service @ ("iam" | "sts"), "", account, name] = parts[..] else {
        bail!("{caller:?} is no caller: give an account's number, or the ARN of a user, a role or a session");
    };
    let (kind, path) = name.split_once('/').unwrap_or((name, ""));
    let last = path.rsplit('/').next().unwrap_or_default();
    let mut keys = vec![("aws:PrincipalAccount", account.to_owned())];
    let (kind, type_key, of_keys) = match (service, kind) {
        ("iam", "root") => ("root", "Account", arn.clone()),
        ("iam", "user") => {
            keys.push(("aws:username", last.to_owned()));
            ("user", "User", arn.clone())
        }
        ("iam", "role") => ("assumed-role", "AssumedRole", arn.clone()),
        // The session's ARN does not tell the role's path.
        ("sts", "assumed-role") => {
            let role = path.split('/').next().unwrap_or_default();
            ("assumed-role", "AssumedRole", format!("arn:{partition}:iam::{account}:role/{role}"))
        }
        ("sts", "federated-user") => ("federated-user", "FederatedUser", arn.clone()),
        _ => bail!(
            "{caller:?} is no caller: give an account's number, or the ARN of a user, a role or a session"
        ),
    };
    keys.extend([("aws:PrincipalArn", of_keys), ("aws:PrincipalType", type_key.to_owned())]);
    let account = Some(account.to_owned());
    Ok((WrittenPrincipal { r#type: Some(kind.to_owned()), arn: Some(arn), account }, keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(written: &'a Written, key: &str) -> Vec<&'a str> {
        match written.context.get(key) {
            None => Vec::new(),
            Some(Values::One(value)) => vec![value],
            Some(Values::Many(values)) => values.iter().map(String::as_str).collect(),
        }
    }

    #[test]
    fn callers_bring_their_keys() {
        let of = |caller: &str| Written::new(Some(caller), "s3:GetObject", "arn:aws:s3:::b/k").unwrap();
        let session = of("arn:aws:sts::111122223333:assumed-role/App/one");
        assert_eq!(value(&session, "aws:PrincipalArn"), ["arn:aws:iam::111122223333:role/App"]);
        assert_eq!(value(&session, "aws:PrincipalType"), ["AssumedRole"]);
        let user = of("arn:aws:iam::111122223333:user/path/alice");
        assert_eq!(value(&user, "aws:username"), ["alice"]);
        assert_eq!(of("111122223333").caller(), "arn:aws:iam::111122223333:root");
        assert_eq!(value(&of("anonymous"), "aws:PrincipalAccount"), [""; 0]);
        assert!(Written::new(Some("alice"), "s3:GetObject", "*").is_err());
        assert!(Written::new(Some("arn:aws:iam::111122223333:group/g"), "s3:GetObject", "*").is_err());
    }

    #[test]
    fn what_is_set_replaces_what_is_provided() {
        let mut written = Written::new(None, "s3:GetObject", "*").unwrap();
        written.provide("aws:SourceVpc", "vpc-1".into());
        written.provide("AWS:SOURCEVPC", "vpc-2".into());
        assert_eq!(value(&written, "aws:SourceVpc"), ["vpc-1"]);
        let pairs = ["aws:sourcevpc=vpc-3", "aws:TagKeys=a", "aws:TagKeys=b=c", "aws:PrincipalType="];
        written.set_all(&pairs.map(str::to_owned)).unwrap();
        assert_eq!(value(&written, "aws:SourceVpc"), [""; 0]);
        assert_eq!(value(&written, "aws:sourcevpc"), ["vpc-3"]);
        assert_eq!(value(&written, "aws:TagKeys"), ["a", "b=c"]);
        assert_eq!(value(&written, "aws:PrincipalType"), [""; 0]);
        assert!(written.set_all(&["aws:SourceVpc".to_owned()]).is_err());
    }
}
