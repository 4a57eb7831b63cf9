//! `linkway service`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use linkway_model::aws_service::AwsService;
use linkway_model::service_backend::{Backend, ServiceBackend, Tls, UnknownKeys};

use crate::admin::client::Client;
use crate::admin::protocol::{ListServices, SetService, UnsetService};
use crate::cli::output::Output;
use crate::state_dir::StateDir;

/// What can be done with AWS services.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Say where a service is served, instead of what was said before.
    Set {
        /// Its full name, such as com.amazonaws.us-east-1.s3.
        name: String,
        /// Who answers for it: http://HOST:PORT or https://HOST:PORT as this machine reaches it, or `aws`, its
        /// own public endpoint.
        #[arg(long, value_name = "URL|aws")]
        backend: String,
        /// A file with the certificates, in PEM, that an https:// backend's own must lead to. Those that this
        /// machine trusts if it is not given.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// What becomes of requests that are signed with a key that Linkway does not know.
        #[arg(long, value_enum, value_name = "WHAT", default_value = "reject")]
        unknown_keys: UnknownKeysArgument,
        /// Who ends TLS. Behind passthrough no endpoint policy but full access can be enforced.
        #[arg(long, value_enum, value_name = "HOW", default_value = "terminate")]
        tls: TlsArgument,
    },
    /// List the services with a backend, and those that Linkway serves itself.
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Forget where a service is served. Linkway answers for it itself again, if it can.
    Unset {
        /// Its full name.
        name: String,
    },
}

/// What becomes of requests that are signed with a key that is not known.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum UnknownKeysArgument {
    /// They are refused.
    Reject,
    /// They pass as far as the endpoint's policy lets everyone; their signature is not verified.
    Unverified,
}

/// Who ends TLS.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TlsArgument {
    /// Linkway, with a certificate under its own CA.
    Terminate,
    /// The backend, with its own certificate.
    Passthrough,
}

/// A service as it is listed.
#[derive(serde::Serialize)]
struct Listed {
    service: String,
    /// A URL, `aws` or `linkway`.
    backend: String,
    /// Whether the backend's certificate must lead to a CA of its own.
    ca: bool,
    unknown_keys: UnknownKeys,
    tls: Tls,
}

impl Service {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        let client = Client::new(state);
        match self {
            Self::Set { name, backend, ca, unknown_keys, tls } => {
                let read = |path: PathBuf| {
                    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
                };
                client.call(&SetService {
                    service: name,
                    backend,
                    ca: ca.map(read).transpose()?,
                    unknown_keys: match unknown_keys {
                        UnknownKeysArgument::Reject => UnknownKeys::Reject,
                        UnknownKeysArgument::Unverified => UnknownKeys::Unverified,
                    },
                    tls: match tls {
                        TlsArgument::Terminate => Tls::Terminate,
                        TlsArgument::Passthrough => Tls::Passthrough,
                    },
                })
            }
            Self::List { output } => list(client.call(&ListServices {})?, output),
            Self::Unset { name } => client.call(&UnsetService { service: name }),
        }
    }
}

/// Linkway's own come first: in every region but where a row below says otherwise.
fn list(set: Vec<ServiceBackend>, output: Output) -> Result<()> {
    let own = AwsService::all().iter().filter(|service| service.served_here()).map(|service| Listed {
        service: service.name("{region}"),
        backend: "linkway".into(),
        ca: false,
        unknown_keys: UnknownKeys::Reject,
        tls: Tls::Terminate,
    });
    let rows: Vec<Listed> = own.chain(set.into_iter().map(listed)).collect();
    output.list(&rows, ["SERVICE", "BACKEND", "CA", "UNKNOWN KEYS", "TLS"], |row| {
        let keys = match row.unknown_keys {
            UnknownKeys::Reject => "reject",
            UnknownKeys::Unverified => "unverified",
        };
        let tls = match row.tls {
            Tls::Terminate => "terminate",
            Tls::Passthrough => "passthrough",
        };
        let ca = if row.ca { "own" } else { "-" };
        [row.service.clone(), row.backend.clone(), ca.into(), keys.into(), tls.into()]
    })
}

fn listed(set: ServiceBackend) -> Listed {
    let ServiceBackend { service, backend, unknown_keys, tls } = set;
    let (backend, ca) = match backend {
        Backend::Http { authority } => (format!("http://{authority}"), false),
        Backend::Https { authority, ca } => (format!("https://{authority}"), ca.is_some()),
        Backend::Aws => ("aws".into(), false),
    };
    Listed { service, backend, ca, unknown_keys, tls }
}
