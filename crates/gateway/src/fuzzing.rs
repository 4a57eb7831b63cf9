//! What fuzzing calls of what is nobody else's business: see `crates/untrusted`.

use linkway_wire::sigv4::ChunkSignatures;

use crate::aws_chunked::AwsChunked;

pub use crate::client_hello::{Hello, NotTls, read as client_hello};
pub use crate::proxy_header::encode as proxy_header;

/// Whether a body that comes in these pieces is one in the encoding `aws-chunked`, its signatures right.
pub fn is_aws_chunked<'a>(
    signatures: ChunkSignatures,
    trailer: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> bool {
    let mut body = AwsChunked::new(signatures, trailer);
    pieces.into_iter().all(|piece| body.update(piece).is_ok()) && body.finish().is_ok()
}
