//! A gateway on the loopback interface, with real TLS clients and a backend of the tests' own.

mod backend;
mod client;
mod signer;
mod world;

mod backends;
mod botocore;
mod clients;
mod policies;
mod signatures;
mod smuggling;
mod tls;
mod upgrades;
