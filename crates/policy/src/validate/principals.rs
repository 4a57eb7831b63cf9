//! `Principal` and `NotPrincipal`.

use super::Findings;
use crate::arn;
use crate::document::{Effect, NamedPrincipal, PrincipalType, Statement};
use crate::principal::{Named, is_account};

pub(super) fn check(statement: &Statement, findings: &mut Findings) {
    let principals = &statement.principal;
    for named in &principals.named {
        check_one(named, findings);
    }
    if principals.named.is_empty() {
        findings.warn("empty-list", principals.at, "no principal is named", "name one, or \"*\"");
    }
    if !principals.negated {
        return;
    }
    if statement.effect == Effect::Allow {
        findings.warn(
            "allow-not-principal",
            principals.at,
            "NotPrincipal with Allow allows everyone else, anonymous callers too",
            "name those who may with Principal",
        );
        return;
    }
    // AWS checks the account of a caller as well as the caller: both must be left out of the Deny.
    let accounts: Vec<_> = principals
        .named
        .iter()
        .filter_map(|named| match Named::new(named) {
            Named::Account(account) => Some(account),
            _ => None,
        })
        .collect();
    for named in principals.named.iter().filter(|named| named.kind == PrincipalType::Aws) {
        let Some([_, _, _, _, account, resource]) = arn::parts(&named.value.value) else { continue };
        if resource != "root" && !accounts.iter().any(|known| **known == *account) {
            findings.warn(
                "not-principal-without-account",
                named.value.at,
                format!("{:?} may still be denied, because its account is", named.value.value),
                format!("add \"arn:aws:iam::{account}:root\", or deny with ArnNotEquals on aws:PrincipalArn"),
            );
        }
    }
}

/// Whether there can be a principal of this name.
pub(super) fn can_be(named: &NamedPrincipal) -> bool {
    let mut findings = Findings::default();
    check_one(named, &mut findings);
    findings.found.is_empty()
}

fn check_one(named: &NamedPrincipal, findings: &mut Findings) {
    let (at, text) = (named.value.at, named.value.value.as_str());
    if text == "*" {
        return;
    }
    if text.contains(['*', '?']) {
        findings.error(
            "wildcard-in-principal",
            at,
            format!("{text:?} matches nobody: a principal has no wildcards"),
            "name the principals, or use \"*\" and a condition ArnLike on aws:PrincipalArn",
        );
        return;
    }
    match named.kind {
        PrincipalType::Aws => check_aws(named, findings),
        PrincipalType::Service if !text.contains('.') => findings.error(
            "invalid-principal",
            at,
            format!("{text:?} is not a service"),
            "a service is named like cloudtrail.amazonaws.com",
        ),
        PrincipalType::CanonicalUser if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            findings.error(
                "invalid-principal",
                at,
                format!("{text:?} is not a canonical user id"),
                "it has 64 hexadecimal digits",
            );
        }
        _ => {}
    }
}

fn check_aws(named: &NamedPrincipal, findings: &mut Findings) {
    let (at, text) = (named.value.at, named.value.value.as_str());
    if is_account(text) {
        return;
    }
    let is_id = text.len() >= 16 && (text.starts_with("AIDA") || text.starts_with("AROA"));
    let sound = match arn::parts(text) {
        Some([_, _, "iam", "", account, resource]) => {
            is_account(account)
                && (resource == "root" || resource.starts_with("user/") || resource.starts_with("role/"))
        }
        Some([_, _, "sts", "", account, resource]) => {
            let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
            let whole = match kind {
                "assumed-role" => name.split('/').filter(|part| !part.is_empty()).count() == 2,
                kind => kind == "federated-user" && !name.is_empty(),
            };
            is_account(account) && whole
        }
        _ => false,
    };
    if is_id {
        let message = format!("{text:?} is the id of a user or role that was deleted; it matches nobody");
        findings.warn("deleted-principal", at, message, "name a principal by its ARN");
    } else if !sound {
        findings.error(
            "invalid-principal",
            at,
            format!("{text:?} is no principal"),
            "an account's twelve digits, or the ARN of a root, user, role or session; groups are none",
        );
    }
}
