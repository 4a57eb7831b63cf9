//! What fuzzing found worth keeping, once more, and what is near it.
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use linkway_untrusted::{TARGETS, Target};

/// Inputs near each that is kept, for a quick test. `$NEAR` is another number.
const NEAR: usize = 2;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The inputs that are kept for a target.
fn inputs(name: &str) -> Vec<Vec<u8>> {
    let directory = corpus().join(name);
    names(&directory).into_iter().map(|input| fs::read(directory.join(input)).unwrap()).collect()
}

fn give(name: &str, target: Target, input: &[u8]) {
    assert!(catch_unwind(|| target(input)).is_ok(), "{name} panics: {}", input.escape_ascii());
}

#[test]
fn nothing_that_is_kept_makes_the_server_panic() {
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        assert!(!inputs.is_empty(), "{name} has no corpus");
        inputs.iter().for_each(|input| give(name, target, input));
    }
}

#[test]
fn nothing_near_it_does() {
    let near = std::env::var("NEAR").map_or(NEAR, |count| count.parse().unwrap());
    let only = std::env::var("TARGET").ok();
    let mut random = Random(1);
    for (name, target) in TARGETS.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name))
    {
        let inputs = inputs(name);
        for input in &inputs {
            for _ in 0..near {
                let other = &inputs[random.below(inputs.len())];
                give(name, *target, &random.near(input, other));
            }
        }
    }
}

#[test]
fn every_target_is_fuzzed_and_every_corpus_a_target_s() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&corpus()), targets);
    let programs = names(&corpus().join("../fuzz_targets"));
    let of_targets: BTreeSet<_> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(programs, of_targets);
}

/// The same numbers at every run: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }

    /// A piece of these bytes: where it begins, and where it ends.
    fn piece(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        let longest = (bytes.len() - start).min(64);
        start..start + self.below(longest + 1)
    }

    /// An input with some of its bytes changed, gone, doubled, or in their place some of the other.
    fn near(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        const TELLING: &[u8] = b"\0\x7f\x80\xff09-:/.,*?%{}\"\\\n =&a";
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let piece = self.piece(&bytes);
            match self.below(5) {
                0 => drop(bytes.drain(piece)),
                1 => {
                    let again = bytes[piece.clone()].to_vec();
                    drop(bytes.splice(piece.end..piece.end, again));
                }
                2 => drop(bytes.splice(piece, other[self.piece(other)].to_vec())),
                3 => bytes.insert(piece.start, TELLING[self.below(TELLING.len())]),
                _ if piece.start < bytes.len() => {
                    bytes[piece.start] = match self.below(2) {
                        0 => TELLING[self.below(TELLING.len())],
                        _ => bytes[piece.start] ^ (1 << self.below(8)),
                    }
                }
                _ => {}
            }
        }
        bytes
    }
}
