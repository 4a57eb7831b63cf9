//! `linkway policy learn`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use linkway_model::{Timestamp, VpcEndpointId};

use crate::admin::client::Client;
use crate::admin::protocol::FindEndpoint;
use crate::cli::output;
use crate::daemon::audit::files;
use crate::learn::{Seen, Wanted};
use crate::state_dir::StateDir;

/// Learn a policy.
#[derive(Debug, Args)]
#[command(after_help = "\
What counts: requests that the endpoint's policy let pass, whatever the service answered, and those that it would
have denied in audit mode (tag linkway:policy-mode=audit). Requests that were denied do not, unless --include-denied
is given: somebody may have tried what they should not.

The policy names callers by user, role or account, and everyone (*) only where somebody asked whose signature was not
checked; callers of other accounts by their account, as records tell no more. It has no condition on aws:SourceVpc or
aws:SourceVpce, which are the same for all requests through one endpoint. It goes to standard output, to be reviewed;
what is to be known of it goes to standard error. Where it would have more than 20,480 characters, it is widened step
by step, and each step is told.

The daemon need not run.")]
pub(crate) struct Learn {
    /// Through which endpoint.
    #[arg(long, value_name = "ID")]
    endpoint: VpcEndpointId,
    /// Only what was asked since then: 2026-06-01T12:00:00Z, or so long ago: 90s, 30m, 12h, 7d.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Also allow what was denied.
    #[arg(long)]
    include_denied: bool,
}

impl Learn {
    /// Carry it out.
    pub(crate) fn run(&self, state: &StateDir) -> Result<()> {
        let wanted =
            Wanted { endpoint: self.endpoint.clone(), since: self.since, denied_too: self.include_denied };
        // An ephemeral daemon's are there only as long as they are the ones that are meant.
        let ephemeral = state.ephemeral_audit();
        let directory = if ephemeral.is_dir() { ephemeral } else { state.audit() };
        let seen = read(&directory, &wanted)?;
        let learnt = seen.learn();
        tell(&seen);
        let Some(learnt) = learnt else {
            self.must_exist(state)?;
            bail!("no request through {} counts, so there is nothing to allow", self.endpoint);
        };
        for step in &learnt.widened {
            eprintln!("wider than what was seen, to be short enough: {step}");
        }
        output::text(&(learnt.document + "\n"))
    }
}

impl Learn {
    /// Refuse an endpoint that is not there, as far as there is a daemon to ask.
    fn must_exist(&self, state: &StateDir) -> Result<()> {
        if !state.socket().exists() {
            return Ok(());
        }
        Client::new(state).call(&FindEndpoint { endpoint: self.endpoint.clone() }).map(drop)
    }
}

fn read(directory: &Path, wanted: &Wanted) -> Result<Seen> {
    let reading = || format!("cannot read the records in {}", directory.display());
    let mut seen = Seen::default();
    for file in files::open_all(directory).with_context(reading)? {
        for line in BufReader::new(file).split(b'\n') {
            seen.add(&String::from_utf8_lossy(&line.with_context(reading)?), wanted);
        }
    }
    Ok(seen)
}

/// Say what the policy is made from, and what it may lack.
fn tell(seen: &Seen) {
    eprintln!("requests that count: {}", seen.counted);
    for (count, what) in [
        (seen.denied, "requests that were denied are left out; --include-denied allows them"),
        (
            seen.unknown,
            "requests are left out, as nobody knows what they ask for: only full access allows such",
        ),
        (seen.lost, "records are lost, of whichever endpoint: the policy may lack something"),
        (seen.unreadable, "lines are no records"),
    ] {
        if count > 0 {
            eprintln!("{count} {what}");
        }
    }
}

/// A time, or how long ago.
fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let fault = || format!("{text:?} is no time like 2026-06-01T12:00:00Z and no length like 30m or 7d");
    let unit = text.chars().last().ok_or_else(fault)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return Err(fault()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| fault())?;
    let ago = Duration::from_secs(count.checked_mul(seconds).ok_or_else(fault)?);
    Timestamp::now().checked_sub(ago).map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_given_in_two_ways() {
        assert_eq!(since("2026-06-01T12:00:00Z").unwrap(), "2026-06-01T12:00:00Z".parse().unwrap());
        let hour = Timestamp::now().duration_since(since("1h").unwrap()).as_secs();
        assert!((3590..3660).contains(&hour), "{hour}");
        for bad in ["", "h", "1w", "yesterday", "-1h", "99999999999999999d", "1é"] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }
}
