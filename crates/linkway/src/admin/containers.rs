//! Interfaces of containers, as their runtimes ask for them through `linkway-cni`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use linkway_control::AttachRequest;
use linkway_fabric::namespace;
use linkway_model::NetworkInterfaceId;
use linkway_model::network_interface::{ContainerDevice, InterfaceRole, NetworkInterface};

use crate::admin::handlers::{attach_and_settle, check_device, text};
use crate::admin::launch::identity;
use crate::admin::protocol::{
    AttachContainer, CollectContainers, ContainerNetwork, DetachContainer, FindContainer, GetReadiness,
    Readiness,
};
use crate::daemon::Daemon;

pub(crate) async fn attach(daemon: Arc<Daemon>, request: AttachContainer) -> Result<ContainerNetwork> {
    let AttachContainer { device, path, name, account, subnet, groups, private_ip } = request;
    // After a crash or a reboot, a container comes again without having been taken away.
    if let Some(old) = daemon.control.container_interface(&device)
        && is_stale(&old)
    {
        let device = device.clone();
        daemon.control(move |control| control.detach_container(&device)).await??;
    }
    let ContainerDevice { container, device } = device;
    let request = AttachRequest {
        subnet,
        account,
        groups,
        private_ip,
        path: text(path)?,
        device,
        container: Some(container),
        name,
    };
    let interface = attach_and_settle(&daemon, request).await?;
    describe(&daemon, interface)
}

/// Whether the namespace that an interface was made for is gone.
fn is_stale(interface: &NetworkInterface) -> bool {
    match &interface.role {
        InterfaceRole::Namespace { path, .. } => namespace::identity(Path::new(path)).is_none(),
        _ => false,
    }
}

pub(crate) async fn find(daemon: Arc<Daemon>, request: FindContainer) -> Result<ContainerNetwork> {
    let ContainerDevice { container, device } = &request.device;
    let interface = daemon.control.container_interface(&request.device).with_context(|| {
        format!("the container {} has no {device} in the network {}", container.id, container.network)
    })?;
    daemon.settled().await?;
    check_device(&daemon, &interface)?;
    describe(&daemon, interface.as_ref().clone())
}

fn describe(daemon: &Daemon, interface: NetworkInterface) -> Result<ContainerNetwork> {
    let identity = identity(&daemon.store.snapshot(), &interface.vpc, &interface)?;
    Ok(ContainerNetwork { interface, identity })
}

pub(crate) async fn detach(daemon: Arc<Daemon>, request: DetachContainer) -> Result<()> {
    daemon.control(move |control| control.detach_container(&request.device)).await??;
    daemon.settled().await
}

pub(crate) async fn collect(
    daemon: Arc<Daemon>,
    request: CollectContainers,
) -> Result<Vec<NetworkInterfaceId>> {
    let CollectContainers { network, kept } = request;
    let collected = daemon.control(move |control| control.collect_containers(&network, &kept)).await??;
    daemon.settled().await?;
    Ok(collected)
}

pub(crate) async fn readiness(daemon: Arc<Daemon>, request: GetReadiness) -> Result<Readiness> {
    if let Some(subnet) = request.subnet {
        daemon.control(move |control| control.check_room(&subnet, request.account.as_ref())).await??;
    }
    Ok(Readiness { fault: daemon.fabric.applied().fault })
}
