//! What an instance finds in its file system: its name, its resolver, whom it trusts; and at its first boot the user
//! data. All of it is written from inside, as the instance's own root: links in an image lead nowhere else.

use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::admin::protocol;
use crate::instance::files::{TRUST_STORES, bundle, hosts, resolv_conf, trust_variables};

/// Where cloud-init keeps what it knows of an instance.
const CLOUD: &str = "/var/lib/cloud/instance";

/// Where its environment is found by what `linkway exec` runs in it, as lines `NAME=value`.
pub(crate) const ENVIRONMENT: &str = "/run/linkway/environment";

/// Commands that end the instance, for hosts whose own ask an init that is not there.
const ENDING: [&str; 4] = ["halt", "poweroff", "reboot", "shutdown"];

/// What an instance is, to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Its address, resolver and region.
    pub(crate) network: protocol::Identity,
    /// Its host name.
    pub(crate) host_name: String,
    /// The certificate of the CA that it trusts.
    pub(crate) ca: String,
    /// What its first boot runs.
    pub(crate) user_data: Vec<u8>,
    /// Whether its file system began as the host's.
    pub(crate) of_host: bool,
}

/// Write its files. Returns its environment.
pub(crate) fn write(identity: &Identity) -> Result<Vec<(String, String)>> {
    replace(Path::new("/etc/hostname"), format!("{}\n", identity.host_name).as_bytes(), 0o644)?;
    replace(Path::new("/etc/hosts"), hosts(&identity.network).as_bytes(), 0o644)?;
    replace(Path::new("/etc/resolv.conf"), resolv_conf(&identity.network).as_bytes(), 0o644)?;
    let store = trust(&identity.ca)?;
    if identity.of_host {
        write_commands()?;
    }
    let mut environment: Vec<(String, String)> = [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOME", "/root"),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("SHELL", "/bin/sh"),
        ("LANG", "C.UTF-8"),
        ("AWS_REGION", &identity.network.region),
        ("AWS_DEFAULT_REGION", &identity.network.region),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    environment
        .extend(trust_variables(&store).map(|(name, path)| (name.to_owned(), path.display().to_string())));
    let lines: String = environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    replace(Path::new(ENVIRONMENT), lines.as_bytes(), 0o644)?;
    Ok(environment)
}

/// The environment of a line of [`ENVIRONMENT`].
pub(crate) fn read_environment(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| !name.is_empty())
}

/// Add the CA to the stores that are there, or make one. Returns where one is.
fn trust(ca: &str) -> Result<PathBuf> {
    let mut found = None;
    for store in TRUST_STORES.map(Path::new) {
        let Ok(present) = fs::read(store) else { continue };
        if !present.windows(ca.len()).any(|window| window == ca.as_bytes()) {
            replace(store, &bundle(present, ca), 0o644)?;
        }
        found = found.or(Some(store.to_owned()));
    }
    if let Some(found) = found {
        return Ok(found);
    }
    let store = PathBuf::from(TRUST_STORES[0]);
    replace(&store, ca.as_bytes(), 0o644)?;
    Ok(store)
}

fn write_commands() -> Result<()> {
    for command in ENDING {
        let path = Path::new("/usr/local/sbin").join(command);
        if fs::symlink_metadata(&path).is_err() {
            replace(&path, b"#!/bin/sh\n# Ends this instance.\nkill -TERM 1\n", 0o755)?;
        }
    }
    Ok(())
}

/// What is to be run at this boot: user data that is a script, if it was not begun at an earlier one.
pub(crate) fn script(user_data: &[u8]) -> Result<Script> {
    let begun = Path::new(CLOUD).join("sem/config_scripts_user");
    if user_data.is_empty() || fs::symlink_metadata(&begun).is_ok() {
        return Ok(Script::Nothing);
    }
    replace(&Path::new(CLOUD).join("user-data.txt"), user_data, 0o600)?;
    let script = Path::new(CLOUD).join("scripts/part-001");
    let runnable = user_data.starts_with(b"#!");
    if runnable {
        replace(&script, user_data, 0o700)?;
    }
    replace(&begun, b"", 0o644)?;
    Ok(if runnable { Script::At(script) } else { Script::NotRun })
}

/// What becomes of user data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// There is none, or it was begun at an earlier boot.
    Nothing,
    /// It is no script: it is there to be read.
    NotRun,
    /// It is this file, to be run.
    At(PathBuf),
}

/// Write a file in place of what is there, also of a link.
fn replace(path: &Path, contents: &[u8], mode: u32) -> Result<()> {
    let writing = || format!("cannot write {}", path.display());
    if let Some(above) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(above).with_context(writing)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).with_context(writing),
        _ => {}
    }
    fs::write(path, contents)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .with_context(writing)
}
