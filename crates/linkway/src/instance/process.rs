//! Processes, told apart from later ones of the same id by when they started.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use linkway_model::instance::Process;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a process has between SIGTERM and SIGKILL.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How often a process that is being waited for is looked at.
const PERIOD: Duration = Duration::from_millis(20);

/// The process of this id that runs now.
pub(crate) fn find(pid: u32) -> Result<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid} has ended"))?;
    let (start_time, _) = parse(&stat).context("/proc has a stat that does not read")?;
    Ok(Process { pid, start_time })
}

/// Whether it still runs. A zombie does not.
pub(crate) fn is_alive(process: Process) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", process.pid))
        .ok()
        .and_then(|stat| parse(&stat))
        .is_some_and(|(start_time, state)| start_time == process.start_time && !matches!(state, 'Z' | 'X'))
}

/// Send it a signal, if it still runs.
pub(crate) fn signal(process: Process, signal: Signal) -> Result<(), Errno> {
    let Ok(pid) = i32::try_from(process.pid) else { return Ok(()) };
    if !is_alive(process) {
        return Ok(());
    }
    match kill(Pid::from_raw(pid), signal) {
        Err(Errno::ESRCH) => Ok(()),
        sent => sent,
    }
}

/// End processes and wait for it: SIGTERM for all, and SIGKILL for those that are still there after the grace.
pub(crate) fn end_all(processes: &[Process]) -> Result<()> {
    for process in processes {
        signal(*process, Signal::SIGTERM).with_context(|| format!("cannot end process {}", process.pid))?;
    }
    let deadline = Instant::now() + GRACE;
    while processes.iter().any(|process| is_alive(*process)) && Instant::now() < deadline {
        std::thread::sleep(PERIOD);
    }
    for process in processes {
        signal(*process, Signal::SIGKILL).with_context(|| format!("cannot kill process {}", process.pid))?;
    }
    while processes.iter().any(|process| is_alive(*process)) {
        std::thread::sleep(PERIOD);
    }
    Ok(())
}

/// Start time and state, from the text of `/proc/PID/stat` (proc_pid_stat(5): fields 22 and 3). The name before
/// them is in brackets and may hold anything, brackets too.
fn parse(stat: &str) -> Option<(u64, char)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.nth(18)?.parse().ok()?, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "42 (a) R 1 (b)) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 200";
        assert_eq!(parse(stat), Some((98765, 'S')));
    }

    #[test]
    fn a_process_is_alive_until_it_ends() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let process = find(child.id()).unwrap();
        assert!(is_alive(process));
        assert!(!is_alive(Process { start_time: process.start_time + 1, ..process }));
        // A zombie until it is waited for: ended already.
        end_all(&[process]).unwrap();
        assert!(!is_alive(process));
        child.wait().unwrap();
        assert!(find(process.pid).is_err());
    }
}
