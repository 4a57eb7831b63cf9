//! The fabric: the packet path of one machine, brought to where the state says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use linkway_model::Snapshot;

use crate::attachment::{attachments, instances};
use crate::compile::probes::{Probes, probe_addresses};
use crate::compile::{Devices, Part, compile, compile_part};
use crate::devices::HostEnds;
use crate::error::FabricError;
use crate::flows::{self, Collector, Step};
use crate::kernel::KernelTables;
use crate::maps::{self, Maps};
use crate::read::Reader;
use crate::{namespace, privileges};

/// Where a fabric lives on its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Names its namespaces (`{name}`, `{name}-svc`, `{name}-i-…`) and its directory of tables. Fabrics of
    /// different names know nothing of each other.
    pub name: String,
    /// Where the BPF file system is, or shall be mounted: `/sys/fs/bpf`.
    pub bpffs: PathBuf,
    /// The device of the host's that internet gateways lead to; none, and what is led to them is dropped.
    pub uplink: Option<String>,
}

/// The packet path of one machine. It stays, and carries packets, when this is dropped.
///
/// Calls block, and take the capabilities CAP_NET_ADMIN, CAP_BPF and CAP_SYS_ADMIN. That there is one of a name
/// at a time is the caller's to see to.
pub struct Fabric {
    settings: Settings,
    service_namespace: PathBuf,
    maps: Arc<Maps>,
    tables: KernelTables,
    ends: HostEnds,
    probes: Probes,
    collector: Collector,
    problems: BTreeMap<u32, FabricError>,
    /// What the tables follow, with the devices of that time. `None`: they have to be compared whole.
    followed: Option<(Arc<Snapshot>, Devices)>,
}

impl Fabric {
    /// Make the namespaces, load the programs, and adopt the tables and devices that are there.
    pub fn open(settings: Settings) -> Result<Self, FabricError> {
        check_name(&settings.name)?;
        privileges::check()?;
        let (maps, programs, collector) = maps::load(&settings.bpffs, &settings.name)?;
        let tables = KernelTables::read(&maps)?;
        let service_namespace = namespace::path(&service_name(&settings.name));
        let ends = HostEnds::open(&settings, &namespace::path(&settings.name), &service_namespace, programs)?;
        Ok(Self {
            settings,
            service_namespace,
            maps: Arc::new(maps),
            tables,
            ends,
            probes: Probes::default(),
            collector,
            problems: BTreeMap::new(),
            followed: None,
        })
    }

    /// Bring the machine to where the snapshot says. When it returns `Ok`, packets follow the snapshot;
    /// after an error, call it again. An interface that could not be attached is one of the
    /// [`problems`](Self::problems) and no error: it is tried again each time.
    ///
    /// The first time, and after an error, all is compiled and compared; else what may have changed.
    pub fn apply(&mut self, snapshot: &Arc<Snapshot>) -> Result<(), FabricError> {
        let running = instances(snapshot);
        let wanted = attachments(snapshot, &self.settings.name);
        let mut outcome = self.ends.make(&running, &wanted)?;
        let devices = Devices {
            service: self.ends.service(),
            uplink: self.ends.uplink(),
            interfaces: outcome.devices.clone(),
        };
        let probes = match self.followed.take() {
            Some((before, old)) => {
                let part = Part::changed((&before, &old), (snapshot, &devices));
                let rows = compile_part(&before, &old, &part);
                self.tables.change(&rows, &compile_part(snapshot, &devices, &part))?;
                part.probes
            }
            None => {
                self.tables.apply(&compile(snapshot, &devices))?;
                true
            }
        };
        self.ends.set_up(&wanted, &mut outcome);
        self.ends.remove_others(&running, &outcome.devices)?;
        if probes {
            self.probes.publish(probe_addresses(snapshot));
        }
        self.note(outcome.problems);
        self.followed = Some((Arc::clone(snapshot), devices));
        Ok(())
    }

    /// The path of the namespace where the resolver and the health checker have their sockets.
    pub fn service_namespace(&self) -> &Path {
        &self.service_namespace
    }

    /// Where targets are checked, for the health checker to keep.
    pub fn probes(&self) -> Probes {
        self.probes.clone()
    }

    /// What keeps network interfaces from having a device, by the interface's number: as of the last
    /// [`apply`](Self::apply).
    pub fn problems(&self) -> &BTreeMap<u32, FabricError> {
        &self.problems
    }

    /// Go on through the flow table, and remove what has expired, for about as long as `budget`, or to the table's end.
    pub fn collect_flows(&mut self, budget: Duration) -> Result<Step, FabricError> {
        let start = flows::clock();
        let mut sum = Step::default();
        loop {
            let now = flows::clock();
            let step = self.collector.step(now)?;
            sum.seen += step.seen;
            sum.removed += step.removed;
            sum.finished = step.finished;
            if sum.finished || now - start >= budget {
                return Ok(sum);
            }
        }
    }

    /// Counters and events, for other threads to read.
    pub fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.maps))
    }

    /// How often a change made the packet path judge all flows anew.
    pub fn epoch(&self) -> u64 {
        self.tables.epoch()
    }

    /// Keep the problems, and log those that are new.
    fn note(&mut self, problems: BTreeMap<u32, FabricError>) {
        for (number, problem) in &problems {
            if self.problems.get(number).map(ToString::to_string) != Some(problem.to_string()) {
                tracing::warn!(interface = number, "network interface has no device: {problem}");
            }
        }
        self.problems = problems;
    }
}

/// The service namespace's name.
pub(crate) fn service_name(name: &str) -> String {
    format!("{name}-svc")
}

/// Names become those of namespaces, files and directories, and must not meet those of other fabrics.
pub(crate) fn check_name(name: &str) -> Result<(), FabricError> {
    let letters = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    if letters && begins && name.len() <= 32 && !name.ends_with("-svc") {
        Ok(())
    } else {
        Err(FabricError::Name { name: name.to_owned() })
    }
}
