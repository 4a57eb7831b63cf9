//! Policy documents: what IAM takes for one, and its words for what it does not take.

use linkway_model::Snapshot;
use linkway_model::account::Account;
use linkway_model::iam::{Named, Role, User};
use linkway_policy::document::{Document, PrincipalType};
use linkway_policy::{ParseError, ParseErrorKind, Policy};

use crate::Error;
use crate::error::IamError;
use crate::policy_document::{repeated_name, unprefaced};

/// Characters of a session policy, and of a trust policy.
const MAX_SMALL: usize = 2048;

/// A document for an identity.
pub(crate) fn check_identity(text: &str) -> Result<(), Error> {
    let policy = Policy::parse_identity(text)
        .map_err(|error| malformed(&said(&error).unwrap_or_else(|| "Syntax errors in policy.".to_owned())))?;
    if let Some(message) = unprefaced(policy.document()) {
        return Err(malformed(&message));
    }
    for statement in &policy.document().statements {
        for resource in &statement.resource.values {
            let value = &resource.value;
            let is_arn = value.starts_with("arn:") && value.split(':').count() >= 6;
            if !is_arn && value != "*" {
                return Err(malformed(&format!("Resource {value} must be in ARN format or \"*\".")));
            }
        }
        if statement.action.values.is_empty() {
            return Err(malformed("Policy statement must contain actions."));
        }
        if statement.resource.values.is_empty() {
            return Err(malformed("Policy statement must contain resources."));
        }
    }
    unique_names(policy.document())
}

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
        let of_sts = |action: &str| action.to_ascii_lowercase().starts_with("sts:");
        if !statement.action.values.iter().all(|action| of_sts(&action.value)) {
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

fn unique_names(document: &Document) -> Result<(), Error> {
    repeated_name(document).map_or(Ok(()), |message| Err(malformed(&message)))
}

/// AWS's words for what is wrong, where it has some.
fn said(error: &ParseError) -> Option<String> {
    let (kind, reason) = (error.kind, &error.reason);
    Some(match kind {
        ParseErrorKind::TooLarge => format!("Policy document is not valid: {reason}."),
        ParseErrorKind::MissingElement if reason.ends_with("no Action") => {
            "Policy statement must contain actions.".to_owned()
        }
        ParseErrorKind::MissingElement if reason.ends_with("no Resource") => {
            "Policy statement must contain resources.".to_owned()
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
