//! What a gateway is set up with, once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::{AuditSink, Decider, Local};

/// What a gateway is set up with.
#[derive(Clone)]
pub struct Settings {
    /// Which addresses stand for which network interfaces.
    pub ranges: Ranges,
    /// How much of everything.
    pub limits: Limits,
    /// How long for everything.
    pub timeouts: Timeouts,
    /// Where records of requests go.
    pub audit: Arc<dyn AuditSink>,
    /// What knows which actions requests need.
    pub decider: Arc<dyn Decider>,
    /// What answers for services that are served in this process.
    pub local: Arc<dyn Local>,
    /// The runtime whose threads can reach backends: they may live in another network namespace.
    pub outbound: Handle,
    /// The time of day.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// Which addresses stand for which network interfaces: an interface's is the base plus its number.
#[derive(Clone, Copy, Debug)]
pub struct Ranges {
    /// Of the endpoints' interfaces, to which connections are made.
    pub service: Ipv4Addr,
    /// Of the clients' interfaces, from which connections appear to come.
    pub client: Ipv4Addr,
    /// The IPv4 address that an address is, or stands for: a connection by IPv6 has addresses that tell the same.
    pub as_ipv4: fn(IpAddr) -> Option<Ipv4Addr>,
}

/// Between whom a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The number of the endpoint's interface.
    pub(crate) endpoint: u32,
    /// The number of the client's interface.
    pub(crate) client: u32,
    /// Whether the client connected to an IPv6 address.
    pub(crate) by_ipv6: bool,
}

impl Ranges {
    /// Between whom a connection is that has these addresses.
    pub(crate) fn locate(&self, local: SocketAddr, peer: SocketAddr) -> Option<Ends> {
        let number = |address: SocketAddr, base: Ipv4Addr| {
            (self.as_ipv4)(address.ip())?.to_bits().checked_sub(base.to_bits())
        };
        Some(Ends {
            endpoint: number(local, self.service)?,
            client: number(peer, self.client)?,
            by_ipv6: local.ip().to_canonical().is_ipv6(),
        })
    }
}

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of all clients to all endpoints at a time.
    pub connections: usize,
    /// Connections that an endpoint's interface has at a time; more are closed at once.
    pub connections_per_endpoint: usize,
    /// Connections that one client has at a time, so that it cannot take all of an endpoint's.
    pub connections_per_client: usize,
    /// Requests that one client has in progress at a time, each of which may hold a connection to a backend.
    pub requests_per_client: usize,
    /// Requests at a time on one HTTP/2 connection.
    pub streams_per_connection: u32,
    /// Bytes of a request's head.
    pub head: usize,
    /// Headers of a request.
    pub headers: usize,
    /// Bytes of a body that must be read to know what the request asks for, or whether its signature is right.
    pub read_body: usize,
    /// Bytes of such bodies that one client may have in memory at a time.
    pub read_bodies_per_client: usize,
    /// Idle connections kept to one backend.
    pub idle_backend_connections: usize,
}

impl Limits {
    /// What fits into a process that may have so many files open: half of them for clients, the others for
    /// backends and all else.
    pub fn of_descriptors(descriptors: usize) -> Self {
        let limits = Self::default();
        let connections = limits.connections.min(descriptors / 2);
        Self {
            connections,
            connections_per_endpoint: limits.connections_per_endpoint.min(connections / 2),
            connections_per_client: limits.connections_per_client.min(connections / 8),
            requests_per_client: limits.requests_per_client.min(connections / 8),
            ..limits
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 65_536,
            connections_per_endpoint: 16_384,
            connections_per_client: 4_096,
            requests_per_client: 4_096,
            streams_per_connection: 128,
            head: 64 << 10,
            // As many as hyper reads without memory of their own.
            headers: 100,
            // The largest request that a service of AWS takes in one piece: DynamoDB's BatchWriteItem.
            read_body: 16 << 20,
            read_bodies_per_client: 64 << 20,
            idle_backend_connections: 64,
        }
    }
}

/// How long for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For a request's head on HTTP/1.1, and to begin one on a connection that is kept open; without a byte of a
    /// body that must be read first.
    pub head: Duration,
    /// For a connection without a request in progress.
    pub idle: Duration,
    /// Without a byte of a body that passes, or of a connection that was upgraded, in either direction.
    pub stall: Duration,
    /// To connect to a backend.
    pub connect: Duration,
    /// For a backend to begin its answer, after the last byte of the request's body went to it.
    pub response: Duration,
    /// For requests in progress when the gateway stops.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            // AWS's endpoints keep a silent flow as long.
            idle: Duration::from_secs(350),
            stall: Duration::from_secs(350),
            connect: Duration::from_secs(5),
            response: Duration::from_secs(120),
            drain: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    /// As a range of IPv6 addresses that end with those of IPv4.
    fn as_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
        match address.to_canonical() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(address) => {
                let offset =
                    address.to_bits().checked_sub(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0).to_bits())?;
                u32::try_from(offset).ok().map(Ipv4Addr::from_bits)
            }
        }
    }

    #[test]
    fn both_families_tell_who_connects_and_to_which_endpoint() {
        let ranges =
            Ranges { service: Ipv4Addr::new(240, 0, 0, 0), client: Ipv4Addr::new(10, 0, 0, 0), as_ipv4 };
        let six = |address: [u8; 4]| {
            let base = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0).to_bits();
            Ipv6Addr::from_bits(base + u128::from(u32::from_be_bytes(address)))
        };
        let mapped = |address: [u8; 4]| Ipv4Addr::from(address).to_ipv6_mapped();
        let (to, from) = ([240, 0, 0, 7], [10, 0, 1, 2]);
        for (local, peer, by_ipv6) in [
            (IpAddr::from(to), IpAddr::from(from), false),
            (mapped(to).into(), mapped(from).into(), false),
            (six(to).into(), six(from).into(), true),
        ] {
            let found = ranges.locate((local, 443).into(), (peer, 50_000).into());
            assert_eq!(found, Some(Ends { endpoint: 7, client: 258, by_ipv6 }), "{local}");
        }
        assert_eq!(ranges.locate("[::1]:443".parse().unwrap(), (six(from), 1).into()), None);
    }
}
