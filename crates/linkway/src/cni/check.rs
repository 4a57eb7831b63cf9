//! CHECK: whether a container's network is still as ADD made it.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use linkway_fabric::inspect::Device;
use linkway_model::network_interface::InterfaceRole;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::admin::protocol::ContainerNetwork;
use crate::cni::error::CniError;

/// The parts of a result that are looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Expected {
    #[serde(default)]
    interfaces: Vec<ExpectedInterface>,
    #[serde(default)]
    ips: Vec<ExpectedAddress>,
    #[serde(default)]
    routes: Vec<ExpectedRoute>,
}

#[derive(Debug, Deserialize)]
struct ExpectedInterface {
    name: String,
    mac: Option<String>,
    #[serde(default)]
    sandbox: String,
}

#[derive(Debug, Deserialize)]
struct ExpectedAddress {
    address: IpNet,
    interface: Option<usize>,
    gateway: Option<IpAddr>,
}

#[derive(Debug, Deserialize)]
struct ExpectedRoute {
    dst: IpNet,
    gw: Option<IpAddr>,
}

impl Expected {
    /// What ADD answered.
    pub(crate) fn of(result: Option<Map<String, Value>>) -> Result<Self, CniError> {
        let result = result
            .ok_or_else(|| CniError::Config("prevResult is missing, which CHECK compares with".into()))?;
        serde_json::from_value(Value::Object(result))
            .map_err(|error| CniError::Config(format!("prevResult does not read: {error}")))
    }

    /// Compare what is there with it. `sandbox` is the namespace as the runtime writes it, `path` as the daemon does.
    pub(crate) fn compare(
        &self,
        name: &str,
        (sandbox, path): (&Path, &Path),
        network: &ContainerNetwork,
        device: Option<&Device>,
    ) -> Result<(), CniError> {
        let id = &network.interface.id;
        let changed = |what: String| Err(CniError::Changed(format!("{id}: {what}")));
        match &network.interface.role {
            InterfaceRole::Namespace { path: made, .. } if Path::new(made) == path => {}
            _ => return changed(format!("it was not made for {}", path.display())),
        }
        let Some(device) = device else {
            return changed(format!("{} has no device {name}", sandbox.display()));
        };
        let mac = network.interface.mac.to_string();
        if device.mac != mac {
            return changed(format!(
                "{name} is another device: it has the MAC address {}, not {mac}",
                device.mac
            ));
        }
        if !device.up {
            return changed(format!("{name} is down"));
        }
        let is_ours = |found: &ExpectedInterface| found.name == name && Path::new(&found.sandbox) == sandbox;
        let Some(index) = self.interfaces.iter().position(is_ours) else {
            return changed(format!("prevResult has no {name} in {}", sandbox.display()));
        };
        if let Some(other) = self.interfaces[index].mac.as_ref().filter(|other| **other != mac) {
            return changed(format!("prevResult has the MAC address {other}, and {name} has {mac}"));
        }
        let ips: Vec<&ExpectedAddress> = self.ips.iter().filter(|ip| ip.interface == Some(index)).collect();
        if let Some(lost) = ips.iter().find(|ip| !device.addresses.contains(&ip.address)) {
            return changed(format!("{name} does not have the address {} any more", lost.address));
        }
        let primary = IpAddr::V4(network.interface.address);
        if !ips.iter().any(|ip| ip.address.addr() == primary) {
            return changed(format!(
                "the interface's address is {primary}, and prevResult does not have that"
            ));
        }
        // A plugin after this one may have led a route elsewhere; without any, the container does not get there.
        let is_router = |gateway| ips.iter().any(|ip| ip.gateway == Some(gateway));
        let mut ours = self.routes.iter().filter(|route| route.gw.is_some_and(is_router));
        let is_there =
            |route: &&ExpectedRoute| device.routes.iter().any(|found| found.destination == route.dst);
        match ours.find(|route| !is_there(route)) {
            Some(lost) => changed(format!("the route to {} is gone", lost.dst)),
            None => Ok(()),
        }
    }
}
