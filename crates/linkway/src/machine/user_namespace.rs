//! A user namespace whose ids are an unprivileged range of the host's.

use std::fs::{self, File};
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, bail};
use caps::{CapSet, Capability};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, Uid, fork, seteuid};

use crate::machine::directory::IDS;

/// How many processes and threads an instance may have.
const PROCESSES: u64 = 4096;

/// Make one, whose id 0 is the host's `ids`. The caller has no other thread.
///
/// It is made by a process of the user `ids`, which bounds what the instance's users may have all together: the kernel
/// counts the processes of a namespace for its maker, too, within the maker's limit (user_namespaces(7)). That process
/// hands it over open: another user's is not for this one to open.
pub(crate) fn make(ids: u32) -> Result<File> {
    let (ours, theirs) = UnixStream::pair().context("cannot make a socket")?;
    // SAFETY: this process has one thread, so that the child may do what any process may.
    let maker = match unsafe { fork() }.context("cannot start a process")? {
        ForkResult::Child => {
            drop(ours);
            let status = i32::from(hand_over(ids, theirs).is_err());
            // SAFETY: the child has nothing to tidy up, and must not return into its parent's work.
            unsafe { libc::_exit(status) }
        }
        ForkResult::Parent { child } => child,
    };
    drop(theirs);
    let namespace = receive(&ours).and_then(|namespace| {
        map(maker, ids)?;
        Ok(namespace)
    });
    // It waits for this end to be closed.
    drop(ours);
    waitpid(maker, None).context("cannot wait for a process")?;
    namespace
}

fn map(maker: Pid, ids: u32) -> Result<()> {
    let map = format!("0 {ids} {IDS}\n");
    ["uid_map", "gid_map"].into_iter().try_for_each(|file| {
        fs::write(format!("/proc/{maker}/{file}"), &map)
            .with_context(|| format!("cannot write the user namespace's {file}"))
    })
}

/// Make the namespace, hand it over, and stay until it is mapped.
fn hand_over(ids: u32, mut socket: UnixStream) -> Result<()> {
    let made = (|| {
        setrlimit(Resource::RLIMIT_NPROC, PROCESSES, PROCESSES)?;
        seteuid(Uid::from_raw(ids))?;
        // The change of user has put it aside.
        caps::raise(None, CapSet::Effective, Capability::CAP_SYS_ADMIN)?;
        unshare(CloneFlags::CLONE_NEWUSER)?;
        anyhow::Ok(File::open("/proc/self/ns/user")?)
    })();
    match &made {
        Ok(namespace) => {
            let descriptors = [namespace.as_raw_fd()];
            let rights = [ControlMessage::ScmRights(&descriptors)];
            let word = [IoSlice::new(b"made")];
            sendmsg::<()>(socket.as_raw_fd(), &word, &rights, MsgFlags::empty(), None)?;
        }
        Err(error) => socket.write_all(format!("{error:#}").as_bytes())?,
    }
    socket.read_to_end(&mut Vec::new())?;
    made.map(drop)
}

fn receive(socket: &UnixStream) -> Result<File> {
    let mut said = [0; 512];
    let mut room = nix::cmsg_space!([i32; 1]);
    let (length, descriptor) = {
        let mut parts = [IoSliceMut::new(&mut said)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let received = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut room), flags)
            .context("cannot hear of the user namespace")?;
        let descriptor = received.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmRights(descriptors) => descriptors.first().copied(),
            _ => None,
        });
        (received.bytes, descriptor)
    };
    match descriptor {
        // SAFETY: the kernel has just given this descriptor, and nobody else has it.
        Some(descriptor) => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }.into()),
        None => bail!("cannot make a user namespace: {}", String::from_utf8_lossy(&said[..length])),
    }
}
