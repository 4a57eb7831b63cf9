//! `linkway status`.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use clap::Args;
use linkway_fabric::Reason;

use crate::admin::client::Client;
use crate::admin::protocol::{self, GetStatus};
use crate::cli::output::{self, Format, Output};
use crate::state_dir::StateDir;

/// Rows of drops that are shown: the largest. `linkway drops` has them all.
const MOST_DROPS: usize = 10;

/// Rows of endpoints' traffic that are shown: the largest. `--output json` has them all.
const MOST_TRAFFIC: usize = 10;

/// Rows of interfaces and their flows that are shown: the largest. `--output json` has them all.
const MOST_SHARES: usize = 5;

/// Show what is here, whether it is healthy, and what was dropped and why.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    output: Output,
}

impl Status {
    /// Carry it out.
    pub(crate) fn run(&self, state: &StateDir) -> Result<()> {
        let status = Client::new(state).call(&GetStatus {})?;
        match self.output.output {
            Format::Json => output::json(&status),
            Format::Table => output::text(&text(&status)),
        }
    }
}

/// The status, for people.
fn text(status: &protocol::Status) -> String {
    let kept = if status.ephemeral { ", ephemeral" } else { "" };
    let mut text = format!(
        "{} {}, process {}, since {:.0}{kept}\nAPI       http://{}\n",
        status.name, status.version, status.pid, status.started, status.listen
    );
    let path = match (&status.fault, status.revision.saturating_sub(status.applied)) {
        (Some(fault), behind) => format!("FAULT, {behind} revisions behind: {fault}"),
        (None, 0) => format!("healthy, at revision {}", status.revision),
        (None, behind) => format!("applying, {behind} revisions behind"),
    };
    let protocol::Ways { endpoints, nat_gateways, internet_gateways, no_uplink } = status.ways;
    let ways = format!(
        "{endpoints} through endpoints, {nat_gateways} through NAT gateways, {internet_gateways} through internet \
         gateways, {no_uplink} dropped for want of an uplink"
    );
    for (name, line) in [
        ("packets", path),
        ("uplink", status.uplink.clone().unwrap_or_else(|| "none".into())),
        ("bytes", ways),
        ("flows", status.flows.to_string()),
        ("endpoints", counts(&status.endpoints)),
        ("targets", counts(&status.targets)),
        ("instances", counts(&status.instances)),
        ("databases", counts(&status.databases)),
        ("resources", counts(&status.resources)),
    ] {
        writeln!(text, "{name:<9} {line}").expect("a String takes what is written");
    }
    for (interface, problem) in &status.problems {
        writeln!(text, "problem   {interface}: {problem}").expect("a String takes what is written");
    }
    text.push_str(&shares(&status.shares));
    let gateways = status.gateways.iter().filter(|row| row.connections > 0);
    text.push_str(&traffic(status.traffic.iter().chain(gateways)));
    text.push_str(&drops(&status.drops));
    text
}

/// The largest counters of drops. Of what systems say on their own links, which nobody has denied, there is a sum only.
fn drops(counts: &[protocol::DropCount]) -> String {
    let reason = Reason::LINK_HOUSEKEEPING.name();
    let (housekeeping, mut drops): (Vec<_>, Vec<_>) = counts.iter().partition(|drop| drop.reason == reason);
    let housekeeping: u64 = housekeeping.iter().map(|drop| drop.packets).sum();
    let mut text = String::new();
    if drops.is_empty() {
        text.push_str("drops     none");
        if housekeeping > 0 {
            write!(text, " but {housekeeping} of {reason}").expect("a String takes what is written");
        }
        text.push('\n');
        return text;
    }
    drops.sort_by_key(|drop| std::cmp::Reverse(drop.packets));
    text.push('\n');
    text.push_str(&output::table(
        ["DROPPED", "REASON", "INTERFACE", "OF", "MEANING"],
        drops.iter().take(MOST_DROPS).map(|drop| {
            [
                drop.packets.to_string(),
                drop.reason.clone(),
                drop.interface.clone(),
                drop.of.clone(),
                drop.meaning.clone(),
            ]
        }),
    ));
    if let Some(more) = drops.len().checked_sub(MOST_DROPS).filter(|more| *more > 0) {
        writeln!(text, "and {more} more: linkway drops").expect("a String takes what is written");
    }
    if housekeeping > 0 {
        writeln!(text, "and {housekeeping} packets of {reason}").expect("a String takes what is written");
    }
    text
}

/// The interfaces that have most flows open, if any has.
fn shares(rows: &[protocol::FlowShare]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.flows));
    let rows = rows
        .into_iter()
        .take(MOST_SHARES)
        .map(|row| [row.flows.to_string(), row.half_open.to_string(), row.interface.clone(), row.of.clone()]);
    format!("\n{}\n", output::table(["FLOWS", "HALF-OPEN", "OPENED BY", "OF"], rows))
}

/// The endpoints and gateways that carried most, if there are any.
fn traffic<'a>(rows: impl Iterator<Item = &'a protocol::Traffic>) -> String {
    let mut rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes_in + row.bytes_out));
    let rows = rows.into_iter().take(MOST_TRAFFIC).map(|row| {
        [
            row.connections.to_string(),
            row.bytes_in.to_string(),
            row.bytes_out.to_string(),
            row.interface.clone(),
            row.of.clone(),
        ]
    });
    format!("\n{}\n", output::table(["CONNECTIONS", "BYTES IN", "BYTES OUT", "THROUGH", "OF"], rows))
}

/// Such as `2 available, 1 pending`.
fn counts(counts: &BTreeMap<String, usize>) -> String {
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if parts.is_empty() { "none".into() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_shown() {
        let status = protocol::Status {
            name: "linkway".into(),
            version: "0.1.0".into(),
            pid: 7,
            started: linkway_model::Timestamp::UNIX_EPOCH,
            listen: "127.0.0.1:4820".parse().unwrap(),
            ephemeral: false,
            revision: 9,
            applied: 7,
            fault: Some("no such device".into()),
            problems: BTreeMap::from([("eni-1a2b3c4d".into(), "no namespace".into())]),
            resources: BTreeMap::new(),
            endpoints: BTreeMap::from([("available".into(), 2), ("pending".into(), 1)]),
            targets: BTreeMap::new(),
            instances: BTreeMap::new(),
            databases: BTreeMap::from([("available".into(), 1)]),
            flows: 3,
            uplink: Some("eth0".into()),
            shares: vec![protocol::FlowShare {
                interface: "eni-9a0b1c2d".into(),
                of: "i-1".into(),
                flows: 3,
                half_open: 1,
            }],
            traffic: vec![protocol::Traffic {
                interface: "eni-5a6b7c8d".into(),
                of: "vpce-1".into(),
                connections: 5,
                bytes_in: 700,
                packets_in: 7,
                bytes_out: 9000,
                packets_out: 9,
            }],
            gateways: Vec::new(),
            ways: protocol::Ways { endpoints: 9700, nat_gateways: 1, internet_gateways: 2, no_uplink: 66 },
            drops: Vec::new(),
        };
        let text = text(&status);
        assert!(text.contains("packets   FAULT, 2 revisions behind: no such device\n"), "{text}");
        assert!(text.contains("problem   eni-1a2b3c4d: no namespace\n"), "{text}");
        assert!(
            text.contains("uplink    eth0\nbytes     9700 through endpoints, 1 through NAT gateways, 2"),
            "{text}"
        );
        assert!(text.contains("databases 1 available\n"), "{text}");
        assert!(text.contains("3      1          eni-9a0b1c2d  i-1"), "{text}");
        assert!(text.contains("endpoints 2 available, 1 pending\n"), "{text}");
        assert!(text.contains("5            700       9000       eni-5a6b7c8d  vpce-1"), "{text}");
    }

    #[test]
    fn housekeeping_is_no_row_among_drops() {
        let count = |reason: &str, packets| protocol::DropCount {
            interface: "eni-1".into(),
            of: "i-1".into(),
            reason: reason.into(),
            meaning: "why".into(),
            packets,
            bytes: 100,
        };
        assert_eq!(drops(&[]), "drops     none\n");
        assert_eq!(
            drops(&[count("LinkHousekeeping", 7), count("LinkHousekeeping", 2)]),
            "drops     none but 9 of LinkHousekeeping\n"
        );
        let text = drops(&[count("LinkHousekeeping", 7), count("NoRoute", 2)]);
        assert!(text.contains("2        NoRoute  eni-1"), "{text}");
        assert!(text.ends_with("why\nand 7 packets of LinkHousekeeping\n"), "{text}");
    }
}
