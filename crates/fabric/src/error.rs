//! What can go wrong, with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the fabric could not do something.
#[derive(Debug, thiserror::Error)]
pub enum FabricError {
    /// The process may not do what the packet path needs.
    #[error(
        "no privileges for the packet path: {missing} missing; run linkway as root, or with these capabilities"
    )]
    Privileges {
        /// Names of the capabilities, such as `CAP_BPF`.
        missing: String,
    },
    /// A name that namespaces and directories cannot have.
    #[error(
        "the name {name:?} cannot be used: a name has 1 to 32 of a-z, 0-9 and -, begins with a letter, and \
         does not end in -svc"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// Tables of another layout are pinned under this name.
    #[error(
        "{} was left by another version of linkway (this one keeps {wanted}): stop that one and run \
         `linkway down --name {name}`, which cuts open connections, then start again",
        directory.display()
    )]
    OtherVersion {
        /// The directory of the other version.
        directory: PathBuf,
        /// The directory's name for this version.
        wanted: String,
        /// The fabric's name.
        name: String,
    },
    /// The programs could not be loaded, or the pinned tables not be reused.
    #[error("cannot load the packet programs with the tables in {}: {source}; `linkway doctor` says what this machine lacks, and `linkway down` removes tables that do not fit", directory.display())]
    Load {
        /// Where the tables are pinned.
        directory: PathBuf,
        /// libbpf's error.
        source: libbpf_rs::Error,
    },
    /// Something else that was asked of libbpf.
    #[error("cannot {action}: {source}")]
    Bpf {
        /// What was tried.
        action: String,
        /// libbpf's error.
        source: libbpf_rs::Error,
    },
    /// A row of a kernel table could not be read or written.
    #[error("cannot {action} {key} of the kernel's table {table:?}: {source}")]
    Table {
        /// `write`, `remove` or `read`.
        action: &'static str,
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// libbpf's error; `Argument list too long` where the table is full.
        source: libbpf_rs::Error,
    },
    /// A request to the kernel's network configuration failed.
    #[error("cannot {action}: {source}")]
    Netlink {
        /// What was tried.
        action: String,
        /// The kernel's answer.
        source: rtnetlink::Error,
    },
    /// The device that was named as the uplink is not there, or cannot be one.
    #[error(
        "--uplink {interface}: this host has no such network device, or none that can be a way out: `ip link` lists them"
    )]
    NoUplink {
        /// What was given.
        interface: String,
    },
    /// The host's nftables could not be set up for the uplink.
    #[error("cannot set up nftables for the uplink: {problem}")]
    Nft {
        /// What `nft` says.
        problem: String,
    },
    /// The namespace that an interface is to be in is not there.
    #[error("there is no network namespace at {} any more: detach the interface, or bring it back", path.display())]
    NamespaceGone {
        /// Where it was.
        path: PathBuf,
    },
    /// An interface is to be in the host's own namespace.
    #[error("{} is the host's own network namespace, which linkway leaves as it is: name a container's", path.display())]
    HostNamespace {
        /// What was given.
        path: PathBuf,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl FabricError {
    /// For `map_err`: the operating system refused to `action` at `path`.
    pub(crate) fn io<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        move |error| Self::Io { action, path: path.to_owned(), source: error.into() }
    }

    /// For `map_err`: libbpf failed to `action`.
    pub(crate) fn bpf(action: impl Into<String>) -> impl FnOnce(libbpf_rs::Error) -> Self {
        move |source| Self::Bpf { action: action.into(), source }
    }

    /// For `map_err`: the kernel refused to `action`.
    pub(crate) fn netlink(action: impl Into<String>) -> impl FnOnce(rtnetlink::Error) -> Self {
        move |source| Self::Netlink { action: action.into(), source }
    }
}
