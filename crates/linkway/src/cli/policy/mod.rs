//! `linkway policy`: endpoint policies, checked, tried, and learnt from what was asked.

mod cases;
mod check;
mod learn;
mod request;
mod test;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use linkway_policy::Policy as Compiled;

use crate::state_dir::StateDir;

/// Check, try and learn endpoint policies.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Look for errors in a policy, and for what it can hardly have meant.
    ///
    /// Every finding has its place, what is wrong, and what would be right. Exit status 1 if there is an error or the
    /// file is no policy, 0 if there are warnings only or nothing to remark.
    Check(check::Check),
    /// Say what a policy decides on a request, and why each statement matched or did not.
    ///
    /// With --cases, decide a file of cases and say how many came out as expected; exit status 1 if one that
    /// must did not.
    Test(test::Test),
    /// Write the smallest policy that allows what was asked through an endpoint, for review.
    Learn(learn::Learn),
}

impl Policy {
    /// Carry it out. Returns the exit status.
    pub(crate) fn run(&self, state: &StateDir) -> Result<i32> {
        match self {
            Self::Check(check) => check.run(),
            Self::Test(test) => test.run(state),
            Self::Learn(learn) => learn.run(state).map(|()| 0),
        }
    }
}

/// A file's text; `-` is standard input.
fn read(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        return std::io::read_to_string(std::io::stdin()).context("cannot read standard input");
    }
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A policy to decide with: one that does not parse is an error.
fn compile(text: &str, from: &str) -> Result<Compiled> {
    match Compiled::parse(text) {
        Ok(policy) => Ok(policy),
        Err(error) => bail!("{from}: {}, at {}; {}", error.reason, error.at, error.hint),
    }
}
