//! What can stand against the command line's own operations. AWS has no such; codes are those of IAM where it
//! speaks of the same things.

use linkway_model::AccountId;

/// Why an administrator's operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No account of this number.
    #[error("there is no account {0}; `linkway account list` shows those that exist")]
    AccountNotFound(AccountId),
    /// An account has this number.
    #[error("the account {0} exists already")]
    AccountExists(AccountId),
    /// No key of this id.
    #[error("The Access Key with id {0} cannot be found.")]
    KeyNotFound(String),
    /// A key has this id.
    #[error("the access key {0} exists already")]
    KeyExists(String),
    /// An id or a secret that SDKs could not send, or that says nothing.
    #[error(
        "an access key's id has 1 to 128 letters, digits and underscores, and its secret 1 to 128 visible \
         ASCII characters"
    )]
    UnusableKey,
    /// No name that IAM takes.
    #[error("a user's name has 1 to 64 letters, digits and characters of _+=,.@-")]
    UnusableUser,
    /// No id that Organizations gives.
    #[error("an organization's id is o- and 10 to 32 small letters and digits, such as o-a1b2c3d4e5")]
    UnusableOrganization,
    /// The namespace has a device of this name already, for another interface.
    #[error(
        "the interface {interface} is attached to {path} as {device}; detach it, or choose another device name"
    )]
    DeviceTaken {
        /// The other interface.
        interface: String,
        /// The namespace.
        path: String,
        /// The device.
        device: String,
    },
    /// The container has an interface of this name already, which is in another namespace.
    #[error(
        "the container {container} has {device} in the network {network} already: it is {interface}, in {path}; \
         its runtime has to delete that one (DEL) first"
    )]
    ContainerTaken {
        /// The interface that it has.
        interface: String,
        /// The network's name.
        network: String,
        /// The container's id.
        container: String,
        /// The device.
        device: String,
        /// Where the interface is.
        path: String,
    },
    /// No region of AWS's.
    #[error("there is no region {0}")]
    UnknownRegion(String),
    /// Only what `linkway attach` has made can be detached.
    #[error("the interface {0} is not attached to a network namespace by `linkway attach`")]
    NotAttached(String),
    /// Not the full name of an AWS service.
    #[error(
        "there is no AWS service {0} with interface endpoints; names are full ones, such as \
         com.amazonaws.us-east-1.s3"
    )]
    UnknownService(String),
    /// Not a backend.
    #[error("{0:?} is no backend: it is http://HOST:PORT or https://HOST:PORT, without a path, or aws")]
    UnusableBackend(String),
    /// A CA for a backend that is not an HTTPS URL.
    #[error("a CA is for backends that are https:// URLs only")]
    CaWithoutHttps,
    /// A CA without a certificate.
    #[error("the CA has to be one certificate or several, in PEM")]
    UnusableCa,
    /// Passing TLS through needs TLS at the other end.
    #[error("TLS can be passed through only to a backend that is an https:// URL, or aws")]
    PassthroughWithoutTls,
    /// A CA that nobody would look at.
    #[error("with TLS passed through, clients verify the backend's certificate themselves: leave out the CA")]
    CaOfPassthrough,
    /// An endpoint has a policy that nobody could enforce any more.
    #[error(
        "the endpoint {endpoint} to {service} has a policy other than full access, which nobody can enforce when \
         TLS is passed through; reset the policy first (aws ec2 modify-vpc-endpoint --reset-policy)"
    )]
    PolicyNeedsTls {
        /// The endpoint.
        endpoint: String,
        /// Its service.
        service: String,
    },
    /// A region, or a zone of one, that is to go and that something is in.
    #[error("{place} cannot go: the {kind} {id} is there; delete what is there first, or keep it")]
    PlaceInUse {
        /// The region or zone.
        place: String,
        /// Kind of what is there.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// Not one of the installation's own regions.
    #[error("{0} is no region of this installation's own, so it cannot be forgotten")]
    NoOwnRegion(String),
    /// Not a webhook.
    #[error("{0:?} is no webhook: it is http://HOST:PORT/PATH or https://HOST:PORT/PATH")]
    UnusableWebhook(String),
    /// Not a secret.
    #[error("a webhook's secret has 16 to 256 characters")]
    UnusableSecret,
    /// The topic has no webhook.
    #[error("no webhook is set for {0}")]
    NoWebhook(String),
    /// Nothing was said about where the service is served.
    #[error("no backend is set for {0}")]
    NoBackend(String),
}

impl AdminError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::AccountNotFound(_)
            | Self::KeyNotFound(_)
            | Self::UnknownService(_)
            | Self::UnknownRegion(_)
            | Self::NoOwnRegion(_)
            | Self::NoWebhook(_)
            | Self::NoBackend(_) => "NoSuchEntity",
            Self::AccountExists(_)
            | Self::KeyExists(_)
            | Self::DeviceTaken { .. }
            | Self::ContainerTaken { .. } => "EntityAlreadyExists",
            Self::UnusableKey
            | Self::UnusableUser
            | Self::UnusableOrganization
            | Self::UnusableBackend(_)
            | Self::CaWithoutHttps
            | Self::UnusableCa
            | Self::UnusableWebhook(_)
            | Self::UnusableSecret
            | Self::PassthroughWithoutTls
            | Self::CaOfPassthrough => "ValidationError",
            Self::NotAttached(_) | Self::PolicyNeedsTls { .. } | Self::PlaceInUse { .. } => {
                "OperationNotPermitted"
            }
        }
    }
}
