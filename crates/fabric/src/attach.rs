//! Attaches the packet programs to devices: at tc ingress, by a clsact filter, which works on every kernel
//! from 4.5 on and stays when the daemon goes.

use std::os::fd::{AsFd, BorrowedFd};

use libbpf_rs::{TC_INGRESS, TcHook};

use crate::error::FabricError;

/// Put a program at the ingress of a device of this thread's namespace; the one before, if there is one,
/// is replaced between two packets.
pub(crate) fn attach(program: BorrowedFd<'_>, device: u32) -> Result<(), FabricError> {
    let mut hook = TcHook::new(program);
    hook.ifindex(device.cast_signed()).attach_point(TC_INGRESS).handle(1).priority(1).replace(true);
    hook.create()
        .and_then(|mut hook| hook.attach())
        .map(|_| ())
        .map_err(FabricError::bpf(format!("attach the packet program to device {device}")))
}

/// Give a device of this thread's namespace what programs are attached to.
pub(crate) fn add_clsact(device: u32) -> Result<(), FabricError> {
    // The hook alone takes no program: any file will do for one.
    let mut hook = TcHook::new(std::io::stdin().as_fd());
    hook.ifindex(device.cast_signed()).attach_point(TC_INGRESS);
    hook.create().map(|_| ()).map_err(FabricError::bpf(format!("add clsact to device {device}")))
}
