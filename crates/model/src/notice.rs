//! What notification topics are to be told, until they have been; and the webhooks that stand for topics.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Timestamp};

/// One notification on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its number, with zeros before, so that ids are in the order of what happened.
    pub id: String,
    /// Its id for receivers.
    pub message_id: String,
    /// ARN of the topic that is told.
    pub topic: String,
    /// Whose notification it is.
    pub owner: AccountId,
    /// One line for people.
    pub subject: String,
    /// What happened, as JSON.
    pub message: String,
    /// When it happened.
    pub created: Timestamp,
}

impl Notice {
    /// Whether its owner may tell the topic: one of its own account. What others may tell is, on AWS, a matter of the
    /// topic's policy, which no topic has here.
    pub fn may_tell(&self) -> bool {
        self.topic.split(':').nth(4) == Some(self.owner.as_str())
    }
}

/// Where messages to a topic are sent, as the operator says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// ARN of the topic.
    pub topic: String,
    /// Whether it is `https`.
    pub secure: bool,
    /// Host and port.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Certificates that the receiver's own must lead to, in PEM. `None`: those that the host trusts.
    pub ca: Option<String>,
    /// What messages are signed with.
    pub secret: String,
}

impl Webhook {
    /// Where it leads.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.path)
    }
}

/// Without the secret, so that no log has it.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("topic", &self.topic)
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
