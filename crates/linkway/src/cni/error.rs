//! Why the plugin did not do what a runtime asked for, with the codes of CNI's specification, section 5.

use anyhow::Error;
use serde_json::{Value, json};

use crate::admin::protocol::Refusal;
use crate::cni::version::Version;

/// A failure, as a runtime is told of it. The text is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CniError {
    /// The configuration is of a version of CNI's that the plugin does not know, or that lacks the command.
    #[error("{0}")]
    Version(String),
    /// A field that the plugin cannot follow.
    #[error("{key} is {value}: {why}")]
    Unsupported {
        /// The field.
        key: String,
        /// What it says.
        value: String,
        /// What to do instead.
        why: &'static str,
    },
    /// There is no such network namespace: nothing has to be tidied up.
    #[error("{0}")]
    NoContainer(String),
    /// A variable is missing, or says what it cannot.
    #[error("{0}")]
    Environment(String),
    /// The operating system refused something.
    #[error("{0}")]
    Io(String),
    /// The configuration is no JSON.
    #[error("{0}")]
    Decode(String),
    /// The configuration cannot be right.
    #[error("{0}")]
    Config(String),
    /// No daemon answers: it may do so later.
    #[error("{0}")]
    TryAgain(String),
    /// Containers cannot be given interfaces now.
    #[error("{0}")]
    Unavailable(String),
    /// Nor do those that have some reach all that they should.
    #[error("{0}")]
    Limited(String),
    /// The daemon, or what is in the container, is against it.
    #[error("{0}")]
    Refused(String),
    /// A container's network is not as it was made.
    #[error("{0}")]
    Changed(String),
}

impl CniError {
    /// What a call of the daemon failed with.
    pub(crate) fn of_daemon(error: &Error) -> Self {
        match error.downcast_ref::<Refusal>() {
            Some(refusal) => Self::Refused(refusal.to_string()),
            None => Self::TryAgain(format!("{error:#}")),
        }
    }

    /// Its code, and what the code means. From 100 on they are the plugin's own.
    fn code(&self) -> (u32, &'static str) {
        match self {
            Self::Version(_) => (1, "incompatible CNI version"),
            Self::Unsupported { .. } => (2, "unsupported field in the network configuration"),
            Self::NoContainer(_) => (3, "the container does not exist"),
            Self::Environment(_) => (4, "invalid environment variables"),
            Self::Io(_) => (5, "I/O failure"),
            Self::Decode(_) => (6, "failed to decode the network configuration"),
            Self::Config(_) => (7, "invalid network configuration"),
            Self::TryAgain(_) => (11, "try again later"),
            Self::Unavailable(_) => (50, "the plugin is not available"),
            Self::Limited(_) => {
                (51, "the plugin is not available, and containers may have limited connectivity")
            }
            Self::Refused(_) => (100, "linkway refuses"),
            Self::Changed(_) => (101, "the container's network is not as it was made"),
        }
    }

    /// What is printed.
    pub(crate) fn json(&self, version: Version) -> Value {
        let (code, meaning) = self.code();
        json!({"cniVersion": version.name(), "code": code, "msg": meaning, "details": self.to_string()})
    }
}
