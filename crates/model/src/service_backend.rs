//! Where AWS services are served, as the operator of this installation says.

use serde::{Deserialize, Serialize};

/// Where one AWS service is served, in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceBackend {
    /// The service's full name, such as `com.amazonaws.us-east-1.s3`.
    pub service: String,
    /// Where it is.
    pub backend: Backend,
    /// What becomes of requests that are signed with a key that is not known.
    pub unknown_keys: UnknownKeys,
    /// Who ends TLS.
    pub tls: Tls,
}

/// A server that answers for a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Backend {
    /// A server that speaks HTTP.
    Http {
        /// Its host and port, as the host's network reaches it: `127.0.0.1:9000`.
        authority: String,
    },
    /// A server that speaks HTTPS.
    Https {
        /// Its host and port.
        authority: String,
        /// Certificates that its own must lead to, in PEM. `None`: those that the host trusts.
        ca: Option<String>,
    },
    /// The service's own public endpoint, for hosts that have a way there.
    Aws,
}

/// What becomes of requests that are signed with a key that is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownKeys {
    /// They are refused.
    #[default]
    Reject,
    /// They pass as far as the policy lets everyone.
    Unverified,
}

/// Who ends TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// The gateway, with certificates under Linkway's own CA.
    #[default]
    Terminate,
    /// The backend, with a certificate of its own: nobody on the way sees a request, so no policy but full access
    /// can be enforced.
    Passthrough,
}
