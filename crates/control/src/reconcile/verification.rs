//! Verifying that a private DNS name's domain is the provider's.

use linkway_model::EndpointServiceId;
use linkway_model::endpoint_service::{EndpointService, PrivateDns, VerificationState};

use super::log;
use crate::ec2::endpoint_service::domain;
use crate::{Control, Error};

/// A TXT record to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Whose name it verifies.
    pub service: EndpointServiceId,
    /// Where it may be: one is enough.
    pub names: Vec<String>,
    /// What it says, letter by letter.
    pub expected: String,
}

impl Control {
    /// Records that providers have asked to look up and that nobody has answered for.
    pub fn verifications_due(&self) -> Vec<Verification> {
        let due = |service: &EndpointService| {
            let dns = service.private_dns.as_ref().filter(|dns| dns.verification_requested)?;
            Some(Verification {
                service: service.id.clone(),
                names: names(dns),
                expected: dns.record_value.clone(),
            })
        };
        self.store.snapshot().all::<EndpointService>().filter_map(|service| due(service)).collect()
    }

    /// Say whether a service's record was there. It counts for the request that asked; a name that has changed
    /// since has a request of its own.
    pub fn record_verification(&self, verified: &Verification, found: bool) {
        let done = self.store.transact(|tx| {
            tx.update::<EndpointService>(&verified.service, |service| {
                let dns = service.private_dns.as_mut();
                if let Some(dns) = dns.filter(|dns| dns.record_value == verified.expected) {
                    dns.verification_requested = false;
                    dns.state = if found { VerificationState::Verified } else { VerificationState::Failed };
                }
            });
            Ok::<_, Error>(())
        });
        log("a domain's verification was lost", done);
    }
}

/// Under the record's label or without it, of the name's domain or of one above it: whoever owns that owns all
/// below. A top-level domain is nobody's.
fn names(dns: &PrivateDns) -> Vec<String> {
    let mut names = Vec::new();
    let mut domain = Some(domain(&dns.name));
    while let Some(name) = domain.filter(|name| name.contains('.')) {
        names.push(format!("{}.{name}", dns.record_name));
        names.push(name.to_owned());
        domain = name.split_once('.').map(|(_, above)| above);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_a_domain_above_will_do() {
        let dns = PrivateDns {
            name: "*.db.example.com".into(),
            state: VerificationState::PendingVerification,
            record_name: "_x".into(),
            record_value: "vpce:y".into(),
            verification_requested: true,
        };
        assert_eq!(names(&dns), ["_x.db.example.com", "db.example.com", "_x.example.com", "example.com"]);
    }
}
