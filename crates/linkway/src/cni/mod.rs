//! `linkway-cni`: this binary as a plugin of the Container Network Interface, which gives containers interfaces in
//! subnets.
//!
//! It asks the daemon, which keeps everything: an interface knows the container that it was made for, so the plugin
//! has no files. Source: CNI's specification 1.1, and its conventions for what runtimes pass on.

mod call;
mod check;
mod config;
mod error;
mod result;
mod version;

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use linkway_fabric::FabricError;
use linkway_fabric::inspect::{Device, inspect};
use linkway_model::network_interface::ContainerDevice;
use serde_json::{Value, json};

use crate::admin::client::Client;
use crate::admin::protocol::{
    AttachContainer, CollectContainers, DetachContainer, FindContainer, GetReadiness, Request,
};
use crate::cli::attach::namespace_path;
use crate::cni::call::Call;
use crate::cni::check::Expected;
use crate::cni::config::{Network, check_fields};
use crate::cni::error::CniError;
use crate::cni::result::{Added, result};
use crate::cni::version::Version;
use crate::state_dir::StateDir;

/// The name that makes the binary the plugin.
const NAME: &str = "linkway-cni";

/// Whether this process is the plugin: by its name, or as a runtime calls plugins of any name.
pub(crate) fn is_called() -> bool {
    let mut arguments = env::args_os();
    let program = arguments.next().map(PathBuf::from);
    let is_named = program.is_some_and(|program| program.file_name() == Some(OsStr::new(NAME)));
    is_named || (arguments.next().is_none() && env::var_os("CNI_COMMAND").is_some())
}

/// Be the plugin. Returns the exit status.
pub(crate) fn run() -> i32 {
    let mut version = Version::LATEST;
    let call = Call(|name: &str| env::var(name).ok());
    let Err(error) = answer(&call, &mut version) else { return 0 };
    // Whoever does not read this has the status.
    let _ = print(&error.json(version));
    1
}

/// Carry out what is asked for. `version` becomes that of the configuration once it is known.
fn answer(call: &Call<impl Fn(&str) -> Option<String>>, version: &mut Version) -> Result<(), CniError> {
    let command = call.command()?;
    let mut text = Vec::new();
    io::stdin()
        .read_to_end(&mut text)
        .map_err(|error| CniError::Io(format!("the configuration cannot be read: {error}")))?;
    if command == "VERSION" {
        return print(&versions(&text));
    }
    let (found, fields) = config::read(&text)?;
    *version = found;
    match command.as_str() {
        "ADD" | "CHECK" | "STATUS" => check_fields(&fields)?,
        "DEL" | "GC" => {}
        other => {
            return Err(CniError::Environment(format!(
                "CNI_COMMAND is {other:?}; this plugin knows ADD, CHECK, DEL, GC, STATUS and VERSION"
            )));
        }
    }
    let network = Network::of(fields)?;
    let plugin = Plugin { client: Client::new(&StateDir::at(&network.state_dir)), version: found, network };
    match command.as_str() {
        "ADD" => plugin.add(call),
        "CHECK" => plugin.check(call),
        "GC" => plugin.collect(),
        "STATUS" => plugin.status(),
        _ => plugin.delete(call),
    }
}

/// What VERSION answers. It is asked for before there is a configuration, so the input may be anything.
fn versions(input: &[u8]) -> Value {
    let input: Value = serde_json::from_slice(input).unwrap_or_default();
    let asked = input["cniVersion"].as_str().unwrap_or(Version::LATEST.name());
    json!({"cniVersion": asked, "supportedVersions": Version::ALL.map(Version::name)})
}

/// A network, as a runtime configured it.
struct Plugin {
    client: Client,
    version: Version,
    network: Network,
}

impl Plugin {
    fn add(self, call: &Call<impl Fn(&str) -> Option<String>>) -> Result<(), CniError> {
        let device = call.device(&self.network.name)?;
        let sandbox = call.namespace()?;
        let path = find_namespace(&sandbox)?;
        let wishes = self.network.wishes(&call.arguments()?)?;
        if look(&path, &device.device)?.is_some() {
            return Err(CniError::Refused(format!(
                "{} has a device {} already",
                sandbox.display(),
                device.device
            )));
        }
        let made = self.ask(&AttachContainer {
            device: device.clone(),
            path: path.clone(),
            name: wishes.name,
            account: self.network.account.clone(),
            subnet: wishes.subnet,
            groups: wishes.groups,
            private_ip: wishes.private_ip,
        })?;
        // As it is there, and not as it was asked for: another network's routes may have been first.
        let finish = || {
            let found = look(&path, &device.device)?.ok_or_else(|| {
                CniError::Refused(format!("{} has gone from {}", device.device, sandbox.display()))
            })?;
            let added = Added { name: &device.device, sandbox: &sandbox, device: &found, network: &made };
            print(&result(self.version, &self.network, &added)?)
        };
        finish().inspect_err(|_| {
            // The runtime has its error; if this fails too, its DEL or GC removes what is left.
            let _ = self.ask(&DetachContainer { device: device.clone() });
        })
    }

    fn check(self, call: &Call<impl Fn(&str) -> Option<String>>) -> Result<(), CniError> {
        self.version.has("CHECK", Version::V0_4_0)?;
        let device = call.device(&self.network.name)?;
        let sandbox = call.namespace()?;
        let path = find_namespace(&sandbox)?;
        let network = self.ask(&FindContainer { device: device.clone() }).map_err(|error| match error {
            CniError::Refused(why) => CniError::Changed(why),
            other => other,
        })?;
        let found = look(&path, &device.device)?;
        let expected = Expected::of(self.network.prev_result)?;
        expected.compare(&device.device, (&sandbox, &path), &network, found.as_ref())
    }

    fn delete(self, call: &Call<impl Fn(&str) -> Option<String>>) -> Result<(), CniError> {
        let device: ContainerDevice = call.device(&self.network.name)?;
        self.ask(&DetachContainer { device })
    }

    fn collect(self) -> Result<(), CniError> {
        self.version.has("GC", Version::V1_1_0)?;
        let kept = self.network.kept()?;
        self.ask(&CollectContainers { network: self.network.name.clone(), kept }).map(|_| ())
    }

    fn status(self) -> Result<(), CniError> {
        self.version.has("STATUS", Version::V1_1_0)?;
        let (account, subnet) = (self.network.account.clone(), self.network.subnet.clone());
        let readiness = self.ask(&GetReadiness { account, subnet }).map_err(|error| match error {
            CniError::Refused(why) => CniError::Unavailable(why),
            // Without a daemon there is no DNS, and nobody checks targets.
            CniError::TryAgain(why) => CniError::Limited(why),
            other => other,
        })?;
        match readiness.fault {
            Some(fault) => Err(CniError::Limited(format!("the packet path does not follow: {fault}"))),
            None => Ok(()),
        }
    }

    fn ask<R: Request>(&self, request: &R) -> Result<R::Answer, CniError> {
        self.client.call(request).map_err(|error| CniError::of_daemon(&error))
    }
}

/// A namespace's path, as the daemon knows it.
fn find_namespace(sandbox: &Path) -> Result<PathBuf, CniError> {
    namespace_path(sandbox).map_err(|error| {
        CniError::NoContainer(format!("there is no network namespace at {}: {error}", sandbox.display()))
    })
}

/// A container's device, if it is there.
fn look(path: &Path, device: &str) -> Result<Option<Device>, CniError> {
    inspect(path, device).map_err(|error| match error {
        FabricError::NamespaceGone { .. } => {
            CniError::NoContainer(format!("there is no network namespace at {}", path.display()))
        }
        other => CniError::Io(other.to_string()),
    })
}

fn print(value: &Value) -> Result<(), CniError> {
    let mut output = io::stdout().lock();
    serde_json::to_writer(&mut output, value)
        .map_err(io::Error::from)
        .and_then(|()| writeln!(output))
        .and_then(|()| output.flush())
        .map_err(|error| CniError::Io(format!("the answer cannot be written: {error}")))
}
