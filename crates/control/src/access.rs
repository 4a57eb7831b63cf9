//! What a caller may do: the policies that are about it, asked before an operation runs.
//!
//! Source: "Policy evaluation logic" in AWS's IAM user guide: an explicit deny in any policy denies; else the
//! boundary, the session's policies and the identity's own must each allow. A root may do all in its account.

mod documents;
mod indirect;
mod needs;
mod pass_role;
mod resource_keys;

use std::sync::Arc;

use linkway_actions::RequestHead;
use linkway_model::account::AccessKey;
use linkway_model::iam::{Role, User};
use linkway_model::session::{Session, SessionOf};
use linkway_model::{Snapshot, Timestamp};
use linkway_policy::{Context, PolicyType, Principal, PrincipalKind, Request, Verdict};

pub(crate) use self::documents::Compiled;
use self::documents::{Documents, Layer};
pub use self::needs::{Need, Resource, needs_of};
pub use self::resource_keys::ResourceKeys;
use crate::error::IamError;
use crate::identity::{self, Identity};
use crate::{Caller, Control, Error};

/// Whose permissions a caller has.
#[derive(Debug)]
pub(crate) enum Actor {
    /// The account's root, or the command line.
    Root,
    /// A user.
    User(Arc<User>),
    /// Temporary credentials, other than a user's or root's own.
    Session(Arc<Session>),
    /// One who is no more.
    Nobody,
}

/// Whose permissions a caller has.
pub(crate) fn actor(state: &Snapshot, caller: &Caller) -> Actor {
    let Some(id) = &caller.access_key_id else { return Actor::Root };
    let user = |user: Option<&String>| match user {
        None => Actor::Root,
        Some(key) => state.get::<User>(key).map_or(Actor::Nobody, |user| Actor::User(Arc::clone(user))),
    };
    if let Some(key) = state.get::<AccessKey>(id) {
        return user(key.user_key.as_ref());
    }
    match state.get::<Session>(id) {
        None => Actor::Nobody,
        Some(session) => match &session.of {
            SessionOf::SameAs { user: of } => user(of.as_ref()),
            _ => Actor::Session(Arc::clone(session)),
        },
    }
}

/// The caller's temporary credentials, if it signed with such.
pub(crate) fn session<'a>(state: &'a Snapshot, caller: &Caller) -> Option<&'a Arc<Session>> {
    state.get::<Session>(caller.access_key_id.as_ref()?)
}

/// What needs no permission, and what its own operation decides on: with the role's trust policy, and with what a
/// launch comes to.
const NOT_ASKED: [&str; 6] = [
    "ec2:RunInstances",
    "sts:GetCallerIdentity",
    "sts:GetSessionToken",
    "sts:AssumeRole",
    "sts:TagSession",
    "sts:SetSourceIdentity",
];

impl Control {
    /// Ask whether `caller` may do what a request to one of the services here asks for.
    ///
    /// # Errors
    ///
    /// AWS's denial, in the words of the request's service.
    pub fn authorize(&self, caller: &Caller, head: &RequestHead<'_>) -> Result<(), Error> {
        let state = self.store.snapshot();
        let service = head.signing_name.unwrap_or_default();
        let needs = || needs::of(&state, caller, head);
        if let Some(session) = session(&state, caller) {
            refuse_session(session, service, &needs())?;
        }
        let asked_here = || match needs() {
            needs if needs.iter().any(|need| NOT_ASKED.contains(&need.action.as_str())) => Vec::new(),
            needs => needs,
        };
        self.require(&state, caller, service, asked_here)
    }

    /// Ask whether `caller` may do all of this, in a request to the service with the signing name `service`, in whose
    /// words a denial is.
    ///
    /// # Errors
    ///
    /// AWS's denial.
    pub(crate) fn require(
        &self,
        state: &Snapshot,
        caller: &Caller,
        service: &str,
        needs: impl FnOnce() -> Vec<Need>,
    ) -> Result<(), Error> {
        if matches!(actor(state, caller), Actor::Root) {
            return Ok(());
        }
        let asked = self.asked(state, caller);
        needs().iter().try_for_each(|need| asked.may(need).map_err(|denied| denied.in_words_of(service)))
    }

    /// The policies about a caller, ready to be asked.
    pub(crate) fn asked<'a>(&'a self, state: &'a Snapshot, caller: &'a Caller) -> Asked<'a> {
        let identity = caller.access_key_id.as_ref().and_then(|id| identity::of_key(state, id));
        Asked {
            caller,
            identity: identity.map(|(_, identity)| identity),
            documents: Documents::of(&self.policies, state, &actor(state, caller)),
            issued: session(state, caller).map(|session| session.created),
            now: self.now(),
        }
    }
}

/// What temporary credentials are not taken for.
///
/// Source: "Comparing AWS STS credentials" in AWS's IAM user guide. There are no MFA devices here.
fn refuse_session(session: &Session, service: &str, needs: &[Need]) -> Result<(), Error> {
    let actions = || needs.iter().map(|need| need.action.as_str());
    let own = match session.of {
        SessionOf::Role { .. } => return Ok(()),
        SessionOf::SameAs { .. } => ["sts:GetCallerIdentity", "sts:AssumeRole"].as_slice(),
        SessionOf::Federated { .. } => ["sts:GetCallerIdentity"].as_slice(),
    };
    let also = ["sts:TagSession", "sts:SetSourceIdentity"];
    let taken = |action: &str| own.contains(&action) || also.contains(&action);
    match service {
        "iam" => Err(IamError::InvalidClientTokenId.into()),
        "sts" if !actions().all(taken) => {
            let operation =
                actions().next().and_then(|action| action.split_once(':')).map_or("", |(_, name)| name);
            Err(IamError::AccessDenied(format!("Cannot call {operation} with session credentials")).into())
        }
        _ => Ok(()),
    }
}

/// A caller, and the policies about it.
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) identity: Option<Identity>,
    documents: Documents,
    issued: Option<Timestamp>,
    now: Timestamp,
}

/// AWS's sentence for what is denied.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) sentence: String,
    pub(crate) verdict: Verdict,
}

impl Denied {
    fn in_words_of(self, service: &str) -> Error {
        match service {
            "ec2" => IamError::UnauthorizedOperation(self.sentence).into(),
            "acm" => IamError::AccessDeniedException(self.sentence).into(),
            _ => IamError::AccessDenied(self.sentence).into(),
        }
    }
}

impl Asked<'_> {
    /// Whether it may do all of this, and if not, why.
    pub(crate) fn may(&self, need: &Need) -> Result<(), Denied> {
        let base = self.context(need);
        for resource in &need.resources {
            let mut context = base.clone();
            resource.keys.put_in(&mut context);
            if let Some(owner) = account_of(&resource.arn) {
                context.insert("aws:ResourceAccount", owner);
            }
            let request = Request {
                principal: self.principal(),
                action: &need.action,
                resource: &resource.arn,
                resource_account: None,
                context: &context,
            };
            let (verdict, policy) = self.documents.decide(&request, resource.unknown);
            if verdict != Verdict::Allow {
                let decision = linkway_policy::Decision { verdict, statements: Default::default() };
                let why = decision.denial_by(policy, &need.action).unwrap_or_default();
                let sentence = format!(
                    "User: {} is not authorized to perform: {} on resource: {} {why}",
                    self.caller.principal, need.action, resource.arn
                );
                return Err(Denied { sentence, verdict });
            }
        }
        Ok(())
    }

    /// The caller, as policies know it.
    pub(crate) fn principal(&self) -> Principal<'_> {
        Principal {
            kind: self.identity.as_ref().map_or(PrincipalKind::Root, |identity| identity.kind),
            arn: Some(&self.caller.principal),
            account: Some(self.caller.account.as_str()),
            canonical_user: None,
        }
    }

    /// The keys of a request: the caller's, the request's circumstances, and what the request itself carries.
    pub(crate) fn context<'b>(&'b self, need: &'b Need) -> Context<'b> {
        let Caller { account, principal, user_id, region, circumstances, .. } = self.caller;
        let mut context = Context::new();
        for (key, value) in circumstances {
            context.insert(key.as_str(), value.as_str());
        }
        context.insert("aws:RequestedRegion", region.as_str());
        context.insert("aws:CurrentTime", self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        context.insert("aws:EpochTime", self.now.as_second().to_string());
        context.insert("aws:ViaAWSService", "false");
        context.insert("aws:PrincipalIsAWSService", "false");
        context.insert("aws:PrincipalAccount", account.as_str());
        context.insert("aws:userid", user_id.as_str());
        context.insert("aws:PrincipalArn", principal.as_str());
        if let Some(issued) = self.issued {
            context.insert("aws:TokenIssueTime", issued.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            context.insert("aws:MultiFactorAuthPresent", "false");
        }
        let kind = match self.identity.as_ref().map(|identity| identity.kind) {
            Some(PrincipalKind::User) => "User",
            Some(PrincipalKind::AssumedRole) => "AssumedRole",
            Some(PrincipalKind::FederatedUser) => "FederatedUser",
            _ => "Account",
        };
        context.insert("aws:PrincipalType", kind);
        if let Some(identity) = &self.identity {
            if let Some(role) = &identity.role_arn {
                context.insert("aws:PrincipalArn", role.as_str());
            }
            if let Some(name) = &identity.user_name {
                context.insert("aws:username", name.as_str());
            }
            if let Some(organization) = &identity.organization {
                context.insert("aws:PrincipalOrgID", organization.as_str());
            }
            for (key, value) in &identity.tags {
                context.insert(format!("aws:PrincipalTag/{key}"), value.as_str());
            }
        }
        if need.action.starts_with("ec2:") {
            context.insert("ec2:Region", region.as_str());
        }
        for (key, values) in &need.context {
            match &values[..] {
                [one] => context.insert(key.as_str(), one.as_str()),
                values => context.insert_many(key.as_str(), values.iter().map(String::as_str)),
            }
        }
        context
    }
}

/// The account that an ARN names.
fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| account.len() == 12)
}

/// The layers of policies about an actor; the first that does not allow says why.
fn layers(state: &Snapshot, actor: &Actor) -> Vec<Layer> {
    let identity = Layer::new(PolicyType::Identity);
    match actor {
        Actor::Root => Vec::new(),
        Actor::Nobody => vec![identity],
        Actor::User(user) => of_user(state, user),
        Actor::Session(session) => {
            let mut layers = match &session.of {
                SessionOf::Role { key, id, .. } => match state.get::<Role>(key) {
                    Some(role) if role.named.id == *id => {
                        Layer::of(state, &role.permissions, identity.with(state, &role.permissions))
                    }
                    _ => vec![identity],
                },
                SessionOf::SameAs { user } | SessionOf::Federated { user } => match user {
                    None => Vec::new(),
                    Some(key) => match state.get::<User>(key) {
                        Some(user) => of_user(state, user),
                        None => vec![identity],
                    },
                },
            };
            let federated = matches!(session.of, SessionOf::Federated { .. });
            if federated || !session.policies.is_empty() {
                layers.push(Layer { policy: PolicyType::Session, documents: session.policies.clone() });
            }
            layers
        }
    }
}

fn of_user(state: &Snapshot, user: &User) -> Vec<Layer> {
    let groups = user.groups.iter().filter_map(|key| state.get::<linkway_model::iam::Group>(key));
    let mut identity = Layer::new(PolicyType::Identity).with(state, &user.permissions);
    for group in groups {
        identity = identity.with(state, &group.permissions);
    }
    Layer::of(state, &user.permissions, identity)
}
