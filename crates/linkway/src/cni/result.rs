//! What ADD answers: the results of plugins before this one in the chain, and what this one has added.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use linkway_fabric::inspect::Device;
use serde_json::{Map, Value, json};

use crate::admin::protocol::ContainerNetwork;
use crate::cni::config::{Dns, Network};
use crate::cni::error::CniError;
use crate::cni::version::Version;
use crate::instance::files::domain;

/// A container's interface as it is.
pub(crate) struct Added<'a> {
    /// The device's name.
    pub(crate) name: &'a str,
    /// The container's namespace, as the runtime wrote it.
    pub(crate) sandbox: &'a Path,
    /// The device.
    pub(crate) device: &'a Device,
    /// What the daemon says of it.
    pub(crate) network: &'a ContainerNetwork,
}

/// The result after an interface was added.
pub(crate) fn result(version: Version, network: &Network, added: &Added<'_>) -> Result<Value, CniError> {
    let mut result = network.prev_result.clone().unwrap_or_default();
    result.insert("cniVersion".into(), version.name().into());
    let interfaces = list(&mut result, "interfaces")?;
    let index = interfaces.len();
    interfaces.push(interface(version, added));
    let ours: Vec<(&IpNet, IpAddr)> = added
        .device
        .routes
        .iter()
        .filter(|route| route.own)
        .filter_map(|route| Some((&route.destination, route.gateway?)))
        .collect();
    list(&mut result, "ips")?.extend(added.device.addresses.iter().map(|address| {
        let mut ip = json!({"address": address.to_string(), "interface": index});
        let is_ipv4 = address.addr().is_ipv4();
        if let Some((_, router)) = ours.iter().find(|(_, router)| router.is_ipv4() == is_ipv4) {
            ip["gateway"] = router.to_string().into();
        }
        if version < Version::V1_0_0 {
            ip["version"] = if is_ipv4 { "4" } else { "6" }.into();
        }
        ip
    }));
    let route = |(to, router): &(&IpNet, IpAddr)| json!({"dst": to.to_string(), "gw": router.to_string()});
    list(&mut result, "routes")?.extend(ours.iter().map(route));
    let before: Dns = match result.remove("dns").filter(|dns| !dns.is_null()) {
        Some(dns) => serde_json::from_value(dns).map_err(|error| malformed("dns", &error.to_string()))?,
        None => Dns::default(),
    };
    let dns = dns(&network.dns, added.network, before);
    result.insert(
        "dns".into(),
        serde_json::to_value(dns).map_err(|error| malformed("dns", &error.to_string()))?,
    );
    Ok(Value::Object(result))
}

fn interface(version: Version, added: &Added<'_>) -> Value {
    let mut interface = json!({"name": added.name, "mac": added.device.mac, "sandbox": added.sandbox});
    if version >= Version::V1_1_0 {
        interface["mtu"] = added.device.mtu.into();
    }
    interface
}

/// The VPC's resolver first, as no other knows the VPC's names, unless the configuration wants another.
fn dns(wanted: &Dns, network: &ContainerNetwork, before: Dns) -> Dns {
    let or = |wanted: &Vec<String>, ours: Vec<String>| if wanted.is_empty() { ours } else { wanted.clone() };
    let resolver = vec![network.identity.resolver.to_string()];
    let then = |mut first: Vec<String>, rest: Vec<String>| {
        for one in rest {
            if !first.contains(&one) {
                first.push(one);
            }
        }
        first
    };
    Dns {
        nameservers: then(or(&wanted.nameservers, resolver), before.nameservers),
        domain: wanted.domain.clone().or(before.domain),
        search: then(or(&wanted.search, vec![domain(&network.identity.region)]), before.search),
        options: then(wanted.options.clone(), before.options),
    }
}

/// A list of the result's, made if it is missing.
fn list<'a>(result: &'a mut Map<String, Value>, key: &'static str) -> Result<&'a mut Vec<Value>, CniError> {
    let list = result.entry(key).or_insert(Value::Null);
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    list.as_array_mut().ok_or_else(|| malformed(key, "it is no list"))
}

fn malformed(key: &str, why: &str) -> CniError {
    CniError::Config(format!("prevResult does not read: {key}: {why}"))
}
