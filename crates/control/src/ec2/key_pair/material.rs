//! Keys themselves: making them, reading what callers import, and AWS's fingerprints of both.

use linkway_model::key_pair::KeyKind;
use linkway_wire::Blob;
use md5::Md5;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use ssh_key::public::KeyData;
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, Mpint, PrivateKey, PublicKey};

use crate::Error;
use crate::error::InstanceError;

/// Bits of the RSA keys that are made.
const RSA_BITS: usize = 2048;

/// Bits of those that may be imported. Source: "Create a key pair for your Amazon EC2 instance".
const IMPORTED_BITS: [usize; 3] = [1024, 2048, 4096];

/// The public half of a pair.
pub(super) struct Public {
    pub(super) kind: KeyKind,
    /// As in `authorized_keys`, without a comment.
    pub(super) line: String,
    pub(super) fingerprint: String,
}

/// A new pair.
pub(super) struct Made {
    pub(super) public: Public,
    /// In PEM.
    pub(super) private: String,
}

/// Make a pair.
pub(super) fn make(kind: KeyKind) -> Result<Made, Error> {
    let failed = |_| Error::from(InstanceError::KeyNotMade);
    match kind {
        KeyKind::Rsa => rsa_pair().ok_or(InstanceError::KeyNotMade.into()),
        KeyKind::Ed25519 => {
            let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(failed)?;
            let private = key.to_openssh(LineEnding::LF).map_err(failed)?.to_string();
            Ok(Made { public: public(key.public_key())?, private })
        }
    }
}

/// An RSA pair. The fingerprint of one that AWS makes is of its private half.
fn rsa_pair() -> Option<Made> {
    let key = RsaPrivateKey::new(&mut OsRng, RSA_BITS).ok()?;
    let fingerprint = colons(&Sha1::digest(key.to_pkcs8_der().ok()?.as_bytes()));
    let data = ssh_key::public::RsaPublicKey::try_from(key.to_public_key()).ok()?;
    let line = PublicKey::from(KeyData::Rsa(data)).to_openssh().ok()?;
    let private = key.to_pkcs1_pem(LineEnding::LF).ok()?.to_string();
    Some(Made { public: Public { kind: KeyKind::Rsa, line, fingerprint }, private })
}

/// Read a public key as callers import it: OpenSSH's, RFC 4716's or PEM.
pub(super) fn read(bytes: &[u8]) -> Result<Public, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| InstanceError::KeyFormat)?.trim();
    let key = if text.starts_with("---- BEGIN SSH2 PUBLIC KEY ----") {
        rfc4716(text)
    } else if text.starts_with("-----BEGIN PUBLIC KEY-----") {
        pem(text)
    } else {
        PublicKey::from_openssh(text).ok()
    };
    public(&key.ok_or(InstanceError::KeyFormat)?)
}

fn pem(text: &str) -> Option<PublicKey> {
    let key = RsaPublicKey::from_public_key_pem(text).ok()?;
    Some(PublicKey::from(KeyData::Rsa(ssh_key::public::RsaPublicKey::try_from(key).ok()?)))
}

/// RFC 4716: Base64 between marks, after headers, which go on where a line ends in a backslash.
fn rfc4716(text: &str) -> Option<PublicKey> {
    let mut body = String::new();
    let mut in_header = false;
    for line in text.lines().map(str::trim).skip(1).take_while(|line| !line.starts_with("----")) {
        let is_header = in_header || line.contains(':');
        in_header = is_header && line.ends_with('\\');
        if !is_header {
            body.push_str(line);
        }
    }
    PublicKey::from_bytes(&Blob::from_base64(&body)?.0).ok()
}

/// An imported key's kind and fingerprint: of RSA's public half in DER, as MD5; of Ed25519's as OpenSSH has it.
fn public(key: &PublicKey) -> Result<Public, Error> {
    let refuse = || Error::from(InstanceError::KeyFormat);
    let (kind, fingerprint) = match key.key_data() {
        KeyData::Rsa(data) => {
            let key = rsa_key(data).ok_or_else(refuse)?;
            if !IMPORTED_BITS.contains(&(rsa::traits::PublicKeyParts::size(&key) * 8)) {
                return Err(refuse());
            }
            let der = key.to_public_key_der().map_err(|_| refuse())?;
            (KeyKind::Rsa, colons(&Md5::digest(der.as_bytes())))
        }
        KeyData::Ed25519(_) => {
            let bytes = key.to_bytes().map_err(|_| refuse())?;
            (KeyKind::Ed25519, Blob(Sha256::digest(bytes).to_vec()).to_base64())
        }
        _ => return Err(refuse()),
    };
    let plain = PublicKey::from(key.key_data().clone());
    Ok(Public { kind, line: plain.to_openssh().map_err(|_| refuse())?, fingerprint })
}

/// An RSA key of its numbers, short ones too.
fn rsa_key(data: &ssh_key::public::RsaPublicKey) -> Option<RsaPublicKey> {
    let number = |number: &Mpint| Some(BigUint::from_bytes_be(number.as_positive_bytes()?));
    RsaPublicKey::new(number(&data.n)?, number(&data.e)?).ok()
}

/// Bytes as pairs of hexadecimal digits with colons between.
fn colons(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti me@here";

    #[test]
    fn a_key_that_was_made_can_be_imported() {
        for kind in [KeyKind::Rsa, KeyKind::Ed25519] {
            let made = make(kind).unwrap();
            let read = read(made.public.line.as_bytes()).unwrap();
            assert_eq!((read.kind, read.line), (kind, made.public.line));
            assert_eq!(made.public.fingerprint == read.fingerprint, kind == KeyKind::Ed25519);
            let begin = made.private.lines().next().unwrap();
            match kind {
                KeyKind::Rsa => assert_eq!(begin, "-----BEGIN RSA PRIVATE KEY-----"),
                KeyKind::Ed25519 => assert_eq!(begin, "-----BEGIN OPENSSH PRIVATE KEY-----"),
            }
        }
    }

    #[test]
    fn keys_are_read_in_every_form() {
        let line = read(ED25519.as_bytes()).unwrap();
        assert_eq!(line.kind, KeyKind::Ed25519);
        let body = ED25519.split(' ').nth(1).unwrap();
        let ssh2 = format!(
            "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"a long \\\none\"\n{body}\n---- END SSH2 PUBLIC KEY ----\n"
        );
        assert_eq!(read(ssh2.as_bytes()).unwrap().line, line.line);

        let key = RsaPrivateKey::new(&mut OsRng, 1024).unwrap().to_public_key();
        let pem = key.to_public_key_pem(LineEnding::LF).unwrap();
        let from_pem = read(pem.as_bytes()).unwrap();
        assert_eq!(from_pem.fingerprint.len(), 16 * 3 - 1);
        assert_eq!(read(from_pem.line.as_bytes()).unwrap().fingerprint, from_pem.fingerprint);

        for bad in
            ["", "ssh-rsa AAAA", "not a key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]
        {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
