//! What a request to one of the services here needs to be allowed.

use std::collections::BTreeMap;

use linkway_actions::{Parameters, RequestHead, Resource, Scope, authorize, identify};
use linkway_model::Snapshot;
use linkway_model::iam::{Group, InstanceProfile, Named, Role, User};
use linkway_wire::{Params, Protocol, Service};

use super::{Actor, actor};
use crate::iam::arn;
use crate::{Caller, Error};

/// One action, its resources, and the keys that the request carries.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) action: String,
    pub(crate) resources: Vec<Resource>,
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

/// What a request needs. One that the tables do not know needs the action of its name, on a resource that nobody
/// knows.
pub(super) fn of(state: &Snapshot, caller: &Caller, head: &RequestHead<'_>) -> Result<Vec<Need>, Error> {
    let service = head.signing_name.unwrap_or_default();
    let mut form = Params::parse(head.query.as_bytes()).unwrap_or_default();
    let speaks_json = Service::from_signing_name(service)
        .is_some_and(|service| matches!(service.protocol(), Protocol::Json(_)));
    let read = if speaks_json { Ok(()) } else { form.extend(head.body.unwrap_or_default()) };
    let Some(operation) = identify(head).filter(|_| read.is_ok()) else {
        let action = if speaks_json { target(head) } else { form.get("Action") }.unwrap_or_default();
        let resources = vec![Resource { arn: "*".to_owned(), unknown: true }];
        let action = format!("{service}:{action}");
        return Ok(vec![Need { action, resources, context: BTreeMap::new() }]);
    };
    let parameters = Parameters::read(&operation, head);
    let scope = Scope { partition: "aws", region: &caller.region, account: Some(caller.account.as_str()) };
    let needs = authorize(&operation, &parameters, &scope).into_iter().map(|need| Need {
        action: need.action,
        resources: need.resources,
        context: need.context,
    });
    let mut needs: Vec<Need> = needs.collect();
    if service == "iam" {
        for need in &mut needs {
            for resource in &mut need.resources {
                *resource = whole(state, caller, &form, &need.action, resource);
            }
        }
    }
    Ok(needs)
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

/// IAM's resources as they are called in full: requests name them without their paths, and the caller by no name.
fn whole(state: &Snapshot, caller: &Caller, form: &Params, action: &str, resource: &Resource) -> Resource {
    let about = ABOUT.iter().find(|(part, ..)| action.contains(part));
    let Some((_, member, kind)) = about.filter(|_| resource.unknown) else { return resource.clone() };
    let found = match (form.get(member), actor(state, caller)) {
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
    };
    found.map_or_else(|| resource.clone(), |arn| Resource { arn, unknown: false })
}
