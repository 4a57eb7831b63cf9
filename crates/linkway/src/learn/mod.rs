//! From what was asked through an endpoint to the smallest policy that allows it.
//!
//! | step | file |
//! |---|---|
//! | records, and which of them count | `record` |
//! | wider and wider, where it would be too long | `widen` |
//! | statements and the document | `document` |

mod document;
mod record;
#[cfg(test)]
mod tests;
mod widen;

use std::collections::BTreeSet;

use linkway_policy::MAX_CHARACTERS;
use serde_json::Value;

use record::Outcome;
pub(crate) use record::Wanted;

/// Who asked, as a policy names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Caller {
    /// Somebody whose signature was not checked, or who did not sign.
    Everyone,
    /// A user, a role, or the root of an account.
    Aws(String),
    /// One who comes with a token of this provider.
    Federated(String),
    /// An AWS service.
    Service(String),
}

/// What a policy has to allow: who, which action, which resource, each as the policy writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    caller: Caller,
    action: String,
    resource: String,
}

/// What was asked.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    asked: BTreeSet<Asked>,
    /// How many requests that counts.
    pub(crate) counted: u64,
    /// How many requests were denied, and so do not count.
    pub(crate) denied: u64,
    /// How many requests passed of which nobody knows what they ask for.
    pub(crate) unknown: u64,
    /// How many records are lost, by the log's own account.
    pub(crate) lost: u64,
    /// How many lines are no records.
    pub(crate) unreadable: u64,
}

/// A policy that was learnt.
#[derive(Debug)]
pub(crate) struct Learnt {
    /// The document.
    pub(crate) document: String,
    /// What it allows beyond what was seen, as it would be too long otherwise: one sentence a step.
    pub(crate) widened: Vec<&'static str>,
}

impl Seen {
    /// Take one line of the log.
    pub(crate) fn add(&mut self, line: &str, wanted: &Wanted) {
        let Ok(record) = serde_json::from_str::<Value>(line) else {
            self.unreadable += 1;
            return;
        };
        match record::read(&record, wanted) {
            Outcome::Counts(asked) => {
                self.counted += 1;
                self.asked.extend(asked);
            }
            Outcome::Denied => self.denied += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::Lost(count) => self.lost += count,
            Outcome::Another => {}
        }
    }

    /// The smallest policy that allows what was seen and is no longer than AWS lets it be. `None` if nothing counts.
    pub(crate) fn learn(&self) -> Option<Learnt> {
        if self.asked.is_empty() {
            return None;
        }
        let mut asked = self.asked.clone();
        let mut steps = widen::STEPS.iter();
        let mut widened = Vec::new();
        loop {
            for document in document::write(&asked) {
                if document.chars().count() <= MAX_CHARACTERS {
                    return Some(Learnt { document, widened });
                }
            }
            let (sentence, step) = steps.next()?;
            let wider = step(&asked);
            if wider != asked {
                asked = wider;
                widened.push(*sentence);
            }
        }
    }
}
