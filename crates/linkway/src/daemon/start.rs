//! Starting the daemon, running it, and stopping it.

use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use linkway_control::Control;
use linkway_fabric::{Fabric, FabricError, ranges};
use linkway_gateway::{AuditSink, Authority, Gateway, Keys, Limits, Ranges, Timeouts};
use linkway_health::{Checker, Outside};
use linkway_model::{Timestamp, own_region};
use linkway_resolver::{Resolver, Upstream};
use linkway_store::Store;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use sd_notify::NotifyState;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::daemon::audit::Audit;
use crate::daemon::databases::Databases;
use crate::daemon::drops::Drops;
use crate::daemon::fabric::Followers;
use crate::daemon::machines::Machines;
use crate::daemon::names::Names;
use crate::daemon::service::Service;
use crate::daemon::{
    Daemon, Settings, counters, databases, fabric, health, instances, journal, lock, machines, notifications,
    privileges, service, verification,
};
use crate::database::installed::Installed;

use crate::gateway::keys::StoreKeys;
use crate::gateway::local::OwnServices;
use crate::gateway::own_decider::ByState;
use crate::gateway::view::{self, Views};
use crate::gateway::{relays, threads};
use crate::keeper::client::Keeper;
use crate::keeper::protocol::Place;
use crate::machine::directory;
use crate::metadata::Metadata;
use crate::state_dir::DaemonFile;
use crate::stop::Stopper;
use crate::{admin, api, ca, http};

/// Where the packet path's tables are pinned.
pub(crate) const BPFFS: &str = "/sys/fs/bpf";

/// Be the daemon, until it is told to stop.
pub(crate) fn run(mut settings: Settings) -> Result<()> {
    privileges::require()?;
    settings.state.make()?;
    let _name = lock::name(&settings.name)?;
    let (store, _state) = open_store(&settings)?;
    let api = listen(&settings)?;
    // Port 0 has become a real one.
    settings.listen = api.local_addr()?;
    let commands = listen_to_commands(&settings)?;

    let installed = Installed::default();
    let place = Place {
        name: settings.name.clone(),
        state: settings.state.path().to_owned(),
        ephemeral: settings.ephemeral,
    };
    let consoles = directory::machines(&place);
    let control_settings = linkway_control::Settings {
        console: Arc::new(move |instance| machines::console(&consoles, instance)),
        engines: Arc::new(move || installed.engines()),
        outside_targets: settings.outside_targets.clone(),
        ..Default::default()
    };
    let control = Arc::new(Control::new(Arc::clone(&store), control_settings));
    let regions = control.set_own_regions(settings.own_regions.clone(), &settings.forgotten_regions)?;
    own_region::adopt(&regions);
    prepare_state(&settings, &control)?;
    // While there are rights.
    let keeper = Arc::new(Keeper::start(&place)?);
    instances::end_dead(&control, &store);
    databases::note_ends(&control, &store.snapshot());
    machines::note_ends(&control, &store.snapshot(), &settings.name);
    instances::end_strays(&settings.name, &store, instances::Rights::All);

    let fabric = Fabric::open(linkway_fabric::Settings {
        name: settings.name.clone(),
        bpffs: BPFFS.into(),
        uplink: settings.uplink.clone(),
    })
    .map_err(explain)?;
    let namespace = fabric.service_namespace().to_owned();
    let probes = fabric.probes();
    let names = Arc::new(Mutex::new(Names::default()));
    let (counters_thread, counters) = counters::start(fabric.reader())?;
    let drops = Drops::start(fabric.reader(), Arc::clone(&names))?;

    let runtime = host_runtime()?;
    let upstream = settings.upstream.open(runtime.handle().clone());
    let resolver = Resolver::new(linkway_resolver::Settings {
        upstream: upstream.clone(),
        client_base: ranges::CLIENT_BASE,
        as_ipv4: ranges::as_ipv4,
    });
    let (reports, reported) = mpsc::unbounded_channel();
    let checker = Arc::new(Checker::new(
        // Whoever reads them has gone away only when the daemon ends.
        move |group, target, port, health| {
            drop(reports.send((group.to_owned(), target.clone(), port, health)))
        },
        move |group, target, port| probes.address(group, target, port),
        Outside { runtime: runtime.handle().clone(), allowed: settings.outside_targets.clone() },
        linkway_gateway::target_tls()?,
    ));

    let own_services = OwnServices::default();
    let audit = Audit::start(&settings.state, settings.ephemeral)?;
    let keys: Arc<dyn Keys> = Arc::new(StoreKeys::new(Arc::clone(&store)));
    let outbound = runtime.handle().clone();
    let decider = ByState(Arc::clone(&store));
    let gateway =
        gateway(&settings, audit.sink(), decider, own_services.clone(), Arc::clone(&keys), outbound)?;

    let stop = Stopper::new();
    let (ports, wanted_ports) = relays::ports(threads::count());
    let followers = Followers {
        control: Arc::clone(&control),
        resolver: resolver.clone(),
        checker: Arc::clone(&checker),
        names: Arc::clone(&names),
        views: Views::of(gateway.clone(), settings.outside_targets.clone(), ports, Arc::clone(&keys)),
    };
    let (fabric_thread, fabric) = fabric::start(fabric, followers, store.subscribe(), &stop)?;
    let service_thread = service::start(
        Service {
            namespace,
            resolver: resolver.clone(),
            metadata: Metadata::of(Arc::clone(&store), Arc::clone(&control)),
            checker,
            gateway,
            wanted_ports,
        },
        &stop,
    )?;
    // From here on, this thread has no more rights than those that it starts.
    privileges::drop_all()?;

    let daemon = Arc::new(Daemon {
        settings,
        started: Timestamp::now(),
        store,
        control,
        fabric,
        keeper,
        databases: Databases::of(place.clone()),
        machines: Machines::of(place),
        counters,
        resolver,
        names,
        drops: drops.sender.clone(),
        stop,
        launchers: Mutex::default(),
    });
    own_services.served_by(&daemon);
    runtime.block_on(serve(daemon, api, commands, upstream, reported))?;
    // What asks for counters has ended with the runtime.
    drop(runtime);
    let ended =
        [fabric_thread.join(), service_thread.join(), counters_thread.join(), drops.end(), audit.end()];
    anyhow::ensure!(ended.iter().all(Result::is_ok), "a thread of the daemon failed; its words are above");
    tracing::info!("stopped; the packet path stays in place until `linkway down`");
    Ok(())
}

/// The gateway, which knows of no endpoint yet.
fn gateway(
    settings: &Settings,
    audit: Arc<dyn AuditSink>,
    decider: ByState,
    local: OwnServices,
    keys: Arc<dyn Keys>,
    outbound: Handle,
) -> Result<Gateway> {
    let authority = Authority::new(&ca::certificate(&settings.state)?, &ca::key(&settings.state)?)
        .context("the CA cannot be used")?;
    let settings = linkway_gateway::Settings {
        ranges: Ranges {
            service: ranges::ENDPOINT_BASE,
            client: ranges::CLIENT_BASE,
            as_ipv4: ranges::as_ipv4,
        },
        limits: Limits::of_descriptors(descriptors()?),
        timeouts: Timeouts::default(),
        audit,
        decider: Arc::new(decider),
        local: Arc::new(local),
        outbound,
        clock: Arc::new(Timestamp::now),
    };
    Ok(Gateway::new(settings, authority, view::empty(keys)))
}

/// How many files this process may have open: as many as it can be allowed.
fn descriptors() -> Result<usize> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).context("cannot read the limit of open files")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("cannot raise the limit of open files")?;
    Ok(usize::try_from(most).unwrap_or(usize::MAX))
}

/// Where this machine lacks something, say that, and not how it showed.
fn explain(error: FabricError) -> anyhow::Error {
    use FabricError::{Bpf, Load, Netlink};
    if matches!(error, Load { .. } | Bpf { .. } | Netlink { .. })
        && let Some(lack) = linkway_fabric::doctor(BPFFS.as_ref()).into_iter().find(|check| !check.ok)
    {
        tracing::debug!(%error);
        return anyhow::anyhow!(
            "no packet path on this machine: {}: {}; {}",
            lack.name,
            lack.found,
            lack.remedy
        );
    }
    error.into()
}

/// The state, and what keeps another daemon from its directory.
fn open_store(settings: &Settings) -> Result<(Arc<Store>, Option<lock::Lock>)> {
    if settings.ephemeral {
        return Ok((Arc::new(Store::ephemeral()), Some(lock::ephemeral_state(&settings.state)?)));
    }
    Ok((Arc::new(Store::open(settings.state.path())?), None))
}

fn listen(settings: &Settings) -> Result<TcpListener> {
    let address = settings.listen;
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow::anyhow!(
            "another program listens on {address} already; give this daemon another address with --listen"
        ),
        ErrorKind::AddrNotAvailable => anyhow::anyhow!(
            "this machine has no address {}; give one that it has with --listen",
            address.ip()
        ),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Listen on the socket in the state directory, which nobody but this user may use.
fn listen_to_commands(settings: &Settings) -> Result<UnixListener> {
    let path = settings.state.socket();
    // Of a daemon that was killed: the locks say that it is gone.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {}", path.display()));
        }
        _ => {}
    }
    let others = umask(Mode::from_bits_truncate(0o177));
    let listener = UnixListener::bind(&path);
    umask(others);
    let listener = listener.with_context(|| {
        format!("cannot listen on {} (a socket's path has 107 characters at most)", path.display())
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// What commands find in the state directory; and on the first start, the account, its key and the CA.
fn prepare_state(settings: &Settings, control: &Control) -> Result<()> {
    ca::ensure(&settings.state, &settings.name, Timestamp::now())?;
    let key = control.bootstrap()?;
    let kept = settings.state.read_admin_key().ok();
    // One that is still good stays, whichever other keys there are by now.
    if !control
        .keys()
        .iter()
        .any(|key| kept.as_ref().is_some_and(|kept| (&key.id, &key.secret) == (&kept.0, &kept.1)))
    {
        settings.state.write_admin_key(&key)?;
    }
    settings.state.write_daemon(&DaemonFile { name: settings.name.clone(), listen: settings.listen })
}

/// The runtime of all threads that live in the host's namespace and read from the network.
fn host_runtime() -> Result<Runtime> {
    let without_rights = || {
        if let Err(error) = privileges::drop_all() {
            // Untrusted bytes are not read with rights that this thread should not have.
            eprintln!("linkway: {error:#}");
            std::process::exit(1);
        }
    };
    Builder::new_multi_thread()
        .thread_name("linkway")
        .on_thread_start(without_rights)
        .enable_all()
        .build()
        .context("cannot start threads")
}

async fn serve(
    daemon: Arc<Daemon>,
    api: TcpListener,
    commands: UnixListener,
    upstream: Option<Upstream>,
    reports: mpsc::UnboundedReceiver<health::Report>,
) -> Result<()> {
    let stopped = daemon.stop.subscribe();
    let address = daemon.settings.listen;
    let api = tokio::net::TcpListener::from_std(api)?;
    let commands = tokio::net::UnixListener::from_std(commands)?;
    // Packets follow the state before anyone is told that the daemon is ready.
    daemon.settled().await?;

    let for_api = Arc::clone(&daemon);
    let for_commands = Arc::clone(&daemon);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(http::serve(
        api,
        move |request| api::server::handle(Arc::clone(&for_api), request),
        stopped.clone(),
    ));
    tasks.spawn(http::serve(
        commands,
        move |request| admin::server::handle(Arc::clone(&for_commands), request),
        stopped.clone(),
    ));
    tasks.spawn(instances::watch(Arc::clone(&daemon), stopped.clone()));
    tasks.spawn(databases::run(Arc::clone(&daemon), stopped.clone()));
    tasks.spawn(machines::run(Arc::clone(&daemon), stopped.clone()));
    tasks.spawn(health::record(Arc::clone(&daemon), reports, stopped.clone()));
    tasks.spawn(notifications::run(Arc::clone(&daemon), stopped.clone()));
    tasks.spawn(verification::run(Arc::clone(&daemon), upstream, stopped.clone()));
    tasks.spawn(journal::run(Arc::clone(&daemon.store), stopped.clone()));

    // Before anyone is told: whoever hears that it is ready may want it to stop at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    announce(&format!("ready http://{address}"));
    let mut stop = stopped.clone();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stop.wait() => {}
    }
    tell_manager(NotifyState::Stopping);
    daemon.stop.stop();
    while let Some(ended) = tasks.join_next().await {
        ended.context("a part of the daemon failed")?;
    }
    if daemon.settings.ephemeral {
        // Nobody will know of them any more.
        databases::remove_all(&daemon).await?;
        machines::remove_all(&daemon).await?;
    }
    // Commands know the daemon to be gone by its socket.
    std::fs::remove_file(daemon.settings.state.socket()).context("cannot remove the socket")
}

/// Say that requests are answered from now on: to who reads standard output, and to the service manager.
fn announce(line: &str) {
    let mut stdout = std::io::stdout().lock();
    if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        tracing::debug!(%error, "nobody reads standard output");
    }
    tracing::info!("{line}");
    tell_manager(NotifyState::Ready);
}

fn tell_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
