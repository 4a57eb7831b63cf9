//! What is wrong or weak in an endpoint as it is set up, and what to do about it: from a snapshot to findings.
//!
//! A file for each concern. The ids of findings are stable, as scripts go by them; `docs/advise.md` lists them.

mod backend;
mod between;
mod dns;
mod egress;
mod ingress;
mod policy;
mod routes;
mod rules;
mod service;
mod state;
mod targets;
#[cfg(test)]
mod tests;
mod zones;

use std::collections::BTreeSet;

use linkway_model::vpc_endpoint::{EndpointState, VpcEndpoint};
use linkway_model::{Snapshot, VpcEndpointId};
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Somebody or something does not get through that should.
    Error,
    /// It works, but less well or for more people than it could.
    Warning,
}

/// Something about an endpoint that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// The sort of finding: never changes.
    pub(crate) id: String,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// Of which endpoint.
    pub(crate) endpoint: VpcEndpointId,
    /// What was found.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) remedy: String,
    /// A command that does it, where there is one.
    pub(crate) command: Option<String>,
}

/// Names of services that VPCs asked for in public, by the VPCs' numbers.
pub(crate) type PublicNames = BTreeSet<(u32, String)>;

/// An endpoint and all around it.
#[derive(Clone, Copy)]
struct Subject<'a> {
    state: &'a Snapshot,
    endpoint: &'a VpcEndpoint,
    public_names: &'a PublicNames,
}

/// What was found so far of one endpoint.
struct Findings<'a> {
    endpoint: &'a VpcEndpoint,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn error(
        &mut self,
        id: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
        command: Option<String>,
    ) {
        self.add(id, Severity::Error, message.into(), remedy.into(), command);
    }

    fn warn(
        &mut self,
        id: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
        command: Option<String>,
    ) {
        self.add(id, Severity::Warning, message.into(), remedy.into(), command);
    }

    fn add(
        &mut self,
        id: &str,
        severity: Severity,
        message: String,
        remedy: String,
        command: Option<String>,
    ) {
        let endpoint = self.endpoint.id.clone();
        self.found.push(Finding { id: id.to_owned(), severity, endpoint, message, remedy, command });
    }
}

impl Subject<'_> {
    /// An AWS CLI command in the endpoint's region.
    fn aws(&self, command: &str) -> Option<String> {
        Some(format!("aws --region {} {command}", self.endpoint.region))
    }
}

/// What is to be said of an endpoint, or of all that are not being deleted: errors first.
pub(crate) fn advise(
    state: &Snapshot,
    public_names: &PublicNames,
    only: Option<&VpcEndpointId>,
) -> Vec<Finding> {
    let asked = |endpoint: &&VpcEndpoint| match only {
        Some(id) => endpoint.id == *id,
        None => !matches!(endpoint.state, EndpointState::Deleting | EndpointState::Deleted),
    };
    let mut found = Vec::new();
    for endpoint in state.all::<VpcEndpoint>().map(AsRef::as_ref).filter(asked) {
        let subject = Subject { state, endpoint, public_names };
        let mut findings = Findings { endpoint, found: Vec::new() };
        for look in [state::look, policy::look, backend::look] {
            look(subject, &mut findings);
        }
        let by_type: &[fn(Subject<'_>, &mut Findings<'_>)] = match endpoint.gateway {
            Some(_) => &[routes::look, between::look_at_gateway],
            None => &[ingress::look, egress::look, between::look, zones::look, dns::look, targets::look],
        };
        for look in by_type {
            look(subject, &mut findings);
        }
        findings.found.sort_by_key(|finding| finding.severity);
        found.extend(findings.found);
    }
    found
}
