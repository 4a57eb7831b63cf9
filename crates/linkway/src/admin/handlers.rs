//! What the daemon does for each request of the commands, but for what has a file of its own.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use linkway_control::{AttachRequest, BackendRequest, ImageRequest, NewKey, WebhookRequest};
use linkway_model::account::{AccessKey, Account, Quotas};
use linkway_model::image::Image;
use linkway_model::instance::{Instance, InstanceState, Process};
use linkway_model::network_interface::NetworkInterface;
use linkway_model::notice::Webhook;
use linkway_model::service_backend::ServiceBackend;
use linkway_model::vpc_endpoint::VpcEndpoint;

use crate::admin::protocol::{
    AddImage, Attach, CreateAccount, CreateKey, DeleteKey, Detach, DropCount, FindEndpoint, FindInstance,
    GetAdvice, GetStatus, ImageAvailable, ImageList, ListAccounts, ListDrops, ListImages, ListKeys,
    ListServices, ListWebhooks, ListedWebhook, RemoveImage, SetQuotas, SetService, SetWebhook, Status, Stop,
    UnsetService, UnsetWebhook,
};
use crate::admin::status as report;
use crate::advise::{Finding, advise};
use crate::daemon::Daemon;

pub(crate) use crate::admin::launch::{ended, launch, started, terminate};

pub(crate) async fn create_account(daemon: Arc<Daemon>, request: CreateAccount) -> Result<Account> {
    let CreateAccount { id, name, organization } = request;
    Ok(daemon.control(move |control| control.create_account(id, name, organization)).await??)
}

pub(crate) async fn set_quotas(daemon: Arc<Daemon>, request: SetQuotas) -> Result<Account> {
    let SetQuotas { account, endpoints_per_vpc, interfaces_per_region } = request;
    let change = move |quotas: &mut Quotas| {
        quotas.endpoints_per_vpc = endpoints_per_vpc.unwrap_or(quotas.endpoints_per_vpc);
        quotas.interfaces_per_region = interfaces_per_region.unwrap_or(quotas.interfaces_per_region);
    };
    Ok(daemon.control(move |control| control.set_quotas(&account, change)).await??)
}

pub(crate) async fn list_accounts(daemon: Arc<Daemon>, _: ListAccounts) -> Result<Vec<Account>> {
    Ok(daemon.control.accounts())
}

pub(crate) async fn create_key(daemon: Arc<Daemon>, request: CreateKey) -> Result<AccessKey> {
    let CreateKey { account, access_key_id: id, secret_access_key: secret, user, tags } = request;
    let new = NewKey { id, secret, user, tags };
    Ok(daemon.control(move |control| control.create_key(&account, new)).await??)
}

pub(crate) async fn list_keys(daemon: Arc<Daemon>, request: ListKeys) -> Result<Vec<AccessKey>> {
    let mut keys = daemon.control.keys();
    keys.retain(|key| request.account.as_ref().is_none_or(|account| key.account == *account));
    Ok(keys)
}

pub(crate) async fn delete_key(daemon: Arc<Daemon>, request: DeleteKey) -> Result<()> {
    Ok(daemon.control(move |control| control.delete_key(&request.access_key_id)).await??)
}

pub(crate) async fn add_image(daemon: Arc<Daemon>, request: AddImage) -> Result<Image> {
    let AddImage { account, region, name, description } = request;
    let request = ImageRequest { account, region, name, description };
    Ok(daemon.control(move |control| control.add_image(request)).await??)
}

pub(crate) async fn image_available(daemon: Arc<Daemon>, request: ImageAvailable) -> Result<Image> {
    Ok(daemon.control(move |control| control.image_available(&request.image)).await??)
}

pub(crate) async fn remove_image(daemon: Arc<Daemon>, request: RemoveImage) -> Result<()> {
    Ok(daemon.control(move |control| control.remove_image(&request.image)).await??)
}

pub(crate) async fn list_images(daemon: Arc<Daemon>, request: ListImages) -> Result<ImageList> {
    Ok(ImageList { images: daemon.control.images(&request.region), directory: daemon.machines.images() })
}

pub(crate) async fn find_instance(daemon: Arc<Daemon>, request: FindInstance) -> Result<Process> {
    let state = daemon.store.snapshot();
    let instance = state
        .get::<Instance>(&request.instance)
        .with_context(|| format!("there is no instance {}", request.instance))?;
    match (instance.state, instance.process) {
        (InstanceState::Running | InstanceState::ShuttingDown, Some(process)) => Ok(process),
        (state, _) => bail!("the instance {} is {}, so nothing can run in it", instance.id, state.name()),
    }
}

pub(crate) async fn attach(daemon: Arc<Daemon>, request: Attach) -> Result<NetworkInterface> {
    let Attach { subnet, groups, private_ip, path, device } = request;
    let path = text(path)?;
    let request = AttachRequest {
        subnet,
        account: None,
        groups,
        private_ip,
        path,
        device,
        container: None,
        name: None,
    };
    attach_and_settle(&daemon, request).await
}

/// Make an interface for a namespace, and wait until packets get there. There is none if that fails.
pub(crate) async fn attach_and_settle(daemon: &Daemon, request: AttachRequest) -> Result<NetworkInterface> {
    let interface = daemon.control(move |control| control.attach(request)).await??;
    let settled = daemon.settled().await.and_then(|()| check_device(daemon, &interface));
    let Err(problem) = settled else { return Ok(interface) };
    // Nobody is told of an interface that never worked, so nobody would remove it.
    daemon.control(move |control| control.detach(&interface.id)).await??;
    Err(problem)
}

/// Whether an interface has its device, now that packets follow the state.
pub(crate) fn check_device(daemon: &Daemon, interface: &NetworkInterface) -> Result<()> {
    match daemon.fabric.applied().problems.remove(&interface.number) {
        Some(problem) => bail!(problem),
        None => Ok(()),
    }
}

/// A namespace's path as the state keeps it.
pub(crate) fn text(path: PathBuf) -> Result<String> {
    path.into_os_string().into_string().ok().context("the namespace's path is not UTF-8")
}

pub(crate) async fn detach(daemon: Arc<Daemon>, request: Detach) -> Result<()> {
    daemon.control(move |control| control.detach(&request.interface)).await??;
    daemon.settled().await
}

pub(crate) async fn set_service(daemon: Arc<Daemon>, request: SetService) -> Result<()> {
    let SetService { service, backend, ca, unknown_keys, tls } = request;
    let request = BackendRequest { service, backend, ca, unknown_keys, tls };
    daemon.control(move |control| control.set_backend(request)).await??;
    Ok(())
}

pub(crate) async fn unset_service(daemon: Arc<Daemon>, request: UnsetService) -> Result<()> {
    Ok(daemon.control(move |control| control.unset_backend(&request.service)).await??)
}

pub(crate) async fn list_services(daemon: Arc<Daemon>, _: ListServices) -> Result<Vec<ServiceBackend>> {
    Ok(daemon.control.backends())
}

pub(crate) async fn set_webhook(daemon: Arc<Daemon>, request: SetWebhook) -> Result<String> {
    let SetWebhook { topic, url, ca, secret } = request;
    let request = WebhookRequest { topic, url, ca, secret };
    Ok(daemon.control(move |control| control.set_webhook(request)).await??.secret)
}

pub(crate) async fn unset_webhook(daemon: Arc<Daemon>, request: UnsetWebhook) -> Result<()> {
    Ok(daemon.control(move |control| control.unset_webhook(&request.topic)).await??)
}

pub(crate) async fn list_webhooks(daemon: Arc<Daemon>, _: ListWebhooks) -> Result<Vec<ListedWebhook>> {
    let listed = |(webhook, waiting): (Webhook, usize)| ListedWebhook {
        url: webhook.url(),
        topic: webhook.topic,
        waiting,
    };
    Ok(daemon.control.webhooks().into_iter().map(listed).collect())
}

pub(crate) async fn find_endpoint(daemon: Arc<Daemon>, request: FindEndpoint) -> Result<VpcEndpoint> {
    let state = daemon.store.snapshot();
    let endpoint = state.get::<VpcEndpoint>(&request.endpoint);
    Ok(endpoint.with_context(|| format!("there is no endpoint {}", request.endpoint))?.as_ref().clone())
}

pub(crate) async fn get_advice(daemon: Arc<Daemon>, request: GetAdvice) -> Result<Vec<Finding>> {
    let state = daemon.store.snapshot();
    if let Some(id) = &request.endpoint {
        state.get::<VpcEndpoint>(id).with_context(|| format!("there is no endpoint {id}"))?;
    }
    let public_names = daemon.resolver.public_names();
    // It goes over rules and interfaces many times.
    tokio::task::spawn_blocking(move || advise(&state, &public_names, request.endpoint.as_ref()))
        .await
        .context("the daemon failed")
}

pub(crate) async fn status(daemon: Arc<Daemon>, _: GetStatus) -> Result<Status> {
    report::status(&daemon).await
}

pub(crate) async fn list_drops(daemon: Arc<Daemon>, _: ListDrops) -> Result<Vec<DropCount>> {
    report::drops(&daemon).await
}

pub(crate) async fn stop(daemon: Arc<Daemon>, _: Stop) -> Result<()> {
    daemon.stop.stop();
    Ok(())
}
