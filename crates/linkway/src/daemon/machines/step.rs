//! One step for one instance: from what its state asks for to what it says then.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use linkway_control::Control;
use linkway_model::image::{Image, ImageSource};
use linkway_model::instance::{Instance, InstanceState};
use linkway_model::launch::Launch;

use crate::admin::launch::{identity, interface, ready};
use crate::daemon::Daemon;
use crate::instance::files::{Boot, Files, host_name};
use crate::instance::process;
use crate::keeper::protocol::{Answer, MachineSpec, Request};
use crate::state_dir::instance_run_directory;

/// Why an instance has ended that nobody has ended. Source: `StateReason` in EC2's API reference.
const BY_ITSELF: &str = "Client.InstanceInitiatedShutdown: Instance initiated shutdown";

/// What is to be done for an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It has ended by itself, or with the machine.
    Ended,
    /// The process of an earlier boot is to be ended.
    EndEarlier,
    /// It is to be started.
    Boot,
    /// It is to be stopped.
    Stop,
    /// It is to be ended for good.
    Terminate,
    /// Its files are to be removed.
    Remove,
}

/// What is to be done by what the state says.
pub(super) fn due(instance: &Instance) -> Option<Due> {
    let launch = instance.launch.as_ref()?;
    match instance.state {
        InstanceState::Stopping => Some(Due::Stop),
        InstanceState::ShuttingDown => Some(Due::Terminate),
        InstanceState::Stopped | InstanceState::Terminated => None,
        InstanceState::Pending | InstanceState::Running => match launch.booted {
            None => Some(Due::Boot),
            Some(_) if !instance.process.is_some_and(process::is_alive) => Some(Due::Ended),
            Some(booted) if booted != launch.boot => Some(Due::EndEarlier),
            Some(_) => None,
        },
    }
}

/// Take the step.
pub(super) async fn take(daemon: &Arc<Daemon>, instance: &Arc<Instance>, due: Due) -> Result<()> {
    let launch = instance.launch.as_ref().context("it is not the API's")?;
    match due {
        Due::Ended => {
            let (instance, name) = (Arc::clone(instance), daemon.settings.name.clone());
            Ok(daemon.control(move |control| note_end(control, &name, &instance)).await??)
        }
        Due::EndEarlier => {
            end(daemon, instance, launch.abruptly).await?;
            ended(daemon, instance, "it was rebooted").await
        }
        Due::Boot => boot(daemon, instance, launch).await,
        Due::Stop => {
            end(daemon, instance, launch.abruptly).await?;
            ended(daemon, instance, "it was stopped").await
        }
        Due::Terminate => {
            end(daemon, instance, launch.abruptly).await?;
            // Whoever hears that it is terminated finds nothing of it.
            daemon.keeper.ask(Request::RemoveMachine(instance.id.clone())).await?;
            ended(daemon, instance, "it was terminated").await
        }
        Due::Remove => daemon.keeper.ask(Request::RemoveMachine(instance.id.clone())).await.map(drop),
    }
}

/// Record that an instance has ended that nobody has ended.
pub(super) fn note_end(
    control: &Control,
    name: &str,
    instance: &Instance,
) -> Result<(), linkway_control::Error> {
    let Some(booted) = instance.launch.as_ref().and_then(|launch| launch.booted) else { return Ok(()) };
    let files = files(name, instance);
    // After `linkway down`, or after the machine has started anew, that is not there.
    let here = files.read_process() == instance.process
        && files.read_boot().is_some_and(|boot| Boot::now(booted).is_ok_and(|now| now == boot));
    tracing::info!(instance = %instance.id, booted, lost = !here, "an instance has ended by itself");
    if here {
        control.instance_ended(&instance.id, booted, BY_ITSELF)
    } else {
        control.instance_lost(&instance.id)
    }
}

/// Give an instance up that could not be started.
pub(super) async fn give_up(daemon: &Arc<Daemon>, instance: &Arc<Instance>, reason: String) -> Result<()> {
    end(daemon, instance, true).await?;
    let (id, boot) = (instance.id.clone(), instance.launch.as_ref().map_or(0, |launch| launch.boot));
    Ok(daemon.control(move |control| control.instance_failed(&id, boot, &reason)).await??)
}

async fn boot(daemon: &Arc<Daemon>, instance: &Instance, launch: &Launch) -> Result<()> {
    ready(daemon, instance).await?;
    let spec = spec(daemon, instance, launch)?;
    let mut answer = daemon.keeper.ask(Request::Boot(spec.clone())).await?;
    if let Answer::Elsewhere(_) = answer {
        end(daemon, instance, launch.abruptly).await?;
        answer = daemon.keeper.ask(Request::Boot(spec)).await?;
    }
    let Answer::Started(process) = answer else {
        bail!("the keeper has answered something else than it was asked");
    };
    let (id, boot) = (instance.id.clone(), launch.boot);
    // Whether it shall go on, or is to be ended again, the state says by now.
    daemon.control(move |control| control.instance_started(&id, boot, process)).await??;
    Ok(())
}

fn spec(daemon: &Daemon, instance: &Instance, launch: &Launch) -> Result<MachineSpec> {
    let state = daemon.store.snapshot();
    let identity = identity(&state, &instance.vpc, interface(&state, instance)?)?;
    let image = match Image::find(&state, &launch.image).map(|image| image.source.clone()) {
        Some(ImageSource::Host) => None,
        // One that was deregistered keeps its files for those that were made of it.
        Some(ImageSource::Imported { .. }) | None => Some(launch.image.clone()),
    };
    Ok(MachineSpec {
        instance: instance.id.clone(),
        boot: launch.boot,
        image,
        host_name: match launch.names.hostname_type.as_str() {
            "resource-name" => instance.id.to_string(),
            _ => host_name(identity.address),
        },
        identity,
        user_data: launch.user_data.clone(),
    })
}

fn files(name: &str, instance: &Instance) -> Files {
    Files::at(&instance_run_directory(name, &instance.id))
}

async fn end(daemon: &Daemon, instance: &Instance, abruptly: bool) -> Result<()> {
    let instance = instance.id.clone();
    daemon.keeper.ask(Request::EndMachine { instance, abruptly }).await.map(drop)
}

async fn ended(daemon: &Arc<Daemon>, instance: &Instance, how: &'static str) -> Result<()> {
    let launch = instance.launch.as_ref().context("it is not the API's")?;
    let (id, boot) = (instance.id.clone(), launch.booted.unwrap_or(launch.boot));
    Ok(daemon.control(move |control| control.instance_ended(&id, boot, how)).await??)
}
