//! Tags: the caller's own words on a resource.

use std::collections::BTreeMap;

/// Key to value, in the order of keys.
pub type Tags = BTreeMap<String, String>;
