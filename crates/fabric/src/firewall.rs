//! What the host's nftables do for the uplink: a table of the fabric's own translates what leaves to an address of the
//! uplink's, and lets nothing else through the pair than what goes out there and the answers to it.
//!
//! What enters by the pair comes from an address that the kernel takes nothing from. The table gives it another one only
//! where the host's routes lead it out of the uplink: not to the host itself, nor to another device. What then meets
//! a rule of somebody else's that leads it there all the same is dropped as well. `nft list table inet linkway-NAME`
//! shows how much was dropped.
//!
//! Answers come in by the uplink and are forwarded to the pair, so forwarding has to be on for the uplink, too. Where
//! it was off, it is turned on, and a *guard* sees to it that nothing else is forwarded from there: the host does not
//! become its neighbours' router. The guard is also how we know later that it was off.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::FabricError;
use crate::link::{get_option, set_option};
use crate::programs::types::idle_seconds;
use crate::ranges::{self, UplinkAddresses};
use crate::uplink::HOST_ENDS;

/// Seconds that the host remembers a datagram's way: no fewer than the packet path does. TCP it remembers for longer.
const IDLE: u32 = idle_seconds::IDLE_UPLINK.0;

/// What the names of all fabrics' tables begin with.
const TABLES: &str = "linkway-";

/// What a guard's name begins with: the uplink's follows.
const GUARDS: &str = "guard-";

/// The rules of one fabric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Firewall<'a> {
    /// The fabric's name.
    pub(crate) name: &'a str,
    /// The pair's end in the host's namespace.
    pub(crate) pair: &'a str,
    /// The uplink.
    pub(crate) uplink: &'a str,
    /// Where what leaves comes from, and where answers come to.
    pub(crate) addresses: UplinkAddresses,
}

impl Firewall<'_> {
    /// Put the rules in the place of those that are there, at once, and turn forwarding on.
    pub(crate) fn set_up(&self) -> Result<(), FabricError> {
        let guards = guards();
        let guarded = guards.iter().any(|guard| guard.uplink == self.uplink);
        let guard = guarded || !is_forwarding(self.uplink)?;
        let before = guards.iter().find(|guard| guard.table == table(self.name));
        if let Some(before) = before.filter(|guard| guard.uplink != self.uplink) {
            release(before, &guards)?;
        }
        nft(&["-f", "-"], &self.text(guard))?;
        if guard {
            set_option(&forwarding(self.uplink), "1")?;
        }
        Ok(())
    }

    fn text(&self, guard: bool) -> String {
        let Self { name, pair, uplink, addresses } = self;
        let UplinkAddresses { source, answers } = addresses;
        let table = table(name);
        let private: Vec<String> =
            ranges::PRIVATE.iter().map(|(network, prefix)| format!("{network}/{prefix}")).collect();
        let private = private.join(", ");
        let guard = match guard {
            true => format!(
                "chain {GUARDS}{uplink} {{
                    type filter hook forward priority filter; policy accept;
                    iifname \"{uplink}\" oifname != \"{HOST_ENDS}*\" counter drop
                }}"
            ),
            false => String::new(),
        };
        format!(
            "table inet {table} {{ }}
            delete table inet {table}
            table inet {table} {{
                ct timeout datagrams {{
                    protocol udp
                    l3proto ip
                    policy = {{ unreplied : {IDLE}, replied : {IDLE} }}
                }}
                chain entering {{
                    type filter hook prerouting priority raw; policy accept;
                    iifname != \"{pair}\" accept
                    meta nfproto != ipv4 counter drop
                    ip saddr != {source} counter drop
                    ip daddr {{ {private} }} counter drop
                    fib daddr type != unicast counter drop
                    fib daddr oifname != \"{uplink}\" counter drop
                    ip saddr set {answers}
                }}
                chain tracking {{
                    type filter hook prerouting priority mangle; policy accept;
                    iifname \"{pair}\" ip protocol udp ct timeout set \"datagrams\"
                }}
                chain to_host {{
                    type filter hook input priority filter; policy accept;
                    iifname \"{pair}\" counter drop
                }}
                chain through {{
                    type filter hook forward priority filter; policy accept;
                    iifname \"{pair}\" oifname != \"{uplink}\" counter drop
                    oifname \"{pair}\" iifname != \"{uplink}\" counter drop
                    oifname \"{pair}\" ct state != {{ established, related }} counter drop
                    iifname \"{pair}\" tcp flags syn / syn,rst tcp option maxseg size set rt mtu
                    oifname \"{pair}\" tcp flags syn / syn,rst tcp option maxseg size set rt mtu
                }}
                chain leaving {{
                    type nat hook postrouting priority srcnat; policy accept;
                    ip saddr {answers} oifname \"{uplink}\" masquerade
                }}
                {guard}
            }}"
        )
    }
}

/// Remove the rules of the fabric `name`, and turn off the forwarding that was turned on for them. No error if there
/// are none.
pub(crate) fn remove(name: &str) -> Result<(), FabricError> {
    let table = table(name);
    if nft(&["list", "table", "inet", &table], "").is_err() {
        return Ok(());
    }
    let guards = guards();
    if let Some(guard) = guards.iter().find(|guard| guard.table == table) {
        release(guard, &guards)?;
    }
    nft(&["delete", "table", "inet", &table], "").map(drop)
}

/// A guard that is there.
#[derive(Debug, PartialEq, Eq)]
struct Guard {
    table: String,
    uplink: String,
}

/// The guards of all fabrics on this host. Where nftables cannot be asked there are none.
fn guards() -> Vec<Guard> {
    parse(&nft(&["list", "chains", "inet"], "").unwrap_or_default())
}

fn parse(listed: &str) -> Vec<Guard> {
    let mut table = "";
    let mut guards = Vec::new();
    for line in listed.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("table"), Some("inet"), Some(name)) => table = name,
            (Some("chain"), Some(chain), _) if table.starts_with(TABLES) => {
                let uplink = chain.strip_prefix(GUARDS);
                guards.extend(
                    uplink.map(|uplink| Guard { table: table.to_owned(), uplink: uplink.to_owned() }),
                );
            }
            _ => {}
        }
    }
    guards
}

/// Turn forwarding off again, unless another fabric needs it.
fn release(guard: &Guard, all: &[Guard]) -> Result<(), FabricError> {
    let needed = all.iter().any(|other| other.uplink == guard.uplink && other.table != guard.table);
    if needed { Ok(()) } else { set_option(&forwarding(&guard.uplink), "0") }
}

fn is_forwarding(uplink: &str) -> Result<bool, FabricError> {
    Ok(get_option(&forwarding(uplink))?.trim() == "1")
}

fn forwarding(device: &str) -> String {
    format!("ipv4/conf/{device}/forwarding")
}

fn table(name: &str) -> String {
    format!("{TABLES}{name}")
}

/// Run `nft` in this thread's namespace. Returns what it prints.
fn nft(arguments: &[&str], input: &str) -> Result<String, FabricError> {
    let failed = |problem: String| FabricError::Nft { problem };
    let mut child = Command::new("nft")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => failed("nft is not installed (Debian's package nftables)".to_owned()),
            _ => failed(error.to_string()),
        })?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(FabricError::io("write to", Path::new("nft")))?;
    }
    let output = child.wait_with_output().map_err(FabricError::io("read from", Path::new("nft")))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_are_found_in_what_nft_lists() {
        let listed = "table inet filter {\n\tchain guard-eth9 {\n\t\ttype filter hook input priority 0;\n\t}\n}\n\
            table inet linkway-a {\n\tchain through {\n\t}\n\tchain guard-eth0.1 {\n\t}\n}\n\
            table inet linkway-b-c {\n\tchain leaving {\n\t}\n}\n";
        let guard = Guard { table: "linkway-a".to_owned(), uplink: "eth0.1".to_owned() };
        assert_eq!(parse(listed), [guard]);
    }
}
