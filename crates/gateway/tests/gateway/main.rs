//! A gateway on the loopback interface, with real TLS clients and a backend of the tests' own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod backend;
mod client;
mod proxy;
mod signer;
mod world;

mod backends;
mod botocore;
mod clients;
mod hostile;
mod passthrough;
mod policies;
mod relays;
mod signatures;
mod smuggling;
mod tls;
mod upgrades;
