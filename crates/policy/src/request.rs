//! What is asked of a policy.

use std::fmt;
use std::str::FromStr;

use crate::context::Context;

/// A request to be allowed or denied. The context is all there is: nothing is added to it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: Principal<'a>,
    /// The IAM action, for example `s3:GetObject`.
    pub action: &'a str,
    /// The resource's ARN, or `*` for an action without permissions on single resources.
    pub resource: &'a str,
    /// The account that owns the resource, where it is known. No element of a policy reads it: what compares
    /// it is the key `aws:ResourceAccount` of the context. It is here for those who log a decision.
    pub resource_account: Option<&'a str>,
    /// The condition keys.
    pub context: &'a Context<'a>,
}

/// The one who makes a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Principal<'a> {
    /// What it is.
    pub kind: PrincipalKind,
    /// Its ARN; of a service its host name, `cloudtrail.amazonaws.com`; of an identity provider outside IAM
    /// its domain. `None` if it is anonymous.
    pub arn: Option<&'a str>,
    /// The account it belongs to, where it belongs to one and that is known.
    pub account: Option<&'a str>,
    /// Its account's canonical user id, where that is known.
    pub canonical_user: Option<&'a str>,
}

/// What a principal is. As text: `assumed-role` and so on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// Not authenticated, or with a signature that nobody could verify.
    #[default]
    Anonymous,
    /// The root user of an account.
    Root,
    /// An IAM user.
    User,
    /// A session of a role.
    AssumedRole,
    /// A session from `GetFederationToken`.
    FederatedUser,
    /// One who comes with a token of an identity provider.
    Federated,
    /// An AWS service.
    Service,
}

impl PrincipalKind {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Anonymous, "anonymous"),
        (Self::Root, "root"),
        (Self::User, "user"),
        (Self::AssumedRole, "assumed-role"),
        (Self::FederatedUser, "federated-user"),
        (Self::Federated, "federated"),
        (Self::Service, "service"),
    ];
}

impl fmt::Display for PrincipalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.into_iter().find(|(kind, _)| kind == self);
        f.pad(name.map_or("", |(_, name)| name))
    }
}

/// There is no such kind of principal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of principal {0:?}")]
pub struct UnknownPrincipalKind(String);

impl FromStr for PrincipalKind {
    type Err = UnknownPrincipalKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind = Self::ALL.into_iter().find(|(_, name)| *name == text);
        kind.map(|(kind, _)| kind).ok_or_else(|| UnknownPrincipalKind(text.to_owned()))
    }
}
