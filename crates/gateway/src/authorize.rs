//! What an endpoint's policy says to a request.

use std::mem::take;
use std::net::IpAddr;

use jiff::Timestamp;
use linkway_policy::{Context, ContextValue, Policy, PrincipalKind, Request, Verdict};

use crate::audit::iso_seconds;
use crate::{Call, Endpoint, Identity, Principal};

/// The circumstances of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) identity: &'a Identity,
    /// The client's private address.
    pub(crate) source: IpAddr,
    /// Whether it came over TLS.
    pub(crate) secure: bool,
    pub(crate) now: Timestamp,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) referer: Option<&'a str>,
}

/// What the policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    /// The statements that decided: indexes, and names where they have one.
    pub(crate) statements: Vec<(usize, Option<String>)>,
    /// What is denied, if something is.
    pub(crate) denied: Option<Denied>,
}

/// An action that is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denied {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// AWS's sentence.
    pub(crate) sentence: String,
}

/// Decides on all that a request needs; what is denied first counts. `None` if it needs nothing that is known.
pub(crate) fn decide(circumstances: &Circumstances<'_>, call: &Call) -> Option<Finding> {
    let policy = &*circumstances.endpoint.policy;
    let principal = principal(circumstances.identity);
    let mut base = context(circumstances);
    let mut allowed = None;
    for (number, need) in (1..).zip(&call.needs) {
        // The last one needs no copy; there is hardly ever another.
        let mut context = if number == call.needs.len() { take(&mut base) } else { base.clone() };
        for (key, value) in &need.context {
            match value {
                ContextValue::One(value) => context.insert(key.as_str(), &**value),
                ContextValue::Many(values) => {
                    context.insert_many(key.as_str(), values.iter().map(|value| &**value));
                }
            }
        }
        for (number, resource) in (1..).zip(&need.resources) {
            let mut context =
                if number == need.resources.len() { take(&mut context) } else { context.clone() };
            for (key, value) in &resource.keys {
                context.insert(key.as_str(), value.as_str());
            }
            let owner = resource.account.as_deref().or_else(|| account_of(&resource.arn));
            if let Some(owner) = owner {
                context.insert("aws:ResourceAccount", owner);
            }
            let request = Request {
                principal,
                action: &need.action,
                resource: &resource.arn,
                resource_account: owner,
                context: &context,
            };
            let decision = match resource.unknown {
                true => policy.evaluate_unknown_resource(&request),
                false => policy.evaluate(&request),
            };
            let statements = decision.statements.iter().map(|index| (index, sid(policy, index))).collect();
            let denied = decision.denial(&need.action).map(|why| Denied {
                sentence: format!(
                    "User: {} is not authorized to perform: {} on resource: {} {why}",
                    name(circumstances.identity),
                    need.action,
                    resource.arn
                ),
                action: need.action.clone(),
                resource: resource.arn.clone(),
            });
            let finding = Finding { verdict: decision.verdict, statements, denied };
            if finding.denied.is_some() {
                return Some(finding);
            }
            allowed = allowed.or(Some(finding));
        }
    }
    allowed
}

/// What is said to a request of which nobody knows what it asks for: only a policy that allows all can allow it.
pub(crate) fn unknown(endpoint: &Endpoint, identity: &Identity) -> Option<Finding> {
    let denied = Denied {
        action: "*".to_owned(),
        resource: "*".to_owned(),
        sentence: format!(
            "User: {} is not authorized to perform this operation, which is not known, because no VPC endpoint \
             policy allows full access",
            name(identity)
        ),
    };
    let finding = Finding { verdict: Verdict::ImplicitDeny, statements: Vec::new(), denied: Some(denied) };
    (!endpoint.policy.is_full_access()).then_some(finding)
}

/// The account that an ARN names.
fn account_of(arn: &str) -> Option<&str> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit())).then_some(account)
}

fn sid(policy: &Policy, index: usize) -> Option<String> {
    policy.document().statements.get(index)?.sid.as_ref().map(|sid| sid.value.clone())
}

/// What AWS's sentence calls one who asks.
fn name(identity: &Identity) -> &str {
    match identity {
        Identity::Known { principal, .. } => &principal.arn,
        Identity::Unverified { access_key_id } if !access_key_id.is_empty() => access_key_id,
        Identity::Unverified { .. } | Identity::Anonymous => "anonymous",
    }
}

fn principal(identity: &Identity) -> linkway_policy::Principal<'_> {
    identity.principal().map_or_else(linkway_policy::Principal::default, |principal| {
        linkway_policy::Principal {
            kind: principal.kind,
            arn: Some(&principal.arn),
            account: Some(&principal.account),
            canonical_user: principal.canonical_user.as_deref(),
        }
    })
}

/// The global condition keys. `aws:SourceIp` is not among them: AWS sees a private address through an endpoint.
///
/// Source: "AWS global condition context keys" in AWS's IAM user guide.
fn context<'a>(circumstances: &Circumstances<'a>) -> Context<'a> {
    let Circumstances { endpoint, identity, source, secure, now, user_agent, referer } = *circumstances;
    let mut context = Context::new();
    context.insert("aws:SourceVpc", endpoint.vpc.as_str());
    context.insert("aws:SourceVpcArn", endpoint.vpc_arn.as_str());
    context.insert("aws:SourceVpce", endpoint.id.as_str());
    context.insert("aws:VpceAccount", endpoint.owner.as_str());
    context.insert("aws:VpcSourceIp", source.to_string());
    context.insert("aws:RequestedRegion", endpoint.region.as_str());
    context.insert("aws:SecureTransport", if secure { "true" } else { "false" });
    context.insert("aws:CurrentTime", iso_seconds(now));
    context.insert("aws:EpochTime", now.as_second().to_string());
    context.insert("aws:ViaAWSService", "false");
    if let Some(user_agent) = user_agent {
        context.insert("aws:UserAgent", user_agent);
    }
    if let Some(referer) = referer {
        context.insert("aws:referer", referer);
    }
    match identity.principal() {
        Some(principal) => add_principal(&mut context, principal),
        None => context.insert("aws:PrincipalType", "Anonymous"),
    }
    context
}

fn add_principal<'a>(context: &mut Context<'a>, principal: &'a Principal) {
    let arn = principal.role_arn.as_ref().unwrap_or(&principal.arn);
    context.insert("aws:PrincipalArn", arn.as_str());
    context.insert("aws:PrincipalAccount", principal.account.as_str());
    context.insert("aws:PrincipalIsAWSService", "false");
    context.insert("aws:userid", principal.id.as_str());
    if let Some(name) = &principal.user_name {
        context.insert("aws:username", name.as_str());
    }
    if let Some(organization) = &principal.organization {
        context.insert("aws:PrincipalOrgID", organization.as_str());
    }
    let kind = match principal.kind {
        PrincipalKind::Root => "Account",
        PrincipalKind::User => "User",
        PrincipalKind::AssumedRole | PrincipalKind::Federated => "AssumedRole",
        PrincipalKind::FederatedUser => "FederatedUser",
        PrincipalKind::Service | PrincipalKind::Anonymous => "Anonymous",
    };
    context.insert("aws:PrincipalType", kind);
    for (key, value) in &principal.tags {
        context.insert(format!("aws:PrincipalTag/{key}"), value.as_str());
    }
}
