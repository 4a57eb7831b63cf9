//! What a request to one of the services here needs to be allowed.

use std::collections::BTreeMap;

use linkway_actions::{Operation, Parameters, RequestHead, Scope, authorize, identify};
use linkway_model::Snapshot;
use linkway_model::iam::{Group, InstanceProfile, Named, Role, User};
use linkway_wire::{Params, Protocol, Service};

use super::{Actor, ResourceKeys, actor, indirect};
use crate::Caller;
use crate::iam::arn;

/// One action, its resources, and the keys that the request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Such as `ec2:DeleteVpc`.
    pub action: String,
    /// Each must be allowed. Never empty.
    pub resources: Vec<Resource>,
    /// By key, as `aws:RequestTag/team`, the values.
    pub context: BTreeMap<String, Vec<String>>,
}

/// What an action is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its ARN, or `*`.
    pub arn: String,
    /// Whether nobody knows which it is: a statement that names resources must not allow it, and must deny it.
    pub unknown: bool,
    /// Its own condition keys, as the state has it.
    pub keys: ResourceKeys,
}

impl Resource {
    /// One that is there, or that a request names though it is not.
    pub(crate) fn named(state: &Snapshot, arn: String) -> Self {
        Self { keys: ResourceKeys::of(state, &arn), arn, unknown: false }
    }
}

/// What `operation` needs, whose request is served in a region for an account: what the request tells, and of the
/// resources that it names, what the state tells.
pub fn needs_of(
    state: &Snapshot,
    operation: &Operation,
    parameters: &Parameters<'_>,
    scope: &Scope<'_>,
) -> Vec<Need> {
    let needs = authorize(operation, parameters, scope).into_iter();
    let needs = needs.map(|need| {
        let named = |resource: linkway_actions::Resource| match resource.unknown {
            true => Resource { arn: resource.arn, unknown: true, keys: ResourceKeys::default() },
            false => Resource::named(state, resource.arn),
        };
        let mut resources: Vec<Resource> = need.resources.into_iter().map(named).collect();
        if operation.iam_prefix() == "ec2" {
            indirect::complete(state, operation.name(), parameters, scope, &mut resources);
        }
        Need { action: need.action, resources, context: need.context }
    });
    needs.collect()
}

/// What a request needs. One that the tables do not know needs the action of its name, on a resource that nobody
/// knows.
pub(super) fn of(state: &Snapshot, caller: &Caller, head: &RequestHead<'_>) -> Vec<Need> {
    let service = head.signing_name.unwrap_or_default();
    let mut form = Params::parse(head.query.as_bytes()).unwrap_or_default();
    let speaks_json = Service::from_signing_name(service)
        .is_some_and(|service| matches!(service.protocol(), Protocol::Json(_)));
    let read = if speaks_json { Ok(()) } else { form.extend(head.body.unwrap_or_default()) };
    let Some(operation) = identify(head).filter(|_| read.is_ok()) else {
        let action = if speaks_json { target(head) } else { form.get("Action") }.unwrap_or_default();
        let resource = Resource { arn: "*".to_owned(), unknown: true, keys: ResourceKeys::default() };
        let action = format!("{service}:{action}");
        return vec![Need { action, resources: vec![resource], context: BTreeMap::new() }];
    };
    let parameters = Parameters::read(&operation, head);
    let scope = Scope { partition: "aws", region: &caller.region, account: Some(caller.account.as_str()) };
    let mut needs = needs_of(state, &operation, &parameters, &scope);
    if service == "iam" {
        for need in &mut needs {
            for resource in need.resources.iter_mut().filter(|resource| resource.unknown) {
                if let Some(arn) = whole(state, caller, &form, &need.action) {
                    *resource = Resource::named(state, arn);
                }
            }
        }
    }
    needs
}

/// The operation that a request by JSON names.
fn target<'a>(head: &RequestHead<'a>) -> Option<&'a str> {
    let (_, target) = head.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amz-target"))?;
    str::from_utf8(target).ok()?.rsplit('.').next()
}

/// What an operation of IAM's is about, by a part of its name, the first that fits: the member that names it, and its
/// type. Another member that happens to be there means nothing.
const ABOUT: [(&str, &str, &str); 7] = [
    ("GroupsForUser", "UserName", "user"),
    ("InstanceProfilesForRole", "RoleName", "role"),
    ("Group", "GroupName", "group"),
    ("InstanceProfile", "InstanceProfileName", "instance-profile"),
    ("Role", "RoleName", "role"),
    ("User", "UserName", "user"),
    ("AccessKey", "UserName", "user"),
];

/// The ARN of IAM's resource that requests name without its path, and the caller itself by no name.
fn whole(state: &Snapshot, caller: &Caller, form: &Params, action: &str) -> Option<String> {
    let (_, member, kind) = ABOUT.iter().find(|(part, ..)| action.contains(part))?;
    match (form.get(member), actor(state, caller)) {
        (Some(name), _) => {
            let key = Named::key_of(&caller.account, name);
            let found = match *kind {
                "group" => arn::<Group>(state, &key),
                "instance-profile" => arn::<InstanceProfile>(state, &key),
                "user" => arn::<User>(state, &key),
                _ => arn::<Role>(state, &key),
            };
            // Of what is not there, nobody knows the path: it is denied as if it had none.
            found.or_else(|| Some(format!("arn:aws:iam::{}:{kind}/{name}", caller.account)))
        }
        (None, Actor::User(user)) if *kind == "user" => Some(user.arn()),
        (None, _) => None,
    }
}
