//! What is asked of a policy.

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

/// What a principal is.
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
