//! Records of requests through endpoints, in files that `linkway policy learn` reads.
//!
//! Who serves a request hands its record over and goes on: a thread writes them. Where that cannot keep up, or the
//! disk is full, records are lost, counted, and a record says how many.

pub(crate) mod files;
mod log;
mod queue;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use linkway_gateway::{AuditSink, Record};

use crate::daemon::privileges;
use crate::state_dir::StateDir;

use log::{Limits, Log};
use queue::{Batch, Ended, Queue};

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
struct Sink(Queue<Record>);

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
        self.sink.0.end();
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
    fn write(&self, record: Record) {
        if let Err(Ended(record)) = self.0.push(record) {
            // At the daemon's end, of a request that outlived it.
            tracing::error!("the request {} is in no audit record", record.request_id);
        }
    }
}

fn start(log: Log, waiting: usize) -> Result<(Arc<Sink>, JoinHandle<()>)> {
    let sink = Arc::new(Sink(Queue::new(waiting)));
    let source = Arc::clone(&sink);
    let thread = Builder::new()
        .name("audit".into())
        .spawn(move || match privileges::drop_all() {
            Ok(()) => write(log, &source.0),
            Err(error) => tracing::error!("no audit records are written: {error:#}"),
        })
        .context("cannot start a thread")?;
    Ok((sink, thread))
}

fn write(mut log: Log, records: &Queue<Record>) {
    loop {
        let Batch { values, overrun, last } = records.take();
        for record in values {
            log.append(|line| record.spell(line));
        }
        log.overrun(overrun);
        if last {
            return log.end();
        }
        // Whoever looks finds what was asked up to here.
        log.flush();
    }
}

#[cfg(test)]
mod tests;
