//! `AssumeRole`: credentials of a role, for whom its trust policy lets have them.

use std::collections::BTreeMap;

use linkway_model::iam::{Named, Role};
use linkway_model::session::{Session, SessionOf};
use linkway_model::{Snapshot, Tags};
use linkway_policy::{Policy, PolicyType, Principal, Request, Verdict};
use linkway_wire::sts::*;

use super::credentials;
use crate::access::{Asked, Need, Resource, session};
use crate::error::IamError;
use crate::iam::{checked_name, checked_tags, constraint};
use crate::{Caller, Control, Error};

/// Seconds that a session lasts at least, and unless the caller says.
const LEAST: i32 = 900;
const USUAL: i32 = 3600;

/// The longest that a session lasts that is made with a role's credentials.
const MOST_IN_CHAIN: i32 = 3600;

pub(super) fn assume(
    control: &Control,
    caller: &Caller,
    input: AssumeRoleRequest,
) -> Result<AssumeRoleResponse, Error> {
    let name = session_name(input.role_session_name.as_deref(), "roleSessionName")?.to_owned();
    let source = input.source_identity.as_deref();
    let source = source.map(|source| session_name(Some(source), "sourceIdentity")).transpose()?;
    if input.serial_number.is_some() || input.token_code.is_some() {
        let message = "MultiFactorAuthentication failed: there are no MFA devices here.";
        return Err(IamError::AccessDenied(message.to_owned()).into());
    }
    let given = checked_tags(input.tags.iter().map(|tag| (tag.key.as_deref(), tag.value.as_deref())))?;
    control.write(None, |tx| {
        let arn = input.role_arn.as_deref().unwrap_or_default();
        let before = session(tx, caller).cloned();
        let (tags, transitive) = chained(before.as_deref(), &given, &input.transitive_tag_keys)?;
        let source = chained_source(before.as_deref(), source)?;
        // A role that is not there is denied as one that is: nobody learns of it.
        let role = find(tx, arn).ok_or_else(|| denied(caller, "sts:AssumeRole", arn))?.clone();
        let trust = Trust {
            asked: control.asked(tx, caller),
            role: &role,
            resource: Resource::named(tx, role.arn()),
            context: keys(&input, &name, &given),
        };
        trust.require("sts:AssumeRole")?;
        if !given.is_empty() {
            trust.require("sts:TagSession")?;
        }
        if input.source_identity.is_some() {
            trust.require("sts:SetSourceIdentity")?;
        }
        let chain = before.as_ref().is_some_and(|before| matches!(before.of, SessionOf::Role { .. }));
        let seconds = seconds(input.duration_seconds, &role, chain)?;

        let Named { account, name: role_name, id, key, .. } = &role.named;
        let of = SessionOf::Role { key: key.clone(), id: id.clone(), arn: role.arn() };
        let mut made = credentials::new(account, of, control.now(), seconds);
        made.principal = format!("arn:aws:sts::{account}:assumed-role/{role_name}/{name}");
        made.user_id = format!("{id}:{name}");
        let inline = input.policy.as_ref().map(String::len);
        let of_role = Caller { account: account.clone(), ..caller.clone() };
        made.policies = credentials::policies(tx, &of_role, input.policy.clone(), &input.policy_arns)?;
        made.tags = tags;
        made.transitive = transitive;
        made.source_identity = source.clone();
        let answer = AssumeRoleResponse {
            assumed_role_user: Some(AssumedRoleUser {
                arn: Some(made.principal.clone()),
                assumed_role_id: Some(made.user_id.clone()),
            }),
            credentials: Some(credentials::shape(&made)),
            packed_policy_size: credentials::packed(inline, &given),
            source_identity: source,
        };
        let used = (made.created, caller.region.clone());
        tx.update::<Role>(key, |role| role.last_used = Some(used));
        credentials::keep(tx, made);
        Ok(answer)
    })
}

fn session_name<'a>(name: Option<&'a str>, member: &str) -> Result<&'a str, Error> {
    let name = checked_name(name.unwrap_or_default(), member, 64)?;
    if name.len() < 2 {
        return Err(constraint(name, member, "Member must have length greater than or equal to 2"));
    }
    Ok(name)
}

/// The role of an ARN, with its path and in its letters.
fn find<'a>(state: &'a Snapshot, arn: &str) -> Option<&'a std::sync::Arc<Role>> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", "aws", "iam", "", account, resource] = &parts[..] else { return None };
    let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
    let role = state.get::<Role>(Named::key_of(&account.parse().ok()?, name))?;
    (role.arn() == arn).then_some(role)
}

/// The tags of a session that is made with another one, and those of their keys that go on.
fn chained(
    before: Option<&Session>,
    given: &Tags,
    transitive: &[String],
) -> Result<(Tags, Vec<String>), Error> {
    let mut tags = Tags::new();
    let mut keys = transitive.to_vec();
    if let Some(before) = before {
        for key in &before.transitive {
            if given.keys().any(|own| own.eq_ignore_ascii_case(key)) {
                let message = "One of the specified transitive tag keys can't be set because it conflicts with a \
                               transitive tag key from the calling session.";
                return Err(IamError::Validation(message.to_owned()).into());
            }
            if let Some(value) = before.tags.get(key) {
                tags.insert(key.clone(), value.clone());
                keys.push(key.clone());
            }
        }
    }
    tags.extend(given.clone());
    if let Some(key) = keys.iter().find(|key| !tags.contains_key(*key)) {
        let message =
            format!("The specified transitive tag key {key} must be included in the requested tags.");
        return Err(IamError::Validation(message).into());
    }
    Ok((tags, keys))
}

/// Who somebody is stays the same all along the chain.
fn chained_source(before: Option<&Session>, given: Option<&str>) -> Result<Option<String>, Error> {
    let before = before.and_then(|before| before.source_identity.clone());
    match (before, given) {
        (Some(before), Some(given)) if before != given => {
            let message = "The source identity of the calling session cannot be changed.";
            Err(IamError::Validation(message.to_owned()).into())
        }
        (before, given) => Ok(before.or_else(|| given.map(str::to_owned))),
    }
}

fn seconds(given: Option<i32>, role: &Role, chain: bool) -> Result<i32, Error> {
    let seconds = given.unwrap_or(USUAL);
    let message = match seconds {
        _ if seconds < LEAST => {
            let rule = format!("Member must have value greater than or equal to {LEAST}");
            return Err(constraint(&seconds.to_string(), "durationSeconds", &rule));
        }
        _ if chain && seconds > MOST_IN_CHAIN => {
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        }
        _ if seconds > role.max_session => {
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        }
        _ => return Ok(seconds),
    };
    Err(IamError::Validation(message.to_owned()).into())
}

/// The condition keys that the request carries.
fn keys(input: &AssumeRoleRequest, name: &str, tags: &Tags) -> BTreeMap<String, Vec<String>> {
    let mut keys = BTreeMap::new();
    let mut put = |key: &str, values: Vec<String>| {
        if !values.is_empty() {
            keys.insert(key.to_owned(), values);
        }
    };
    put("sts:RoleSessionName", vec![name.to_owned()]);
    put("sts:ExternalId", input.external_id.clone().into_iter().collect());
    put("sts:SourceIdentity", input.source_identity.clone().into_iter().collect());
    put("sts:TransitiveTagKeys", input.transitive_tag_keys.clone());
    put("aws:TagKeys", tags.keys().cloned().collect());
    for (key, value) in tags {
        put(&format!("aws:RequestTag/{key}"), vec![value.clone()]);
    }
    keys
}

fn denied(caller: &Caller, action: &str, role: &str) -> Error {
    let who = &caller.principal;
    let message = format!("User: {who} is not authorized to perform: {action} on resource: {role}");
    IamError::AccessDenied(message).into()
}

/// A caller before a role.
struct Trust<'a> {
    asked: Asked<'a>,
    role: &'a Role,
    resource: Resource,
    context: BTreeMap<String, Vec<String>>,
}

impl Trust<'_> {
    /// The trust policy must let the caller do it. That is enough where it names the caller itself, and both are of
    /// one account; else the caller's own policies must allow it too. A deny in either denies.
    ///
    /// Source: "Policy evaluation logic" in AWS's IAM user guide. On AWS no root assumes roles.
    fn require(&self, action: &str) -> Result<(), Error> {
        let Self { asked, role, resource, context } = self;
        let arn = &resource.arn;
        let need =
            Need { action: action.to_owned(), resources: vec![resource.clone()], context: context.clone() };
        let own = asked.may(&need);
        if let Err(denied) = &own
            && denied.verdict == Verdict::ExplicitDeny
        {
            return Err(IamError::AccessDenied(denied.sentence.clone()).into());
        }
        let policy = Policy::parse_trust(&role.trust).map_err(|_| denied(asked.caller, action, arn))?;
        let mut keys = asked.context(&need);
        resource.keys.put_in(&mut keys);
        let principal = asked.principal();
        let request = Request {
            principal,
            action,
            resource: arn,
            resource_account: Some(role.named.account.as_str()),
            context: &keys,
        };
        let trusted = policy.evaluate(&request);
        if trusted.verdict == Verdict::ExplicitDeny {
            let why = trusted.denial_by(PolicyType::Trust, action).unwrap_or_default();
            let who = &asked.caller.principal;
            let message =
                format!("User: {who} is not authorized to perform: {action} on resource: {arn} {why}");
            return Err(IamError::AccessDenied(message).into());
        }
        // Without an account, only what names the caller itself matches.
        let itself = Request { principal: Principal { account: None, ..principal }, ..request };
        let by_name = asked.caller.account == role.named.account && policy.evaluate(&itself).is_allowed();
        if trusted.is_allowed() && (by_name || own.is_ok()) {
            return Ok(());
        }
        Err(match own {
            // The role trusts its account, which does not let the caller.
            Err(denied) if trusted.is_allowed() => IamError::AccessDenied(denied.sentence).into(),
            _ => denied(asked.caller, action, arn),
        })
    }
}
