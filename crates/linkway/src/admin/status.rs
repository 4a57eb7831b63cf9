//! How the daemon and the packet path are.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use anyhow::Result;
use linkway_fabric::{ShareUse, TrafficCount};
use linkway_model::Snapshot;
use linkway_model::database::DbInstance;
use linkway_model::instance::Instance;
use linkway_model::load_balancer::{Target, TargetGroup, TargetHealth};
use linkway_model::vpc_endpoint::VpcEndpoint;

use crate::admin::protocol::{DropCount, FlowShare, Status, Traffic, Ways};
use crate::daemon::Daemon;
use crate::daemon::counters::{Counters, Dropped};
use crate::daemon::names::{Names, Through};

/// The reason of what is led to a gateway where there is no uplink.
const NO_UPLINK: &str = "NoUplink";

/// The whole of it.
pub(crate) async fn status(daemon: &Daemon) -> Result<Status> {
    let counters = daemon.counters.read().await?;
    let state = daemon.store.snapshot();
    let applied = daemon.fabric.applied();
    // Locked once: a lock in each field of what follows would wait for the one before.
    let names = names(daemon);
    Ok(Status {
        name: daemon.settings.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started: daemon.started,
        listen: daemon.settings.listen,
        ephemeral: daemon.settings.ephemeral,
        revision: state.revision,
        applied: applied.revision,
        fault: applied.fault,
        problems: problems(&names, &applied.problems),
        resources: resources(&state),
        endpoints: tally(state.all::<VpcEndpoint>().map(|endpoint| endpoint.state.name())),
        targets: tally(state.all::<TargetGroup>().flat_map(|group| &group.targets).map(health)),
        instances: tally(state.all::<Instance>().map(|instance| instance.state.name())),
        databases: tally(state.all::<DbInstance>().map(|database| database.status.name())),
        flows: counters.flows.values().map(|share| share.flows).sum(),
        shares: shares(&names, &counters.flows),
        uplink: daemon.settings.uplink.clone(),
        traffic: traffic(&names, &counters.traffic, &[Through::Endpoint]),
        gateways: traffic(&names, &counters.traffic, &[Through::NatGateway, Through::InternetGateway]),
        ways: ways(&names, &counters),
        drops: named(&names, counters.drops),
    })
}

/// Counters of drops.
pub(crate) async fn drops(daemon: &Daemon) -> Result<Vec<DropCount>> {
    let counters = daemon.counters.read().await?;
    Ok(named(&names(daemon), counters.drops))
}

fn names(daemon: &Daemon) -> MutexGuard<'_, Names> {
    daemon.names.lock().unwrap_or_else(PoisonError::into_inner)
}

fn named(names: &Names, drops: Vec<Dropped>) -> Vec<DropCount> {
    drops
        .into_iter()
        .map(|dropped| DropCount {
            interface: names.interface(dropped.interface),
            of: names.description(dropped.interface),
            reason: dropped.reason.to_owned(),
            meaning: dropped.meaning.to_owned(),
            packets: dropped.packets,
            bytes: dropped.bytes,
        })
        .collect()
}

fn shares(names: &Names, counters: &BTreeMap<u32, ShareUse>) -> Vec<FlowShare> {
    counters
        .iter()
        .filter(|(_, share)| share.flows != 0)
        .map(|(number, share)| FlowShare {
            interface: names.interface(*number),
            of: names.description(*number),
            flows: share.flows,
            half_open: share.half_open,
        })
        .collect()
}

/// What went through these kinds of things.
fn traffic(names: &Names, counters: &BTreeMap<u32, TrafficCount>, through: &[Through]) -> Vec<Traffic> {
    counters
        .iter()
        .filter(|(number, _)| through.contains(&names.through(**number)))
        .map(|(number, count)| Traffic {
            interface: names.interface(*number),
            of: names.description(*number),
            connections: count.flows,
            bytes_in: count.received.bytes,
            packets_in: count.received.packets,
            bytes_out: count.sent.bytes,
            packets_out: count.sent.packets,
        })
        .collect()
}

fn ways(names: &Names, counters: &Counters) -> Ways {
    let through = |kind: Through| {
        let its = counters.traffic.iter().filter(|(number, _)| names.through(**number) == kind);
        its.map(|(_, count)| count.received.bytes + count.sent.bytes).sum()
    };
    let no_uplink = counters.drops.iter().filter(|dropped| dropped.reason == NO_UPLINK);
    Ways {
        endpoints: through(Through::Endpoint),
        nat_gateways: through(Through::NatGateway),
        internet_gateways: through(Through::InternetGateway),
        no_uplink: no_uplink.map(|dropped| dropped.bytes).sum(),
    }
}

fn problems(names: &Names, problems: &BTreeMap<u32, String>) -> BTreeMap<String, String> {
    problems.iter().map(|(number, problem)| (names.interface(*number), problem.clone())).collect()
}

/// How many there are of each kind that a caller makes.
fn resources(state: &Snapshot) -> BTreeMap<String, usize> {
    let mut kinds = tally(state.keys().into_iter().map(|(kind, _)| kind));
    // Linkway's own books are nothing that anyone made.
    kinds.retain(|kind, _| !matches!(kind.as_str(), "counter" | "client-token"));
    kinds
}

fn health(target: &Target) -> &'static str {
    match (target.draining_since, target.health) {
        (Some(_), _) => "draining",
        (None, TargetHealth::Initial) => "initial",
        (None, TargetHealth::Healthy) => "healthy",
        (None, TargetHealth::Unhealthy(_)) => "unhealthy",
    }
}

fn tally<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted() {
        let counts = tally(["a", "b", "a"].into_iter());
        assert_eq!(counts, BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]));
    }
}
