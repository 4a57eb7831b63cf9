//! Versions of CNI's specification.

use crate::cni::error::CniError;

/// A version that the plugin speaks, older ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// Results with lists of interfaces.
    V0_3_0,
    /// The same, its text mended.
    V0_3_1,
    /// With CHECK.
    V0_4_0,
    /// Without the IP version of addresses.
    V1_0_0,
    /// With GC and STATUS, and the MTU of interfaces.
    V1_1_0,
}

impl Version {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::V0_3_0, Self::V0_3_1, Self::V0_4_0, Self::V1_0_0, Self::V1_1_0];

    /// The latest.
    pub(crate) const LATEST: Self = Self::V1_1_0;

    /// As configurations write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V0_3_0 => "0.3.0",
            Self::V0_3_1 => "0.3.1",
            Self::V0_4_0 => "0.4.0",
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_0 => "1.1.0",
        }
    }

    /// The version of this name.
    pub(crate) fn find(name: &str) -> Result<Self, CniError> {
        let found = Self::ALL.into_iter().find(|version| version.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            CniError::Version(format!("cniVersion is {name:?}; this plugin speaks {known}"))
        })
    }

    /// Whether it has a command that came with `first`.
    pub(crate) fn has(self, command: &str, first: Self) -> Result<(), CniError> {
        if self >= first {
            return Ok(());
        }
        Err(CniError::Version(format!(
            "{command} came with CNI {}, and the configuration is of {}",
            first.name(),
            self.name()
        )))
    }
}
