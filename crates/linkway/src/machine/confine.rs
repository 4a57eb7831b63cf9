//! What an instance's processes may do of what root of a user namespace could: few capabilities, no new ones by
//! executing something, and no system calls that its programs do not need and that reach deep into the kernel.

use anyhow::{Context, Result};
use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// What its root keeps, towards what is the instance's own: its users, its files, its processes, their ports.
///
/// Left out are above all CAP_SYS_ADMIN (mounts, namespaces) and what concerns the machine: none of those would be
/// worth anything on the host, but they open parts of the kernel that have had faults.
const KEPT: [Capability; 14] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_DAC_READ_SEARCH,
    Capability::CAP_FOWNER,
    Capability::CAP_FSETID,
    Capability::CAP_IPC_OWNER,
    Capability::CAP_KILL,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SETGID,
    Capability::CAP_SETPCAP,
    Capability::CAP_SETUID,
    Capability::CAP_SYS_BOOT,
    Capability::CAP_SYS_CHROOT,
    Capability::CAP_SYS_PTRACE,
];

/// System calls that fail with EPERM: loading code into the kernel or replacing it; its keys, which know of no
/// namespaces; measuring it; memory of faults; mounts and namespaces, also by ways that no capability guards.
const REFUSED: [i64; 34] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_vhangup,
];

/// Families of sockets that there are. AF_VSOCK, say, would lead past all networks to the machine that a host runs in.
const SOCKETS: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Flags of clone(2) and unshare(2) that make namespaces (linux/sched.h).
const NAMESPACES: u64 = 0x7E02_0000 | 0x80;

/// Have this process and all that it starts keep no more than that. It has one thread, and all capabilities of the
/// user namespace that it is in.
pub(crate) fn apply() -> Result<()> {
    // What else is open belongs to the host: it does not outlive the next program.
    // SAFETY: the call touches no memory.
    if unsafe { libc::close_range(3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC.cast_signed()) } != 0 {
        return Err(std::io::Error::last_os_error()).context("cannot keep files to this process");
    }
    let filters = filters()?;
    let kept = CapsHashSet::from(KEPT);
    for capability in caps::all() {
        // One that this kernel does not know is not there to be dropped.
        if !kept.contains(&capability) && caps::has_cap(None, CapSet::Bounding, capability).unwrap_or(false) {
            caps::drop(None, CapSet::Bounding, capability).context("cannot let go of capabilities")?;
        }
    }
    prctl::set_no_new_privs().context("cannot give up gaining privileges")?;
    for program in filters {
        seccompiler::apply_filter(&program).context("cannot refuse system calls")?;
    }
    caps::clear(None, CapSet::Ambient).context("cannot let go of capabilities")?;
    caps::set(None, CapSet::Effective, &kept).context("cannot let go of capabilities")?;
    caps::set(None, CapSet::Permitted, &kept).context("cannot let go of capabilities")?;
    caps::set(None, CapSet::Inheritable, &CapsHashSet::new()).context("cannot let go of capabilities")
}

/// What is refused; and what is not there: clone3(2), whose flags no filter sees, so that C libraries use clone(2); and
/// families of sockets that know of no network namespaces, or that nobody needs.
fn filters() -> Result<[BpfProgram; 3]> {
    let mut rules: Vec<(i64, Vec<SeccompRule>)> = REFUSED.map(|call| (call, Vec::new())).into();
    rules.push((libc::SYS_unshare, namespace_rules()?));
    rules.push((libc::SYS_clone, namespace_rules()?));
    rules.push((libc::SYS_ioctl, vec![ioctl_rule(libc::TIOCSTI)?, ioctl_rule(libc::TIOCLINUX)?]));
    Ok([
        filter(rules, libc::EPERM)?,
        filter(vec![(libc::SYS_clone3, Vec::new())], libc::ENOSYS)?,
        filter(vec![(libc::SYS_socket, vec![family_rule()?])], libc::EAFNOSUPPORT)?,
    ])
}

/// Any family but these.
fn family_rule() -> Result<SeccompRule> {
    let other = |family: i32| {
        let family = u64::from(family.cast_unsigned());
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)
    };
    let others: Result<Vec<_>, _> = SOCKETS.into_iter().map(other).collect();
    Ok(SeccompRule::new(others?)?)
}

/// One rule for each namespace's flag, the first argument of both calls.
fn namespace_rules() -> Result<Vec<SeccompRule>> {
    let flags = (0..32).map(|bit| 1u64 << bit).filter(|flag| NAMESPACES & flag != 0);
    let rules = flags.map(|flag| {
        let condition =
            SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag)?;
        SeccompRule::new(vec![condition])
    });
    rules.collect::<Result<_, _>>().context("cannot say which system calls are refused")
}

/// What types for whoever sits at the terminal that `linkway exec` was called from.
fn ioctl_rule(request: libc::Ioctl) -> Result<SeccompRule> {
    let condition = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request)?;
    Ok(SeccompRule::new(vec![condition])?)
}

fn filter(rules: Vec<(i64, Vec<SeccompRule>)>, errno: i32) -> Result<BpfProgram> {
    let architecture = std::env::consts::ARCH.try_into().context("no filter for this architecture")?;
    let refuse = SeccompAction::Errno(errno.cast_unsigned());
    SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, refuse, architecture)
        .and_then(TryInto::try_into)
        .context("cannot make a filter of system calls")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_a_program_needs_is_there_and_namespaces_are_not() {
        // A thread of its own: what it lets go of stays gone.
        std::thread::spawn(|| {
            apply().unwrap();
            assert!(Command::new("true").status().unwrap().success());
            let made = Command::new("unshare").args(["--user", "true"]).output().unwrap();
            assert!(!made.status.success());
            assert!(String::from_utf8_lossy(&made.stderr).contains("not permitted"));
            // SAFETY: the call takes no pointer that it would follow.
            let loaded = unsafe { libc::syscall(libc::SYS_bpf, 0, 0, 0) };
            assert_eq!((loaded, std::io::Error::last_os_error().raw_os_error()), (-1, Some(libc::EPERM)));
            let socket = |family: i32| {
                // SAFETY: the call takes no pointer.
                let made = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
                if made < 0 { std::io::Error::last_os_error().raw_os_error() } else { None }
            };
            assert_eq!(socket(libc::AF_VSOCK), Some(libc::EAFNOSUPPORT));
            assert_eq!(socket(libc::AF_INET), None);
            let held = caps::read(None, CapSet::Permitted).unwrap();
            assert!(!held.contains(&Capability::CAP_SYS_ADMIN));
        })
        .join()
        .unwrap();
    }
}
