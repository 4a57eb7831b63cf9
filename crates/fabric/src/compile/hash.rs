//! Names for lists by their contents: a changed list is another list, so that a reader sees the old one or
//! the new one and never a mixture.

use sha2::{Digest, Sha256};

use crate::layout::Layout;

/// The name of a list that belongs to `owner`, and to nobody else: the first 64 bits of the SHA-256 of both. Never
/// 0, which stands for no list.
pub(crate) fn contents<T: Layout>(owner: &str, items: &[T]) -> u64 {
    let mut hash = Sha256::new();
    hash.update(owner.as_bytes());
    hash.update([0]);
    for item in items {
        hash.update(item.bytes());
    }
    first_bits(&hash.finalize())
}

/// The first 64 bits of the SHA-256 of a text.
pub(crate) fn text(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    first_bits(&hash.finalize())
}

fn first_bits(digest: &[u8]) -> u64 {
    let first = digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    first.max(1)
}
