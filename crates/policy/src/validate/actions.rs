//! `Action` and `NotAction`.

use super::Findings;
use crate::document::Values;

pub(super) fn check(actions: &Values, exists: &dyn Fn(&str) -> bool, findings: &mut Findings) {
    if actions.values.is_empty() {
        findings.warn("empty-list", actions.at, "the list of actions is empty", "name an action, or \"*\"");
    }
    for action in &actions.values {
        let text = action.value.as_str();
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            continue;
        }
        match text.split_once(':') {
            None => findings.error(
                "no-service-prefix",
                action.at,
                format!("the action {text:?} names no service"),
                "write the service's prefix and a colon before it, for example s3:GetObject",
            ),
            Some((service, name)) if service.is_empty() || name.is_empty() || !exists(text) => findings
                .error(
                    "unknown-action",
                    action.at,
                    format!("there is no action {text:?}"),
                    "see the Service Authorization Reference for the service's actions",
                ),
            Some(_) => {}
        }
    }
}
