//! A record of every request through an endpoint.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use linkway_policy::Verdict;

use crate::authorize::Finding;
use crate::{Call, Endpoint, Identity};

/// Where records go.
pub trait AuditSink: Send + Sync {
    /// Takes a record. Called on threads that serve requests: it must not wait.
    fn write(&self, record: Record);
}

/// A request through an endpoint; or a connection, where requests cannot be seen. Spelled as CloudTrail's network activity
/// event, with what Linkway adds in `additionalEventData`.
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

    /// `None`: the policy was not asked, or had nothing to say.
    pub(crate) fn decided(&mut self, finding: Option<Finding>) {
        self.finding = finding;
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

    pub(crate) fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }
}

/// `2026-06-01T12:00:00Z`: what is less than a second is left out.
pub(crate) fn iso_seconds(time: Timestamp) -> String {
    format!("{time:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_whole_seconds() {
        for time in ["2026-06-01T12:00:00Z", "2026-06-01T12:00:00.999999999Z"] {
            assert_eq!(iso_seconds(time.parse().unwrap()), "2026-06-01T12:00:00Z");
        }
    }
}
