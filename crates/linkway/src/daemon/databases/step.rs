//! One step for one database: from what its status asks for to what it says then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use linkway_control::Control;
use linkway_model::Snapshot;
use linkway_model::database::{DbEngine, DbInstance, DbParameterGroup, DbStatus};
use linkway_model::instance::Process;
use linkway_model::network_interface::NetworkInterface;
use nix::sys::signal::Signal;
use tokio::time::Instant;

use crate::admin::launch::identity;
use crate::daemon::Daemon;
use crate::instance::files::Files;
use crate::instance::process;
use crate::keeper::protocol::{Answer, Request, Spec};
use crate::state_dir::instance_run_directory;

/// How long a server has to end in order, which it does once its data are on the disk, before it is killed.
const GRACE: Duration = Duration::from_secs(60);

/// How often a server that ends is looked at.
const PERIOD: Duration = Duration::from_millis(20);

/// Parameters that a database's server shall have.
pub(super) fn parameters(state: &Snapshot, database: &DbInstance) -> BTreeMap<String, String> {
    let own = |group: &DbParameterGroup| {
        group.name == database.parameter_group
            && group.owner == database.owner
            && group.region == database.region
    };
    let group = state.all::<DbParameterGroup>().find(|group| own(group));
    group.map(|group| group.parameters.clone()).unwrap_or_default()
}

/// Take the step.
pub(super) async fn take(
    daemon: &Arc<Daemon>,
    state: &Snapshot,
    database: &DbInstance,
    parameters: &BTreeMap<String, String>,
) -> Result<()> {
    match database.status {
        DbStatus::Deleting => {
            kill(daemon, database).await;
            daemon.keeper.ask(Request::Remove(database.resource_id.clone())).await?;
            return tell(daemon, database, |control, arn| control.database_removed(arn)).await;
        }
        DbStatus::Stopping => {
            stop(daemon, database).await?;
            return tell(daemon, database, |control, arn| control.database_stopped(arn)).await;
        }
        DbStatus::Stopped | DbStatus::Failed => return Ok(()),
        _ => {}
    }
    let spec = spec(state, database, parameters)?;
    match database.status {
        DbStatus::Available => return configure(daemon, database, spec).await,
        DbStatus::Creating => create(daemon, database, &spec).await?,
        DbStatus::Rebooting => {
            stop(daemon, database).await?;
            // It may have failed before it was made.
            create(daemon, database, &spec).await?;
        }
        _ => {}
    }
    bring_up(daemon, database, spec).await
}

async fn create(daemon: &Arc<Daemon>, database: &DbInstance, spec: &Spec) -> Result<()> {
    ready(daemon, database).await?;
    daemon.keeper.ask(Request::Create(spec.clone())).await.map(drop)
}

/// Start the server unless it runs, and wait until it takes connections and knows the administrator's password.
async fn bring_up(daemon: &Arc<Daemon>, database: &DbInstance, spec: Spec) -> Result<()> {
    ready(daemon, database).await?;
    let mut answer = daemon.keeper.ask(Request::Start(spec.clone())).await?;
    if let Answer::Elsewhere(process) = answer {
        end(process, Signal::SIGTERM).await?;
        answer = daemon.keeper.ask(Request::Start(spec.clone())).await?;
    }
    let Answer::Started(process) = answer else {
        bail!("the keeper has answered something else than it was asked");
    };
    if !tell(daemon, database, move |control, arn| control.database_started(arn, process)).await? {
        // It was deleted or stopped meanwhile: nobody shall find a server then.
        return end(process, Signal::SIGKILL).await;
    }
    daemon.keeper.ask(Request::SetUp(spec, process)).await?;
    tell(daemon, database, move |control, arn| control.database_running(arn, process)).await.map(drop)
}

/// Write the configuration anew, and have a server read it that can do so while it runs. Some of it takes effect when
/// it is started again only.
async fn configure(daemon: &Arc<Daemon>, database: &DbInstance, spec: Spec) -> Result<()> {
    daemon.keeper.ask(Request::Configure(spec)).await?;
    match database.process.filter(|_| database.engine == DbEngine::Postgres) {
        Some(process) => process::signal(process, Signal::SIGHUP).context("its server cannot be told"),
        None => Ok(()),
    }
}

/// Wait until packets of the database's interface flow.
async fn ready(daemon: &Daemon, database: &DbInstance) -> Result<()> {
    daemon.settled().await?;
    let state = daemon.store.snapshot();
    let interface = interface(&state, database)?;
    match daemon.fabric.applied().problems.remove(&interface.number) {
        Some(problem) => bail!(problem),
        None => Ok(()),
    }
}

fn spec(state: &Snapshot, database: &DbInstance, parameters: &BTreeMap<String, String>) -> Result<Spec> {
    let interface = interface(state, database)?;
    Ok(Spec {
        resource_id: database.resource_id.clone(),
        instance: database.instance.clone(),
        engine: database.engine,
        version: database.engine_version.clone(),
        identity: identity(state, &database.vpc, interface)?,
        port: database.port,
        dns_name: database.dns_name.clone(),
        master_username: database.master_username.clone(),
        master_password: database.master_password.clone(),
        database: database.database.clone(),
        parameters: parameters.clone(),
    })
}

fn interface<'a>(state: &'a Snapshot, database: &DbInstance) -> Result<&'a NetworkInterface> {
    let interface = state.get::<NetworkInterface>(&database.interface);
    interface.map(AsRef::as_ref).context("its network interface is gone")
}

/// The database's server, whether or not the state has it: it may have been started by a daemon that was killed.
fn server(daemon: &Daemon, database: &DbInstance) -> Option<Process> {
    let files = Files::at(&instance_run_directory(&daemon.settings.name, &database.instance));
    files.read_process().or(database.process)
}

/// End the server in order.
async fn stop(daemon: &Daemon, database: &DbInstance) -> Result<()> {
    match server(daemon, database) {
        Some(process) => end(process, Signal::SIGTERM).await,
        None => Ok(()),
    }
}

/// Tell the server's first process to end at once, and do not wait for it.
pub(super) fn kill_now(daemon: &Daemon, database: &DbInstance) {
    if let Some(process) = server(daemon, database)
        && let Err(error) = process::signal(process, Signal::SIGKILL)
    {
        tracing::error!(database = database.arn, %error, "its server could not be killed");
    }
}

/// End the server at once.
pub(super) async fn kill(daemon: &Daemon, database: &DbInstance) {
    if let Some(process) = server(daemon, database)
        && let Err(error) = end(process, Signal::SIGKILL).await
    {
        tracing::error!(database = database.arn, "its server could not be ended: {error:#}");
    }
}

async fn end(process: Process, signal: Signal) -> Result<()> {
    let deadline = Instant::now() + GRACE;
    process::signal(process, signal).context("its server cannot be ended")?;
    while process::is_alive(process) {
        if Instant::now() > deadline {
            process::signal(process, Signal::SIGKILL).context("its server cannot be killed")?;
        }
        tokio::time::sleep(PERIOD).await;
    }
    Ok(())
}

async fn tell<R: Send + 'static>(
    daemon: &Daemon,
    database: &DbInstance,
    what: impl FnOnce(&Control, &str) -> Result<R, linkway_control::Error> + Send + 'static,
) -> Result<R> {
    let arn = database.arn.clone();
    Ok(daemon.control(move |control| what(control, &arn)).await??)
}
