//! `linkway up`.

use std::io::IsTerminal;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use clap::Args;
use ipnet::Ipv4Net;
use linkway_model::outside_targets::OutsideTargets;
use linkway_model::own_region::OwnRegion;
use tracing_subscriber::EnvFilter;

use crate::daemon::upstream::UpstreamChoice;
use crate::daemon::{self, Settings};
use crate::state_dir::StateDir;

/// Run the daemon.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sudo linkway up
  sudo linkway up --uplink eth0
  sudo linkway up --name test --state-dir /tmp/test --listen 127.0.0.1:0 --ephemeral

On its first start, it makes the account 123456789012 and an access key for it, which `linkway env` prints.")]
pub(crate) struct Up {
    /// Where the API listens. Port 0 is any free one: the `ready` line has it.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4820")]
    listen: SocketAddr,
    /// Names this daemon's namespaces and tables. Daemons of different names live side by side on a machine.
    #[arg(long, default_value = "linkway", value_parser = name)]
    name: String,
    /// Keep nothing of the state on disk. `POST /_linkway/reset` on the API's address wipes it at any time.
    #[arg(long)]
    ephemeral: bool,
    /// The name server for names that are not Linkway's: an address, with a port or without; or `none`, and such
    /// names are refused. The host's own otherwise.
    #[arg(long, value_name = "ADDRESS")]
    upstream: Option<UpstreamChoice>,
    /// The host's network device that leads to the internet: what route tables lead to an internet or NAT gateway goes
    /// out there, translated to the device's own address. Without it, nothing leaves a VPC that way.
    #[arg(long, value_name = "DEVICE")]
    uplink: Option<String>,
    /// Addresses outside of VPCs that may be registered as targets; may be given several times. This host reaches
    /// them: whoever may register targets gets there, too. A range that holds more than loopback (127.0.0.0/8) or
    /// link-local addresses (169.254.0.0/16) does not mean those.
    #[arg(long, value_name = "CIDR")]
    outside_targets: Vec<Ipv4Net>,
    /// A region of this installation's own, with its zones; may be given several times. It is kept for the next
    /// start, and given again, it has the zones that are given then. Names have AWS's form:
    /// lab-west-1=lab-west-1a,lab-west-1b.
    #[arg(long, value_name = "NAME=ZONE,…")]
    region: Vec<OwnRegion>,
    /// Forget a region of this installation's own, in which nothing is left; may be given several times.
    #[arg(long, value_name = "NAME")]
    forget_region: Vec<String>,
    /// What to log to standard error: error, warn, info, debug, trace, or a list such as
    /// `info,linkway_fabric=debug`.
    #[arg(long, value_name = "FILTER", env = "LINKWAY_LOG", default_value = "info", hide_env_values = true)]
    log: String,
}

impl Up {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        for (at, region) in self.region.iter().enumerate() {
            let twice = self.region[..at].iter().any(|other| other.name == region.name);
            ensure!(!twice, "--region gives {} twice", region.name);
        }
        let filter =
            EnvFilter::try_new(&self.log).with_context(|| format!("--log {:?} is no filter", self.log))?;
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .init();
        // The daemon's working directory may be anything, later.
        let state = StateDir::at(&std::path::absolute(state.path())?);
        daemon::start::run(Settings {
            listen: self.listen,
            state,
            name: self.name,
            ephemeral: self.ephemeral,
            upstream: self.upstream.unwrap_or(UpstreamChoice::Host),
            uplink: self.uplink,
            outside_targets: OutsideTargets::new(self.outside_targets),
            own_regions: self.region,
            forgotten_regions: self.forget_region,
        })
    }
}

/// A name that can be a namespace's and a directory's.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let letters = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    if letters && begins && text.len() <= 32 && !text.ends_with("-svc") {
        Ok(text.to_owned())
    } else {
        Err("a name has 1 to 32 of a-z, 0-9 and -, begins with a letter and does not end in -svc".into())
    }
}
