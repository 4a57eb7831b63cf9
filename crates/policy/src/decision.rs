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

/// The types of policies that a denial tells apart.
///
/// Source: "Troubleshoot access denied error messages" in AWS's IAM user guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyType {
    /// Of a VPC endpoint.
    Endpoint,
    /// Of a user, a group or a role.
    Identity,
    /// The boundary of what a user or a role can be allowed.
    Boundary,
    /// What a session was restricted to when it was made.
    Session,
    /// Who may assume a role.
    Trust,
}

impl PolicyType {
    fn article(self) -> &'static str {
        match self {
            Self::Identity => "an",
            Self::Trust => "the",
            Self::Endpoint | Self::Boundary | Self::Session => "a",
        }
    }
}

impl fmt::Display for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "VPC endpoint policy",
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Trust => "role trust policy",
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

    /// The end of the sentence with which AWS denies by an endpoint's policy: `User: … is not authorized to
    /// perform: …` comes before it. `None` for an allowed request.
    #[must_use]
    pub fn denial(&self, action: &str) -> Option<String> {
        self.denial_by(PolicyType::Endpoint, action)
    }

    /// The end of the sentence with which AWS denies by a policy of this type. `None` for an allowed request.
    #[must_use]
    pub fn denial_by(&self, policy: PolicyType, action: &str) -> Option<String> {
        match self.verdict {
            Verdict::Allow => None,
            Verdict::ImplicitDeny => Some(format!("because no {policy} allows the {action} action")),
            Verdict::ExplicitDeny => Some(format!("with an explicit deny in {} {policy}", policy.article())),
        }
    }
}

/// Indexes of statements, from 0, in the document's order. No heap behind it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Statements([u64; WORDS]);

impl Statements {
    /// How many statements there may be.
    pub(crate) const MOST: usize = WORDS * 64;

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
        self.0.into_iter().zip((0..).step_by(64)).flat_map(|(word, first)| {
            // Each step clears the lowest bit that is set.
            let left = std::iter::successors(Some(word), |left| Some(left & left.wrapping_sub(1)));
            left.take_while(|left| *left != 0).map(move |left| first + left.trailing_zeros() as usize)
        })
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_in_their_order() {
        for indexes in [&[][..], &[0], &[63, 64], &[0, 1, 62, 127, 128, Statements::MOST - 1]] {
            let mut statements = Statements::default();
            indexes.iter().rev().for_each(|index| statements.insert(*index));
            assert_eq!(statements.iter().collect::<Vec<_>>(), indexes);
            assert!(indexes.iter().all(|index| statements.contains(*index)));
        }
        let mut all = Statements::default();
        (0..Statements::MOST).for_each(|index| all.insert(index));
        assert!(all.iter().eq(0..Statements::MOST));
    }
}
