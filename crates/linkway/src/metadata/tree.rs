//! What an instance reads, as a tree of names.

use std::collections::BTreeMap;

use linkway_control::{profile_of, role_of};
use linkway_model::instance::Instance;
use linkway_model::launch::MetadataOptions;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::region::Zone;
use linkway_model::security_group::SecurityGroup;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, Timestamp, image};
use serde_json::{Value, json};

use crate::metadata::credentials::{pretty, seconds};

/// A name's contents.
pub(super) enum Node {
    /// Names below it.
    Directory(BTreeMap<String, Entry>),
    /// Text.
    Text(String),
    /// Bytes of the user's.
    Data(Vec<u8>),
    /// Credentials of the instance's role, made when they are read.
    Role,
}

/// A name in a directory.
pub(super) struct Entry {
    /// The line that shows it.
    line: String,
    node: Node,
}

impl Node {
    /// What is at `path`.
    pub(super) fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(self, |node, name| match node {
            Self::Directory(names) => names.get(name).map(|entry| &entry.node),
            _ => None,
        })
    }

    /// What a directory shows: a line for each name.
    pub(super) fn listing(names: &BTreeMap<String, Entry>) -> String {
        names.values().map(|entry| entry.line.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// Names in the making.
#[derive(Default)]
struct Names(BTreeMap<String, Entry>);

impl Names {
    fn put(&mut self, name: &str, line: String, node: Node) -> &mut Self {
        self.0.insert(name.to_owned(), Entry { line, node });
        self
    }

    fn text(&mut self, name: &str, value: impl ToString) -> &mut Self {
        self.put(name, name.to_owned(), Node::Text(value.to_string()))
    }

    fn directory(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.shown(name, format!("{name}/"), fill)
    }

    /// A directory that does not say that it is one.
    fn shown(&mut self, name: &str, line: String, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut names = Self::default();
        fill(&mut names);
        self.put(name, line, Node::Directory(names.0))
    }
}

/// How the instance may read at all.
pub(super) fn options(instance: &Instance) -> MetadataOptions {
    // What a command of `linkway run` may read, there is no call to say.
    let of_command = MetadataOptions { ipv6: true, ..MetadataOptions::default() };
    instance.launch.as_ref().map_or(of_command, |launch| launch.metadata)
}

/// All that the instance reads.
pub(super) fn of(state: &Snapshot, instance: &Instance) -> Node {
    let mut top = Names::default();
    top.shown("meta-data", "meta-data".to_owned(), |names| meta_data(state, instance, names));
    top.shown("dynamic", "dynamic".to_owned(), |names| {
        names.directory("instance-identity", |names| {
            names.text("document", pretty(&identity(state, instance)));
        });
    });
    if let Some(launch) = instance.launch.as_ref().filter(|launch| !launch.user_data.is_empty()) {
        top.put("user-data", "user-data".to_owned(), Node::Data(launch.user_data.clone()));
    }
    Node::Directory(top.0)
}

fn meta_data(state: &Snapshot, instance: &Instance, names: &mut Names) {
    names
        .text("ami-launch-index", instance.launch.as_ref().map_or(0, |launch| launch.index))
        .text("ami-manifest-path", "(unknown)")
        .text("instance-action", "none")
        .text("instance-id", &instance.id)
        .text("instance-life-cycle", "on-demand")
        .text("reservation-id", &instance.reservation)
        .directory("services", |names| {
            names.text("domain", "amazonaws.com").text("partition", "aws");
        })
        .directory("placement", |names| {
            names.text("availability-zone", &instance.zone).text("region", &instance.region);
            if let Some(zone) = Zone::find(&instance.zone) {
                names.text("availability-zone-id", zone.id);
            }
        });
    let mut interfaces: Vec<_> = state
        .all::<NetworkInterface>()
        .filter_map(|interface| match &interface.role {
            InterfaceRole::Instance { instance: of, device_index, .. } if *of == instance.id => {
                Some((*device_index, interface.as_ref()))
            }
            _ => None,
        })
        .collect();
    interfaces.sort_by_key(|(index, _)| *index);
    if let Some((_, first)) = interfaces.first() {
        let name = instance.private_dns_name(first);
        names
            .text("hostname", &name)
            .text("local-hostname", &name)
            .text("local-ipv4", first.address)
            .text("mac", first.mac)
            .text("security-groups", group_names(state, first));
        if let Some(address) = first.ipv6_addresses.first() {
            names.text("ipv6", address);
        }
    }
    names.directory("network", |names| {
        names.directory("interfaces", |names| {
            names.directory("macs", |names| {
                for (index, interface) in interfaces {
                    names.directory(&interface.mac.to_string(), |names| {
                        of_interface(state, index, interface, names);
                    });
                }
            });
        });
    });
    launched(state, instance, names);
}

/// What only instances have that were launched of an image.
fn launched(state: &Snapshot, instance: &Instance, names: &mut Names) {
    let Some(launch) = &instance.launch else { return };
    names.text("ami-id", &launch.image).text("instance-type", &launch.instance_type);
    if let Some(root) = launch.volumes.first() {
        names.directory("block-device-mapping", |names| {
            names.text("ami", &root.device).text("root", &root.device);
        });
    }
    if let Some(key) = &launch.key {
        names.directory("public-keys", |names| {
            names.shown("0", format!("0={}", key.name), |names| {
                names.text("openssh-key", &key.public_key);
            });
        });
    }
    if launch.metadata.tags {
        names.directory("tags", |names| {
            names.directory("instance", |names| {
                for (key, value) in &instance.tags {
                    names.text(key, value);
                }
            });
        });
    }
    if let Some(profile) = profile_of(state, instance) {
        names.directory("iam", |names| {
            let info = json!({
                "Code": "Success",
                "LastUpdated": seconds(Timestamp::now()),
                "InstanceProfileArn": profile.named.arn("instance-profile"),
                "InstanceProfileId": profile.named.id,
            });
            names.text("info", pretty(&info));
            if let Some(role) = role_of(state, instance) {
                names.directory("security-credentials", |names| {
                    names.put(&role.named.name, role.named.name.clone(), Node::Role);
                });
            }
        });
    }
}

fn of_interface(state: &Snapshot, index: i32, interface: &NetworkInterface, names: &mut Names) {
    names
        .text("device-number", index)
        .text("interface-id", &interface.id)
        .text("local-hostname", interface.private_dns_name(interface.address))
        .text("local-ipv4s", lines(interface.addresses()))
        .text("mac", interface.mac)
        .text("owner-id", &interface.owner)
        .text("security-group-ids", lines(&interface.groups))
        .text("security-groups", group_names(state, interface))
        .text("subnet-id", &interface.subnet)
        .text("vpc-id", &interface.vpc);
    if !interface.ipv6_addresses.is_empty() {
        names.text("ipv6s", lines(&interface.ipv6_addresses));
    }
    if let Some(subnet) = state.get::<Subnet>(&interface.subnet) {
        names.text("subnet-ipv4-cidr-block", subnet.cidr);
        if let Some(range) = &subnet.ipv6_cidr {
            names.text("subnet-ipv6-cidr-blocks", range.cidr);
        }
    }
    if let Some(vpc) = state.get::<Vpc>(&interface.vpc) {
        let first = vpc.cidrs.first().map(|range| range.cidr.to_string()).unwrap_or_default();
        names
            .text("vpc-ipv4-cidr-block", first)
            .text("vpc-ipv4-cidr-blocks", lines(vpc.cidrs.iter().map(|range| range.cidr)));
        if !vpc.ipv6_cidrs.is_empty() {
            names.text("vpc-ipv6-cidr-blocks", lines(vpc.ipv6_cidrs.iter().map(|range| range.cidr)));
        }
    }
}

/// A line for each.
fn lines(values: impl IntoIterator<Item = impl ToString>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join("\n")
}

fn group_names(state: &Snapshot, interface: &NetworkInterface) -> String {
    let groups = interface.groups.iter().filter_map(|id| state.get::<SecurityGroup>(id));
    groups.map(|group| group.name.as_str()).collect::<Vec<_>>().join("\n")
}

/// The instance identity document.
fn identity(state: &Snapshot, instance: &Instance) -> Value {
    let launch = instance.launch.as_ref();
    let address = state.get::<NetworkInterface>(&instance.interface).map(|interface| interface.address);
    let architecture = launch
        .and_then(|launch| image::Image::find(state, &launch.image))
        .map_or_else(|| image::host_architecture().to_owned(), |image| image.architecture.clone());
    json!({
        "accountId": instance.owner,
        "architecture": architecture,
        "availabilityZone": instance.zone,
        "billingProducts": null,
        "devpayProductCodes": null,
        "marketplaceProductCodes": null,
        "imageId": launch.map(|launch| &launch.image),
        "instanceId": instance.id,
        "instanceType": launch.map(|launch| &launch.instance_type),
        "kernelId": null,
        "pendingTime": seconds(instance.launched),
        "privateIp": address,
        "ramdiskId": null,
        "region": instance.region,
        "version": "2017-09-30",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_show_their_names() {
        let mut names = Names::default();
        names
            .text("b", "1")
            .directory("a", |names| {
                names.text("c", "2");
            })
            .directory("public-keys", |names| {
                names.shown("0", "0=mine".to_owned(), |names| {
                    names.text("openssh-key", "ssh-ed25519 AAAA me");
                });
            });
        let node = Node::Directory(names.0);
        let listing = |path: &str| match node.find(path) {
            Some(Node::Directory(names)) => Node::listing(names),
            _ => panic!("{path} is no directory"),
        };
        assert_eq!(listing(""), "a/\nb\npublic-keys/");
        assert_eq!(listing("public-keys/"), "0=mine");
        assert_eq!(listing("public-keys/0"), "openssh-key");
        assert!(matches!(node.find("/a/c"), Some(Node::Text(text)) if text == "2"));
        assert!(node.find("a/c/d").is_none() && node.find("x").is_none());
    }
}
