//! A worker: one request, carried out by a process without threads.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use linkway_model::instance::Process;
use sha2::{Digest, Sha256};

use crate::database::directory::Directory;
use crate::database::engine::{self, Certificate, Engine, User};
use crate::database::init::{Manner, Plan};
use crate::database::{certificate, console, inside};
use crate::instance::files::{Files, host_name};
use crate::instance::init::STARTED;
use crate::instance::{namespaces, process};
use crate::keeper::machine;
use crate::keeper::protocol::{Answer, Place, Request, Spec};
use crate::state_dir::{StateDir, instance_run_directory};

/// How long a server may take until it takes connections: it may have to read a long log after a crash.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often it is asked meanwhile.
const PERIOD: Duration = Duration::from_millis(50);

/// Lines of a server's console that say why it has ended.
const LAST_LINES: usize = 4;

/// Carry out the request on standard input, and answer on standard output.
pub(crate) fn run(place: &Place) -> Result<()> {
    let mut request = Vec::new();
    std::io::stdin().read_to_end(&mut request).context("the worker cannot read its request")?;
    let request = serde_json::from_slice(&request).context("the worker does not know its request")?;
    let answer = carry_out(place, request).unwrap_or_else(|error| Answer::Failed(format!("{error:#}")));
    std::io::stdout().write_all(&serde_json::to_vec(&answer)?).context("the worker cannot answer")
}

fn carry_out(place: &Place, request: Request) -> Result<Answer> {
    match request {
        Request::Create(spec) => Work::on(place, &spec)?.create().map(|()| Answer::Done),
        Request::Start(spec) => Work::on(place, &spec)?.start(),
        Request::SetUp(spec, process) => Work::on(place, &spec)?.set_up(process).map(|()| Answer::Done),
        Request::Configure(spec) => Work::on(place, &spec)?.write_configuration().map(|()| Answer::Done),
        Request::Remove(resource_id) => {
            let directory = Directory::of(place, &resource_id)?;
            let _lock = directory.lock()?;
            directory.remove().map(|()| Answer::Done)
        }
        Request::Boot(spec) => machine::boot(place, &spec),
        Request::RemoveImage(image) => machine::remove_image(place, &image).map(|()| Answer::Done),
        Request::EndMachine { instance, abruptly } => {
            machine::end(place, &instance, abruptly).map(|()| Answer::Done)
        }
        Request::RemoveMachine(instance) => machine::remove(place, &instance).map(|()| Answer::Done),
    }
}

/// A database that is worked on.
struct Work<'a> {
    place: &'a Place,
    spec: &'a Spec,
    directory: Directory,
    engine: Box<dyn Engine>,
    user: User,
    _lock: fs::File,
}

impl<'a> Work<'a> {
    fn on(place: &'a Place, spec: &'a Spec) -> Result<Self> {
        let directory = Directory::of(place, &spec.resource_id)?;
        let engine = engine::of(spec)?;
        let user = engine::user(engine.user())?;
        let lock = directory.lock()?;
        Ok(Self { place, spec, directory, engine, user, _lock: lock })
    }

    /// Make the server's data, unless they are there. Those that were there are not replaced by others.
    fn create(&self) -> Result<()> {
        if self.directory.data().exists() {
            return Ok(());
        }
        if self.directory.applied().password.is_some() {
            return self.no_data();
        }
        self.write_configuration()?;
        self.files()?;
        let data = self.directory.new_data();
        self.directory.make_private(&data, &self.user)?;
        let plan = Plan { data: data.clone(), ..self.plan(self.engine.initialise(), Manner::Once)? };
        namespaces::new_processes()?;
        let output = init(&plan).output().context("cannot start the database's first process")?;
        expect_success("its files cannot be made", &output)?;
        fs::rename(&data, self.directory.data()).context("cannot put the database's files in place")
    }

    fn no_data<R>(&self) -> Result<R> {
        bail!("its data are gone from {}", self.directory.path().display())
    }

    /// Start the server, unless it runs.
    fn start(&self) -> Result<Answer> {
        let files = Files::at(&instance_run_directory(&self.place.name, &self.spec.instance));
        let mut applied = self.directory.applied();
        if let Some(running) = files.read_process().filter(|process| process::is_alive(*process)) {
            let there = applied.port == Some(self.spec.port);
            return Ok(if there { Answer::Started(running) } else { Answer::Elsewhere(running) });
        }
        if !self.directory.data().exists() {
            return self.no_data();
        }
        self.write_configuration()?;
        let files = self.files()?;
        applied.port = Some(self.spec.port);
        self.directory.write_applied(&applied)?;

        let manner = Manner::Server {
            console: self.directory.path().to_owned(),
            stop_signal: self.engine.stop_signal() as i32,
        };
        let plan = self.plan(self.engine.serve(), manner)?;
        namespaces::new_processes()?;
        let mut child = init(&plan)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the database's first process")?;
        let mut said = String::new();
        child.stdout.take().context("the init has no output")?.read_to_string(&mut said)?;
        if said != STARTED {
            bail!("its server cannot be started: {}", said.trim());
        }
        let process = files.read_process();
        process.map(Answer::Started).context("the database's first process has not noted itself")
    }

    /// Wait until the server takes connections; then make its roles, database and password as they shall be.
    fn set_up(&self, process: Process) -> Result<()> {
        let mut applied = self.directory.applied();
        let first = applied.password.is_none();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = self.tell(process, first, "SELECT 1;\n");
            match asked {
                Ok(output) if output.status.success() => break,
                _ if !process::is_alive(process) => {
                    bail!("its server has ended: {}", console::last_lines(self.directory.path(), LAST_LINES))
                }
                Ok(output) if Instant::now() > deadline => {
                    return expect_told("its server takes no connections", &output);
                }
                Err(error) if Instant::now() > deadline => return Err(error),
                Ok(_) | Err(_) => std::thread::sleep(PERIOD),
            }
        }
        let password = Some(self.digest());
        if applied.password != password {
            let statements = if first {
                self.engine.first_statements(self.spec)
            } else {
                self.engine.password_statements(self.spec)
            };
            expect_told("its roles cannot be made", &self.tell(process, first, &statements)?)?;
            applied.password = password;
            self.directory.write_applied(&applied)?;
        }
        Ok(())
    }

    fn write_configuration(&self) -> Result<()> {
        let state = StateDir::at(&self.place.state);
        let (certificate, key) = certificate::issue(&state, &self.spec.dns_name)?;
        let files = self.engine.configuration(self.spec, Certificate { certificate, key });
        self.directory.configure(&files, &self.user)
    }

    /// Its files of this run.
    fn files(&self) -> Result<Files> {
        let state = StateDir::at(&self.place.state);
        let ca = fs::read_to_string(state.ca_certificate()).context("cannot read the CA's certificate")?;
        let files = Files::at(&instance_run_directory(&self.place.name, &self.spec.instance));
        files.write(&self.spec.identity, &ca)?;
        Ok(files)
    }

    fn plan(&self, command: Vec<String>, manner: Manner) -> Result<Plan> {
        let namespace = linkway_fabric::instance_namespace(&self.place.name, &self.spec.instance);
        let mut hidden: Vec<_> = self.engine.hidden().iter().map(Into::into).collect();
        hidden.push(fs::canonicalize(&self.place.state).context("there is no state directory")?);
        Ok(Plan {
            network_namespace: linkway_fabric::namespace::path(&namespace),
            run_directory: instance_run_directory(&self.place.name, &self.spec.instance),
            host_name: host_name(self.spec.identity.address),
            data: self.directory.data(),
            configuration: self.directory.configuration(),
            hidden,
            user: (self.user.uid, self.user.gid),
            command,
            manner,
        })
    }

    /// Have the server's client carry out SQL.
    fn tell(&self, process: Process, first: bool, statements: &str) -> Result<Output> {
        let (user, command) = ((self.user.uid, self.user.gid), self.engine.client(self.spec, first));
        let plan = inside::Plan { process, user, command };
        let mut child = Command::new("/proc/self/exe");
        child.args(["keeper", "inside", &serde_json::to_string(&plan)?]);
        let (input, mut sql) = std::io::pipe().context("cannot make a pipe")?;
        child.stdin(OwnedFd::from(input)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child_running = child.spawn().context("cannot start the server's client")?;
        // Its own end is closed, so that this one learns of the client's end.
        drop(child);
        // The client may have ended already, and says why itself.
        drop(sql.write_all(statements.as_bytes()));
        drop(sql);
        child_running.wait_with_output().context("cannot wait for the server's client")
    }

    /// What tells whether the administrator's password is another one, without saying which it is.
    fn digest(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.spec.resource_id.as_bytes());
        digest.update(self.spec.master_password.as_bytes());
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn init(plan: &Plan) -> Command {
    let mut command = Command::new("/proc/self/exe");
    // A plan has nothing that JSON cannot say.
    command.args(["keeper", "init", &serde_json::to_string(plan).unwrap_or_default()]);
    command.stdin(Stdio::null());
    command
}

fn expect_success(what: &str, output: &Output) -> Result<()> {
    expect(what, output, |_| true)
}

/// The same for a client. Of what it says, only its own words are passed on: it may quote the statement, and so a
/// password.
fn expect_told(what: &str, output: &Output) -> Result<()> {
    expect(what, output, |line| line.starts_with("psql") || line.starts_with("ERROR "))
}

fn expect(what: &str, output: &Output, fit: impl Fn(&str) -> bool) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty() && fit(line)).collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("; ");
    bail!("{what}: {}", if last.is_empty() { output.status.to_string() } else { last })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn what_a_client_quotes_is_not_passed_on() {
        let output = Output {
            status: ExitStatus::from_raw(1 << 8),
            stdout: Vec::new(),
            stderr: b"--------------\nALTER USER 'app'@'%' IDENTIFIED BY 'secret'\n--------------\n\n\
                ERROR 1396 (HY000) at line 2: Operation ALTER USER failed for 'app'@'%'\n"
                .to_vec(),
        };
        let error = expect_told("its roles cannot be made", &output).unwrap_err().to_string();
        assert_eq!(
            error,
            "its roles cannot be made: ERROR 1396 (HY000) at line 2: Operation ALTER USER failed for 'app'@'%'"
        );
        assert!(expect_success("it failed", &output).unwrap_err().to_string().contains("secret"));
    }
}
