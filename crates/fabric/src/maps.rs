//! Loads the packet programs, with the tables that are pinned for them: a new build's programs take over
//! the tables, and the flows in them, of the one before.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{MapHandle, PrintLevel};
use nix::mount::{MsFlags, mount};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};

use crate::error::FabricError;
use crate::flows::Collector;
use crate::programs::{LinkwaySkelBuilder, OpenLinkwaySkel};

/// The programs, loaded. They stay loaded while they are attached somewhere, or this exists.
pub(crate) struct Programs {
    /// For the host ends of workloads.
    pub(crate) from_workload: OwnedFd,
    /// For the host end of the service namespace.
    pub(crate) from_service: OwnedFd,
    /// For the end of the uplink's pair in the fabric's namespace.
    pub(crate) from_uplink: OwnedFd,
}

macro_rules! maps {
    ($($name:ident),*; pinned only: $($pinned:ident),*) => {
        /// The tables that outlive the daemon.
        #[derive(Debug)]
        pub(crate) struct Maps {
            $(pub(crate) $name: MapHandle,)*
        }

        /// Give each table the place where it is pinned, or will be.
        fn set_pins(skeleton: &mut OpenLinkwaySkel<'_>, directory: &Path) -> libbpf_rs::Result<()> {
            $(skeleton.maps.$name.set_pin_path(directory.join(stringify!($name)))?;)*
            $(skeleton.maps.$pinned.set_pin_path(directory.join(stringify!($pinned)))?;)*
            Ok(())
        }

        fn handles(maps: &crate::programs::LinkwayMaps<'_>) -> libbpf_rs::Result<Maps> {
            Ok(Maps { $($name: MapHandle::try_from(&maps.$name)?,)* })
        }
    };
}

maps!(
    settings, ports, interfaces, places, members, rulesets, rules, subnets, routes, endpoints, listeners,
    targets, probes, shares, drops, traffic, events; pinned only: flows, fragments
);

/// Where a fabric's tables are pinned, whatever their version.
pub(crate) fn directory(bpffs: &Path, name: &str) -> PathBuf {
    bpffs.join(name)
}

/// Load the programs with the tables of the fabric `name`, making those that are not there.
pub(crate) fn load(bpffs: &Path, name: &str) -> Result<(Maps, Programs, Collector), FabricError> {
    quieten();
    mount_bpffs(bpffs)?;

    let mut object = MaybeUninit::uninit();
    let mut skeleton = LinkwaySkelBuilder::default()
        .open(&mut object)
        .map_err(|source| FabricError::Load { directory: directory(bpffs, name), source })?;
    let version = skeleton.maps.rodata_data.as_ref().map_or(0, |data| data.vocabulary.layout_version);
    let directory = claim(&directory(bpffs, name), &format!("v{version}"), name)?;

    let failed = |source| FabricError::Load { directory: directory.clone(), source };
    set_pins(&mut skeleton, &directory).map_err(failed)?;
    let loaded = skeleton.load().map_err(failed)?;
    let maps = handles(&loaded.maps).map_err(failed)?;
    let program = |fd: std::os::fd::BorrowedFd<'_>| {
        fd.try_clone_to_owned().map_err(FabricError::io("keep the programs of", &directory))
    };
    let programs = Programs {
        from_workload: program(loaded.progs.from_workload.as_fd())?,
        from_service: program(loaded.progs.from_service.as_fd())?,
        from_uplink: program(loaded.progs.from_uplink.as_fd())?,
    };
    Ok((maps, programs, Collector::new(&loaded)?))
}

/// Load the programs with tables of their own, and let go of them: to see whether the kernel takes them.
pub(crate) fn try_loading() -> Result<(), FabricError> {
    quieten();
    let mut object = MaybeUninit::uninit();
    let skeleton = LinkwaySkelBuilder::default().open(&mut object);
    skeleton.and_then(OpenSkel::load).map(|_| ()).map_err(FabricError::bpf("load the packet programs"))
}

/// libbpf writes to standard error by itself.
fn quieten() {
    libbpf_rs::set_print(Some((PrintLevel::Debug, |_, text| tracing::debug!("libbpf: {}", text.trim_end()))));
}

/// Make the version's directory, unless another version has left one.
fn claim(parent: &Path, version: &str, name: &str) -> Result<PathBuf, FabricError> {
    let own = parent.join(version);
    fs::create_dir_all(parent).map_err(FabricError::io("make the directory", parent))?;
    let entries = fs::read_dir(parent).map_err(FabricError::io("read the directory", parent))?;
    if let Some(other) = entries.flatten().map(|entry| entry.path()).find(|path| *path != own) {
        return Err(FabricError::OtherVersion {
            directory: other,
            wanted: version.to_owned(),
            name: name.to_owned(),
        });
    }
    match fs::create_dir(&own) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(FabricError::io("make the directory", &own)(error))
        }
        _ => Ok(own),
    }
}

/// Mount the file system for pins, where the machine has not done so at boot.
fn mount_bpffs(path: &Path) -> Result<(), FabricError> {
    if statfs(path).is_ok_and(|found| found.filesystem_type() == BPF_FS_MAGIC) {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(FabricError::io("make the directory", path))?;
    mount(Some("bpf"), path, Some("bpf"), MsFlags::empty(), Some("mode=0700"))
        .map_err(FabricError::io("mount the BPF file system at", path))
}
