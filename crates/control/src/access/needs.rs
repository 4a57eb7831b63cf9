//! What a request to one of the services here needs to be allowed.

use std::collections::BTreeMap;

use linkway_actions::{Parameters, RequestHead, Resource, Scope, authorize, identify};
use linkway_model::Snapshot;
use linkway_model::iam::{Group, InstanceProfile, Named, Role, User};
use linkway_wire::Params;

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
    let Some(operation) = identify(head) else {
        let named = Params::parse(head.query.as_bytes()).ok();
        let of_body = head.body.and_then(|body| Params::parse(body).ok());
        let action = [named, of_body]
            .into_iter()
            .flatten()
            .find_map(|params| params.get("Action").map(str::to_owned))
            .unwrap_or_default();
        let resources = vec![Resource { arn: "*".to_owned(), unknown: true }];
        let action = format!("{service}:{action}");
        return Ok(vec![Need { action, resources, context: BTreeMap::new() }]);
    };
    let parameters = Parameters::read(&operation, head);
    let scope =
        Scope { partition: "aws", region: &caller.region, account: Some(caller.account.as_str()) };
    let needs = authorize(&operation, &parameters, &scope).into_iter().map(|need| Need {
        action: need.action,
        resources: need.resources,
        context: need.context,
    });
    let mut needs: Vec<Need> = needs.collect();
    if service == "iam" {
        for resource in needs.iter_mut().flat_map(|need| &mut need.resources) {
            *resource = whole(state, caller, resource);
        }
    }
    Ok(needs)
}

/// IAM's resources as they are called in full: requests name them without their paths, and the caller by no name.
fn whole(state: &Snapshot, caller: &Caller, resource: &Resource) -> Resource {
    if resource.unknown {
        return match actor(state, caller) {
            Actor::User(user) => Resource { arn: user.arn(), unknown: false },
            _ => resource.clone(),
        };
    }
    let found = || {
        let (kind, rest) = resource.arn.splitn(6, ':').nth(5)?.split_once('/')?;
        let key = Named::key_of(&caller.account, rest);
        match kind {
            "user" => arn::<User>(state, &key),
            "group" => arn::<Group>(state, &key),
            "role" => arn::<Role>(state, &key),
            "instance-profile" => arn::<InstanceProfile>(state, &key),
            _ => None,
        }
    };
    Resource { arn: found().unwrap_or_else(|| resource.arn.clone()), unknown: false }
}
