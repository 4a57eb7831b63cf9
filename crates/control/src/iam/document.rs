//! Policy documents: what IAM takes for one, and its words for what it does not take.

use linkway_model::Snapshot;
use linkway_model::account::Account;
use linkway_model::iam::{Named, Role, User};
use linkway_policy::document::{Document, PrincipalType};
use linkway_policy::{ParseError, ParseErrorKind, Policy, action_matches};

use super::identity_document::check_identity;
use crate::Error;
use crate::error::IamError;

/// Characters of a session policy, and of a trust policy.
const MAX_SMALL: usize = 2048;

/// What a trust policy may let principals do, all of it STS's.
///
/// Source: the actions that the role's page of IAM's user guide has in trust policies.
const TRUSTED: [&str; 6] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "SetContext",
    "SetSourceIdentity",
    "TagSession",
];

/// A document that a session is restricted to.
pub(crate) fn session_policy(text: &str) -> Result<(), Error> {
    check_identity(text)?;
    if text.chars().count() > MAX_SMALL {
        let message = format!("The session policy is longer than {MAX_SMALL} characters.");
        return Err(IamError::PackedPolicyTooLarge(message).into());
    }
    Ok(())
}

/// A document that says who may assume a role. Users and roles that it names must be there, if their account is.
pub(super) fn check_trust(state: &Snapshot, text: &str) -> Result<(), Error> {
    let policy = Policy::parse_trust(text).map_err(|error| {
        let otherwise = || "This policy contains invalid Json".to_owned();
        malformed(&said(&error).unwrap_or_else(otherwise))
    })?;
    for statement in &policy.document().statements {
        if statement.principal.negated {
            return Err(malformed("Has prohibited field NotPrincipal"));
        }
        let assumes = |given: &str| {
            given.contains(':')
                && TRUSTED.iter().any(|action| action_matches(given, &format!("sts:{action}")))
        };
        if !statement.action.values.iter().all(|action| assumes(&action.value)) {
            return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
        }
        for named in &statement.principal.named {
            let value = &named.value.value;
            if named.kind == PrincipalType::Aws && !is_principal(state, value) {
                return Err(malformed(&format!("Invalid principal in policy: \"AWS\":\"{value}\"")));
            }
        }
    }
    if weight(text) > MAX_SMALL {
        let message = format!("Cannot exceed quota for ACLSizePerRole: {MAX_SMALL}");
        return Err(IamError::LimitExceeded(message).into());
    }
    unique_names(policy.document())
}

/// `*`, an account, or the ARN of a root, a user, a role or a session. Of an account that nobody here knows, any will
/// do.
fn is_principal(state: &Snapshot, value: &str) -> bool {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit());
    if value == "*" || is_account(value) {
        return true;
    }
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let &["arn", _, service @ ("iam" | "sts"), "", account, resource] = &parts[..] else { return false };
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    let Ok(id) = account.parse() else { return false };
    let known = state.get::<Account>(account).is_some();
    let key = || Named::key_of(&id, rest.rsplit('/').next().unwrap_or_default());
    match (service, kind) {
        ("iam", "root") => rest.is_empty(),
        ("iam", "user") => !known || state.get::<User>(key()).is_some_and(|user| user.arn() == value),
        ("iam", "role") => !known || state.get::<Role>(key()).is_some_and(|role| role.arn() == value),
        ("sts", "assumed-role") => rest.split('/').count() == 2,
        ("sts", "federated-user") => !rest.is_empty(),
        _ => false,
    }
}

/// Sids name statements, each its own. An empty one names nothing.
pub(super) fn unique_names(document: &Document) -> Result<(), Error> {
    let sids = document.statements.iter().filter_map(|statement| statement.sid.as_ref());
    let names: Vec<&str> = sids.map(|sid| sid.value.as_str()).filter(|name| !name.is_empty()).collect();
    if (1..names.len()).any(|index| names[..index].contains(&names[index])) {
        return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
    }
    Ok(())
}

/// AWS's words for what is wrong, where it has some.
pub(super) fn said(error: &ParseError) -> Option<String> {
    let (kind, reason) = (error.kind, &error.reason);
    Some(match kind {
        ParseErrorKind::TooLarge => format!("Policy document is not valid: {reason}."),
        ParseErrorKind::MissingElement if reason.ends_with("no Action") => {
            "Policy statement must contain actions.".to_owned()
        }
        ParseErrorKind::InvalidValue if reason.starts_with("Policy document should not") => {
            format!("{reason}.")
        }
        ParseErrorKind::InvalidValue if reason.starts_with("Has prohibited field") => reason.clone(),
        _ => return None,
    })
}

/// Characters that count: all but white space.
pub(super) fn weight(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

/// A document as responses carry it: every character escaped that RFC 3986 reserves.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(super) fn malformed(message: &str) -> Error {
    IamError::MalformedPolicyDocument(message.to_owned()).into()
}
