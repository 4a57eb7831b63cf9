//! Which addresses something is reached by.

use serde::{Deserialize, Serialize};

/// AWS's `IpAddressType` of endpoints, load balancers and target groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpAddressType {
    /// IPv4 only.
    #[default]
    Ipv4,
    /// IPv6 only.
    Ipv6,
    /// Both.
    Dualstack,
}

impl IpAddressType {
    /// AWS's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Dualstack => "dualstack",
        }
    }

    /// The type of this name.
    pub fn read(name: &str) -> Option<Self> {
        [Self::Ipv4, Self::Ipv6, Self::Dualstack].into_iter().find(|known| known.name() == name)
    }

    /// Whether it has IPv4 addresses.
    pub fn has_ipv4(self) -> bool {
        self != Self::Ipv6
    }

    /// Whether it has IPv6 addresses.
    pub fn has_ipv6(self) -> bool {
        self != Self::Ipv4
    }
}
