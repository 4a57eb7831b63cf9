//! Looks at what the packet path needs of a machine, and says what to do about what is missing.

use std::fs;
use std::path::Path;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use nix::unistd::{AccessFlags, access};

use crate::attach::try_device;
use crate::error::FabricError;
use crate::link::{End, Netlink};
use crate::ranges::router_mac;
use crate::{maps, namespace, privileges};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about.
    pub name: &'static str,
    /// Whether it is as it has to be.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do, if it is not.
    pub remedy: &'static str,
}

/// The oldest kernel that the programs are written for.
const OLDEST_KERNEL: (u32, u32) = (6, 1);

/// Look at everything, whatever is missing. Changes nothing that outlives it.
pub fn doctor(bpffs: &Path) -> Vec<Check> {
    vec![
        kernel(),
        type_information(),
        capabilities(),
        veth(),
        programs(),
        bpf_file_system(bpffs),
        namespaces(),
    ]
}

fn kernel() -> Check {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    let mut numbers = release.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    Check {
        name: "kernel",
        ok: version >= OLDEST_KERNEL,
        found: format!("Linux {release}"),
        remedy: "run Linux 6.1 or newer, as Debian 12 and Ubuntu 24.04 have",
    }
}

fn type_information() -> Check {
    let path = Path::new("/sys/kernel/btf/vmlinux");
    let ok = path.exists();
    Check {
        name: "BTF",
        ok,
        found: format!("{} {}", path.display(), if ok { "is there" } else { "is not there" }),
        remedy: "run a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels are",
    }
}

fn capabilities() -> Check {
    let missing = privileges::missing();
    Check {
        name: "capabilities",
        ok: missing.is_empty(),
        found: match missing.as_slice() {
            [] => "CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_BPF are there".to_owned(),
            missing => format!("{} missing", missing.join(", ")),
        },
        remedy: "run linkway as root, or give its service these capabilities",
    }
}

fn veth() -> Check {
    Check {
        name: "veth and tc",
        remedy: "load the kernel modules: modprobe veth sch_ingress cls_bpf",
        ..outcome("a veth pair can be made, and takes a program at its ingress", try_veth())
    }
}

/// In a namespace that goes when its thread does.
fn try_veth() -> Result<(), FabricError> {
    namespace::on_a_thread(|| {
        let own = Path::new(namespace::OWN);
        unshare(CloneFlags::CLONE_NEWNET).map_err(FabricError::io("make another namespace than", own))?;
        let netlink = Netlink::here()?;
        let end = |name| End { name, mac: router_mac() };
        netlink.add_pair(&end("here"), &end("there"), own)?;
        netlink.links()?.get("here").map_or(Ok(()), |link| try_device(link.index))
    })
}

fn programs() -> Check {
    Check {
        name: "packet programs",
        remedy: "this kernel refuses them: report it with what linkway up --log debug says",
        ..outcome("the kernel accepts the packet programs", maps::try_loading())
    }
}

fn bpf_file_system(path: &Path) -> Check {
    let mounted = statfs(path).is_ok_and(|found| found.filesystem_type() == BPF_FS_MAGIC);
    let can_be = fs::read_to_string("/proc/filesystems").is_ok_and(|all| all.contains("\tbpf\n"));
    Check {
        name: "BPF file system",
        ok: mounted || can_be,
        found: match (mounted, can_be) {
            (true, _) => format!("mounted at {}", path.display()),
            (false, true) => format!("not mounted at {}; linkway up mounts it", path.display()),
            (false, false) => "the kernel has none".to_owned(),
        },
        remedy: "run a kernel built with CONFIG_BPF_SYSCALL=y, and mount it: mount -t bpf bpf /sys/fs/bpf",
    }
}

fn namespaces() -> Check {
    let directory = Path::new(namespace::DIRECTORY);
    let writable = match access(directory, AccessFlags::W_OK) {
        Err(Errno::ENOENT) => Ok(format!("{} is not there; linkway up makes it", directory.display())),
        Err(error) => Err(format!("{}: {error}", directory.display())),
        Ok(()) => Ok(format!("{} is there", directory.display())),
    };
    Check {
        name: "network namespaces",
        ok: writable.is_ok(),
        found: writable.unwrap_or_else(|error| error),
        remedy: "run linkway as root, where /run is writable",
    }
}

fn outcome(good: &str, result: Result<(), FabricError>) -> Check {
    Check {
        name: "",
        ok: result.is_ok(),
        found: result.map_or_else(|error| error.to_string(), |()| good.to_owned()),
        remedy: "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_runs_the_tests_is_fit() {
        for check in doctor(Path::new("/sys/fs/bpf")) {
            assert!(check.ok, "{check:?}");
        }
    }
}
