//! What is wrong with an endpoint policy, by all that is known of AWS's actions and services.

mod actions;

use linkway_policy::document::Values;
use linkway_policy::{Finding, Policy, Severity};
use serde::Serialize;

use actions::Known;
pub(crate) use actions::Service;

/// Something to remark about a policy.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(crate) struct Remark {
    /// `error` or `warning`.
    pub(crate) severity: &'static str,
    /// A stable name for the sort of remark.
    pub(crate) code: &'static str,
    /// Where it is, from 1.
    pub(crate) line: u32,
    /// Where it is in the line, from 1.
    pub(crate) column: u32,
    /// The statement's index, from 0; `None` if it is about the whole policy.
    pub(crate) statement: Option<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// What would be right.
    pub(crate) hint: String,
}

/// What is to be said of a policy: the error that it does not parse for, or what validation finds.
pub(crate) fn look(text: &str, service: Option<&Service>) -> Vec<Remark> {
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            return vec![Remark {
                severity: "error",
                code: "syntax",
                line: error.at.line,
                column: error.at.column,
                statement: None,
                message: error.reason,
                hint: error.hint,
            }];
        }
    };
    let mut rows: Vec<Remark> = policy.validate(&Known).into_iter().map(remark).collect();
    if let Some(service) = service {
        rows.extend(look_for(&policy, service));
        rows.sort_by_key(|row| (row.line, row.column));
    }
    rows
}

/// What is to be said of a policy on an endpoint to a service.
fn look_for(policy: &Policy, service: &Service) -> Vec<Remark> {
    let name = &service.name;
    let mut rows = Vec::new();
    if !service.policies && !policy.is_full_access() {
        rows.push(Remark {
            severity: "error",
            code: "service-without-policies",
            line: 1,
            column: 1,
            statement: None,
            message: format!("endpoints to {name} take no policy but full access"),
            hint: "leave the policy out".to_owned(),
        });
    }
    for (index, statement) in policy.document().statements.iter().enumerate() {
        let Values { negated, values, .. } = &statement.action;
        // What `NotAction` leaves out is more readable with the others' actions than wrong.
        for action in values.iter().filter(|action| !negated && !service.has(&action.value)) {
            let prefixes: Vec<_> = service.prefixes.iter().map(|prefix| format!("{prefix}:…")).collect();
            rows.push(Remark {
                severity: "warning",
                code: "action-of-another-service",
                line: action.at.line,
                column: action.at.column,
                statement: Some(index),
                message: format!("no request through an endpoint to {name} is {}", action.value),
                hint: format!("its actions are {}", prefixes.join(" and ")),
            });
        }
    }
    rows
}

fn remark(finding: Finding) -> Remark {
    Remark {
        severity: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        code: finding.code,
        line: finding.at.line,
        column: finding.at.column,
        statement: finding.statement,
        message: finding.message,
        hint: finding.hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<(&'static str, &'static str)> {
        look(text, None).iter().map(|row| (row.severity, row.code)).collect()
    }

    #[test]
    fn full_access_is_nothing_to_remark() {
        assert_eq!(codes(linkway_policy::DEFAULT_POLICY), []);
    }

    #[test]
    fn a_place_is_told() {
        let [row] = &look("{\"Statement\": [\n  oops]}", None)[..] else { panic!("one error") };
        assert_eq!((row.severity, row.line, row.column), ("error", 2, 3));
    }

    #[test]
    fn an_action_that_does_not_exist_is_found() {
        let text = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"rds:DescribeDatabase","Resource":"*"}]}"#;
        assert!(codes(text).iter().any(|(_, code)| *code == "unknown-action"), "{:?}", codes(text));
        let known = text.replace("DescribeDatabase", "DescribeDBInstances");
        assert_eq!(codes(&known), []);
    }

    #[test]
    fn a_policy_must_be_about_the_service() {
        let text = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":["rds:*","s3:Get*"],"Resource":"*"}]}"#;
        let mut service = Service::find("rds").unwrap();
        let codes = |text: &str, service: &Service| -> Vec<_> {
            look(text, Some(service)).iter().map(|row| row.code).collect()
        };
        assert_eq!(codes(text, &service), ["action-of-another-service"]);
        service.policies = false;
        assert_eq!(codes(text, &service), ["service-without-policies", "action-of-another-service"]);
        assert!(codes(linkway_policy::DEFAULT_POLICY, &service).is_empty());
    }
}
