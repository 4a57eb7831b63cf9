//! Capabilities: what the daemon needs, which of its threads has it, and how the others let go of it.
//!
//! Capabilities belong to threads, and a thread passes them to those that it starts. Only the fabric's thread
//! keeps any. What reads from the network (the API, the resolver, health checks) has none, and cannot get one
//! back.

use anyhow::{Context, Result, bail};
use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl;

/// What the packet path needs.
const NEEDED: [Capability; 3] = [Capability::CAP_NET_ADMIN, Capability::CAP_BPF, Capability::CAP_SYS_ADMIN];

/// What opening another user's process's namespace needs besides, for `linkway attach --pid`. Kept if it is there.
const USEFUL: [Capability; 1] = [Capability::CAP_SYS_PTRACE];

/// What starting database servers and instances needs: namespaces and mounts; entering them again; other users' files
/// with all that belongs to a file; becoming those users, and signalling them.
const FOR_KEEPER: [Capability; 12] = [
    Capability::CAP_SYS_ADMIN,
    Capability::CAP_SYS_CHROOT,
    Capability::CAP_SETUID,
    Capability::CAP_SETGID,
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_DAC_READ_SEARCH,
    Capability::CAP_FOWNER,
    Capability::CAP_FSETID,
    Capability::CAP_KILL,
    Capability::CAP_MKNOD,
    Capability::CAP_SETFCAP,
];

/// Whether this thread has what the packet path needs. If not, the error names what is missing.
pub(crate) fn require() -> Result<()> {
    let held = caps::read(None, CapSet::Effective).context("cannot read this process's capabilities")?;
    let missing: Vec<String> =
        NEEDED.iter().filter(|capability| !held.contains(capability)).map(Capability::to_string).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "no privileges for the packet path: {} missing; run this as root, with sudo say",
        missing.join(", ")
    )
}

/// Keep no capability but what the packet path needs.
pub(crate) fn keep_needed() -> Result<()> {
    keep_of(NEEDED.into_iter().chain(USEFUL))
}

/// Keep no capability but what starting database servers and instances needs, as far as it is there.
pub(crate) fn keep_for_keeper() -> Result<()> {
    keep_of(FOR_KEEPER.into_iter())
}

/// Keep no capability but the one to signal another user's processes, if it is there.
pub(crate) fn keep_signalling() -> Result<()> {
    keep_of([Capability::CAP_KILL].into_iter())
}

/// Keep no capability but what reading the packet path's tables needs.
pub(crate) fn keep_reading() -> Result<()> {
    keep(&CapsHashSet::from([Capability::CAP_BPF]))
}

/// Keep no capability.
pub(crate) fn drop_all() -> Result<()> {
    keep(&CapsHashSet::new())
}

fn keep_of(wanted: impl Iterator<Item = Capability>) -> Result<()> {
    let held = caps::read(None, CapSet::Permitted).context("cannot read this thread's capabilities")?;
    keep(&wanted.filter(|capability| held.contains(capability)).collect())
}

fn keep(kept: &CapsHashSet) -> Result<()> {
    let none = CapsHashSet::new();
    (|| {
        caps::set(None, CapSet::Ambient, &none)?;
        caps::set(None, CapSet::Effective, kept)?;
        caps::set(None, CapSet::Permitted, kept)?;
        caps::set(None, CapSet::Inheritable, &none)
    })()
    .context("cannot let go of capabilities")?;
    // Not even by executing something as root.
    prctl::set_no_new_privs().context("cannot give up gaining privileges")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_without_capabilities_says_what_it_lacks() {
        // A thread of its own: what it lets go of stays gone.
        let error = std::thread::spawn(|| {
            drop_all().unwrap();
            drop_all().unwrap();
            require().unwrap_err().to_string()
        });
        let error = error.join().unwrap();
        assert!(error.contains("CAP_NET_ADMIN, CAP_BPF, CAP_SYS_ADMIN missing"), "{error}");
    }
}
