//! The files that an instance has of its own, and the variables that point at them.

use std::fs::{self, Permissions};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use linkway_model::instance::Process;
use serde::{Deserialize, Serialize};

use crate::admin::protocol::Identity;
use crate::state_dir::make_readable;

/// Where distributions keep the certificates that a host trusts, in one file: Debian, Fedora, SUSE, Alpine.
pub(crate) const TRUST_STORES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Variables that SDKs and other programs take the file of trusted certificates from.
const TRUST_VARIABLES: [&str; 4] =
    ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];

/// A boot of an instance that the API starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Boot {
    /// Its number: from 1.
    pub(crate) number: u32,
    /// The machine's own boot that it belongs to.
    machine: String,
}

impl Boot {
    /// One of this number, in the machine's boot that is now.
    pub(crate) fn now(number: u32) -> Result<Self> {
        const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
        let machine = fs::read_to_string(BOOT_ID).with_context(|| format!("cannot read {BOOT_ID}"))?;
        Ok(Self { number, machine: machine.trim().to_owned() })
    }
}

/// An instance's directory of files, `/run/NAME/instances/ID`.
pub(crate) struct Files(PathBuf);

impl Files {
    /// The files in `directory`.
    pub(crate) fn at(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    /// Its `/etc/hosts`.
    pub(crate) fn hosts(&self) -> PathBuf {
        self.0.join("hosts")
    }

    /// Its `/etc/resolv.conf`.
    pub(crate) fn resolv_conf(&self) -> PathBuf {
        self.0.join("resolv.conf")
    }

    /// Its trust store.
    pub(crate) fn ca_bundle(&self) -> PathBuf {
        self.0.join("ca-bundle.crt")
    }

    fn boot(&self) -> PathBuf {
        self.0.join("boot")
    }

    fn process(&self) -> PathBuf {
        self.0.join("process")
    }

    /// Write them, for the CA whose certificate is `ca`.
    pub(crate) fn write(&self, identity: &Identity, ca: &str) -> Result<()> {
        make_readable(&self.0)?;
        let host_store = TRUST_STORES.iter().find_map(|path| fs::read(path).ok()).unwrap_or_default();
        for (path, contents) in [
            (self.hosts(), hosts(identity).into_bytes()),
            (self.resolv_conf(), resolv_conf(identity).into_bytes()),
            (self.ca_bundle(), bundle(host_store, ca)),
        ] {
            fs::write(&path, contents)
                .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o644)))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Note the instance's first process: `linkway down` ends it even where the state is gone.
    pub(crate) fn write_process(&self, process: Process) -> Result<()> {
        fs::write(self.process(), serde_json::to_vec(&process)?)
            .with_context(|| format!("cannot write {}", self.process().display()))
    }

    /// The instance's first process, if one was noted.
    pub(crate) fn read_process(&self) -> Option<Process> {
        serde_json::from_slice(&fs::read(self.process()).ok()?).ok()
    }

    /// Note which boot of the instance its first process is of, before there is one.
    pub(crate) fn write_boot(&self, boot: &Boot) -> Result<()> {
        fs::write(self.boot(), serde_json::to_vec(boot)?)
            .with_context(|| format!("cannot write {}", self.boot().display()))
    }

    /// Which boot of the instance its first process is of, if that was noted.
    pub(crate) fn read_boot(&self) -> Option<Boot> {
        serde_json::from_slice(&fs::read(self.boot()).ok()?).ok()
    }

    /// The variables of the instance's command, and of what `linkway exec` runs in it.
    pub(crate) fn variables(&self) -> [(&'static str, PathBuf); 4] {
        trust_variables(&self.ca_bundle())
    }
}

/// The variables that point programs at a file of trusted certificates.
pub(crate) fn trust_variables(bundle: &Path) -> [(&'static str, PathBuf); 4] {
    TRUST_VARIABLES.map(|name| (name, bundle.to_owned()))
}

/// The host name of an instance: AWS's IP name.
pub(crate) fn host_name(address: Ipv4Addr) -> String {
    format!("ip-{}", address.to_string().replace('.', "-"))
}

/// The domain of a region's instances: AWS's, which is older in one region than in the others.
pub(crate) fn domain(region: &str) -> String {
    match region {
        "us-east-1" => "ec2.internal".to_owned(),
        _ => format!("{region}.compute.internal"),
    }
}

/// An instance's `/etc/hosts`.
pub(crate) fn hosts(identity: &Identity) -> String {
    let Identity { address, region, .. } = identity;
    let name = host_name(*address);
    format!(
        "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{address} {name}.{} {name}\n",
        domain(region)
    )
}

/// An instance's `/etc/resolv.conf`.
pub(crate) fn resolv_conf(identity: &Identity) -> String {
    format!(
        "# The resolver of the instance's VPC.\nsearch {}\nnameserver {}\noptions timeout:2 attempts:5\n",
        domain(&identity.region),
        identity.resolver
    )
}

/// A trust store with one more certificate.
pub(crate) fn bundle(mut store: Vec<u8>, ca: &str) -> Vec<u8> {
    if store.last().is_some_and(|byte| *byte != b'\n') {
        store.push(b'\n');
    }
    store.extend_from_slice(ca.as_bytes());
    store
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(region: &str) -> Identity {
        Identity {
            address: Ipv4Addr::new(10, 0, 1, 5),
            resolver: Ipv4Addr::new(10, 0, 0, 2),
            region: region.into(),
        }
    }

    #[test]
    fn names_are_awss() {
        assert!(hosts(&identity("us-east-1")).contains("10.0.1.5 ip-10-0-1-5.ec2.internal ip-10-0-1-5\n"));
        assert!(hosts(&identity("eu-west-1")).contains("ip-10-0-1-5.eu-west-1.compute.internal"));
        let text = resolv_conf(&identity("eu-west-1"));
        assert!(text.contains("search eu-west-1.compute.internal\nnameserver 10.0.0.2\n"), "{text}");
    }

    #[test]
    fn a_store_without_a_last_newline_is_not_run_together_with_ours() {
        assert_eq!(bundle(b"host".to_vec(), "ours\n"), b"host\nours\n");
        assert_eq!(bundle(Vec::new(), "ours\n"), b"ours\n");
    }

    #[test]
    fn files_and_process_are_written_for_all_to_read() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::at(&directory.path().join("instances/i-1"));
        files.write(&identity("us-east-1"), "ours\n").unwrap();
        let mode = fs::metadata(files.ca_bundle()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(files.read_process(), None);
        let process = Process { pid: 7, start_time: 8 };
        files.write_process(process).unwrap();
        assert_eq!(files.read_process(), Some(process));
    }
}
