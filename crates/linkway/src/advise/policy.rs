//! An endpoint's policy: too wide, too narrow, wrong, or not enforced.

use linkway_model::service_backend::{ServiceBackend, Tls};
use linkway_model::vpc_endpoint::{POLICY_MODE_AUDIT, POLICY_MODE_TAG};
use linkway_policy::Policy;

use super::{Findings, Severity, Subject};
use crate::policy_check::{Remark, Service, look as remarks};

pub(super) fn look(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let endpoint = subject.endpoint;
    mode(subject, findings);
    // Endpoints to other services have full access and no choice.
    let Some(service) = endpoint.aws_service().filter(|service| service.policies) else { return };
    let policy = Policy::parse(&endpoint.policy);
    let change = subject.aws(&format!(
        "ec2 modify-vpc-endpoint --vpc-endpoint-id {} --policy-document file://policy.json",
        endpoint.id
    ));
    if policy.as_ref().is_ok_and(Policy::is_full_access) {
        let remedy = format!(
            "write a policy that allows what is used: `linkway policy learn --endpoint {} > policy.json`",
            endpoint.id
        );
        let message = "the policy lets everyone do everything through the endpoint";
        return findings.warn("policy-full-access", message, remedy, change);
    }
    let backend = subject.state.get::<ServiceBackend>(&endpoint.service_name);
    if backend.is_some_and(|backend| backend.tls == Tls::Passthrough) {
        let message = format!(
            "the policy is not enforced: {} ends TLS itself (--tls passthrough), so nobody sees what is asked",
            endpoint.service_name
        );
        let remedy = "set the service without --tls passthrough, or give the endpoint full access";
        findings.error("policy-not-enforced", message, remedy, None);
    }
    let service = Service::find(&service.name(&endpoint.region)).ok();
    for Remark { severity, code, line, column, message, hint, .. } in
        remarks(&endpoint.policy, service.as_ref())
    {
        // Nobody gets through: whatever it is to a checker, here it is an error.
        let severity = match (severity, code) {
            ("error", _) | (_, "allows-nothing") => Severity::Error,
            _ => Severity::Warning,
        };
        let message = format!("the policy, line {line}, column {column}: {message}");
        findings.add(&format!("policy-{code}"), severity, message, hint, change.clone());
    }
}

/// Whether the policy is only tried.
fn mode(subject: Subject<'_>, findings: &mut Findings<'_>) {
    let endpoint = subject.endpoint;
    let remove =
        subject.aws(&format!("ec2 delete-tags --resources {} --tags Key={POLICY_MODE_TAG}", endpoint.id));
    match endpoint.tags.get(POLICY_MODE_TAG).map(String::as_str) {
        None => {}
        Some(POLICY_MODE_AUDIT) => {
            let message = "audit mode is on: requests that the policy denies pass, and are only recorded";
            findings.warn("audit-mode", message, "once the records look right, remove the tag", remove);
        }
        Some(other) => {
            let message = format!(
                "the tag {POLICY_MODE_TAG} is {other:?}, which has no meaning: the policy is enforced"
            );
            findings.warn("policy-mode-unknown", message, "make it \"audit\", or remove it", remove);
        }
    }
}
