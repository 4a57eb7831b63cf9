//! `Action` and `NotAction`.

use super::{Actions, Findings};
use crate::document::Values;
use crate::operators::distance;

pub(super) fn check(asked: &Values, resources: &Values, actions: &dyn Actions, findings: &mut Findings) {
    if asked.values.is_empty() {
        findings.warn("empty-list", asked.at, "the list of actions is empty", "name an action, or \"*\"");
    }
    for action in &asked.values {
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
            Some((service, name)) if service.is_empty() || name.is_empty() || !actions.exists(text) => {
                let hint = similar(service, name, actions).map_or_else(
                    || "see the Service Authorization Reference for the service's actions".to_owned(),
                    |similar| format!("did you mean {similar}?"),
                );
                findings.error("unknown-action", action.at, format!("there is no action {text:?}"), hint);
            }
            // Where none of them fits, the statement never applies, which is said of it.
            Some(_) if asked.values.len() > 1 && !asked.negated && !resources.negated => {
                let about = |value: &str| resources.values.iter().any(|r| actions.is_about(value, &r.value));
                if !about(text) && asked.values.iter().any(|other| about(&other.value)) {
                    findings.warn(
                        "action-without-resource",
                        action.at,
                        format!("{text} is never about a resource that this statement names"),
                        "move it to a statement with its own resources, or with \"Resource\": \"*\"",
                    );
                }
            }
            Some(_) => {}
        }
    }
}

/// The value of `Action` that one may have meant: with the nearest name of the same service, or with the same name
/// of another service.
fn similar(service: &str, name: &str, actions: &dyn Actions) -> Option<String> {
    if service.is_empty() || name.is_empty() {
        return None;
    }
    let (start, star) = name.strip_suffix('*').map_or((name, ""), |start| (start, "*"));
    let wanted = start.to_ascii_lowercase();
    let mut candidates: Vec<(String, usize)> = Vec::new();
    for action in actions.matching(&format!("{service}:*")) {
        let known = action.split_once(':').map_or("", |(_, known)| known);
        // With a wildcard at the end, only a part of the name is written: a letter more or less of it.
        let ends = if star.is_empty() {
            known.len()..=known.len()
        } else {
            start.len().saturating_sub(1)..=start.len() + 1
        };
        for known in ends.filter_map(|end| known.get(..end)).filter(|known| !known.is_empty()) {
            let far = distance(known.to_ascii_lowercase().as_bytes(), wanted.as_bytes());
            candidates.push((format!("{service}:{known}{star}"), far));
        }
    }
    if candidates.is_empty() {
        return actions.matching(&format!("*:{name}")).into_iter().next();
    }
    // A third of it wrong is another word.
    let near = candidates.into_iter().filter(|(_, far)| *far <= 2.max(wanted.len() / 3));
    near.min_by_key(|(_, far)| *far).map(|(action, _)| action)
}
