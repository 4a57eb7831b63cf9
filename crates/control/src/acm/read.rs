//! What a certificate says, and whether it is one that a listener can show: sound, in force, with its own key, and
//! with a chain that leads on from it.
//!
//! Source: "Prerequisites for importing certificates" and "Certificate import problems" in ACM's user guide; messages,
//! where AWS's own are quoted in public issues.

use linkway_model::Timestamp;
use linkway_model::certificate::Facts;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Name;

use crate::Error;
use crate::error::CertificateError;

const P256: Oid<'_> = oid!(1.2.840.10045.3.1.7);
const P384: Oid<'_> = oid!(1.3.132.0.34);

fn refuse<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(CertificateError::Validation(message.into()).into())
}

/// Reads a certificate with its chain and its key, all in PEM.
pub(super) fn certificate(body: &str, chain: &str, key: &str, now: Timestamp) -> Result<Facts, Error> {
    let Some(own) = pem(body).filter(|found| !found.is_empty()) else {
        return refuse("Unable to parse certificate. Please ensure the certificate is in PEM format.");
    };
    let [own] = &own[..] else {
        return refuse(
            "The certificate field contains more than one certificate. You can specify only one certificate in this \
             field.",
        );
    };
    let Some(chain) = pem(chain) else {
        return refuse("The certificate chain provided is not in a valid PEM format.");
    };
    let Ok((_, parsed)) = X509Certificate::from_der(own) else {
        return refuse("Unable to parse certificate. Please ensure the certificate is in PEM format.");
    };
    check_chain(&parsed, &chain)?;
    check_key(own, key)?;
    let facts = facts(&parsed)?;
    if now < facts.not_before || now >= facts.not_after {
        return refuse("The certificate is not in its validity period.");
    }
    Ok(facts)
}

/// The certificates in a text. `None`: there is something else in it.
fn pem(text: &str) -> Option<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<_, _>>().ok()?;
    (text.trim().is_empty() == found.is_empty()).then_some(found)
}

/// Each certificate of a chain certifies the one before it.
fn check_chain(own: &X509Certificate<'_>, chain: &[CertificateDer<'_>]) -> Result<(), Error> {
    let parsed: Result<Vec<_>, _> = chain.iter().map(|one| X509Certificate::from_der(one)).collect();
    let Ok(parsed) = parsed else {
        return refuse(
            "Unable to parse certificate chain. Please ensure the certificate chain is in PEM format.",
        );
    };
    let mut before = own;
    for (_, issuer) in &parsed {
        let certified =
            before.issuer() == issuer.subject() && before.verify_signature(Some(issuer.public_key())).is_ok();
        if !certified {
            return refuse("Could not validate the certificate with the certificate chain.");
        }
        before = issuer;
    }
    Ok(())
}

fn check_key(own: &CertificateDer<'_>, key: &str) -> Result<(), Error> {
    if key.contains("ENCRYPTED") {
        return refuse("The private key must not be encrypted.");
    }
    let Ok(key) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else {
        return refuse("Unable to parse private key. Please ensure the private key is in PEM format.");
    };
    match CertifiedKey::from_der(vec![own.clone().into_owned()], key, &default_provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            refuse("The private key provided does not match the certificate.")
        }
        Err(_) => refuse(
            "The private key is not supported: it is RSA with 2048, 3072 or 4096 bits, or EC with the curve P-256 or \
             P-384.",
        ),
    }
}

fn facts(parsed: &X509Certificate<'_>) -> Result<Facts, Error> {
    let names = names(parsed);
    let common = common_name(parsed.subject());
    let first = names.first().cloned();
    let names = if names.is_empty() { common.clone().into_iter().collect() } else { names };
    let issuer = parsed.issuer();
    let organization = issuer.iter_organization().next().and_then(|one| one.as_str().ok()).map(str::to_owned);
    let moment =
        |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).unwrap_or_default();
    Ok(Facts {
        domain: common.or(first),
        names,
        serial: parsed.raw_serial_as_string(),
        subject: parsed.subject().to_string(),
        issuer: organization.or_else(|| common_name(issuer)).unwrap_or_default(),
        not_before: moment(parsed.validity().not_before),
        not_after: moment(parsed.validity().not_after),
        key_algorithm: key_algorithm(parsed)?,
        signature_algorithm: signature_algorithm(parsed).to_owned(),
        key_usages: key_usages(parsed),
        extended_key_usages: extended_key_usages(parsed),
    })
}

fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = parsed.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    };
    alternative.value.general_names.iter().filter_map(name).collect()
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name().next()?.as_str().ok().map(str::to_owned)
}

fn key_algorithm(parsed: &X509Certificate<'_>) -> Result<String, Error> {
    match parsed.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => Ok(format!("RSA_{}", key.key_size())),
        Ok(PublicKey::EC(_)) => {
            let curve =
                parsed.public_key().algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
            match curve {
                Some(curve) if curve == P256 => Ok("EC_prime256v1".to_owned()),
                Some(curve) if curve == P384 => Ok("EC_secp384r1".to_owned()),
                _ => refuse("The certificate's elliptic curve is not supported: it is P-256 or P-384."),
            }
        }
        _ => refuse("The certificate's key algorithm is not supported."),
    }
}

/// Source: the object identifiers of RFC 4055, RFC 5758 and RFC 8410.
fn signature_algorithm(parsed: &X509Certificate<'_>) -> &'static str {
    match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.5" => "SHA1WITHRSA",
        "1.2.840.113549.1.1.11" => "SHA256WITHRSA",
        "1.2.840.113549.1.1.12" => "SHA384WITHRSA",
        "1.2.840.113549.1.1.13" => "SHA512WITHRSA",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.10045.4.3.2" => "SHA256WITHECDSA",
        "1.2.840.10045.4.3.3" => "SHA384WITHECDSA",
        "1.2.840.10045.4.3.4" => "SHA512WITHECDSA",
        "1.3.101.112" => "ED25519",
        _ => "UNKNOWN",
    }
}

fn key_usages(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(usage)) = parsed.key_usage() else { return Vec::new() };
    let usage = usage.value;
    let known = [
        (usage.digital_signature(), "DIGITAL_SIGNATURE"),
        (usage.non_repudiation(), "NON_REPUDIATION"),
        (usage.key_encipherment(), "KEY_ENCIPHERMENT"),
        (usage.data_encipherment(), "DATA_ENCIPHERMENT"),
        (usage.key_agreement(), "KEY_AGREEMENT"),
        (usage.key_cert_sign(), "CERTIFICATE_SIGNING"),
        (usage.crl_sign(), "CRL_SIGNING"),
        (usage.encipher_only(), "ENCIPHER_ONLY"),
        (usage.decipher_only(), "DECIPHER_ONLY"),
    ];
    known.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()).collect()
}

fn extended_key_usages(parsed: &X509Certificate<'_>) -> Vec<(String, String)> {
    let Ok(Some(usage)) = parsed.extended_key_usage() else { return Vec::new() };
    let usage = usage.value;
    let known = [
        (usage.server_auth, "TLS_WEB_SERVER_AUTHENTICATION", "1.3.6.1.5.5.7.3.1"),
        (usage.client_auth, "TLS_WEB_CLIENT_AUTHENTICATION", "1.3.6.1.5.5.7.3.2"),
        (usage.code_signing, "CODE_SIGNING", "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "EMAIL_PROTECTION", "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "TIME_STAMPING", "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "OCSP_SIGNING", "1.3.6.1.5.5.7.3.9"),
        (usage.any, "ANY", "2.5.29.37.0"),
    ];
    let known = known.iter().filter(|(set, ..)| *set);
    let other = usage.other.iter().map(|oid| ("CUSTOM".to_owned(), oid.to_id_string()));
    known.map(|(_, name, oid)| ((*name).to_owned(), (*oid).to_owned())).chain(other).collect()
}
