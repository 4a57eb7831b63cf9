//! Instances: a command's namespaces, files and processes.
//!
//! `linkway run` starts the *init*, a process of this same binary, which is process 1 of a new PID namespace. The
//! init makes the other namespaces, mounts the instance's own files, starts the command, passes signals on to it
//! and ends with its status; the kernel then ends whatever is left in the namespace. So an instance is one
//! process to watch and one to kill.

pub(crate) mod attributes;
pub(crate) mod files;
pub(crate) mod init;
pub(crate) mod mounts;
pub(crate) mod namespaces;
pub(crate) mod process;
pub(crate) mod wait;
