//! A record as CloudTrail's network activity event, with what Linkway adds in `additionalEventData`.
//!
//! Source: "CloudTrail record contents for management, data, and network activity events" in AWS's CloudTrail guide.

use std::net::IpAddr;

use linkway_model::random_uuid;
use linkway_policy::PrincipalKind;
use serde::{Serialize, Serializer};

use crate::audit::{Record, iso_seconds};
use crate::authorize::Finding;
use crate::{Identity, Need, Resource};

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Event::of(self).serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    event_version: &'static str,
    user_identity: UserIdentity<'a>,
    event_time: String,
    event_source: &'a str,
    event_name: &'a str,
    aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    source: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    #[serde(rename = "requestID")]
    request_id: &'a str,
    #[serde(rename = "eventID")]
    event_id: String,
    event_type: &'static str,
    recipient_account_id: &'a str,
    vpc_endpoint_id: &'a str,
    vpc_endpoint_account_id: &'a str,
    event_category: &'static str,
    resources: Vec<Arn<'a>>,
    additional_event_data: Additional<'a>,
}

/// Empty members are not spelled.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Arn<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Additional<'a> {
    vpc_id: &'a str,
    service_name: &'a str,
    policy_mode: &'static str,
    actions: Vec<&'a str>,
    needs: Vec<Needed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_resources: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_decision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statements: Option<Vec<Statement<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<Denied<'a>>,
}

/// What an action is needed on. The list of resources alone does not say which belongs to which action.
#[derive(Serialize)]
struct Needed<'a> {
    action: &'a str,
    resources: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tls<'a> {
    mode: &'static str,
    server_name: &'a str,
}

#[derive(Serialize)]
struct Statement<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
}

#[derive(Serialize)]
struct Denied<'a> {
    action: &'a str,
    resource: &'a str,
    message: &'a str,
    passed: bool,
}

impl<'a> Event<'a> {
    fn of(record: &'a Record) -> Self {
        let endpoint = &*record.endpoint;
        let error = match &record.refused {
            _ if record.is_denied() => {
                Some(("VpceAccessDenied", "The request was denied due to a VPC endpoint policy"))
            }
            refused => refused.as_ref().map(|(code, message)| (code.as_str(), message.as_str())),
        };
        Self {
            event_version: "1.09",
            user_identity: UserIdentity::of(record),
            event_time: iso_seconds(record.time),
            event_source: &endpoint.service.event_source,
            event_name: record.call.as_ref().map_or("Unknown", |call| &call.operation),
            aws_region: &endpoint.region,
            source: record.source,
            user_agent: record.user_agent.as_deref(),
            error_code: error.map(|(code, _)| code),
            error_message: error.map(|(_, message)| message),
            request_id: &record.request_id,
            event_id: random_uuid(),
            event_type: "AwsVpceEvent",
            recipient_account_id: endpoint.owner.as_str(),
            vpc_endpoint_id: endpoint.id.as_str(),
            vpc_endpoint_account_id: endpoint.owner.as_str(),
            event_category: "NetworkActivity",
            resources: resources(record)
                .filter(|resource| resource.arn != "*")
                .map(|resource| Arn { arn: &resource.arn, account_id: resource.account.as_deref() })
                .collect(),
            additional_event_data: Additional::of(record),
        }
    }
}

impl<'a> UserIdentity<'a> {
    /// The owner of an endpoint sees of callers from other accounts no more than the account.
    fn of(record: &'a Record) -> Self {
        match &record.identity {
            None => Self { kind: "Unknown", ..Self::default() },
            Some(Identity::Anonymous) => Self {
                kind: "AWSAccount",
                principal_id: Some(""),
                account_id: Some("ANONYMOUS_PRINCIPAL"),
                ..Self::default()
            },
            Some(Identity::Unverified { access_key_id }) => {
                Self { kind: "Unknown", access_key_id: Some(access_key_id), ..Self::default() }
            }
            Some(Identity::Known { access_key_id, principal })
                if principal.account != record.endpoint.owner.as_str() =>
            {
                Self {
                    kind: "AWSAccount",
                    principal_id: Some(access_key_id),
                    account_id: Some(&principal.account),
                    ..Self::default()
                }
            }
            Some(Identity::Known { access_key_id, principal }) => Self {
                kind: match principal.kind {
                    PrincipalKind::Root => "Root",
                    PrincipalKind::User => "IAMUser",
                    PrincipalKind::AssumedRole => "AssumedRole",
                    PrincipalKind::FederatedUser => "FederatedUser",
                    PrincipalKind::Federated => "WebIdentityUser",
                    PrincipalKind::Service => "AWSService",
                    PrincipalKind::Anonymous => "Unknown",
                },
                principal_id: Some(&principal.id),
                arn: Some(&principal.arn),
                account_id: Some(&principal.account),
                access_key_id: Some(access_key_id),
                user_name: principal.user_name.as_deref(),
            },
        }
    }
}

impl<'a> Additional<'a> {
    fn of(record: &'a Record) -> Self {
        let endpoint = &*record.endpoint;
        let finding = record.finding();
        Self {
            vpc_id: endpoint.vpc.as_str(),
            service_name: &endpoint.service.name,
            policy_mode: if endpoint.audit_mode { "audit" } else { "enforce" },
            actions: needs(record).map(|need| need.action.as_str()).collect(),
            needs: needs(record).map(Needed::of).collect(),
            unknown_resources: resources(record).any(|resource| resource.unknown).then_some(true),
            http_status_code: record.status,
            tls: record.passed_through.as_deref().map(|server_name| Tls { mode: "passthrough", server_name }),
            policy_decision: finding.map(|finding| finding.verdict.to_string()),
            statements: finding.map(statements),
            denied: finding.and_then(|finding| finding.denied.as_ref()).map(|denied| Denied {
                action: &denied.action,
                resource: &denied.resource,
                message: &denied.sentence,
                passed: endpoint.audit_mode,
            }),
        }
    }
}

impl<'a> Needed<'a> {
    fn of(need: &'a Need) -> Self {
        Self {
            action: &need.action,
            resources: need.resources.iter().map(|resource| resource.arn.as_str()).collect(),
            unknown: need.resources.iter().any(|resource| resource.unknown).then_some(true),
        }
    }
}

fn needs(record: &Record) -> impl Iterator<Item = &Need> {
    record.call.iter().flat_map(|call| &call.needs)
}

fn resources(record: &Record) -> impl Iterator<Item = &Resource> {
    needs(record).flat_map(|need| &need.resources)
}

fn statements(finding: &Finding) -> Vec<Statement<'_>> {
    let statements = finding.statements.iter();
    statements.map(|(index, sid)| Statement { index: *index, sid: sid.as_deref() }).collect()
}
