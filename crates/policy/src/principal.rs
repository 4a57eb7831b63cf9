//! `Principal` and `NotPrincipal`, compiled.

use crate::arn;
use crate::document::{NamedPrincipal, PrincipalType};
use crate::request::{Principal, PrincipalKind};

/// Who a statement is about.
#[derive(Clone, Debug)]
pub(crate) struct PrincipalMatcher {
    negated: bool,
    named: Box<[Named]>,
}

/// One name. None of them has wildcards (IAM User Guide: "you cannot use a wildcard to match part of a
/// principal name or ARN").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// `*`: everyone, anonymous callers and services too.
    Everyone,
    /// An account, and with it all who belong to it.
    Account(Box<str>),
    /// A role, and with it all its sessions.
    Role { arn: Box<str>, partition: Box<str>, account: Box<str>, name: Box<str> },
    /// Exactly this ARN.
    Arn(Box<str>),
    /// All services, or all providers.
    AnyOf(PrincipalKind),
    /// This service, or this provider.
    Of(PrincipalKind, Box<str>),
    /// The account with this canonical user id.
    CanonicalUser(Box<str>),
}

impl PrincipalMatcher {
    pub(crate) fn new(negated: bool, named: &[NamedPrincipal]) -> Self {
        Self { negated, named: named.iter().map(Named::new).collect() }
    }

    pub(crate) fn matches(&self, principal: &Principal<'_>) -> bool {
        self.named.iter().any(|named| named.matches(principal)) != self.negated
    }

    /// Whether it matches every principal there can be.
    pub(crate) fn is_everyone(&self) -> bool {
        !self.negated && self.named.contains(&Named::Everyone)
    }

    /// Whether it matches no principal at all.
    pub(crate) fn is_nobody(&self) -> bool {
        if self.negated { self.named.contains(&Named::Everyone) } else { self.named.is_empty() }
    }
}

impl Named {
    pub(crate) fn new(principal: &NamedPrincipal) -> Self {
        let value = principal.value.value.as_str();
        match (principal.kind, value) {
            (PrincipalType::Aws, "*") => Self::Everyone,
            (PrincipalType::Aws, _) => Self::aws(value),
            (PrincipalType::Service, "*") => Self::AnyOf(PrincipalKind::Service),
            (PrincipalType::Service, _) => Self::Of(PrincipalKind::Service, value.into()),
            (PrincipalType::Federated, "*") => Self::AnyOf(PrincipalKind::Federated),
            (PrincipalType::Federated, _) => Self::Of(PrincipalKind::Federated, value.into()),
            (PrincipalType::CanonicalUser, _) => Self::CanonicalUser(value.into()),
        }
    }

    fn aws(value: &str) -> Self {
        if is_account(value) {
            return Self::Account(value.into());
        }
        match arn::parts(value) {
            Some([_, _, "iam", "", account, "root"]) => Self::Account(account.into()),
            Some([_, partition, "iam", "", account, resource]) if resource.starts_with("role/") => {
                // Sessions do not tell the role's path, and need not: names are unique in an account.
                let name = resource.rsplit('/').next().unwrap_or_default();
                Self::Role {
                    arn: value.into(),
                    partition: partition.into(),
                    account: account.into(),
                    name: name.into(),
                }
            }
            _ => Self::Arn(value.into()),
        }
    }

    fn matches(&self, principal: &Principal<'_>) -> bool {
        let is = |kind, name: &str| principal.kind == kind && principal.arn == Some(name);
        match self {
            Self::Everyone => true,
            Self::Account(account) => principal.account == Some(account),
            Self::Role { arn, partition, account, name } => {
                principal.arn == Some(arn)
                    || principal.kind == PrincipalKind::AssumedRole
                        && principal.arn.and_then(session_role) == Some((partition, account, name))
            }
            Self::Arn(arn) => principal.kind != PrincipalKind::Service && principal.arn == Some(arn),
            Self::AnyOf(kind) => principal.kind == *kind,
            Self::Of(kind, name) => is(*kind, name),
            Self::CanonicalUser(id) => principal.canonical_user == Some(id),
        }
    }
}

/// Partition, account and role of `arn:aws:sts::111122223333:assumed-role/ROLE/SESSION`.
fn session_role(arn: &str) -> Option<(&str, &str, &str)> {
    let [_, partition, "sts", "", account, resource] = arn::parts(arn)? else { return None };
    let (role, _session) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((partition, account, role))
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
