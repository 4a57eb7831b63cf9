//! An instance's life, as `linkway run` and `linkway terminate` drive it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use linkway_control::Caller;
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::vpc::Vpc;
use linkway_model::{InstanceId, Snapshot, VpcId};
use linkway_wire::ec2::{Ec2, TerminateInstancesRequest};

use crate::admin::handlers::check_device;
use crate::admin::protocol::{Ended, Identity, Launch, Launched, Started, Terminate};
use crate::daemon::Daemon;
use crate::instance::process::GRACE;
use crate::state_dir::instance_run_directory;

/// How long an instance may take to end: its grace, and then some.
const PATIENCE: Duration = GRACE.saturating_add(Duration::from_secs(10));

/// Make an instance, and wait until its namespace and interface are there.
pub(crate) async fn launch(daemon: Arc<Daemon>, request: Launch) -> Result<Launched> {
    let worker = Arc::clone(&daemon);
    let instance = daemon
        .control(move |control| {
            let Launch { subnet, groups, private_ip, name, command, launcher } = request;
            // Held meanwhile, so that nobody sees the instance without its launcher.
            let mut launchers = worker.launchers.lock().unwrap_or_else(PoisonError::into_inner);
            let launched =
                control.launch(linkway_control::LaunchRequest { subnet, groups, private_ip, name, command });
            if let Ok(instance) = &launched {
                launchers.insert(instance.id.clone(), launcher);
            }
            launched
        })
        .await??;
    if let Err(error) = ready(&daemon, &instance).await {
        let id = instance.id.clone();
        let reason = format!("it could not be started: {error:#}");
        daemon.control(move |control| control.ended(&id, &reason)).await??;
        return Err(error);
    }
    Ok(Launched {
        network_namespace: linkway_fabric::namespace::path(&linkway_fabric::instance_namespace(
            &daemon.settings.name,
            &instance.id,
        )),
        run_directory: instance_run_directory(&daemon.settings.name, &instance.id),
        identity: {
            let state = daemon.store.snapshot();
            identity(&state, &instance.vpc, interface(&state, &instance)?)?
        },
        instance: instance.id,
    })
}

/// Wait until packets of the instance's interface flow.
pub(crate) async fn ready(daemon: &Daemon, instance: &Instance) -> Result<()> {
    daemon.settled().await?;
    let state = daemon.store.snapshot();
    check_device(daemon, interface(&state, instance)?)
}

/// What the files of whoever has this interface say.
pub(crate) fn identity(state: &Snapshot, vpc: &VpcId, interface: &NetworkInterface) -> Result<Identity> {
    let vpc = state.get::<Vpc>(vpc).context("its VPC is gone")?;
    let base = vpc.cidrs.first().context("its VPC has no addresses")?.cidr.network();
    Ok(Identity {
        address: interface.address,
        // AWS: the VPC's base address plus two.
        resolver: u32::from(base).saturating_add(2).into(),
        region: interface.region.clone(),
    })
}

/// An instance's first interface.
pub(crate) fn interface<'a>(state: &'a Snapshot, instance: &Instance) -> Result<&'a NetworkInterface> {
    let interface = state.get::<NetworkInterface>(&instance.interface);
    interface.map(AsRef::as_ref).context("the instance was terminated while it was launched")
}

pub(crate) async fn started(daemon: Arc<Daemon>, request: Started) -> Result<()> {
    let id = request.instance.clone();
    // What the state says by now is no answer: a short command may have ended already, and that is no failure.
    match daemon.control(move |control| control.started(&request.instance, request.process)).await?? {
        true => Ok(()),
        false => bail!("the instance {id} was terminated while it was launched"),
    }
}

pub(crate) async fn ended(daemon: Arc<Daemon>, request: Ended) -> Result<()> {
    Ok(daemon.control(move |control| control.ended(&request.instance, &request.reason)).await??)
}

/// Do what `TerminateInstances` does, in the name of the instance's owner, and wait for the end.
pub(crate) async fn terminate(daemon: Arc<Daemon>, request: Terminate) -> Result<()> {
    let id = request.instance;
    let mut snapshots = daemon.store.subscribe();
    let instance = Arc::clone(
        daemon.store.snapshot().get::<Instance>(&id).with_context(|| format!("there is no instance {id}"))?,
    );
    let caller = Caller::root(instance.owner.clone(), instance.region.clone());
    let input = TerminateInstancesRequest { instance_ids: vec![id.to_string()], ..Default::default() };
    daemon.control(move |control| control.terminate_instances(&caller, input)).await??;
    let ended = snapshots.wait_for(|state| has_ended(state, &id));
    match tokio::time::timeout(PATIENCE, ended).await {
        Ok(ended) => ended.map(drop).context("the daemon is stopping"),
        Err(_) => bail!("the instance {id} does not end"),
    }
}

fn has_ended(state: &Snapshot, id: &InstanceId) -> bool {
    state.get::<Instance>(id).is_none_or(|instance| instance.state == InstanceState::Terminated)
}
