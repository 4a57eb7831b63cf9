//! How a listener ends TLS: what a request asks for, and its list of certificates.

use linkway_model::Snapshot;
use linkway_model::certificate;
use linkway_model::load_balancer::{AlpnPolicy, Listener, ListenerTls, Protocol};
use linkway_model::ssl_policy::{self, SslPolicy};
use linkway_wire::elbv2::{
    AddListenerCertificatesInput, AddListenerCertificatesOutput, Certificate,
    DescribeListenerCertificatesInput, DescribeListenerCertificatesOutput, RemoveListenerCertificatesInput,
    RemoveListenerCertificatesOutput,
};

use crate::elbv2::{arn, invalid, page};
use crate::error::LoadBalancingError;
use crate::{Caller, Control, Error};

/// Certificates of a balancer besides its listeners' default ones. Source: "Quotas for your Network Load Balancers".
const MAX_CERTIFICATES: usize = 25;

/// What a request says of TLS.
pub(super) struct Given<'a> {
    pub(super) certificates: &'a [Certificate],
    pub(super) policy: Option<&'a str>,
    pub(super) alpn: &'a [String],
}

impl Given<'_> {
    /// How a listener with this protocol ends TLS that did so as in `before`.
    pub(super) fn settle(
        &self,
        state: &Snapshot,
        caller: &Caller,
        protocol: Protocol,
        before: Option<ListenerTls>,
    ) -> Result<Option<ListenerTls>, Error> {
        let alpn = alpn(self.alpn)?;
        if protocol != Protocol::Tls {
            if !self.certificates.is_empty()
                || self.policy.is_some()
                || alpn.unwrap_or_default() != AlpnPolicy::None
            {
                return Err(invalid(
                    "Certificates, SSL policies and ALPN policies can only be specified for TLS listeners",
                ));
            }
            return Ok(None);
        }
        let certificate = match self.certificates {
            [] => None,
            [one] => Some(known(state, caller, one)?.to_owned()),
            _ => return Err(LoadBalancingError::TooManyCertificates(1).into()),
        };
        if let Some(name) = self.policy.filter(|name| SslPolicy::find(name).is_none()) {
            return Err(LoadBalancingError::SslPolicyNotFound(name.to_owned()).into());
        }
        let before = before.unwrap_or_else(|| ListenerTls {
            certificate: String::new(),
            others: Vec::new(),
            policy: ssl_policy::DEFAULT.to_owned(),
            alpn: AlpnPolicy::None,
        });
        let tls = ListenerTls {
            certificate: certificate.unwrap_or(before.certificate),
            policy: self.policy.map_or(before.policy, str::to_owned),
            alpn: alpn.unwrap_or(before.alpn),
            others: before.others,
        };
        if tls.certificate.is_empty() {
            return Err(invalid("A certificate must be specified for TLS listeners"));
        }
        Ok(Some(tls))
    }
}

fn alpn(given: &[String]) -> Result<Option<AlpnPolicy>, Error> {
    let name = match given {
        [] => return Ok(None),
        [name] => name,
        _ => return Err(invalid("Only one ALPN policy can be specified")),
    };
    let found = AlpnPolicy::ALL.into_iter().find(|policy| policy.name() == name);
    found.map(Some).ok_or_else(|| LoadBalancingError::AlpnPolicyNotFound(name.clone()).into())
}

/// ARN of the certificate that a request names.
fn known<'a>(state: &Snapshot, caller: &Caller, given: &'a Certificate) -> Result<&'a str, Error> {
    if given.is_default.is_some() {
        return Err(invalid("IsDefault cannot be specified"));
    }
    let arn = given.certificate_arn.as_deref().unwrap_or_default();
    state
        .get::<certificate::Certificate>(arn)
        .filter(|found| found.owner == caller.account && found.region == caller.region)
        .map(|_| arn)
        .ok_or_else(|| LoadBalancingError::CertificateNotFound(arn.to_owned()).into())
}

fn shape(arn: &str, is_default: Option<bool>) -> Certificate {
    Certificate { certificate_arn: Some(arn.to_owned()), is_default }
}

/// A listener's members about TLS, as `DescribeListeners` shows them.
pub(super) struct Shown {
    pub(super) certificates: Vec<Certificate>,
    pub(super) policy: Option<String>,
    pub(super) alpn: Vec<String>,
}

pub(super) fn shown(listener: &Listener) -> Shown {
    let tls = listener.tls.as_ref();
    let negotiated = tls.filter(|tls| tls.alpn != AlpnPolicy::None);
    Shown {
        certificates: tls.map(|tls| shape(&tls.certificate, None)).into_iter().collect(),
        policy: tls.map(|tls| tls.policy.clone()),
        alpn: negotiated.map(|tls| tls.alpn.name().to_owned()).into_iter().collect(),
    }
}

/// A listener that ends TLS, and how.
fn tls_of(state: &Snapshot, caller: &Caller, arn: Option<&str>) -> Result<(Listener, ListenerTls), Error> {
    let listener = Listener::clone(arn::required::<Listener>(state, caller, arn)?);
    match listener.tls.clone() {
        Some(tls) => Ok((listener, tls)),
        None => Err(invalid("Certificates can only be specified for TLS listeners")),
    }
}

/// `AddListenerCertificates`. A certificate that is in the list stays in it.
pub(crate) fn add(
    control: &Control,
    caller: &Caller,
    input: AddListenerCertificatesInput,
) -> Result<AddListenerCertificatesOutput, Error> {
    control.write(None, |tx| {
        let (listener, mut tls) = tls_of(tx, caller, input.listener_arn.as_deref())?;
        let mut certificates = Vec::new();
        for given in &input.certificates {
            let arn = known(tx, caller, given)?;
            if !tls.others.iter().any(|other| other == arn) {
                tls.others.push(arn.to_owned());
            }
            certificates.push(shape(arn, Some(false)));
        }
        let elsewhere: usize = tx
            .all::<Listener>()
            .filter(|other| other.load_balancer == listener.load_balancer && other.arn != listener.arn)
            .map(|other| other.tls.as_ref().map_or(0, |tls| tls.others.len()))
            .sum();
        if elsewhere + tls.others.len() > MAX_CERTIFICATES {
            return Err(LoadBalancingError::TooManyCertificates(MAX_CERTIFICATES).into());
        }
        tx.put(Listener { tls: Some(tls), ..listener });
        Ok(AddListenerCertificatesOutput { certificates })
    })
}

/// `RemoveListenerCertificates`. The default certificate stays, and what is not in the list is not missed.
pub(crate) fn remove(
    control: &Control,
    caller: &Caller,
    input: RemoveListenerCertificatesInput,
) -> Result<RemoveListenerCertificatesOutput, Error> {
    control.write(None, |tx| {
        let (listener, mut tls) = tls_of(tx, caller, input.listener_arn.as_deref())?;
        for given in &input.certificates {
            let arn = given.certificate_arn.as_deref().unwrap_or_default();
            if arn == tls.certificate && !tls.others.iter().any(|other| other == arn) {
                let message =
                    format!("The certificate '{arn}' is the default certificate and cannot be removed");
                return Err(LoadBalancingError::OperationNotPermitted(message).into());
            }
            tls.others.retain(|other| other != arn);
        }
        tx.put(Listener { tls: Some(tls), ..listener });
        Ok(RemoveListenerCertificatesOutput {})
    })
}

/// `DescribeListenerCertificates`: the default one, and the list.
pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeListenerCertificatesInput,
) -> Result<DescribeListenerCertificatesOutput, Error> {
    let state = control.read(None)?;
    let listener = arn::required::<Listener>(&state, caller, input.listener_arn.as_deref())?;
    let mut found: Vec<(bool, &str)> = Vec::new();
    if let Some(tls) = &listener.tls {
        found.push((true, &tls.certificate));
        found.extend(tls.others.iter().map(|other| (false, other.as_str())));
    }
    let key = |(is_default, arn): &(bool, &str)| format!("{} {arn}", u8::from(!is_default));
    found.sort_by_key(key);
    let (found, next_marker) = page::cut(input.page_size, &input.marker, found, key)?;
    let certificates = found.into_iter().map(|(is_default, arn)| shape(arn, Some(is_default))).collect();
    Ok(DescribeListenerCertificatesOutput { certificates, next_marker })
}
