//! What a policy says to a request.

use std::fmt;

/// The words of a set of statements, 64 to a word. The shortest statement, all elements empty, has 55
/// characters, so [`MAX_CHARACTERS`](crate::MAX_CHARACTERS) hold fewer than 384.
const WORDS: usize = 6;

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A statement allows it and none denies it.
    Allow,
    /// No statement allows it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "Allow",
            Self::ImplicitDeny => "ImplicitDeny",
            Self::ExplicitDeny => "ExplicitDeny",
        })
    }
}

/// The answer and the statements that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub verdict: Verdict,
    /// The matching Deny statements if there are any, else the matching Allow statements.
    pub statements: Statements,
}

impl Decision {
    /// Whether the request may pass.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// The end of the sentence with which AWS denies: `User: … is not authorized to perform: …` comes before
    /// it. `None` for an allowed request.
    #[must_use]
    pub fn denial(&self, action: &str) -> Option<String> {
        match self.verdict {
            Verdict::Allow => None,
            Verdict::ImplicitDeny => {
                Some(format!("because no VPC endpoint policy allows the {action} action"))
            }
            Verdict::ExplicitDeny => Some("with an explicit deny in a VPC endpoint policy".to_owned()),
        }
    }
}

/// Indexes of statements, from 0, in the document's order. No heap behind it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Statements([u64; WORDS]);

impl Statements {
    pub(crate) fn insert(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether it is there.
    #[must_use]
    pub fn contains(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// The indexes, the smallest first.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        let words = self.0;
        (0..WORDS * 64).filter(move |index| words[index / 64] >> (index % 64) & 1 == 1)
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
