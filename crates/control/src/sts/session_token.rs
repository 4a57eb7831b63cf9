//! `GetSessionToken` and `GetFederationToken`: temporary credentials of the caller's own.

use linkway_model::session::SessionOf;
use linkway_wire::sts::*;

use super::credentials;
use crate::access::{Actor, actor, session};
use crate::error::IamError;
use crate::iam::{checked_name, checked_tags};
use crate::{Caller, Control, Error};

/// Seconds that credentials last: at least, unless the caller says, at most; and at most for a root.
const LEAST: i32 = 900;
const USUAL: i32 = 43_200;
const MOST: i32 = 129_600;
const MOST_OF_ROOT: i32 = 3600;

/// Characters of a federated user's policy, by the API's model.
const MAX_POLICY: usize = 2048;

/// The caller's user, by key, or root. Temporary credentials do not make others this way.
fn lasting(
    state: &linkway_model::Snapshot,
    caller: &Caller,
    operation: &str,
) -> Result<Option<String>, Error> {
    if session(state, caller).is_some() {
        let message = format!("Cannot call {operation} with session credentials");
        return Err(IamError::AccessDenied(message).into());
    }
    match actor(state, caller) {
        Actor::Root => Ok(None),
        Actor::User(user) => Ok(Some(user.named.key.clone())),
        Actor::Session(_) | Actor::Nobody => Err(IamError::InvalidClientTokenId.into()),
    }
}

fn seconds(given: Option<i32>, is_root: bool) -> Result<i32, Error> {
    let most = if is_root { MOST_OF_ROOT } else { MOST };
    let seconds = given.unwrap_or(USUAL);
    let rule = match seconds {
        _ if seconds < LEAST => format!("Member must have value greater than or equal to {LEAST}"),
        _ if seconds > MOST => format!("Member must have value less than or equal to {MOST}"),
        // A root asks for what it likes, and gets an hour.
        _ => return Ok(seconds.min(most)),
    };
    Err(crate::iam::constraint(&seconds.to_string(), "durationSeconds", &rule))
}

pub(super) fn get(
    control: &Control,
    caller: &Caller,
    input: GetSessionTokenRequest,
) -> Result<GetSessionTokenResponse, Error> {
    if input.serial_number.is_some() || input.token_code.is_some() {
        let message = "MultiFactorAuthentication failed: there are no MFA devices here.";
        return Err(IamError::AccessDenied(message.to_owned()).into());
    }
    control.write(None, |tx| {
        let user = lasting(tx, caller, "GetSessionToken")?;
        let seconds = seconds(input.duration_seconds, user.is_none())?;
        let mut session =
            credentials::new(&caller.account, SessionOf::SameAs { user }, control.now(), seconds);
        session.principal = caller.principal.clone();
        session.user_id = caller.user_id.clone();
        let shape = credentials::shape(&session);
        credentials::keep(tx, session);
        Ok(GetSessionTokenResponse { credentials: Some(shape) })
    })
}

pub(super) fn federate(
    control: &Control,
    caller: &Caller,
    input: GetFederationTokenRequest,
) -> Result<GetFederationTokenResponse, Error> {
    let name = checked_name(input.name.as_deref().unwrap_or_default(), "name", 32)?;
    if name.len() < 2 {
        let rule = "Member must have length greater than or equal to 2";
        return Err(crate::iam::constraint(name, "name", rule));
    }
    if let Some(policy) = input.policy.as_ref().filter(|policy| policy.chars().count() > MAX_POLICY) {
        let rule = format!("Member must have length less than or equal to {MAX_POLICY}");
        return Err(crate::iam::constraint(policy, "policy", &rule));
    }
    let tags = checked_tags(input.tags.iter().map(|tag| (tag.key.as_deref(), tag.value.as_deref())))?;
    let account = &caller.account;
    control.write(None, |tx| {
        let user = lasting(tx, caller, "GetFederationToken")?;
        let seconds = seconds(input.duration_seconds, user.is_none())?;
        let inline = input.policy.as_ref().map(String::len);
        let policies = credentials::policies(tx, caller, input.policy, &input.policy_arns)?;
        let mut session = credentials::new(account, SessionOf::Federated { user }, control.now(), seconds);
        session.principal = format!("arn:aws:sts::{account}:federated-user/{name}");
        session.user_id = format!("{account}:{name}");
        session.policies = policies;
        session.tags = tags;
        let answer = GetFederationTokenResponse {
            credentials: Some(credentials::shape(&session)),
            federated_user: Some(FederatedUser {
                arn: Some(session.principal.clone()),
                federated_user_id: Some(session.user_id.clone()),
            }),
            packed_policy_size: credentials::packed(inline, &session.tags),
        };
        credentials::keep(tx, session);
        Ok(answer)
    })
}
