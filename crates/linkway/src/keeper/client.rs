//! The daemon's side: the keeper is started, asked, and waited for.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::Builder;

use anyhow::{Context, Result, bail};

use crate::daemon::privileges;
use crate::keeper::protocol::{Answer, Numbered, Place, Request};

/// Requests that wait for their answers. `None` when the keeper has ended.
type Waiting = Arc<Mutex<Option<HashMap<u64, mpsc::Sender<Answer>>>>>;

/// A keeper.
pub(crate) struct Keeper {
    requests: Mutex<ChildStdin>,
    waiting: Waiting,
    next: AtomicU64,
}

impl Keeper {
    /// Start one. This thread has all rights still; the keeper keeps what it needs of them.
    pub(crate) fn start(place: &Place) -> Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["keeper", "serve", &serde_json::to_string(place)?]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the keeper")?;
        let requests = child.stdin.take().context("the keeper has no input")?;
        let answers = child.stdout.take().context("the keeper has no output")?;
        let waiting = Waiting::new(Mutex::new(Some(HashMap::new())));
        let shared = Arc::clone(&waiting);
        Builder::new()
            .name("keeper".into())
            .spawn(move || hear(child, answers, &shared))
            .context("cannot start a thread")?;
        Ok(Self { requests: Mutex::new(requests), waiting, next: AtomicU64::new(0) })
    }

    /// Ask, and have a thread wait for the answer that may wait.
    pub(crate) async fn ask(self: &Arc<Self>, what: Request) -> Result<Answer> {
        let keeper = Arc::clone(self);
        tokio::task::spawn_blocking(move || keeper.ask_and_wait(what)).await.context("the daemon failed")?
    }

    fn ask_and_wait(&self, what: Request) -> Result<Answer> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = mpsc::channel();
        let gone = "the keeper has ended; start the daemon again";
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .context(gone)?
            .insert(number, sender);
        let mut line = serde_json::to_vec(&Numbered { number, what })?;
        line.push(b'\n');
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line).context(gone)?;
        match answer.recv().context(gone)? {
            Answer::Failed(reason) => bail!(reason),
            answer => Ok(answer),
        }
    }
}

/// Hand answers to those who wait for them, until the keeper ends.
fn hear(mut child: Child, answers: ChildStdout, waiting: &Waiting) {
    if let Err(error) = privileges::drop_all() {
        tracing::error!("{error:#}");
        std::process::exit(1);
    }
    for line in BufReader::new(answers).lines() {
        let Ok(answer) = line.map_err(|error| error.to_string()).and_then(|line| {
            serde_json::from_str::<Numbered<Answer>>(&line).map_err(|error| error.to_string())
        }) else {
            break;
        };
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.as_mut().and_then(|waiting| waiting.remove(&answer.number)) {
            // Whoever waited has gone away only when the daemon ends.
            drop(sender.send(answer.what));
        }
    }
    // Those who wait hear of it by their senders' end.
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    match child.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => tracing::error!(%status, "the keeper has ended"),
        Err(error) => tracing::error!(%error, "the keeper has ended"),
    }
}
