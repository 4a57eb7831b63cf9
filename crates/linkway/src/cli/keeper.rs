//! The hidden commands that the keeper and its processes are; see [`crate::keeper`].

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::database::{init, inside};
use crate::keeper::{serve, work};
use crate::machine::boot;

/// A process that looks after databases and instances.
#[derive(Debug, Subcommand)]
pub(crate) enum Keeper {
    /// The keeper itself.
    Serve { place: String },
    /// Carries out one request.
    Work { place: String },
    /// The first process of a database.
    Init { plan: String },
    /// Runs a client inside of a database.
    Inside { plan: String },
    /// Makes an instance, and is its first process.
    Boot,
}

impl Keeper {
    /// Be it. Returns the exit status.
    pub(crate) fn run(&self) -> Result<i32> {
        const STRANGER: &str = "started by linkway up only";
        match self {
            Self::Serve { place } => serve::run(&serde_json::from_str(place).context(STRANGER)?)?,
            Self::Work { place } => work::run(&serde_json::from_str(place).context(STRANGER)?)?,
            Self::Init { plan } => return Ok(init::run(&serde_json::from_str(plan).context(STRANGER)?)),
            Self::Boot => return Ok(boot::run()),
            Self::Inside { plan } => return inside::run(&serde_json::from_str(plan).context(STRANGER)?),
        }
        Ok(0)
    }
}
