//! Interfaces of network namespaces that exist: a container's, say.

use std::net::Ipv4Addr;

use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::{AttachmentId, NetworkInterfaceId, SecurityGroupId, SubnetId};

use super::instance::subnet_of;
use crate::error::AdminError;
use crate::lookup::not_found;
use crate::{Control, Error};

impl Control {
    /// Make an interface for the namespace at `path`, where its device is called `device`.
    pub fn attach(
        &self,
        subnet: &SubnetId,
        groups: &[SecurityGroupId],
        private_ip: Option<Ipv4Addr>,
        path: &str,
        device: &str,
    ) -> Result<NetworkInterface, Error> {
        self.write(None, |tx| {
            let holds_device = |found: &NetworkInterface| {
                matches!(&found.role, InterfaceRole::Namespace { path: p, device: d, .. } if p == path && d == device)
            };
            if let Some(other) = tx.all::<NetworkInterface>().find(|found| holds_device(found)) {
                let interface = other.id.to_string();
                return Err(
                    AdminError::DeviceTaken { interface, path: path.into(), device: device.into() }.into()
                );
            }
            let subnet = subnet_of(tx, subnet)?;
            let role = InterfaceRole::Namespace {
                attachment: AttachmentId::random(),
                path: path.to_owned(),
                device: device.to_owned(),
                attached: self.now(),
            };
            self.interface(tx, &subnet, groups, private_ip, role)
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
}
