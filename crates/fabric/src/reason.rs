//! Why packets are dropped: `enum drop_reason` of `bpf/layout.h`, with its words.

use std::fmt;
use std::sync::LazyLock;

use crate::programs::types::drop_reason;

/// The one definition of the reasons. The order of the enum's lines is that of its values.
const LAYOUT: &str = include_str!("../../../bpf/layout.h");

/// Why a packet was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason(pub u32);

impl Reason {
    /// What systems say on their links by themselves, which nothing has denied.
    pub const LINK_HOUSEKEEPING: Self = Self(drop_reason::DROP_LINK_HOUSEKEEPING.0);

    /// Its name, such as `NoRoute`.
    pub fn name(self) -> &'static str {
        self.words().map_or("Unknown", |words| words.name.as_str())
    }

    /// What it means, in a sentence's part, such as "no route leads there, or the VPC has nothing at this address".
    pub fn meaning(self) -> &'static str {
        self.words().map_or("", |words| words.meaning.as_str())
    }

    /// All of them, in the order of a packet's way.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..).take(REASONS.len()).map(Self)
    }

    /// The reason of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|reason| reason.name() == name)
    }

    fn words(self) -> Option<&'static Words> {
        REASONS.get(usize::try_from(self.0.checked_sub(1)?).ok()?)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

struct Words {
    name: String,
    meaning: String,
}

static REASONS: LazyLock<Vec<Words>> = LazyLock::new(|| {
    LAYOUT
        .lines()
        .skip_while(|line| !line.starts_with("enum drop_reason"))
        .take_while(|line| !line.starts_with('}'))
        .filter_map(|line| line.trim().strip_prefix("DROP_"))
        .filter_map(|line| line.split_once(','))
        .filter(|(name, _)| !name.contains('='))
        .map(|(name, comment)| Words { name: camel_case(name), meaning: uncommented(comment) })
        .collect()
});

fn camel_case(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            word.chars()
                .take(1)
                .chain(word.chars().skip(1).map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>())
        })
        .collect()
}

fn uncommented(comment: &str) -> String {
    comment.trim().trim_start_matches("/*").trim_end_matches("*/").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::types::drop_reason;

    #[test]
    fn names_are_those_of_the_programs() {
        assert_eq!(Reason::all().count(), drop_reason::DROP_REASONS.0 as usize - 1);
        for (value, name) in [
            (drop_reason::DROP_UNKNOWN_PORT, "UnknownPort"),
            (drop_reason::DROP_SPOOFED_SOURCE, "SpoofedSource"),
            (drop_reason::DROP_NO_FLOW, "NoFlow"),
            (drop_reason::DROP_EGRESS_DENIED, "EgressDenied"),
            (drop_reason::DROP_ACL_EGRESS_DENIED, "AclEgressDenied"),
            (drop_reason::DROP_NO_ROUTE, "NoRoute"),
            (drop_reason::DROP_BLACKHOLE_ROUTE, "BlackholeRoute"),
            (drop_reason::DROP_PRIVATE_DESTINATION, "PrivateDestination"),
            (drop_reason::DROP_NO_UPLINK, "NoUplink"),
            (drop_reason::DROP_NO_PUBLIC_ADDRESS, "NoPublicAddress"),
            (drop_reason::DROP_NOT_FORWARDED, "NotForwarded"),
            (drop_reason::DROP_ACL_INGRESS_DENIED, "AclIngressDenied"),
            (drop_reason::DROP_INGRESS_DENIED, "IngressDenied"),
            (drop_reason::DROP_NO_LISTENER, "NoListener"),
            (drop_reason::DROP_NOT_DELIVERED, "NotDelivered"),
        ] {
            assert_eq!(Reason(value.0).name(), name);
            assert_eq!(Reason::named(name), Some(Reason(value.0)));
        }
    }

    #[test]
    fn every_reason_says_what_it_means() {
        for reason in Reason::all() {
            assert!(!reason.meaning().is_empty(), "{reason}");
        }
        assert_eq!(Reason(0).name(), "Unknown");
        assert_eq!(Reason(999).name(), "Unknown");
    }
}
