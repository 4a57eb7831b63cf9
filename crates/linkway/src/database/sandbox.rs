//! What a database server sees of the host's files: programs and libraries, read-only; its own directory; and private,
//! empty places for what is temporary. The host's other data are not there, nor are other databases.

use std::fs::{self, DirBuilder, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};

use crate::instance::attributes::{Attributes, NO_DEVICES, NO_SUID, READ_ONLY};
use crate::instance::files::Files;
use crate::instance::mounts;

/// The server's data, in the sandbox.
pub(crate) const DATA: &str = "/run/database/data";

/// Its configuration.
pub(crate) const CONFIGURATION: &str = "/run/database/conf";

/// Its Unix socket's directory.
pub(crate) const SOCKET: &str = "/run/database/socket";

/// Places that a server may write to and shares with nobody. The host's sockets are in `/run`: another server's
/// too, which takes a user of the same name for its own.
const PRIVATE: [(&str, &str); 4] =
    [("/run", "mode=0755"), ("/tmp", "mode=1777"), ("/var/tmp", "mode=1777"), ("/dev/shm", "mode=1777")];

/// Where distributions have what names a host's name servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What a sandbox is made of.
pub(crate) struct Sandbox<'a> {
    /// The server's data.
    pub(crate) data: &'a Path,
    /// Its configuration.
    pub(crate) configuration: &'a Path,
    /// Its user and group.
    pub(crate) user: (u32, u32),
    /// What is not to be seen.
    pub(crate) hidden: &'a [PathBuf],
}

/// Make it, in the calling process's own mount namespace.
pub(crate) fn set_up(sandbox: &Sandbox<'_>, files: &Files) -> Result<()> {
    // By open directories: their paths may be hidden once they are needed.
    let data = open(sandbox.data)?;
    let configuration = open(sandbox.configuration)?;
    let resolv_conf = fs::read(files.resolv_conf()).context("the database has no resolv.conf")?;
    mounts::set_up(files)?;
    read_only(Path::new("/"))?;

    for (place, options) in PRIVATE {
        if Path::new(place).is_dir() {
            fresh(Path::new(place), options)?;
        }
    }
    keep_resolv_conf(&resolv_conf)?;
    for hidden in sandbox.hidden.iter().filter(|path| path.is_dir()) {
        fresh(hidden, "mode=0700")?;
    }
    for place in [DATA, CONFIGURATION, SOCKET] {
        let mut directory = DirBuilder::new();
        directory
            .recursive(true)
            .mode(0o755)
            .create(place)
            .with_context(|| format!("cannot make {place}"))?;
    }
    bind(&data, DATA)?;
    writable(Path::new(DATA))?;
    bind(&configuration, CONFIGURATION)?;
    let (uid, gid) = sandbox.user;
    chown(SOCKET, Some(uid), Some(gid))
        .and_then(|()| fs::set_permissions(SOCKET, Permissions::from_mode(0o700)))
        .with_context(|| format!("cannot give away {SOCKET}"))
}

/// Where the host's `resolv.conf` is a link into `/run`, its place has just been covered.
fn keep_resolv_conf(contents: &[u8]) -> Result<()> {
    let Ok(target) = fs::read_link(RESOLV_CONF) else { return Ok(()) };
    let target = Path::new("/etc").join(target);
    let writing = || format!("cannot write {}", target.display());
    if Path::new(RESOLV_CONF).exists() {
        return Ok(());
    }
    let above = target.parent().with_context(writing)?;
    fs::create_dir_all(above).and_then(|()| fs::write(&target, contents)).with_context(writing)
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}

fn fresh(place: &Path, options: &str) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), place, Some("tmpfs"), flags, Some(options))
        .with_context(|| format!("cannot cover {}", place.display()))
}

fn bind(directory: &File, target: &str) -> Result<()> {
    let source = format!("/proc/self/fd/{}", directory.as_raw_fd());
    mount(Some(source.as_str()), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .with_context(|| format!("cannot put {target} in place"))
}

/// Nothing is written below `path` from here on, and no program there changes who runs it; but for what is mounted
/// there later.
fn read_only(path: &Path) -> Result<()> {
    Attributes::new(READ_ONLY | NO_SUID, 0)
        .apply_below(path)
        .with_context(|| format!("cannot make {} read-only", path.display()))
}

fn writable(path: &Path) -> Result<()> {
    Attributes::new(NO_SUID | NO_DEVICES, READ_ONLY)
        .apply(path)
        .with_context(|| format!("cannot make {} writable", path.display()))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use linkway_model::InstanceId;
    use linkway_model::database::DbEngine;

    use crate::admin::protocol::Identity;
    use crate::keeper::protocol::Spec;

    /// A database, for tests of what is made of it.
    pub(crate) fn spec() -> Spec {
        Spec {
            resource_id: "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ".into(),
            instance: InstanceId::random(),
            engine: DbEngine::Postgres,
            version: "15.18".into(),
            identity: Identity {
                address: Ipv4Addr::new(10, 0, 1, 5),
                resolver: Ipv4Addr::new(10, 0, 0, 2),
                region: "us-east-1".into(),
            },
            port: 5432,
            dns_name: "shop.abc.us-east-1.rds.amazonaws.com".into(),
            master_username: "app".into(),
            master_password: "only-for-show".into(),
            database: Some("shop".into()),
            parameters: BTreeMap::new(),
        }
    }
}
