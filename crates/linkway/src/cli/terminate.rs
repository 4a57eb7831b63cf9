//! `linkway terminate`.

use anyhow::Result;
use clap::Args;
use linkway_model::InstanceId;

use crate::admin::client::Client;
use crate::admin::protocol;
use crate::state_dir::StateDir;

/// End instances.
#[derive(Debug, Args)]
pub(crate) struct Terminate {
    /// The instances.
    #[arg(required = true, value_name = "INSTANCE")]
    instances: Vec<InstanceId>,
}

impl Terminate {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        let client = Client::new(state);
        self.instances.into_iter().try_for_each(|instance| client.call(&protocol::Terminate { instance }))
    }
}
