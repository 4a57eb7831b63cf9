//! Policies.

use linkway_actions::known_action;
use linkway_policy::{Actions, Context, Policy, Principal, PrincipalKind, Request};

/// What parts the policy from what is asked of it.
const END: &str = "\n--\n";

/// Parses a policy as each of its kinds, looks for mistakes in it, and has it decide. After the policy and a line
/// `--` come lines: the kind of the principal, its ARN, its account, the action, the resource, and then
/// `key=value|value` of the context.
///
/// A decision and its explanation must be the same.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (text, asked) = text.split_once(END).unwrap_or((text, ""));
    let mut lines = asked.lines();
    let mut next = || lines.next().unwrap_or_default();
    let principal = Principal {
        kind: next().parse().unwrap_or(PrincipalKind::User),
        arn: Some(next()).filter(|arn| !arn.is_empty()),
        account: Some(next()).filter(|account| !account.is_empty()),
        canonical_user: None,
    };
    let (action, resource) = (next(), next());
    let mut context = Context::new();
    for (key, value) in lines.filter_map(|line| line.split_once('=')) {
        match value.contains('|') {
            true => context.insert_many(key, value.split('|')),
            false => context.insert(key, value),
        }
    }
    let request = Request { principal, action, resource, resource_account: None, context: &context };
    for parse in [Policy::parse, Policy::parse_identity, Policy::parse_trust] {
        let policy = match parse(text) {
            Ok(policy) => policy,
            Err(error) => {
                let _ = error.to_string();
                continue;
            }
        };
        for finding in policy.validate(&Known) {
            let _ = finding.to_string();
        }
        let decision = policy.evaluate(&request);
        let _ = policy.evaluate_unknown_resource(&request);
        assert_eq!(policy.explain(&request).decision, decision);
        assert!(!policy.is_full_access() || decision.is_allowed(), "full access, and not allowed");
    }
}

/// The actions that are known.
struct Known;

impl Actions for Known {
    fn exists(&self, pattern: &str) -> bool {
        known_action(pattern) || !linkway_actions::complete(pattern).is_empty()
    }

    fn matching(&self, pattern: &str) -> Vec<String> {
        linkway_actions::complete(pattern)
    }

    fn is_about(&self, pattern: &str, resource: &str) -> bool {
        linkway_actions::is_about(pattern, resource)
    }
}
