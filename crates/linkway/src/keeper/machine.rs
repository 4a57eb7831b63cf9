//! A worker's work on an instance that the API starts.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use linkway_model::{ImageId, InstanceId};
use nix::sys::signal::Signal;

use crate::instance::files::{Boot, Files};
use crate::instance::init::STARTED;
use crate::instance::process;
use crate::keeper::protocol::{Answer, MachineSpec, Place};
use crate::machine::boot::{FORKED, GO, Plan};
use crate::machine::directory::Directory;
use crate::machine::first_boot::Identity;
use crate::machine::mounts::{FileSystem, Layered};
use crate::machine::{base, directory};
use crate::state_dir::{StateDir, instance_run_directory, make_readable, remove as remove_all};

/// Start an instance's first process, unless it runs.
pub(super) fn boot(place: &Place, spec: &MachineSpec) -> Result<Answer> {
    let directory = Directory::of(place, &spec.instance);
    let _lock = directory.lock()?;
    let run = instance_run_directory(&place.name, &spec.instance);
    let files = Files::at(&run);
    if let Some(running) = files.read_process().filter(|process| process::is_alive(*process)) {
        let this = files.read_boot() == Some(Boot::now(spec.boot)?);
        return Ok(if this { Answer::Started(running) } else { Answer::Elsewhere(running) });
    }
    make_readable(&run)?;
    let sandbox = run.join("sandbox");
    make_readable(&sandbox)?;
    files.write_boot(&Boot::now(spec.boot)?)?;
    let plan = plan(place, spec, &directory, sandbox)?;

    let mut command = Command::new("/proc/self/exe");
    // The name that it has inside, too.
    command.arg0("linkway").args(["keeper", "boot"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start the instance's first process")?;
    let mut input = child.stdin.take().context("the instance has no input")?;
    let output = child.stdout.take().context("the instance has no output")?;
    let mut plan = serde_json::to_vec(&plan)?;
    plan.push(b'\n');
    input.write_all(&plan).context("the instance does not take its plan")?;
    let (mut said, mut process) = (String::new(), None);
    for line in BufReader::new(output).lines() {
        let line = line.context("the instance breaks off")?;
        if let Some(pid) = line.strip_prefix(FORKED) {
            let first = process::find(pid.parse().context("the instance has no process")?)?;
            // Before it does anything: whoever looks for the instance finds it by this.
            files.write_process(first)?;
            process = Some(first);
            writeln!(input, "{GO}").context("the instance breaks off")?;
        } else if line == STARTED.trim_end() {
            // Its maker has left; what it was is not there to be waited for twice.
            drop(child.wait());
            return process.map(Answer::Started).context("the instance has not said who it is");
        } else {
            said.push_str(&line);
        }
    }
    drop(child.wait());
    bail!("it cannot be started: {said}")
}

/// End an instance's first process, and wait until it has ended.
pub(super) fn end(place: &Place, instance: &InstanceId, abruptly: bool) -> Result<()> {
    let files = Files::at(&instance_run_directory(&place.name, instance));
    let Some(process) = files.read_process() else { return Ok(()) };
    if abruptly {
        process::signal(process, Signal::SIGKILL).context("it cannot be killed")?;
    }
    process::end_all(&[process])
}

/// End an instance abruptly, and remove its files.
pub(super) fn remove(place: &Place, instance: &InstanceId) -> Result<()> {
    let directory = Directory::of(place, instance);
    // Whoever starts it at this moment has noted its process when the lock is free.
    let _lock = directory.lock()?;
    end(place, instance, true)?;
    remove_all(&instance_run_directory(&place.name, instance))?;
    directory.remove()
}

/// Remove an image's files: not at once, but so that nobody takes what is left of them for the image.
pub(super) fn remove_image(place: &Place, image: &ImageId) -> Result<()> {
    let path = directory::images(place).join(image.as_str());
    let old = path.with_extension("old");
    remove_all(&old)?;
    match fs::rename(&path, &old) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => remove_all(&old),
    }
}

fn plan(place: &Place, spec: &MachineSpec, own: &Directory, sandbox: PathBuf) -> Result<Plan> {
    let state = StateDir::at(&place.state);
    let ids = own.ids()?;
    own.make_owned(&own.console(), ids)?;
    let file_system = match &spec.image {
        None => of_host(own, ids, sandbox)?,
        Some(image) => {
            let lower = directory::images(place).join(image.as_str());
            let layered = vec![layer(own, ids, PathBuf::new(), lower, own.root())?];
            FileSystem { place: sandbox, root: None, layered, ids }
        }
    };
    Ok(Plan {
        network_namespace: linkway_fabric::namespace::path(&linkway_fabric::instance_namespace(
            &place.name,
            &spec.instance,
        )),
        file_system,
        console: own.console(),
        identity: Identity {
            network: spec.identity.clone(),
            host_name: spec.host_name.clone(),
            ca: fs::read_to_string(state.ca_certificate()).context("cannot read the CA's certificate")?,
            user_data: spec.user_data.clone(),
            of_host: spec.image.is_none(),
        },
    })
}

/// The host's programs, each directory of them with a layer of the instance's own; all else is the instance's.
fn of_host(directory: &Directory, ids: u32, sandbox: PathBuf) -> Result<FileSystem> {
    let (host, root) = (Path::new("/"), directory.root());
    if !root.is_dir() {
        base::make(host, &root, ids)?;
    }
    let mut layered = Vec::new();
    for name in base::PROGRAMS {
        let lower = host.join(name);
        if fs::symlink_metadata(&lower).is_ok_and(|found| found.is_dir()) {
            let upper = directory.path().join("layers").join(name);
            layered.push(layer(directory, ids, PathBuf::from(name), lower, upper)?);
        }
    }
    Ok(FileSystem { place: sandbox, root: Some(root), layered, ids })
}

fn layer(directory: &Directory, ids: u32, at: PathBuf, lower: PathBuf, upper: PathBuf) -> Result<Layered> {
    if !lower.is_dir() {
        bail!("its image is gone from {}", lower.display());
    }
    directory.make_owned(&upper.join("upper"), ids)?;
    // What overlayfs left there when it was last mounted is of no use to it.
    remove_all(&upper.join("work"))?;
    fs::create_dir(upper.join("work")).with_context(|| format!("cannot make {}", upper.display()))?;
    Ok(Layered { at, lower, upper })
}
