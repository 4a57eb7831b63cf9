//! Interfaces of network namespaces that exist: what `linkway attach` and containers' runtimes ask for.

use std::net::Ipv4Addr;
use std::sync::Arc;

use linkway_model::index::Term;
use linkway_model::network_interface::{Container, ContainerDevice, InterfaceRole, NetworkInterface};
use linkway_model::subnet::Subnet;
use linkway_model::{AccountId, AttachmentId, NetworkInterfaceId, SecurityGroupId, Snapshot, SubnetId, Tags};

use super::instance::subnet_of;
use crate::ec2::subnet::free_addresses;
use crate::error::AdminError;
use crate::lookup::not_found;
use crate::{Control, Error};

/// What an interface of a namespace is made with.
#[derive(Debug, Clone)]
pub struct AttachRequest {
    /// Where. The interface has the subnet's owner and region.
    pub subnet: SubnetId,
    /// Whose the subnet has to be; `None`: anybody's.
    pub account: Option<AccountId>,
    /// Its security groups; none: the VPC's default one.
    pub groups: Vec<SecurityGroupId>,
    /// Its address; `None`: the first that is free.
    pub private_ip: Option<Ipv4Addr>,
    /// The namespace.
    pub path: String,
    /// The device's name inside.
    pub device: String,
    /// The container that it is for, if it is for one.
    pub container: Option<Container>,
    /// Its tag `Name`.
    pub name: Option<String>,
}

impl Control {
    /// Make an interface for a namespace.
    pub fn attach(&self, request: AttachRequest) -> Result<NetworkInterface, Error> {
        let AttachRequest { subnet, account, groups, private_ip, path, device, container, name } = request;
        self.write(None, |tx| {
            if let Some((other, _)) =
                in_namespaces(tx).find(|(_, found)| found.path == path && found.device == device)
            {
                let interface = other.id.to_string();
                return Err(AdminError::DeviceTaken { interface, path, device }.into());
            }
            if let Some(container) = &container
                && let Some((other, found)) = of_container(tx, container, &device)
            {
                return Err(AdminError::ContainerTaken {
                    interface: other.id.to_string(),
                    network: container.network.clone(),
                    container: container.id.clone(),
                    path: found.path.to_owned(),
                    device,
                }
                .into());
            }
            let subnet = subnet_of_account(tx, &subnet, account.as_ref())?;
            let description = container.as_ref().map(describe).unwrap_or_default();
            let role = InterfaceRole::Namespace {
                attachment: AttachmentId::random(),
                path,
                device,
                attached: self.now(),
                container,
            };
            let made = self.interface(tx, &subnet, &groups, private_ip, role)?;
            let tags: Tags = name.map(|name| ("Name".to_owned(), name)).into_iter().collect();
            let made = NetworkInterface { description, tags, ..made };
            tx.put(made.clone());
            Ok(made)
        })
    }

    /// Remove an interface that `attach` made.
    pub fn detach(&self, id: &NetworkInterfaceId) -> Result<(), Error> {
        self.write(None, |tx| {
            let interface =
                tx.get::<NetworkInterface>(id).ok_or_else(|| not_found::<NetworkInterface>(id.as_str()))?;
            if !matches!(interface.role, InterfaceRole::Namespace { .. }) {
                return Err(AdminError::NotAttached(id.to_string()).into());
            }
            tx.delete::<NetworkInterface>(id);
            Ok(())
        })
    }

    /// A container's interface.
    pub fn container_interface(&self, of: &ContainerDevice) -> Option<Arc<NetworkInterface>> {
        let state = self.store.snapshot();
        of_container(&state, &of.container, &of.device).map(|(interface, _)| Arc::clone(interface))
    }

    /// Remove a container's interface, if it has one of this name.
    pub fn detach_container(&self, of: &ContainerDevice) -> Result<(), Error> {
        self.write(None, |tx| {
            let found =
                of_container(tx, &of.container, &of.device).map(|(interface, _)| interface.id.clone());
            if let Some(id) = found {
                tx.delete::<NetworkInterface>(&id);
            }
            Ok(())
        })
    }

    /// Whether another interface could be made in a subnet.
    pub fn check_room(&self, subnet: &SubnetId, account: Option<&AccountId>) -> Result<(), Error> {
        let state = self.store.snapshot();
        let subnet = subnet_of_account(&state, subnet, account)?;
        if free_addresses(&state, &subnet) == 0 { Err(Error::InsufficientFreeAddresses) } else { Ok(()) }
    }

    /// Remove all interfaces of a network's containers but those that are `kept`. Answers those that were removed.
    pub fn collect_containers(
        &self,
        network: &str,
        kept: &[ContainerDevice],
    ) -> Result<Vec<NetworkInterfaceId>, Error> {
        self.write(None, |tx| {
            let stale = |found: &InNamespace<'_>| {
                found.container.is_some_and(|container| {
                    container.network == network
                        && !kept
                            .iter()
                            .any(|kept| kept.container == *container && kept.device == found.device)
                })
            };
            let stale: Vec<NetworkInterfaceId> =
                in_namespaces(tx).filter(|(_, found)| stale(found)).map(|(it, _)| it.id.clone()).collect();
            for id in &stale {
                tx.delete::<NetworkInterface>(id);
            }
            Ok(stale)
        })
    }
}

/// A subnet. Another account's is one that is not there.
fn subnet_of_account(
    state: &Snapshot,
    id: &SubnetId,
    account: Option<&AccountId>,
) -> Result<Arc<Subnet>, Error> {
    let subnet = subnet_of(state, id)?;
    match account {
        Some(account) if *account != subnet.owner => Err(not_found::<Subnet>(id.as_str())),
        _ => Ok(subnet),
    }
}

/// Where an interface of a namespace is.
struct InNamespace<'a> {
    path: &'a str,
    device: &'a str,
    container: Option<&'a Container>,
}

/// The interfaces that `attach` made.
fn in_namespaces(state: &Snapshot) -> impl Iterator<Item = (&Arc<NetworkInterface>, InNamespace<'_>)> {
    state.all_under::<NetworkInterface>(Term::InterfaceDevice).filter_map(|interface| match &interface.role {
        InterfaceRole::Namespace { path, device, container, .. } => {
            Some((interface, InNamespace { path, device, container: container.as_ref() }))
        }
        _ => None,
    })
}

fn of_container<'a>(
    state: &'a Snapshot,
    container: &Container,
    device: &str,
) -> Option<(&'a Arc<NetworkInterface>, InNamespace<'a>)> {
    in_namespaces(state).find(|(_, found)| found.container == Some(container) && found.device == device)
}

fn describe(container: &Container) -> String {
    format!("Container {} in the CNI network {}", short(&container.id), container.network)
}

/// A container's id as runtimes show it to people.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
