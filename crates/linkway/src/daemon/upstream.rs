//! Which name server answers for names that are not Linkway's.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use linkway_resolver::Upstream;
use tokio::runtime::Handle;

/// The host's own list of name servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What `--upstream` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpstreamChoice {
    /// The host's: the first of `/etc/resolv.conf`.
    Host,
    /// None: such names are refused.
    None,
    /// This one.
    At(SocketAddr),
}

impl FromStr for UpstreamChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = |address| Ok(Self::At(address));
        match (text, text.parse::<SocketAddr>(), text.parse::<IpAddr>()) {
            ("none", ..) => Ok(Self::None),
            (_, Ok(address), _) => at(address),
            (_, _, Ok(address)) => at(SocketAddr::new(address, 53)),
            _ => Err("expecting an address, an address and a port, or none".into()),
        }
    }
}

impl UpstreamChoice {
    /// The name server, asked from `host`'s threads.
    pub(crate) fn open(self, host: Handle) -> Option<Upstream> {
        match self {
            Self::None => None,
            Self::At(address) => Some(Upstream::new(address, host)),
            Self::Host => Upstream::from_resolv_conf(RESOLV_CONF, host)
                .inspect_err(|error| tracing::warn!(%error, "names that are not Linkway's are refused"))
                .ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read() {
        assert_eq!("none".parse(), Ok(UpstreamChoice::None));
        assert_eq!("192.0.2.1".parse(), Ok(UpstreamChoice::At("192.0.2.1:53".parse().unwrap())));
        assert_eq!(
            "[2001:db8::1]:5353".parse(),
            Ok(UpstreamChoice::At("[2001:db8::1]:5353".parse().unwrap()))
        );
        assert!("dns.example.com".parse::<UpstreamChoice>().is_err());
    }
}
