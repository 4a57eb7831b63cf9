//! A hash for ids that must stay from one version of Linkway to the next.

/// FNV-1a of 64 bits, by the constants of its authors.
pub(crate) fn stable(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The last `count` hexadecimal digits of a text's hash: at most 16.
pub(crate) fn digits(text: &str, count: usize) -> String {
    format!("{:016x}", stable(text.bytes()))[16 - count..].to_owned()
}
