//! What the packet path has counted, read on a thread of its own, as reading a large table takes a while.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use linkway_fabric::{FabricError, Reader, ShareUse, TrafficCount};
use tokio::sync::oneshot;

use crate::daemon::privileges;

/// Counters, all read at one time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    /// Open flows, by the number of the interface that opened them.
    pub(crate) flows: BTreeMap<u32, ShareUse>,
    /// What was dropped.
    pub(crate) drops: Vec<Dropped>,
    /// What went through endpoints and gateways, by the number of the interface or the gateway.
    pub(crate) traffic: BTreeMap<u32, TrafficCount>,
}

/// What was dropped at one interface for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// The interface's number.
    pub(crate) interface: u32,
    /// The reason's name.
    pub(crate) reason: &'static str,
    /// What that means.
    pub(crate) meaning: &'static str,
    /// How many packets.
    pub(crate) packets: u64,
    /// How many bytes.
    pub(crate) bytes: u64,
}

type Question = oneshot::Sender<Result<Counters, FabricError>>;

/// The others' side of the thread. It ends with the last of these.
#[derive(Clone)]
pub(crate) struct CountersHandle(mpsc::Sender<Question>);

impl CountersHandle {
    /// What has been counted up to now.
    pub(crate) async fn read(&self) -> Result<Counters> {
        let (sender, answer) = oneshot::channel();
        self.0.send(sender).ok().context("nobody counts any more")?;
        Ok(answer.await.context("nobody counts any more")??)
    }
}

/// Start the thread.
pub(crate) fn start(reader: Reader) -> Result<(JoinHandle<()>, CountersHandle)> {
    let (questions, asked) = mpsc::channel::<Question>();
    let thread = Builder::new()
        .name("counters".into())
        .spawn(move || {
            if let Err(error) = privileges::keep_reading() {
                return tracing::error!("counters cannot be read: {error:#}");
            }
            for answer in asked {
                // Who asked may have gone away.
                drop(answer.send(read(&reader)));
            }
        })
        .context("cannot start a thread")?;
    Ok((thread, CountersHandle(questions)))
}

fn read(reader: &Reader) -> Result<Counters, FabricError> {
    let drops = reader.drops()?.into_iter().map(|((interface, reason), amount)| Dropped {
        interface,
        reason: reason.name(),
        meaning: reason.meaning(),
        packets: amount.packets,
        bytes: amount.bytes,
    });
    Ok(Counters { drops: drops.collect(), flows: reader.shares()?, traffic: reader.traffic()? })
}
