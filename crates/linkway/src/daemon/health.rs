//! Keeping what health checks find.

use std::sync::Arc;

use linkway_model::load_balancer::{TargetHealth, TargetId};
use tokio::sync::mpsc;

use crate::daemon::Daemon;
use crate::stop::Stop;

/// A target's new health: ARN of its target group, who it is, its port, and how it is.
pub(crate) type Report = (String, TargetId, u16, TargetHealth);

/// Record reports in their order, until `stop` turns true.
pub(crate) async fn record(
    daemon: Arc<Daemon>,
    mut reports: mpsc::UnboundedReceiver<Report>,
    mut stop: Stop,
) {
    loop {
        let (group, target, port, health) = tokio::select! {
            Some(report) = reports.recv() => report,
            () = stop.wait() => return,
        };
        tracing::info!(target_group = group, ?target, port, ?health, "a target's health has changed");
        let recorded =
            daemon.control(move |control| control.record_health(&group, &target, port, health)).await;
        if let Err(error) = recorded {
            tracing::warn!("a target's health could not be recorded: {error:#}");
        }
    }
}
