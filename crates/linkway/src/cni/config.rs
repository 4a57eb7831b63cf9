//! A network's configuration, and what it, and those who start a container, wish for the container.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use linkway_model::network_interface::{Container, ContainerDevice};
use linkway_model::{AccountId, SecurityGroupId, SubnetId};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::cni::call::{Arguments, is_name};
use crate::cni::error::CniError;
use crate::cni::version::Version;
use crate::state_dir;

/// The label, or annotation, that names a container's subnet.
const SUBNET_LABEL: &str = "linkway.subnet";

/// The same for its security groups, with commas between them.
const GROUPS_LABEL: &str = "linkway.security-groups";

/// Fields that the specification, libcni and runtimes put into every configuration, and those that are ours.
const FIELDS: [&str; 18] = [
    "cniVersion",
    "cniVersions",
    "name",
    "type",
    "disableCheck",
    "disableGC",
    "loadOnlyInlinedPlugins",
    "args",
    "capabilities",
    "runtimeConfig",
    "dns",
    "prevResult",
    "cni.dev/valid-attachments",
    "cni.dev/attachments",
    "stateDir",
    "account",
    "subnet",
    "securityGroups",
];

/// A network's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Network {
    /// Its name.
    pub(crate) name: String,
    /// The daemon's state directory.
    #[serde(default = "default_state_dir")]
    pub(crate) state_dir: PathBuf,
    /// Whose the subnets have to be.
    #[serde(default, deserialize_with = "id")]
    pub(crate) account: Option<AccountId>,
    /// The subnet of containers that name no other.
    #[serde(default, deserialize_with = "id")]
    pub(crate) subnet: Option<SubnetId>,
    /// The security groups of containers that name no others.
    #[serde(default, deserialize_with = "ids")]
    security_groups: Vec<SecurityGroupId>,
    /// What containers shall have instead of the VPC's own resolver and domain.
    #[serde(default)]
    pub(crate) dns: Dns,
    /// What the plugin before this one, or this one's ADD, has answered.
    pub(crate) prev_result: Option<Map<String, Value>>,
    #[serde(default, rename = "cni.dev/valid-attachments", deserialize_with = "given")]
    valid_attachments: Option<Vec<ValidAttachment>>,
    #[serde(default)]
    runtime_config: RuntimeConfig,
    #[serde(default)]
    args: Args,
}

/// DNS in configurations and results.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dns {
    /// Addresses of name servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) nameservers: Vec<String>,
    /// The local domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    /// Domains that short names are looked up in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) search: Vec<String>,
    /// Options of the resolver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct ValidAttachment {
    #[serde(rename = "containerID")]
    container: String,
    ifname: String,
}

/// What runtimes fill in by `capabilities`.
#[derive(Debug, Clone, Default, Deserialize)]
struct RuntimeConfig {
    #[serde(default)]
    ips: Vec<String>,
    mac: Option<String>,
    /// containerd and CRI-O.
    #[serde(default, rename = "io.kubernetes.cri.pod-annotations")]
    annotations: BTreeMap<String, String>,
}

/// What runtimes may add by CNI's conventions.
#[derive(Debug, Clone, Default, Deserialize)]
struct Args {
    #[serde(default)]
    cni: CniArgs,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct CniArgs {
    #[serde(default)]
    ips: Vec<String>,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Debug, Clone, Deserialize)]
struct Label {
    key: String,
    value: String,
}

/// What a container is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// Where.
    pub(crate) subnet: SubnetId,
    /// Its security groups.
    pub(crate) groups: Vec<SecurityGroupId>,
    /// Its address, if a certain one.
    pub(crate) private_ip: Option<Ipv4Addr>,
    /// Its name.
    pub(crate) name: Option<String>,
}

/// A configuration's fields, and its version.
pub(crate) fn read(text: &[u8]) -> Result<(Version, Map<String, Value>), CniError> {
    let fields: Map<String, Value> = serde_json::from_slice(text)
        .map_err(|error| CniError::Decode(format!("the configuration is no JSON object: {error}")))?;
    // CNI: what names no version is of the first one.
    let version = fields.get("cniVersion").map_or(Some("0.1.0"), Value::as_str);
    let version = version.ok_or_else(|| CniError::Decode("cniVersion is no text".into()))?;
    Ok((Version::find(version)?, fields))
}

/// Refuse fields that nobody would follow. What is to be taken away need not say why it was made.
pub(crate) fn check_fields(fields: &Map<String, Value>) -> Result<(), CniError> {
    for (key, value) in fields {
        let why = match key.as_str() {
            // Some runtimes write it into each configuration, empty.
            "ipam" if value.as_object().is_some_and(Map::is_empty) => continue,
            "ipam" => "the subnet gives addresses; leave it out",
            "ipMasq" if *value == Value::Bool(false) => continue,
            "ipMasq" => "containers have their subnet's addresses only; leave it out",
            key if FIELDS.contains(&key) => continue,
            _ => "there is no such field; this plugin has stateDir, account, subnet and securityGroups",
        };
        return Err(CniError::Unsupported { key: key.clone(), value: value.to_string(), why });
    }
    Ok(())
}

impl Network {
    /// A configuration of these fields.
    pub(crate) fn of(fields: Map<String, Value>) -> Result<Self, CniError> {
        let network: Self = serde_json::from_value(Value::Object(fields))
            .map_err(|error| CniError::Config(format!("the configuration does not read: {error}")))?;
        if is_name(&network.name) {
            Ok(network)
        } else {
            Err(CniError::Config(format!("name is {:?}, which is no network's name", network.name)))
        }
    }

    /// The attachments that GC leaves.
    pub(crate) fn kept(&self) -> Result<Vec<ContainerDevice>, CniError> {
        let kept = self.valid_attachments.as_ref().ok_or_else(|| {
            CniError::Config("cni.dev/valid-attachments is missing: all that is there would go".into())
        })?;
        let device = |kept: &ValidAttachment| ContainerDevice {
            container: Container { network: self.name.clone(), id: kept.container.clone() },
            device: kept.ifname.clone(),
        };
        Ok(kept.iter().map(device).collect())
    }

    /// What a container is to have. Annotations and labels go before `CNI_ARGS`, and these before the configuration.
    pub(crate) fn wishes(&self, arguments: &Arguments) -> Result<Wishes, CniError> {
        let mac = self.runtime_config.mac.as_ref().or(arguments.mac.as_ref());
        if let Some(mac) = mac.filter(|mac| !mac.is_empty()) {
            return Err(CniError::Unsupported {
                key: "mac".into(),
                value: mac.clone(),
                why: "an interface's MAC address is Linkway's to choose; leave it out",
            });
        }
        let subnet = match self.asked(SUBNET_LABEL, arguments.subnet.as_ref()) {
            Some((from, text)) => Some(parse(from, text)?),
            None => self.subnet.clone(),
        };
        let groups = match self.asked(GROUPS_LABEL, arguments.groups.as_ref()) {
            Some((from, text)) => {
                text.split(',').map(|group| parse(from, group.trim())).collect::<Result<_, _>>()?
            }
            None => self.security_groups.clone(),
        };
        Ok(Wishes {
            subnet: subnet.ok_or_else(|| {
                CniError::Config(format!(
                    "the container has no subnet: name one by \"subnet\" in the configuration, the label \
                     {SUBNET_LABEL}, or LINKWAY_SUBNET in CNI_ARGS"
                ))
            })?,
            groups,
            private_ip: self.address(arguments)?,
            name: arguments.name.clone(),
        })
    }

    /// What was asked for one container, and where.
    fn asked<'a>(
        &'a self,
        label: &'static str,
        argument: Option<&'a String>,
    ) -> Option<(&'static str, &'a str)> {
        let labels = &self.args.cni.labels;
        let annotated = self.runtime_config.annotations.get(label);
        annotated
            .or_else(|| labels.iter().find(|found| found.key == label).map(|found| &found.value))
            .map(|text| (label, text.as_str()))
            .or_else(|| argument.map(|text| ("CNI_ARGS", text.as_str())))
    }

    /// The address that was asked for.
    fn address(&self, arguments: &Arguments) -> Result<Option<Ipv4Addr>, CniError> {
        let RuntimeConfig { ips, .. } = &self.runtime_config;
        let ips = if ips.is_empty() { &self.args.cni.ips } else { ips };
        let asked: Vec<&String> =
            if ips.is_empty() { arguments.ip.iter().collect() } else { ips.iter().collect() };
        let [asked] = asked[..] else {
            return match asked.len() {
                0 => Ok(None),
                _ => Err(CniError::Config(format!(
                    "{} addresses are asked for; a container has one",
                    asked.len()
                ))),
            };
        };
        let address = asked.parse::<IpAddr>().or_else(|_| asked.parse::<IpNet>().map(|net| net.addr()));
        match address {
            Ok(IpAddr::V4(address)) => Ok(Some(address)),
            Ok(IpAddr::V6(_)) => Err(CniError::Config(format!(
                "the address {asked} is IPv6; only an IPv4 address can be chosen"
            ))),
            Err(_) => Err(CniError::Config(format!("{asked:?} is no address"))),
        }
    }
}

fn parse<T: FromStr<Err: Display>>(from: &str, text: &str) -> Result<T, CniError> {
    text.parse().map_err(|error| CniError::Config(format!("{from} says {text:?}: {error}")))
}

fn default_state_dir() -> PathBuf {
    state_dir::DEFAULT.into()
}

/// An id, checked as one that was typed: those of the model read from its own documents only.
fn id<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

fn ids<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
}

/// A list that is there: libcni writes `null` for an empty one.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    Ok(Some(Option::deserialize(from)?.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SUBNET: &str = "subnet-1a2b3c4d";

    fn network(more: Value) -> Network {
        let mut fields =
            json!({"cniVersion": "1.1.0", "name": "net", "type": "linkway-cni", "subnet": SUBNET});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (_, fields) = read(fields.to_string().as_bytes()).unwrap();
        check_fields(&fields).unwrap();
        Network::of(fields).unwrap()
    }

    fn wishes(more: Value, arguments: &Arguments) -> Wishes {
        network(more).wishes(arguments).unwrap()
    }

    #[test]
    fn a_container_is_where_those_say_who_are_nearest_to_it() {
        let arguments = Arguments {
            subnet: Some("subnet-2a2b3c4d".into()),
            groups: Some("sg-2a2b3c4d,sg-3a2b3c4d".into()),
            ..Arguments::default()
        };
        let configured = wishes(json!({"securityGroups": ["sg-1a2b3c4d"]}), &Arguments::default());
        assert_eq!((configured.subnet.as_str(), configured.groups.len()), (SUBNET, 1));
        let asked = wishes(json!({"securityGroups": ["sg-1a2b3c4d"]}), &arguments);
        assert_eq!((asked.subnet.as_str(), asked.groups.len()), ("subnet-2a2b3c4d", 2));
        let label = json!({"args": {"cni": {"labels": [{"key": SUBNET_LABEL, "value": "subnet-3a2b3c4d"}]}}});
        assert_eq!(wishes(label, &arguments).subnet.as_str(), "subnet-3a2b3c4d");
        let annotations = json!({"io.kubernetes.cri.pod-annotations": {GROUPS_LABEL: "sg-4a2b3c4d"}});
        let annotated = wishes(json!({"runtimeConfig": annotations}), &arguments);
        assert_eq!((annotated.subnet.as_str(), annotated.groups.len()), ("subnet-2a2b3c4d", 1));
    }

    #[test]
    fn an_address_may_have_a_prefix() {
        let address = |more| {
            wishes(more, &Arguments { ip: Some("10.0.0.9".into()), ..Arguments::default() }).private_ip
        };
        assert_eq!(address(json!({})), Some(Ipv4Addr::new(10, 0, 0, 9)));
        assert_eq!(
            address(json!({"args": {"cni": {"ips": ["10.0.0.8"]}}})),
            Some(Ipv4Addr::new(10, 0, 0, 8))
        );
        assert_eq!(
            address(json!({"runtimeConfig": {"ips": ["10.0.0.7/24"]}})),
            Some(Ipv4Addr::new(10, 0, 0, 7))
        );
        for bad in [json!(["10.0.0.7", "10.0.0.8"]), json!(["fd00::1"]), json!(["10.0.0"])] {
            let refused = network(json!({"runtimeConfig": {"ips": bad}})).wishes(&Arguments::default());
            assert!(matches!(refused, Err(CniError::Config(_))), "{refused:?}");
        }
    }

    #[test]
    fn what_nobody_would_follow_is_refused_with_its_key_and_value() {
        let refused = |more: Value| check_fields(more.as_object().unwrap()).unwrap_err().to_string();
        assert!(refused(json!({"securitygroups": ["sg-1"]})).contains("securitygroups is [\"sg-1\"]"));
        assert!(refused(json!({"ipam": {"type": "host-local"}})).contains("ipam"));
        assert!(refused(json!({"ipMasq": true})).contains("ipMasq is true"));
        assert!(check_fields(json!({"ipam": {}, "ipMasq": false}).as_object().unwrap()).is_ok());
        let mac =
            network(json!({"runtimeConfig": {"mac": "02:00:00:00:00:01"}})).wishes(&Arguments::default());
        assert!(matches!(mac, Err(CniError::Unsupported { .. })), "{mac:?}");
    }

    #[test]
    fn configurations_that_are_none_are_told_apart() {
        assert!(matches!(read(b"{"), Err(CniError::Decode(_))));
        assert!(matches!(read(b"[]"), Err(CniError::Decode(_))));
        assert!(matches!(read(br#"{"cniVersion": "2.0.0"}"#), Err(CniError::Version(_))));
        assert!(matches!(read(b"{}"), Err(CniError::Version(_))));
        let of = |value: Value| Network::of(value.as_object().unwrap().clone());
        assert!(matches!(of(json!({"name": "a/b"})), Err(CniError::Config(_))));
        assert!(matches!(of(json!({"name": "a", "subnet": "vpc-1a2b3c4d"})), Err(CniError::Config(_))));
        let nowhere = of(json!({"name": "a"})).unwrap().wishes(&Arguments::default());
        assert!(matches!(nowhere, Err(CniError::Config(_))), "{nowhere:?}");
    }

    #[test]
    fn gc_takes_a_list_that_is_empty_and_none_that_is_missing() {
        let kept = |more| network(more).kept();
        assert!(matches!(kept(json!({})), Err(CniError::Config(_))));
        assert_eq!(kept(json!({"cni.dev/valid-attachments": null})).unwrap(), []);
        let one =
            kept(json!({"cni.dev/valid-attachments": [{"containerID": "a", "ifname": "eth0"}]})).unwrap();
        assert_eq!((one[0].container.network.as_str(), one[0].device.as_str()), ("net", "eth0"));
    }
}
