//! Credentials of an instance's role, which it reads in its metadata.

use std::sync::Arc;

use linkway_model::iam::{InstanceProfile, Named, Role};
use linkway_model::instance::Instance;
use linkway_model::session::{Session, SessionOf};
use linkway_model::{InstanceId, Snapshot};
use linkway_policy::{Policy, Principal, PrincipalKind, Request};

use super::credentials;
use crate::{Control, Error};

/// Seconds that they last. Source: "Retrieve security credentials from instance metadata" in the EC2 user guide has
/// them expire after about six hours.
const LIFE: i32 = 6 * 3600;

/// Who asks for a role in an instance's stead. Source: "IAM roles for Amazon EC2".
const EC2: &str = "ec2.amazonaws.com";

/// What an instance has of its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceCredentials {
    /// It has no profile, or one without a role.
    NoRole,
    /// The role's trust policy does not let EC2 have it.
    Untrusted,
    /// Credentials that were made now.
    Made(Box<Session>),
}

/// The profile that an instance has, if that is still there and is the one that it was given.
pub fn profile_of<'a>(state: &'a Snapshot, instance: &Instance) -> Option<&'a Arc<InstanceProfile>> {
    let association = instance.launch.as_ref()?.profile.as_ref()?;
    state
        .get::<InstanceProfile>(&association.profile)
        .filter(|profile| profile.named.id == association.profile_id)
}

/// The role that an instance has.
pub fn role_of<'a>(state: &'a Snapshot, instance: &Instance) -> Option<&'a Arc<Role>> {
    state.get::<Role>(profile_of(state, instance)?.role.as_ref()?)
}

impl Control {
    /// Make credentials of the role that an instance has.
    pub fn instance_credentials(&self, id: &InstanceId) -> Result<InstanceCredentials, Error> {
        self.write(None, |tx| {
            let Some(instance) = tx.get::<Instance>(id).cloned() else {
                return Ok(InstanceCredentials::NoRole);
            };
            let Some(role) = role_of(tx, &instance).cloned() else { return Ok(InstanceCredentials::NoRole) };
            if !is_trusted(&role) {
                return Ok(InstanceCredentials::Untrusted);
            }
            let Named { account, name, id: role_id, key, .. } = &role.named;
            let of = SessionOf::Role { key: key.clone(), id: role_id.clone(), arn: role.arn() };
            let mut made = credentials::new(account, of, self.now(), LIFE);
            made.principal = format!("arn:aws:sts::{account}:assumed-role/{name}/{id}");
            made.user_id = format!("{role_id}:{id}");
            let used = (made.created, instance.region.clone());
            tx.update::<Role>(key, |role| role.last_used = Some(used));
            credentials::keep(tx, made.clone());
            Ok(InstanceCredentials::Made(Box::new(made)))
        })
    }
}

fn is_trusted(role: &Role) -> bool {
    let arn = role.arn();
    let request = Request {
        principal: Principal { kind: PrincipalKind::Service, arn: Some(EC2), ..Principal::default() },
        action: "sts:AssumeRole",
        resource: &arn,
        resource_account: Some(role.named.account.as_str()),
        context: &Default::default(),
    };
    Policy::parse_trust(&role.trust).is_ok_and(|policy| policy.evaluate(&request).is_allowed())
}
