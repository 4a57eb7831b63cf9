//! `linkway drops`.

use anyhow::Result;
use clap::Args;

use crate::admin::client::Client;
use crate::admin::protocol::{DropEvent, FollowDrops, ListDrops};
use crate::cli::output::{self, Format, Output};
use crate::state_dir::StateDir;

/// Show dropped packets.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --follow, it lists the counters: how many packets each interface lost, and why.\n\
With it, it prints packets as they are dropped, until Ctrl-C: a sample where they are many, as the counters are \
exact and the packets shown are at most 256 a second and CPU. LinkHousekeeping, what systems say on their own links \
and nobody has denied, is counted and never shown."
)]
pub(crate) struct Drops {
    /// Print packets as they are dropped.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    output: Output,
}

impl Drops {
    /// Carry it out.
    pub(crate) fn run(&self, state: &StateDir) -> Result<()> {
        let client = Client::new(state);
        if self.follow {
            return client.follow(&FollowDrops {}, |event| match self.output.output {
                Format::Json => output::text(&(serde_json::to_string(&event)? + "\n")),
                Format::Table => output::text(&line(&event)),
            });
        }
        let drops = client.call(&ListDrops {})?;
        self.output.list(&drops, ["INTERFACE", "OF", "REASON", "PACKETS", "BYTES", "MEANING"], |drop| {
            [
                drop.interface.clone(),
                drop.of.clone(),
                drop.reason.clone(),
                drop.packets.to_string(),
                drop.bytes.to_string(),
                drop.meaning.clone(),
            ]
        })
    }
}

/// An event on one line.
fn line(event: &DropEvent) -> String {
    let DropEvent { time, reason, interface, protocol, source, destination, length, .. } = event;
    let rule = event.rule.as_ref().map(|rule| format!(" rule {rule}")).unwrap_or_default();
    let decider = event.decider.as_ref().map(|decider| format!(" by {decider}")).unwrap_or_default();
    let other = event.other.as_ref().map(|other| format!(" towards {other}")).unwrap_or_default();
    let suppressed = match event.suppressed {
        0 => String::new(),
        count => format!(" ({count} more before it)"),
    };
    format!(
        "{time:.3} {reason}{rule}{decider} at {interface}{other}: {protocol} {source} -> {destination}, {length} bytes{suppressed}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::protocol::Decider;

    #[test]
    fn a_line_says_why_where_and_what() {
        let event = DropEvent {
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
            reason: "IngressDenied".into(),
            rule: None,
            decider: None,
            interface: "eni-1a2b3c4d".into(),
            other: None,
            vpc: "vpc-1a2b3c4d".into(),
            protocol: "tcp".into(),
            source: "10.0.0.4:5000".into(),
            destination: "10.0.0.5:5432".into(),
            length: 60,
            suppressed: 2,
        };
        assert_eq!(
            line(&event),
            "2026-01-02T03:04:05.000Z IngressDenied at eni-1a2b3c4d: tcp 10.0.0.4:5000 -> 10.0.0.5:5432, \
             60 bytes (2 more before it)\n"
        );
        let acl = |entry: &str| Decider::NetworkAcl {
            id: "acl-1a2b3c4d".into(),
            direction: "ingress".into(),
            entry: entry.into(),
        };
        let table = |route: Option<&str>| Decider::RouteTable {
            id: "rtb-1a2b3c4d".into(),
            route: route.map(str::to_owned),
        };
        for (decider, told) in [
            (acl("100"), " by acl-1a2b3c4d ingress entry 100 at eni-1a2b3c4d"),
            (acl("*"), " by acl-1a2b3c4d ingress entry * at eni-1a2b3c4d"),
            (table(Some("10.1.0.0/16")), " by rtb-1a2b3c4d route 10.1.0.0/16 at"),
            (table(None), " by rtb-1a2b3c4d, which has no route there at"),
        ] {
            let told_of = line(&DropEvent { decider: Some(decider), ..event.clone() });
            assert!(told_of.contains(told), "{told_of}");
        }
    }
}
