//! Endpoints, endpoint services and load balancers, as callers see them: the service traits are driven over a
//! state in memory, with a clock and a packet path that stand still until a test moves them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod aws_services;
mod balancer_changes;
mod balancers;
mod connections;
mod endpoint_changes;
mod endpoints;
mod ipv6;
mod listeners;
mod notifications;
mod services;
mod target_groups;
mod targets;
mod visibility;
mod world;
