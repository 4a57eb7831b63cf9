//! Bodies that a client has compressed, as SDKs do with large `PutMetricData`.

use std::borrow::Cow;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::request::RequestHead;

/// Bytes that a body may come to; `PutMetricData` may have 1 MB.
const LIMIT: usize = 4 << 20;

/// A gzip member's fixed head, and what follows its content: RFC 1952.
const HEAD: usize = 10;
const TAIL: usize = 8;

/// Whether a body is other than it is sent. A form is not looked at then: a server that does not know of the
/// encoding could read another one out of what is sent.
pub(crate) fn is_packed(head: &RequestHead<'_>) -> bool {
    head.header("content-encoding").is_some_and(|encoding| {
        !matches!(encoding.to_ascii_lowercase().as_str(), "" | "identity" | "aws-chunked")
    })
}

/// A body as it is meant; `None` if it cannot be told.
pub(crate) fn unpack<'a>(head: &RequestHead<'_>, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match is_packed(head) {
        false => Some(Cow::Borrowed(body)),
        true if head.header("content-encoding")?.eq_ignore_ascii_case("gzip") => gunzip(body).map(Cow::Owned),
        true => None,
    }
}

/// What a gzip file of one member and without optional fields holds.
fn gunzip(file: &[u8]) -> Option<Vec<u8>> {
    if file.len() < HEAD + TAIL || !file.starts_with(&[0x1f, 0x8b, 8, 0]) {
        return None;
    }
    let (packed, tail) = file[HEAD..].split_at(file.len() - HEAD - TAIL);
    let content = decompress_to_vec_with_limit(packed, LIMIT).ok()?;
    let size = u32::from_le_bytes(tail[4..].try_into().ok()?);
    (u32::try_from(content.len()) == Ok(size)).then_some(content)
}
