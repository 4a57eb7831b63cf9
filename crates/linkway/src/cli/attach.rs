//! `linkway attach` and `linkway detach`.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use linkway_model::{NetworkInterfaceId, SecurityGroupId, SubnetId};

use crate::admin::client::Client;
use crate::admin::protocol;
use crate::cli::output;
use crate::state_dir::StateDir;

/// Give a network interface to a network namespace that exists.
#[derive(Debug, Args)]
#[command(
    after_help = "The interface's id is printed. Its device has the address, and the default route, but \
DNS is the namespace's own business: the VPC's resolver is 169.254.169.253."
)]
pub(crate) struct Attach {
    /// The subnet that the interface is in.
    #[arg(long)]
    subnet: SubnetId,
    /// A security group of the interface; may be given several times. The VPC's default one otherwise.
    #[arg(long = "security-group", value_name = "GROUP")]
    groups: Vec<SecurityGroupId>,
    /// Its private address. A free one of the subnet otherwise.
    #[arg(long, value_name = "ADDRESS")]
    private_ip: Option<Ipv4Addr>,
    /// Path of the namespace, such as /run/netns/web.
    #[arg(long, value_name = "PATH", required_unless_present = "pid", conflicts_with = "pid")]
    netns: Option<PathBuf>,
    /// The namespace of this process.
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Name of the device inside of the namespace.
    #[arg(long, default_value = "eth0", value_parser = device_name)]
    device: String,
}

/// Take an attached network interface out of its namespace, and delete it.
#[derive(Debug, Args)]
pub(crate) struct Detach {
    /// The interface.
    interface: NetworkInterfaceId,
}

impl Attach {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        let path = match (self.netns, self.pid) {
            (Some(path), _) => {
                namespace_path(&path).with_context(|| format!("there is no {}", path.display()))?
            }
            (None, pid) => PathBuf::from(format!("/proc/{}/ns/net", pid.unwrap_or_default())),
        };
        std::fs::metadata(&path).with_context(|| format!("there is no namespace {}", path.display()))?;
        let interface = Client::new(state).call(&protocol::Attach {
            subnet: self.subnet,
            groups: self.groups,
            private_ip: self.private_ip,
            path,
            device: self.device,
        })?;
        output::text(&format!("{}\n", interface.id))
    }
}

impl Detach {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        Client::new(state).call(&protocol::Detach { interface: self.interface })
    }
}

/// A namespace's path as the daemon knows it, whose working directory is another one: without symbolic links in its
/// directory. The file itself may be one that leads nowhere, as those in `/proc` are.
pub(crate) fn namespace_path(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    match (path.parent(), path.file_name()) {
        (Some(directory), Some(name)) => Ok(directory.canonicalize()?.join(name)),
        _ => Ok(path),
    }
}

/// A name that the kernel takes for a device (`dev_valid_name`).
pub(crate) fn device_name(name: &str) -> Result<String, String> {
    let fit = (1..=15).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'/' | b':'));
    if fit {
        Ok(name.to_owned())
    } else {
        Err("a device's name has 1 to 15 characters, without / and :".into())
    }
}
