//! Brings each attachment's veth pair about: the host end in the fabric's namespace with the packet program
//! at its ingress, the other end in the workload's namespace.
//!
//! A pair goes when either namespace goes. So an attachment has its device as long as the namespace is
//! there, and gets a new one when a namespace appears in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use linkway_model::InstanceId;

use crate::attach::attach;
use crate::attachment::{self, Attachment};
use crate::compile::Uplink;
use crate::error::FabricError;
use crate::fabric::Settings;
use crate::link::{self, End, LOOPBACK, Link, Netlink};
use crate::maps::Programs;
use crate::namespace::{self, Identity};
use crate::ranges;
use crate::service;
use crate::uplink;

/// The devices of a fabric.
pub(crate) struct HostEnds {
    name: String,
    namespace: PathBuf,
    netlink: Netlink,
    programs: Programs,
    /// Interface index of the service namespace's.
    service: u32,
    uplink: Option<Uplink>,
    /// What is set up, by the interface's number.
    ready: BTreeMap<u32, Ready>,
}

/// An attachment that is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ready {
    attachment: Attachment,
    identity: Identity,
    index: u32,
}

/// A step's outcome: interface index of the host end of each interface, and what went wrong with others.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) devices: BTreeMap<u32, u32>,
    pub(crate) problems: BTreeMap<u32, FabricError>,
}

impl HostEnds {
    /// Adopt what is there, make the service namespace's pair and the uplink's if need be, and have this build's
    /// programs take over. The calling thread is in the host's namespace.
    pub(crate) fn open(
        settings: &Settings,
        namespace: &Path,
        service: &Path,
        programs: Programs,
    ) -> Result<Self, FabricError> {
        namespace::create(namespace, || {
            // For the devices to come: none of them speaks IPv6 by itself.
            link::set_ipv6("default", false)
        })?;
        let netlink = Netlink::open(namespace)?;
        let service = service::set_up(service, &netlink)?;
        let name = &settings.name;
        let uplink = match &settings.uplink {
            Some(interface) => Some(uplink::set_up(name, interface, namespace, &netlink, &programs)?),
            None => uplink::remove(name).map(|()| None)?,
        };
        let ends = Self {
            name: name.clone(),
            namespace: namespace.to_owned(),
            netlink,
            programs,
            service,
            uplink,
            ready: BTreeMap::new(),
        };
        let found: Vec<u32> = ends.found()?.into_values().map(|link| link.index).collect();
        namespace::enter(&ends.namespace, || {
            attach(ends.programs.from_service.as_fd(), ends.service)?;
            found.iter().try_for_each(|index| attach(ends.programs.from_workload.as_fd(), *index))
        })?;
        Ok(ends)
    }

    pub(crate) fn service(&self) -> u32 {
        self.service
    }

    /// The way out, if there is one.
    pub(crate) fn uplink(&self) -> Option<Uplink> {
        self.uplink
    }

    /// Have a host end for each attachment whose namespace is there, and a namespace for each instance.
    /// The other ends stay as they are: packets shall flow only once the tables know the device.
    pub(crate) fn make(
        &mut self,
        instances: &BTreeSet<InstanceId>,
        wanted: &BTreeMap<u32, Attachment>,
    ) -> Result<Outcome, FabricError> {
        for instance in instances {
            let path = namespace::path(&attachment::instance_namespace(&self.name, instance));
            namespace::create(&path, || Netlink::here()?.up(LOOPBACK))?;
        }
        let found = self.found()?;
        self.ready.retain(|number, ready| {
            found.get(number).is_some_and(|link| link.index == ready.index)
                && wanted.get(number).is_some_and(|wanted| {
                    wanted.namespace == ready.attachment.namespace
                        && wanted.device == ready.attachment.device
                        && namespace::identity(&wanted.namespace) == Some(ready.identity)
                })
        });
        let mut outcome = Outcome::default();
        for (number, attachment) in wanted {
            let made = match self.ready.get(number) {
                Some(ready) => Ok(ready.index),
                None => self.adopt_or_make(*number, attachment, found.get(number)),
            };
            match made {
                Ok(index) => outcome.devices.insert(*number, index).map(|_| ()),
                Err(problem) => outcome.problems.insert(*number, problem).map(|_| ()),
            };
        }
        Ok(outcome)
    }

    /// Set up the other ends of the devices that were made: addresses, routes, and up.
    pub(crate) fn set_up(&mut self, wanted: &BTreeMap<u32, Attachment>, outcome: &mut Outcome) {
        for (number, index) in &outcome.devices {
            let Some(attachment) = wanted.get(number) else { continue };
            if self.ready.get(number).is_some_and(|ready| ready.attachment == *attachment) {
                continue;
            }
            let set_up = set_up_inside(attachment);
            match set_up.and_then(|identity| self.netlink.wait_until_running(*index).map(|()| identity)) {
                Ok(identity) => {
                    let ready = Ready { attachment: attachment.clone(), identity, index: *index };
                    self.ready.insert(*number, ready);
                }
                Err(problem) => {
                    outcome.problems.insert(*number, problem);
                }
            }
        }
    }

    /// Remove the devices and namespaces that nothing in the tables leads to any more.
    pub(crate) fn remove_others(
        &mut self,
        instances: &BTreeSet<InstanceId>,
        devices: &BTreeMap<u32, u32>,
    ) -> Result<(), FabricError> {
        for (number, link) in self.found()? {
            if devices.get(&number) != Some(&link.index) {
                self.netlink.delete(link.index)?;
                self.ready.remove(&number);
            }
        }
        for name in namespace::names() {
            if attachment::instance_of(&self.name, &name).is_some_and(|id| !instances.contains(&id)) {
                namespace::remove(&namespace::path(&name))?;
            }
        }
        Ok(())
    }

    /// The host ends that are there, by the interface's number.
    fn found(&self) -> Result<BTreeMap<u32, Link>, FabricError> {
        let links = self.netlink.links()?;
        Ok(links.into_iter().filter_map(|(name, link)| Some((number_of(&name)?, link))).collect())
    }

    fn adopt_or_make(
        &self,
        number: u32,
        attachment: &Attachment,
        found: Option<&Link>,
    ) -> Result<u32, FabricError> {
        let path = &attachment.namespace;
        let gone = || FabricError::NamespaceGone { path: path.clone() };
        let identity = namespace::look(path)?;
        if Some(identity) == namespace::identity(Path::new(namespace::OWN)) {
            return Err(FabricError::HostNamespace { path: path.clone() });
        }
        let there = Netlink::open(path)?.link(&attachment.device)?;
        let own = there.is_some_and(|link| link.mac == attachment.mac.0);
        let index = match found {
            Some(link) if own => link.index,
            found => {
                // Its other end is somewhere else: in a namespace that was here before, or renamed.
                found.map_or(Ok(()), |link| self.netlink.delete(link.index))?;
                let name = host_end(number);
                let here = End { name: &name, mac: ranges::router_mac() };
                let there = End { name: &attachment.device, mac: attachment.mac };
                self.netlink.add_pair(&here, &there, path)?;
                self.netlink.link(&name)?.ok_or_else(gone)?.index
            }
        };
        namespace::enter(&self.namespace, || attach(self.programs.from_workload.as_fd(), index))?;
        self.netlink.up(index)?;
        Ok(index)
    }
}

/// Set up an attachment's end in its namespace. Returns which namespace that was.
fn set_up_inside(attachment: &Attachment) -> Result<Identity, FabricError> {
    let gone = || FabricError::NamespaceGone { path: attachment.namespace.clone() };
    let identity = namespace::look(&attachment.namespace)?;
    let inside = Netlink::open(&attachment.namespace)?;
    let has_ipv6 = attachment.addresses.iter().any(|address| matches!(address, IpNet::V6(_)));
    namespace::enter(&attachment.namespace, || link::set_ipv6(&attachment.device, has_ipv6))?;
    let index = inside.link(&attachment.device)?.ok_or_else(gone)?.index;
    inside.set_addresses(index, &attachment.addresses)?;
    inside.up(index)?;
    for route in &attachment.routes {
        inside.add_route(index, *route, attachment.router, None)?;
    }
    if let Some(table) = attachment.table {
        let sources: Vec<IpAddr> = attachment.addresses.iter().map(IpNet::addr).collect();
        inside.route_by_source(index, attachment.router, table, &sources)?;
    }
    Ok(identity)
}

/// The name of the host end of interface `number`.
pub(crate) fn host_end(number: u32) -> String {
    format!("eni{number}")
}

/// The interface whose host end has this name.
pub(crate) fn number_of(host_end: &str) -> Option<u32> {
    host_end.strip_prefix("eni")?.parse().ok()
}
