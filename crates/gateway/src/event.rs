//! A record as CloudTrail's network activity event, with what Linkway adds in `additionalEventData`.
//!
//! Source: "CloudTrail record contents for management, data, and network activity events" in AWS's CloudTrail guide.

use linkway_model::random_uuid;
use linkway_policy::PrincipalKind;

use crate::audit::{Record, iso_seconds};
use crate::json::Object;
use crate::{Identity, Need, Resource};

impl Record {
    /// Writes the event at the end of a text, as one line of JSON without its end.
    pub fn spell(&self, text: &mut Vec<u8>) {
        Object::write(text, |event| self.event(event));
    }

    fn event(&self, event: &mut Object<'_>) {
        let endpoint = &*self.endpoint;
        let error = match &self.refused {
            _ if self.is_denied() => {
                Some(("VpceAccessDenied", "The request was denied due to a VPC endpoint policy"))
            }
            refused => refused.as_ref().map(|(code, message)| (code.as_str(), message.as_str())),
        };
        event.text("eventVersion", "1.09");
        event.object("userIdentity", |identity| self.user_identity(identity));
        event.text("eventTime", &iso_seconds(self.time));
        event.text("eventSource", &endpoint.service.event_source);
        event.text("eventName", self.call.as_ref().map_or("Unknown", |call| &call.operation));
        event.text("awsRegion", &endpoint.region);
        event.text("sourceIPAddress", &self.source.to_string());
        event.text_of("userAgent", self.user_agent.as_deref());
        event.text_of("errorCode", error.map(|(code, _)| code));
        event.text_of("errorMessage", error.map(|(_, message)| message));
        event.text("requestID", &self.request_id);
        event.text("eventID", &random_uuid());
        event.text("eventType", "AwsVpceEvent");
        event.text("recipientAccountId", endpoint.owner.as_str());
        event.text("vpcEndpointId", endpoint.id.as_str());
        event.text("vpcEndpointAccountId", endpoint.owner.as_str());
        event.text("eventCategory", "NetworkActivity");
        let named = resources(self).filter(|resource| resource.arn != "*");
        event.objects("resources", named, |resource, object| {
            object.text("ARN", &resource.arn);
            object.text_of("accountId", resource.account.as_deref());
        });
        event.object("additionalEventData", |additional| self.additional(additional));
    }

    /// The owner of an endpoint sees of callers from other accounts no more than the account.
    fn user_identity(&self, event: &mut Object<'_>) {
        match &self.identity {
            None => event.text("type", "Unknown"),
            Some(Identity::Anonymous) => {
                event.text("type", "AWSAccount");
                event.text("principalId", "");
                event.text("accountId", "ANONYMOUS_PRINCIPAL");
            }
            Some(Identity::Unverified { access_key_id }) => {
                event.text("type", "Unknown");
                event.text("accessKeyId", access_key_id);
            }
            Some(Identity::Known { access_key_id, principal })
                if principal.account != self.endpoint.owner.as_str() =>
            {
                event.text("type", "AWSAccount");
                event.text("principalId", access_key_id);
                event.text("accountId", &principal.account);
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
                event.text("type", kind);
                event.text("principalId", &principal.id);
                event.text("arn", &principal.arn);
                event.text("accountId", &principal.account);
                event.text("accessKeyId", access_key_id);
                event.text_of("userName", principal.user_name.as_deref());
            }
        }
    }

    fn additional(&self, event: &mut Object<'_>) {
        let endpoint = &*self.endpoint;
        event.text("vpcId", endpoint.vpc.as_str());
        event.text("serviceName", &endpoint.service.name);
        event.text("policyMode", if endpoint.audit_mode { "audit" } else { "enforce" });
        event.texts("actions", needs(self).map(|need| need.action.as_str()));
        // The list of resources alone does not say which belongs to which action.
        event.objects("needs", needs(self), |need, object| {
            object.text("action", &need.action);
            object.texts("resources", need.resources.iter().map(|resource| resource.arn.as_str()));
            if need.resources.iter().any(|resource| resource.unknown) {
                object.plain("unknown", true);
            }
        });
        if resources(self).any(|resource| resource.unknown) {
            event.plain("unknownResources", true);
        }
        if let Some(status) = self.status {
            event.plain("httpStatusCode", status);
        }
        if let Some(name) = &self.passed_through {
            event.object("tls", |tls| {
                tls.text("mode", "passthrough");
                tls.text("serverName", name);
            });
        }
        let Some(finding) = self.finding() else { return };
        event.text("policyDecision", &finding.verdict.to_string());
        event.objects("statements", finding.statements.iter(), |(index, sid), statement| {
            statement.plain("index", *index);
            statement.text_of("sid", sid.as_deref());
        });
        if let Some(denied) = &finding.denied {
            event.object("denied", |object| {
                object.text("action", &denied.action);
                object.text("resource", &denied.resource);
                object.text("message", &denied.sentence);
                object.plain("passed", endpoint.audit_mode);
            });
        }
    }
}

fn needs(record: &Record) -> impl Iterator<Item = &Need> {
    record.call.iter().flat_map(|call| &call.needs)
}

fn resources(record: &Record) -> impl Iterator<Item = &Resource> {
    needs(record).flat_map(|need| &need.resources)
}
