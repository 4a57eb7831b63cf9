//! `Resource` and `NotResource`.

use super::{Findings, check_variables};
use crate::arn;
use crate::document::{At, Values, Version};

pub(super) fn check(resources: &Values, version: Version, findings: &mut Findings) {
    if resources.values.is_empty() {
        findings.warn("empty-list", resources.at, "the list of resources is empty", "name one, or \"*\"");
    }
    for resource in &resources.values {
        check_one(resource, version, findings);
    }
}

fn check_one(resource: &At<String>, version: Version, findings: &mut Findings) {
    let text = resource.value.as_str();
    if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
        return;
    }
    let (header, rest) = text.split_at(arn::header_length(text));
    if version == Version::V2012 && header.contains("${") {
        let message = format!("a variable in {text:?} is before the ARN's fifth colon, where it is text");
        let hint = "use a wildcard here, and a condition on the key";
        findings.error("variable-before-fifth-colon", resource.at, message, hint);
    }
    check_variables(resource, rest, version, findings);
    let parts: Vec<&str> = header.split(':').collect();
    let reaches_on = text.ends_with('*');
    if !matches_word(parts[0], "arn") {
        let message = format!("{text:?} is not an ARN, so no resource matches it");
        findings.error("not-an-arn", resource.at, message, "write an ARN, or \"*\"");
    } else if parts.len() < 6 && !reaches_on {
        let message =
            format!("{text:?} has {} of an ARN's six parts, so no resource matches it", parts.len());
        let hint = "arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE";
        findings.error("short-arn", resource.at, message, hint);
    } else if let Some(account) = parts.get(4).filter(|part| is_partial(part)) {
        let message = format!("the account {account:?} of {text:?} is partly a wildcard, which AWS refuses");
        let hint = "the account is twelve digits or \"*\"";
        findings.warn("partial-account", resource.at, message, hint);
    }
}

/// Whether wildcards in `pattern` can stand for `word`.
fn matches_word(pattern: &str, word: &str) -> bool {
    pattern == word || pattern.contains(['*', '?'])
}

/// Whether an account is neither an id nor a wildcard.
pub(super) fn is_partial(account: &str) -> bool {
    account.contains(['*', '?']) && account != "*"
}
