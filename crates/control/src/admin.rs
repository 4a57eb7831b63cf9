//! What the command line does and AWS's API does not: accounts and keys, instances and attachments, backends of
//! AWS services, regions, webhooks, starting over.

mod account;
mod attachment;
mod database;
mod image;
mod instance;
mod machine;
mod region;
mod service;
mod webhook;

use linkway_model::account::{AccessKey, Account};
use linkway_model::iam::User;
use linkway_model::own_region::OwnRegion;
use linkway_model::{Resource, snapshot::Counter};

pub use account::NewKey;
pub(crate) use account::new_key;
pub use attachment::AttachRequest;
pub use image::ImageRequest;
pub use instance::LaunchRequest;
pub use service::BackendRequest;
pub use webhook::WebhookRequest;

use crate::{Control, Error};

impl Control {
    /// Wipe everything but accounts, their roots' keys, the installation's own regions, and the users and keys that
    /// the command line made; what was given to or taken from those users since is undone. Numbers of the packet path's tables go on from where they
    /// were, so that nothing new is taken for something old.
    pub fn reset(&self) -> Result<(), Error> {
        self.write(None, |tx| {
            tx.clear_except(&[Account::KIND, AccessKey::KIND, User::KIND, OwnRegion::KIND, Counter::KIND]);
            account::reset_users(tx);
            Ok(())
        })
    }
}
