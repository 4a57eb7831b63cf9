//! Attaches the packet programs to devices, at tc ingress, where they stay when the daemon goes.
//!
//! Since Linux 6.6 a device takes programs themselves (tcx). Before, it takes them as a filter of clsact, on the way to
//! which a packet passes the kernel's classifiers: 0.14 of the 4.6 µs that a small datagram was measured to take. Of
//! both, tcx comes first, and its verdict is the last.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use libbpf_rs::{Error, ErrorKind, TC_EGRESS, TC_INGRESS, TcHook, libbpf_sys};

use crate::error::FabricError;

/// Put a program at the ingress of a device of this thread's namespace; the one before, if there is one,
/// is replaced between two packets.
pub(crate) fn attach(program: BorrowedFd<'_>, device: u32) -> Result<(), FabricError> {
    let attached = match attached(device) {
        Ok(before) => put(program, device, before.as_ref()).map(|()| {
            // A build that knew no tcx may have left a filter. No packet comes to it any more, so that it does not
            // matter if it stays.
            if before.is_none() {
                let _ = clsact(device).destroy();
            }
        }),
        Err(error) if means_no_tcx(&error) => attach_filter(program, device),
        Err(error) => Err(error),
    };
    attached.map_err(FabricError::bpf(format!("attach the packet program to device {device}")))
}

/// The program that a device has by tcx.
fn attached(device: u32) -> Result<Option<OwnedFd>, Error> {
    let mut id = 0u32;
    let mut options = libbpf_sys::bpf_prog_query_opts {
        sz: size_of::<libbpf_sys::bpf_prog_query_opts>() as u64,
        prog_ids: &raw mut id,
        ..Default::default()
    };
    options.__bindgen_anon_1.count = 1;
    // SAFETY: the kernel writes one program's number at most, as `count` says, and the options.
    answer(unsafe {
        libbpf_sys::bpf_prog_query_opts(device.cast_signed(), libbpf_sys::BPF_TCX_INGRESS, &raw mut options)
    })?;
    if id == 0 {
        return Ok(None);
    }
    // SAFETY: it takes a number, and returns a descriptor that is nobody else's.
    let descriptor = answer(unsafe { libbpf_sys::bpf_prog_get_fd_by_id(id) })?;
    // SAFETY: as just said.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(descriptor) }))
}

/// Whether the kernel, or the way it was built, does not have tcx: then it knows no such question.
fn means_no_tcx(error: &Error) -> bool {
    error.kind() == ErrorKind::InvalidInput
}

/// Attach by tcx, in place of the program before.
fn put(program: BorrowedFd<'_>, device: u32, before: Option<&OwnedFd>) -> Result<(), Error> {
    let mut options = libbpf_sys::bpf_prog_attach_opts {
        sz: size_of::<libbpf_sys::bpf_prog_attach_opts>() as u64,
        ..Default::default()
    };
    if let Some(before) = before {
        options.flags = libbpf_sys::BPF_F_REPLACE;
        options.__bindgen_anon_1.replace_prog_fd = before.as_raw_fd();
    }
    // SAFETY: the options are read, and both descriptors are open until it returns.
    let attached = answer(unsafe {
        libbpf_sys::bpf_prog_attach_opts(
            program.as_raw_fd(),
            device.cast_signed(),
            libbpf_sys::BPF_TCX_INGRESS,
            &raw const options,
        )
    });
    match attached {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        attached => attached.map(|_| ()),
    }
}

/// What libbpf's functions return: less than zero is an error.
fn answer(result: RawFd) -> Result<RawFd, Error> {
    if result < 0 { Err(Error::from_raw_os_error(-result)) } else { Ok(result) }
}

fn attach_filter(program: BorrowedFd<'_>, device: u32) -> Result<(), Error> {
    let mut hook = TcHook::new(program);
    hook.ifindex(device.cast_signed()).attach_point(TC_INGRESS).handle(1).priority(1).replace(true);
    hook.create().and_then(|mut hook| hook.attach()).map(|_| ())
}

/// clsact itself. It takes no program: any file will do for one.
fn clsact(device: u32) -> TcHook {
    let mut hook = TcHook::new(std::io::stdin().as_fd());
    hook.ifindex(device.cast_signed()).attach_point(TC_INGRESS | TC_EGRESS);
    hook
}

/// See whether a device of this thread's namespace would take a program.
pub(crate) fn try_device(device: u32) -> Result<(), FabricError> {
    let taken = match attached(device) {
        Err(error) if means_no_tcx(&error) => clsact(device).create().map(|_| ()),
        taken => taken.map(|_| ()),
    };
    taken.map_err(FabricError::bpf(format!("see what programs device {device} takes")))
}
