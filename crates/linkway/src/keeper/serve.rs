//! The keeper itself: requests in, a worker for each, answers out.

use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread::Builder;

use anyhow::{Context, Result};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::setsid;

use crate::daemon::privileges;
use crate::keeper::protocol::{Answer, Numbered, Place, Request};

/// Be the keeper, until the daemon ends.
pub(crate) fn run(place: &Place) -> Result<()> {
    // Ctrl-C at the daemon's terminal is the daemon's to hear.
    setsid().context("the keeper cannot leave the session")?;
    privileges::keep_for_keeper()?;
    let place = serde_json::to_string(place)?;
    for line in std::io::stdin().lock().lines() {
        let line = line.context("the keeper cannot read its requests")?;
        let request: Numbered<Request> =
            serde_json::from_str(&line).context("the keeper does not know a request")?;
        let place = place.clone();
        Builder::new()
            .name("worker".into())
            .spawn(move || answer(&place, &request))
            .context("the keeper cannot start a thread")?;
    }
    // Workers die with the threads that wait for them; whoever starts next does their work again.
    Ok(())
}

fn answer(place: &str, request: &Numbered<Request>) {
    let what = work(place, &request.what).unwrap_or_else(|error| Answer::Failed(format!("{error:#}")));
    let Ok(mut line) = serde_json::to_vec(&Numbered { number: request.number, what }) else { return };
    line.push(b'\n');
    let mut stdout = std::io::stdout().lock();
    // Without the daemon nobody is there to hear it, and this process is about to end.
    drop(stdout.write_all(&line).and_then(|()| stdout.flush()));
}

/// Have a worker carry the request out. Passwords are in there: they go by its input, which nobody else sees.
fn work(place: &str, request: &Request) -> Result<Answer> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["keeper", "work", place]).stdin(Stdio::piped()).stdout(Stdio::piped());
    // SAFETY: the closure runs between fork and exec; prctl(2) is a system call and allocates nothing.
    unsafe {
        command.pre_exec(|| Ok(prctl::set_pdeathsig(Signal::SIGKILL)?));
    }
    let mut child = command.spawn().context("the keeper cannot start a worker")?;
    let mut input = child.stdin.take().context("the worker has no input")?;
    input.write_all(&serde_json::to_vec(request)?).context("the worker does not take its request")?;
    drop(input);
    let output = child.wait_with_output().context("the keeper cannot wait for a worker")?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the worker has ended without an answer ({})", output.status))
}
