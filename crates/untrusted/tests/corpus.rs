//! What fuzzing found worth keeping, once more.
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use linkway_untrusted::TARGETS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn nothing_that_is_kept_makes_the_server_panic() {
    for (name, target) in TARGETS {
        let directory = corpus().join(name);
        let inputs = names(&directory);
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            let path = directory.join(input);
            // A test that panics shows what it printed.
            println!("{}", path.display());
            target(&fs::read(&path).unwrap());
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
