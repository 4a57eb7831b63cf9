//! UUIDs, as AWS's request ids and certificates' ids are.

use std::cell::RefCell;

thread_local! {
    static RANDOM: RefCell<Random> = const { RefCell::new(Random { bytes: [0; 1024], used: 1024 }) };
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A new UUID of version 4. Source: RFC 9562, section 5.4.
pub fn random_uuid() -> String {
    let mut bytes = RANDOM.with_borrow_mut(Random::take);
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 0x0F].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
    text
}

/// Random bytes that were asked for together: asking the kernel for each request's would cost as much as some of its
/// checks.
struct Random {
    bytes: [u8; 1024],
    used: usize,
}

impl Random {
    fn take(&mut self) -> [u8; 16] {
        if self.used == self.bytes.len() {
            getrandom::fill(&mut self.bytes)
                .expect("the kernel's random source answers once the machine has booted");
            self.used = 0;
        }
        let mut taken = [0; 16];
        taken.copy_from_slice(&self.bytes[self.used..self.used + 16]);
        self.used += 16;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_differ() {
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| random_uuid()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let lengths: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert!(id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
    }
}
