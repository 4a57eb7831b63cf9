//! Dropped packets as they are dropped, in names instead of numbers, for whoever follows them.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use linkway_fabric::{DropEvent as Raw, Events, Reader, flows};
use linkway_model::Timestamp;
use tokio::sync::broadcast;

use crate::admin::protocol::DropEvent;
use crate::daemon::decider;
use crate::daemon::names::Names;
use crate::daemon::privileges;

/// Drops that one who follows them may be behind before some are left out.
const KEPT: usize = 4096;

/// How long to wait for a drop before looking whether the daemon ends.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long to wait after an error.
const PAUSE: Duration = Duration::from_secs(1);

/// The thread that passes drops on.
pub(crate) struct Drops {
    /// Where they are passed on.
    pub(crate) sender: broadcast::Sender<DropEvent>,
    thread: JoinHandle<()>,
    stop: Arc<AtomicBool>,
}

impl Drops {
    /// Start it.
    pub(crate) fn start(reader: Reader, book: Arc<Mutex<Names>>) -> Result<Self> {
        let (sender, _) = broadcast::channel(KEPT);
        let stop = Arc::new(AtomicBool::new(false));
        let (follower, stopped) = (sender.clone(), Arc::clone(&stop));
        let thread = Builder::new()
            .name("drops".into())
            .spawn(move || match open(&reader) {
                Ok(events) => follow(events, &book, &follower, &stopped),
                Err(error) => tracing::error!("drops cannot be followed: {error:#}"),
            })
            .context("cannot start a thread")?;
        Ok(Self { sender, thread, stop })
    }

    /// End it.
    pub(crate) fn end(self) -> std::thread::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join()
    }
}

/// To follow takes no rights once it is open.
fn open(reader: &Reader) -> Result<Events> {
    let events = reader.events()?;
    privileges::drop_all()?;
    Ok(events)
}

fn follow(mut events: Events, book: &Mutex<Names>, drops: &broadcast::Sender<DropEvent>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let event = match events.next(PATIENCE) {
            Ok(Some(event)) => event,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(%error, "a drop could not be read");
                std::thread::sleep(PAUSE);
                continue;
            }
        };
        if drops.receiver_count() == 0 {
            continue;
        }
        let named = named(&event, &book.lock().unwrap_or_else(PoisonError::into_inner));
        // Who followed may have gone away since.
        drop(drops.send(named));
    }
}

fn named(event: &Raw, names: &Names) -> DropEvent {
    let age = flows::clock().saturating_sub(Duration::from_nanos(event.time));
    let now = Timestamp::now();
    DropEvent {
        time: now.checked_sub(age).unwrap_or(now),
        reason: event.reason.name().to_owned(),
        rule: event.rule.and_then(|number| names.rule(number)),
        decider: decider::of(event, names),
        interface: names.interface(event.interface),
        other: event.other.map(|number| names.interface(number)),
        vpc: names.vpc(event.vpc),
        protocol: protocol(event.protocol),
        source: place(event.source, event.source_port, event.protocol),
        destination: place(event.destination, event.destination_port, event.protocol),
        length: event.length,
        suppressed: event.suppressed,
    }
}

/// IANA's name of a protocol that people meet, or the number.
fn protocol(number: u8) -> String {
    match number {
        1 => "icmp".into(),
        6 => "tcp".into(),
        17 => "udp".into(),
        58 => "icmpv6".into(),
        other => other.to_string(),
    }
}

/// An address, with its port where the protocol has ports.
fn place(address: IpAddr, port: u16, protocol: u8) -> String {
    match protocol {
        6 | 17 => SocketAddr::new(address, port).to_string(),
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protocols_with_ports_show_them() {
        let address = IpAddr::from([10, 0, 0, 4]);
        assert_eq!(place(address, 5432, 6), "10.0.0.4:5432");
        assert_eq!(place(address, 77, 1), "10.0.0.4");
        assert_eq!(protocol(17), "udp");
        assert_eq!(protocol(132), "132");
    }
}
