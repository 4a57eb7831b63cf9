//! `linkway account`.

use anyhow::Result;
use clap::Subcommand;
use linkway_model::AccountId;

use crate::admin::client::Client;
use crate::admin::protocol::{CreateAccount, ListAccounts, SetQuotas};
use crate::cli::output::Output;
use crate::state_dir::StateDir;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Make an account. `linkway key create --account` then makes a key for it.
    Create {
        /// Its number: twelve digits. One is picked if it is not given.
        #[arg(long, value_name = "ACCOUNT")]
        id: Option<AccountId>,
        /// A name, for people.
        #[arg(long, default_value = "")]
        name: String,
        /// The organization that it is in, such as o-a1b2c3d4e5: endpoint policies may ask for aws:PrincipalOrgID.
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Change an account's quotas, which are AWS's defaults at first.
    Quota {
        /// Its number.
        #[arg(long, value_name = "ACCOUNT")]
        id: AccountId,
        /// Interface endpoints that a VPC may have.
        #[arg(long, value_name = "COUNT")]
        endpoints_per_vpc: Option<usize>,
        /// Network interfaces that it may have in a region, those of endpoints and balancers among them.
        #[arg(long, value_name = "COUNT")]
        interfaces_per_region: Option<usize>,
        #[command(flatten)]
        output: Output,
    },
    /// List accounts.
    List {
        #[command(flatten)]
        output: Output,
    },
}

impl Account {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        let client = Client::new(state);
        let (accounts, output) = match self {
            Self::Create { id, name, organization, output } => {
                (vec![client.call(&CreateAccount { id, name, organization })?], output)
            }
            Self::Quota { id, endpoints_per_vpc, interfaces_per_region, output } => {
                let quotas = SetQuotas { account: id, endpoints_per_vpc, interfaces_per_region };
                (vec![client.call(&quotas)?], output)
            }
            Self::List { output } => (client.call(&ListAccounts {})?, output),
        };
        output.list(&accounts, ["ACCOUNT", "NAME", "CREATED"], |account| {
            [account.id.to_string(), account.name.clone(), format!("{:.0}", account.created)]
        })
    }
}
