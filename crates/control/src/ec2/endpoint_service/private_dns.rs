//! A service's private DNS name, and the proof that its domain is the provider's: a TXT record.

use linkway_model::endpoint_service::{EndpointService, PrivateDns, VerificationState};
use linkway_model::{random_label, random_mixed};
use linkway_wire::ec2::{
    StartVpcEndpointServicePrivateDnsVerificationRequest, StartVpcEndpointServicePrivateDnsVerificationResult,
};

use crate::lookup::named;
use crate::{Caller, Control, Error};

/// Octets of a name, and of one of its labels. Source: RFC 1035, section 2.3.4.
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;

/// A private DNS name as a request gives it, with a record to verify it by.
pub(super) fn unverified(name: &str) -> Result<PrivateDns, Error> {
    if !is_name(name) {
        return Err(Error::InvalidParameter(format!(
            "The private DNS name {name} is not valid: it is a domain name in lower case, or *. and one."
        )));
    }
    Ok(PrivateDns {
        name: name.to_owned(),
        state: VerificationState::PendingVerification,
        record_name: format!("_{}", random_label(20)),
        record_value: format!("vpce:{}", random_mixed(20)),
        verification_requested: false,
    })
}

/// The domain of a private DNS name, which is the name itself or what a wildcard stands over.
pub(crate) fn domain(name: &str) -> &str {
    name.strip_prefix("*.").unwrap_or(name)
}

fn is_name(name: &str) -> bool {
    let labels: Vec<&str> = domain(name).split('.').collect();
    let is_label = |label: &&str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= MAX_NAME && labels.len() >= 2 && labels.iter().all(is_label)
}

/// `StartVpcEndpointServicePrivateDnsVerification`: have the record looked up (again). Until the answer is there the
/// name counts as not verified.
pub(crate) fn start_verification(
    control: &Control,
    caller: &Caller,
    input: StartVpcEndpointServicePrivateDnsVerificationRequest,
) -> Result<StartVpcEndpointServicePrivateDnsVerificationResult, Error> {
    control.write(input.dry_run, |tx| {
        let service = named::<EndpointService>(tx, caller, input.service_id.as_deref(), "ServiceId")?;
        let id = service.id.clone();
        if service.private_dns.is_none() {
            return Err(Error::InvalidParameter(format!(
                "The VPC endpoint service {id} does not have a private DNS name."
            )));
        }
        tx.update::<EndpointService>(&id, |service| {
            if let Some(dns) = &mut service.private_dns {
                dns.state = VerificationState::PendingVerification;
                dns.verification_requested = true;
            }
        });
        Ok(StartVpcEndpointServicePrivateDnsVerificationResult { return_value: Some(true) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_domains_in_lower_case() {
        for good in ["db.example.com", "*.example.com", "example.com", "a-b.c0.io"] {
            assert_eq!(unverified(good).unwrap().name, good);
        }
        for bad in ["", "com", "DB.example.com", "a.*.com", "-a.com", "a..com", "*.com", "a.com."] {
            assert_eq!(unverified(bad).unwrap_err().code(), "InvalidParameter", "{bad}");
        }
    }

    #[test]
    fn records_look_like_aws() {
        let dns = unverified("db.example.com").unwrap();
        assert_eq!(dns.record_name.len(), 21);
        assert!(dns.record_name.starts_with('_'));
        let value = dns.record_value.strip_prefix("vpce:").unwrap();
        assert!(value.len() == 20 && value.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(dns.record_value, unverified("db.example.com").unwrap().record_value);
    }
}
