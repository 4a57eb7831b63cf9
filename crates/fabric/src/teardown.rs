//! Removes every trace of a fabric from its machine.

use std::fs;
use std::io;
use std::path::Path;

use crate::attachment::instance_of;
use crate::devices::number_of;
use crate::error::FabricError;
use crate::fabric::{check_name, service_name};
use crate::link::Netlink;
use crate::service::HOST_END;
use crate::{maps, namespace, privileges, uplink};

/// Remove the fabric `name`: its devices, namespaces (instances' too) and tables. Open connections end.
/// Goes on after an error, and returns them all. Nothing to do is no error.
pub fn teardown(name: &str, bpffs: &Path) -> Vec<FabricError> {
    if let Err(error) = check_name(name).and_then(|()| privileges::check()) {
        return vec![error];
    }
    let mut errors: Vec<_> = uplink::remove(name).err().into_iter().collect();
    errors.extend(remove_devices(name));
    for found in namespace::names() {
        if found == name || found == service_name(name) || instance_of(name, &found).is_some() {
            errors.extend(namespace::remove(&namespace::path(&found)).err());
        }
    }
    let pins = maps::directory(bpffs, name);
    match fs::remove_dir_all(&pins) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            errors.push(FabricError::io("remove the tables in", &pins)(error));
        }
        _ => {}
    }
    errors
}

/// Devices go with their namespace, but later, and only when nothing uses it: so each by itself before.
fn remove_devices(name: &str) -> Vec<FabricError> {
    let fabric = namespace::path(name);
    if namespace::identity(&fabric).is_none() {
        return Vec::new();
    }
    let netlink = match Netlink::open(&fabric) {
        Ok(netlink) => netlink,
        Err(error) => return vec![error],
    };
    let links = match netlink.links() {
        Ok(links) => links,
        Err(error) => return vec![error],
    };
    links
        .into_iter()
        .filter(|(name, _)| name == HOST_END || number_of(name).is_some())
        .filter_map(|(_, link)| netlink.delete(link.index).err())
        .collect()
}
