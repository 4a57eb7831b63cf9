//! The encoding `aws-chunked`, read only to check its signatures: it passes as it came.
//!
//! Source: "Signature calculations for the authorization header: transferring a payload in multiple chunks" in
//! Amazon S3's API reference.

use linkway_wire::sigv4::ChunkSignatures;
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

/// The longest line that is not data. A trailer is a checksum.
const MAX_LINE: usize = 4096;

pub(crate) struct AwsChunked {
    signatures: ChunkSignatures,
    trailer: bool,
    state: State,
    line: Vec<u8>,
}

enum State {
    /// `SIZE;chunk-signature=SIGNATURE`.
    Head,
    /// So many bytes of it are still to come.
    Data { left: u64, hash: Sha256, signature: String },
    /// The line's end that follows data.
    DataEnd,
    /// `name:value`, up to the signature.
    Trailer { hash: Sha256 },
    /// An empty line, and nothing more.
    End,
}

impl AwsChunked {
    /// Reads a body that a trailer follows or not.
    pub(crate) fn new(signatures: ChunkSignatures, trailer: bool) -> Self {
        Self { signatures, trailer, state: State::Head, line: Vec::new() }
    }

    /// Takes the next piece of the body.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            if let State::Data { left, hash, .. } = &mut self.state {
                let take = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let (data, rest) = bytes.split_at(take);
                hash.update(data);
                *left -= take as u64;
                bytes = rest;
                self.end_data()?;
            } else {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                self.line.extend_from_slice(part);
                bytes = rest;
                if self.line.len() > MAX_LINE {
                    return Err(Refusal::BodyEncoding);
                }
                if end.is_some() {
                    let line = std::mem::take(&mut self.line);
                    let line = line.strip_suffix(b"\r\n").ok_or(Refusal::BodyEncoding)?;
                    self.line(str::from_utf8(line).map_err(|_| Refusal::BodyEncoding)?)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the body may end here.
    pub(crate) fn finish(&self) -> Result<(), Refusal> {
        match self.state {
            State::End if self.line.is_empty() => Ok(()),
            _ => Err(Refusal::BodyEncoding),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), Refusal> {
        self.state = match &mut self.state {
            State::Head => {
                let (size, signature) = line.split_once(";chunk-signature=").ok_or(Refusal::BodyEncoding)?;
                let hexadecimal = size.bytes().all(|digit| digit.is_ascii_hexdigit());
                let left = u64::from_str_radix(size, 16).map_err(|_| Refusal::BodyEncoding)?;
                match (hexadecimal, left) {
                    (false, _) => return Err(Refusal::BodyEncoding),
                    (true, 0) => {
                        let empty = Sha256::digest(b"").into();
                        self.signatures.chunk(&empty, signature).map_err(Refusal::Signature)?;
                        if self.trailer { State::Trailer { hash: Sha256::new() } } else { State::End }
                    }
                    (true, left) => {
                        State::Data { left, hash: Sha256::new(), signature: signature.to_owned() }
                    }
                }
            }
            State::DataEnd if line.is_empty() => State::Head,
            State::Trailer { hash } => match line.split_once(':') {
                Some(("x-amz-trailer-signature", signature)) => {
                    let hash = hash.clone().finalize().into();
                    self.signatures.trailer(&hash, signature.trim()).map_err(Refusal::Signature)?;
                    State::End
                }
                Some((name, value)) => {
                    hash.update(format!("{}:{}\n", name.to_ascii_lowercase(), value.trim()));
                    return Ok(());
                }
                None => return Err(Refusal::BodyEncoding),
            },
            State::End if line.is_empty() => State::End,
            State::Data { .. } | State::DataEnd | State::End => return Err(Refusal::BodyEncoding),
        };
        Ok(())
    }

    fn end_data(&mut self) -> Result<(), Refusal> {
        if let State::Data { left: 0, hash, signature } = &self.state {
            let hash = hash.clone().finalize().into();
            self.signatures.chunk(&hash, signature).map_err(Refusal::Signature)?;
            self.state = State::DataEnd;
        }
        Ok(())
    }
}
