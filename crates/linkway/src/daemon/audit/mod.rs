//! Records of requests through endpoints, in files that `linkway policy learn` reads.
//!
//! Who serves a request hands its record over and goes on: a thread writes them. Where that cannot keep up, or the
//! disk is full, records are lost, counted, and a record says how many.

pub(crate) mod files;
mod log;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use linkway_gateway::{AuditSink, Record};

use crate::daemon::privileges;
use crate::state_dir::StateDir;

use log::{Limits, Log};

/// Records that wait to be written: a few tens of megabytes of them.
const WAITING: usize = 16_384;

/// 64 MiB a file, half a gigabyte of full ones.
const LIMITS: Limits = Limits { bytes: 64 << 20, full: 8 };

/// The thread that writes.
pub(crate) struct Audit {
    sink: Arc<Sink>,
    thread: JoinHandle<()>,
    /// What ends with the daemon.
    ephemeral: Option<PathBuf>,
}

/// What takes records without waiting.
struct Sink {
    records: SyncSender<Message>,
    /// Records that found no room and are not counted in the log yet.
    overrun: AtomicU64,
}

enum Message {
    Record(Box<Record>),
    End,
}

impl Audit {
    /// Start it. The records of an ephemeral daemon end with it.
    pub(crate) fn start(state: &StateDir, ephemeral: bool) -> Result<Self> {
        let passing = state.ephemeral_audit();
        // Of an ephemeral daemon that was killed.
        match fs::remove_dir_all(&passing) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", passing.display()));
            }
            _ => {}
        }
        let directory = if ephemeral { passing.clone() } else { state.audit() };
        let log = Log::open(&directory, LIMITS)?;
        let (sink, thread) = start(log, WAITING)?;
        Ok(Self { sink, thread, ephemeral: ephemeral.then_some(passing) })
    }

    /// Where records go.
    pub(crate) fn sink(&self) -> Arc<dyn AuditSink> {
        Arc::clone(&self.sink) as Arc<dyn AuditSink>
    }

    /// Write what waits, and end. To be called when no request is served any more.
    pub(crate) fn end(self) -> std::thread::Result<()> {
        // If it is gone, joining it says so.
        drop(self.sink.records.send(Message::End));
        self.thread.join()?;
        if let Some(directory) = self.ephemeral
            && let Err(error) = fs::remove_dir_all(&directory)
        {
            tracing::warn!(%error, "{} cannot be removed", directory.display());
        }
        Ok(())
    }
}

impl AuditSink for Sink {
    fn write(&self, record: &Record) {
        match self.records.try_send(Message::Record(Box::new(record.clone()))) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.overrun.fetch_add(1, Ordering::Relaxed);
            }
            // At the daemon's end, of a request that outlived it.
            Err(TrySendError::Disconnected(_)) => {
                tracing::error!("the request {} is in no audit record", record.request_id);
            }
        }
    }
}

fn start(log: Log, waiting: usize) -> Result<(Arc<Sink>, JoinHandle<()>)> {
    let (records, received) = sync_channel(waiting);
    let sink = Arc::new(Sink { records, overrun: AtomicU64::new(0) });
    let counted = Arc::clone(&sink);
    let thread = Builder::new()
        .name("audit".into())
        .spawn(move || match privileges::drop_all() {
            Ok(()) => write(log, &received, &counted.overrun),
            Err(error) => tracing::error!("no audit records are written: {error:#}"),
        })
        .context("cannot start a thread")?;
    Ok((sink, thread))
}

fn write(mut log: Log, received: &Receiver<Message>, overrun: &AtomicU64) {
    loop {
        let message = match received.try_recv() {
            Ok(message) => message,
            Err(_) => {
                // Nothing more for now: whoever looks finds what was asked up to here.
                log.overrun(overrun.swap(0, Ordering::Relaxed));
                log.flush();
                match received.recv() {
                    Ok(message) => message,
                    Err(_) => break,
                }
            }
        };
        match message {
            Message::Record(record) => log.append(&record.to_json()),
            Message::End => break,
        }
    }
    log.overrun(overrun.swap(0, Ordering::Relaxed));
    log.end();
}

#[cfg(test)]
mod tests;
