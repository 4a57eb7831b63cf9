//! DB parameter groups: settings of database servers.
//!
//! Every family has a default group, `default.FAMILY`, that nobody made and nobody changes. It is in no state.

/// What the default groups' names begin with.
const DEFAULT: &str = "default.";

/// The name of a family's default group.
pub(super) fn default_name(family: &str) -> String {
    format!("{DEFAULT}{family}")
}

/// The family whose default group has this name.
pub(super) fn default_family(name: &str) -> Option<&str> {
    name.strip_prefix(DEFAULT)
}

/// Whether this is the name of a default group.
pub(super) fn is_default(name: &str) -> bool {
    default_family(name).is_some()
}
