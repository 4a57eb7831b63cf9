//! Verifying the domains of private DNS names: whether the TXT record is there that only their owner can put.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use linkway_control::Verification;
use linkway_model::EndpointServiceId;
use linkway_model::endpoint_service::EndpointService;
use linkway_resolver::{Upstream, UpstreamError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::daemon::Daemon;
use crate::stop::Stop;

/// How often it is looked whether something is to be verified.
const PERIOD: Duration = Duration::from_secs(1);

/// How long to wait before a lookup that failed is tried again: at first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(300));

/// How long one verification may take: a name may have many domains above it, and its name server be slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Verifications at a time, so that none waits for another's slow name server.
const AT_A_TIME: usize = 32;

/// When to ask again for a service, and how long the wait for it was.
type Waits = HashMap<EndpointServiceId, (Instant, Duration)>;

/// Verify what is due, until `stop` turns true.
pub(crate) async fn run(daemon: Arc<Daemon>, upstream: Option<Upstream>, mut stop: Stop) {
    let mut snapshots = daemon.store.subscribe();
    let mut waits = Waits::new();
    let mut tasks = JoinSet::new();
    let mut running = HashSet::new();
    loop {
        let seen = Arc::clone(&snapshots.borrow_and_update());
        let due = daemon.control.verifications_due();
        waits.retain(|service, _| due.iter().any(|due| due.service == *service));
        for verification in due {
            let service = verification.service.clone();
            let early = waits.get(&service).is_some_and(|(at, _)| *at > Instant::now());
            if early || running.len() >= AT_A_TIME || !running.insert(service) {
                continue;
            }
            let (daemon, upstream) = (Arc::clone(&daemon), upstream.clone());
            tasks.spawn(async move {
                let verified = verify(&daemon, upstream.as_ref(), &verification).await;
                (verification.service, verified)
            });
        }
        tokio::select! {
            Some(ended) = tasks.join_next() => match ended {
                Ok((service, verified)) => {
                    running.remove(&service);
                    note(&mut waits, service, verified);
                }
                Err(error) => {
                    tracing::error!(%error, "a verification failed");
                    running.clear();
                    tasks.abort_all();
                }
            },
            () = tokio::time::sleep(PERIOD) => {}
            Ok(_) = snapshots.wait_for(|state| !state.same::<EndpointService>(&seen)) => {}
            () = stop.wait() => return,
        }
    }
}

/// Whether, and when, a service's record is looked up again.
fn note(waits: &mut Waits, service: EndpointServiceId, verified: Result<()>) {
    match verified {
        Ok(()) => drop(waits.remove(&service)),
        Err(error) => {
            let last = waits.get(&service).map(|(_, wait)| *wait * 2);
            let wait = last.unwrap_or(BACKOFF.0).min(BACKOFF.1);
            tracing::warn!(%service, "a domain could not be verified yet: {error:#}");
            waits.insert(service, (Instant::now() + wait, wait));
        }
    }
}

/// Look for the record, and record what was found. An error says that somebody could not be asked and that nobody
/// else had it: nothing is known then.
async fn verify(
    daemon: &Arc<Daemon>,
    upstream: Option<&Upstream>,
    verification: &Verification,
) -> Result<()> {
    let found = match upstream {
        Some(upstream) => tokio::time::timeout(PATIENCE, look_up(upstream, verification))
            .await
            .context("its name servers take too long")??,
        None => {
            tracing::warn!("no domain can be verified, as this daemon has no upstream");
            false
        }
    };
    tracing::info!(service = %verification.service, found, "the domain's record was looked up");
    let verification = verification.clone();
    daemon.control(move |control| control.record_verification(&verification, found)).await
}

async fn look_up(upstream: &Upstream, verification: &Verification) -> Result<bool, UpstreamError> {
    let mut outcome = Ok(false);
    for name in &verification.names {
        match upstream.lookup_txt(name).await {
            Ok(values) if values.contains(&verification.expected) => return Ok(true),
            Ok(_) => {}
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}
