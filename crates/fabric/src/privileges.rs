//! The capabilities that the packet path takes.

use std::fs;

use crate::error::FabricError;

/// Name and number of each (`capabilities(7)`).
pub(crate) const NEEDED: [(&str, u32); 3] = [("CAP_NET_ADMIN", 12), ("CAP_SYS_ADMIN", 21), ("CAP_BPF", 39)];

/// Those of [`NEEDED`] that this thread has not.
pub(crate) fn missing() -> Vec<&'static str> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .unwrap_or(0);
    NEEDED.iter().filter(|(_, bit)| effective & (1 << bit) == 0).map(|(name, _)| *name).collect()
}

/// Say in one line what is missing.
pub(crate) fn check() -> Result<(), FabricError> {
    let missing = missing();
    if missing.is_empty() { Ok(()) } else { Err(FabricError::Privileges { missing: missing.join(", ") }) }
}
