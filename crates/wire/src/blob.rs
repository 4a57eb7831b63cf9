//! Bytes in requests and responses: Base64 on the wire.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::Dialect;
use crate::decode::{Decode, Fault};
use crate::encode::Encode;
use crate::params::Node;
use crate::xml::Xml;

/// What is taken: the standard alphabet, with the padding or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes. They may be secret: they do not show in logs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Blob {
    /// Bytes from their Base64, in which line breaks and other white space mean nothing. `None`: it is none.
    pub fn from_base64(text: &str) -> Option<Self> {
        let text: String = text.split_ascii_whitespace().collect();
        LENIENT.decode(text).ok().map(Self)
    }

    /// Their Base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }
}

impl Decode for Blob {
    fn decode(node: Node, _: Dialect) -> Result<Self, Fault> {
        let value = node.into_value()?;
        Self::from_base64(&value).ok_or(Fault::Malformed {
            path: String::new(),
            value,
            expected: "base64-encoded data",
        })
    }
}

impl Encode for Blob {
    fn encode(&self, xml: &mut Xml, name: &str) {
        xml.text_element(name, &self.to_base64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_clients_write_it() {
        let bytes = Some(Blob(b"#!/bin/sh".to_vec()));
        for text in ["IyEvYmluL3No", "IyEv\nYmlu\r\nL3No\n"] {
            assert_eq!(Blob::from_base64(text), bytes);
        }
        assert_eq!(Blob::from_base64("YQ"), Some(Blob(b"a".to_vec())));
        assert_eq!(Blob::from_base64("YQ==").unwrap().to_base64(), "YQ==");
        assert_eq!(Blob::from_base64("not base64!"), None);
    }
}
