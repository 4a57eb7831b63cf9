//! Instances that the API starts: their file systems, their boundaries and their first processes.
//!
//! Whoever holds a key of the API says what such an instance runs, so it is kept from the host as far as Linux can:
//! its root is an unprivileged user of the host, of a range of ids that no other instance has ([`directory`]), with
//! few capabilities and without a part of the system calls ([`confine`]); it has namespaces of its own, and of the
//! host's files it sees what a base of programs takes ([`base`], [`mounts`]). `docs/security.md` says what that keeps
//! apart, and what it does not.
//!
//! The keeper's worker starts [`boot`], which has the host's rights, makes the boundaries, and then forks the
//! [`init`]: process 1 of the instance, which has none of them, and stays.

pub(crate) mod base;
pub(crate) mod boot;
pub(crate) mod confine;
pub(crate) mod directory;
pub(crate) mod first_boot;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod mounts;
pub(crate) mod user_namespace;
