//! A record of every request through an endpoint.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use linkway_model::id::random_hex;
use linkway_policy::{PrincipalKind, Verdict};
use serde_json::{Value, json};

use crate::authorize::Finding;
use crate::{Call, Endpoint, Identity, Need};

/// Where records go.
pub trait AuditSink: Send + Sync {
    /// Takes a record. Called on threads that serve requests: it must not wait.
    fn write(&self, record: &Record);
}

/// A request through an endpoint; or a connection, where requests cannot be seen.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it came.
    pub time: Timestamp,
    /// Its id, with which it was answered if the gateway answered it.
    pub request_id: String,
    /// Through which endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The client's private address.
    pub source: IpAddr,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Who asked; `None` if the signature was refused.
    pub identity: Option<Identity>,
    /// What it asked for; `None` if that is not known, or it did not come that far.
    pub call: Option<Call>,
    /// What was answered. `None` if the client went away first.
    pub status: Option<u16>,
    /// Why the service was not asked: the error's code and message.
    pub refused: Option<(String, String)>,
    /// The name that the client asked for by TLS, if this is a connection that was passed through: who asked for what
    /// is between the client and the service.
    pub passed_through: Option<String>,
    finding: Option<Finding>,
}

impl Record {
    /// A request of which nothing more is known yet.
    pub fn new(
        time: Timestamp,
        request_id: String,
        endpoint: Arc<Endpoint>,
        source: IpAddr,
        user_agent: Option<String>,
    ) -> Self {
        Self {
            time,
            request_id,
            endpoint,
            source,
            user_agent,
            identity: None,
            call: None,
            status: None,
            refused: None,
            passed_through: None,
            finding: None,
        }
    }

    pub(crate) fn decided(&mut self, finding: Finding) {
        self.finding = Some(finding);
    }

    /// What the policy said: `Allow`, `ImplicitDeny` or `ExplicitDeny`; `None` if it was not asked.
    pub fn verdict(&self) -> Option<Verdict> {
        self.finding.as_ref().map(|finding| finding.verdict)
    }

    /// Whether the policy denied it, and it was not let pass for all that.
    pub fn is_denied(&self) -> bool {
        self.would_be_denied() && !self.endpoint.audit_mode
    }

    /// Whether the policy denied it, let pass or not.
    pub fn would_be_denied(&self) -> bool {
        self.finding.as_ref().is_some_and(|finding| finding.denied.is_some())
    }

    /// CloudTrail's network activity event, with what Linkway adds in `additionalEventData`.
    pub fn to_json(&self) -> Value {
        let endpoint = &*self.endpoint;
        let mut event = json!({
            "eventVersion": "1.09",
            "userIdentity": self.user_identity(),
            "eventTime": self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": endpoint.service.event_source,
            "eventName": self.call.as_ref().map_or("Unknown", |call| &call.operation),
            "awsRegion": endpoint.region,
            "sourceIPAddress": self.source.to_string(),
            "requestID": self.request_id,
            "eventID": new_id(),
            "eventType": "AwsVpceEvent",
            "recipientAccountId": endpoint.owner.as_str(),
            "vpcEndpointId": endpoint.id.as_str(),
            "vpcEndpointAccountId": endpoint.owner.as_str(),
            "eventCategory": "NetworkActivity",
            "resources": self.resources(),
            "additionalEventData": self.additional(),
        });
        if let Some(user_agent) = &self.user_agent {
            event["userAgent"] = json!(user_agent);
        }
        if self.is_denied() {
            event["errorCode"] = json!("VpceAccessDenied");
            event["errorMessage"] = json!("The request was denied due to a VPC endpoint policy");
        } else if let Some((code, message)) = &self.refused {
            event["errorCode"] = json!(code);
            event["errorMessage"] = json!(message);
        }
        event
    }

    /// The owner of an endpoint sees of callers from other accounts no more than the account.
    fn user_identity(&self) -> Value {
        match &self.identity {
            None => json!({"type": "Unknown"}),
            Some(Identity::Anonymous) => {
                json!({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"})
            }
            Some(Identity::Unverified { access_key_id }) => {
                json!({"type": "Unknown", "accessKeyId": access_key_id})
            }
            Some(Identity::Known { access_key_id, principal })
                if principal.account != self.endpoint.owner.as_str() =>
            {
                json!({"type": "AWSAccount", "principalId": access_key_id, "accountId": principal.account})
            }
            Some(Identity::Known { access_key_id, principal }) => {
                let kind = match principal.kind {
                    PrincipalKind::Root => "Root",
                    PrincipalKind::User => "IAMUser",
                    PrincipalKind::AssumedRole => "AssumedRole",
                    PrincipalKind::FederatedUser => "FederatedUser",
                    PrincipalKind::Federated => "WebIdentityUser",
                    PrincipalKind::Service => "AWSService",
                    PrincipalKind::Anonymous => "Unknown",
                };
                let mut identity = json!({
                    "type": kind,
                    "principalId": principal.id,
                    "arn": principal.arn,
                    "accountId": principal.account,
                    "accessKeyId": access_key_id,
                });
                if let Some(name) = &principal.user_name {
                    identity["userName"] = json!(name);
                }
                identity
            }
        }
    }

    fn resources(&self) -> Vec<Value> {
        let needs = self.call.iter().flat_map(|call| &call.needs);
        let resources = needs.flat_map(|need| &need.resources).filter(|resource| resource.arn != "*");
        resources
            .map(|resource| match &resource.account {
                Some(account) => json!({"ARN": resource.arn, "accountId": account}),
                None => json!({"ARN": resource.arn}),
            })
            .collect()
    }

    fn additional(&self) -> Value {
        let needs = || self.call.iter().flat_map(|call| &call.needs);
        let mut data = json!({
            "vpcId": self.endpoint.vpc.as_str(),
            "serviceName": self.endpoint.service.name,
            "policyMode": if self.endpoint.audit_mode { "audit" } else { "enforce" },
            "actions": needs().map(|need| need.action.as_str()).collect::<Vec<_>>(),
            "needs": needs().map(need_json).collect::<Vec<_>>(),
        });
        if needs().flat_map(|need| &need.resources).any(|resource| resource.unknown) {
            data["unknownResources"] = json!(true);
        }
        if let Some(status) = self.status {
            data["httpStatusCode"] = json!(status);
        }
        if let Some(name) = &self.passed_through {
            data["tls"] = json!({"mode": "passthrough", "serverName": name});
        }
        if let Some(finding) = &self.finding {
            data["policyDecision"] = json!(finding.verdict.to_string());
            let statements = finding.statements.iter().map(|(index, sid)| match sid {
                Some(sid) => json!({"index": index, "sid": sid}),
                None => json!({"index": index}),
            });
            data["statements"] = statements.collect();
            if let Some(denied) = &finding.denied {
                data["denied"] = json!({
                    "action": denied.action,
                    "resource": denied.resource,
                    "message": denied.sentence,
                    "passed": self.endpoint.audit_mode,
                });
            }
        }
        data
    }
}

/// What an action is needed on. The list of resources alone does not say which belongs to which action.
fn need_json(need: &Need) -> Value {
    let resources = need.resources.iter().map(|resource| resource.arn.as_str());
    let mut value = json!({"action": need.action, "resources": resources.collect::<Vec<_>>()});
    if need.resources.iter().any(|resource| resource.unknown) {
        value["unknown"] = json!(true);
    }
    value
}

/// A new id in the form of a UUID, as AWS's request ids are.
pub(crate) fn new_id() -> String {
    let digits = random_hex(31);
    format!(
        "{}-{}-4{}-a{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..15],
        &digits[15..18],
        &digits[18..30]
    )
}
