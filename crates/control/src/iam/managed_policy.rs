//! Managed policies: customers', and those of AWS's that are known.

use std::sync::Arc;

use linkway_model::aws_policy::AwsPolicy;
use linkway_model::{Snapshot, iam};
use linkway_wire::iam::*;

use super::document::weight;
use super::entity::Permitted;
use super::identity_document::check_managed;
use super::page::{Cut, cut};
use super::validate::{checked_name, checked_path, constraint};
use super::{role, tags};
use crate::error::IamError;
use crate::{Caller, Control, Error};

/// Characters of a managed policy, white space not counted.
///
/// Source: "IAM and AWS STS quotas" in AWS's IAM user guide.
const MAX_CHARACTERS: usize = 6144;

/// A policy that identities may have attached.
#[derive(Clone)]
pub(super) enum Managed {
    Customer(Arc<iam::ManagedPolicy>),
    Aws(&'static AwsPolicy),
}

/// The policy of an ARN, as far as the caller can see it.
pub(super) fn find(state: &Snapshot, caller: &Caller, arn: &str) -> Result<Managed, Error> {
    if !arn.starts_with("arn:") || arn.len() < 20 {
        return Err(IamError::InvalidInput(format!("ARN {arn} is not valid.")).into());
    }
    match AwsPolicy::find(arn) {
        Some(policy) => Ok(Managed::Aws(policy)),
        None => Ok(Managed::Customer(own(state, caller, arn)?.clone())),
    }
}

/// The caller's policy of an ARN; AWS's own are nobody's to change.
pub(super) fn own<'a>(
    state: &'a Snapshot,
    caller: &Caller,
    arn: &str,
) -> Result<&'a Arc<iam::ManagedPolicy>, Error> {
    if AwsPolicy::find(arn).is_some() {
        let account = &caller.account;
        let message = format!("Policy {arn} is AWS's own, and not for account {account} to change.");
        return Err(IamError::AccessDenied(message).into());
    }
    state
        .get::<iam::ManagedPolicy>(arn)
        .filter(|policy| policy.named.account == caller.account)
        .ok_or_else(|| IamError::NoSuchEntity(format!("Policy {arn} was not found.")).into())
}

/// The document in effect of a managed policy, wherever it is.
pub(crate) fn document<'a>(state: &'a Snapshot, arn: &str) -> Option<&'a str> {
    match AwsPolicy::find(arn) {
        Some(policy) => Some(policy.document),
        None => state.get::<iam::ManagedPolicy>(arn)?.document(),
    }
}

/// A document that a managed policy can have.
pub(super) fn checked(document: Option<String>) -> Result<String, Error> {
    let text = document.unwrap_or_default();
    check_managed(&text)?;
    if weight(&text) > MAX_CHARACTERS {
        let message = format!("Cannot exceed quota for PolicySize: {MAX_CHARACTERS}");
        return Err(IamError::LimitExceeded(message).into());
    }
    Ok(text)
}

pub(super) fn create(
    control: &Control,
    caller: &Caller,
    input: CreatePolicyRequest,
) -> Result<CreatePolicyResponse, Error> {
    let name = checked_name(input.policy_name.as_deref().unwrap_or_default(), "policyName", 128)?;
    let path = checked_path(input.path.as_deref())?;
    let description = role::checked_description(input.description)?;
    let tags = tags::given(&input.tags)?;
    let document = checked(input.policy_document)?;
    let now = control.now();
    let named = iam::Named::new(&caller.account, name, path, "ANPA", now);
    control.write(None, |tx| {
        if tx.all::<iam::ManagedPolicy>().any(|policy| policy.named.key == named.key) {
            let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
            return Err(IamError::EntityAlreadyExists(message).into());
        }
        let policy = iam::ManagedPolicy {
            arn: named.arn("policy"),
            named,
            tags,
            description: description.filter(|text| !text.is_empty()),
            versions: [(1, iam::PolicyVersion { document, created: now })].into(),
            default: 1,
            last: 1,
            updated: now,
        };
        tx.put(policy.clone());
        // AWS tells the description by `GetPolicy` only, and there only that there are no tags.
        let tags = tags::if_any(&policy.tags);
        let shape = shape(tx, caller, &Managed::Customer(Arc::new(policy)));
        let shape = Policy { description: None, tags, ..shape };
        Ok(CreatePolicyResponse { policy: Some(shape) })
    })
}

pub(super) fn get(
    control: &Control,
    caller: &Caller,
    input: GetPolicyRequest,
) -> Result<GetPolicyResponse, Error> {
    let state = control.read(None)?;
    let policy = find(&state, caller, input.policy_arn.as_deref().unwrap_or_default())?;
    Ok(GetPolicyResponse { policy: Some(shape(&state, caller, &policy)) })
}

pub(super) fn list(
    control: &Control,
    caller: &Caller,
    input: ListPoliciesRequest,
) -> Result<ListPoliciesResponse, Error> {
    let state = control.read(None)?;
    let (aws, local) = match input.scope.as_deref().unwrap_or("All") {
        "All" => (true, true),
        "AWS" => (true, false),
        "Local" => (false, true),
        other => {
            let rule = "Member must satisfy enum value set: [AWS, Local, All]";
            return Err(constraint(other, "scope", rule));
        }
    };
    let customers = state.all::<iam::ManagedPolicy>().filter(|policy| policy.named.account == caller.account);
    let customers = customers.filter(|_| local).map(|policy| Managed::Customer(Arc::clone(policy)));
    let all = customers.chain(AwsPolicy::all().iter().filter(|_| aws).map(Managed::Aws));
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let usage = input.policy_usage_filter.as_deref();
    let wanted = |policy: &Policy| {
        let (attached, boundary) =
            (policy.attachment_count != Some(0), policy.permissions_boundary_usage_count != Some(0));
        let used = match usage {
            Some("PermissionsPolicy") => attached,
            Some("PermissionsBoundary") => boundary,
            _ => input.only_attached != Some(true) || attached,
        };
        used && policy.path.as_deref().is_some_and(|path| path.starts_with(prefix))
    };
    let mut policies: Vec<Policy> =
        all.map(|policy| shape(&state, caller, &policy)).filter(|policy| wanted(policy)).collect();
    policies.sort_by(|a, b| a.arn.cmp(&b.arn));
    let arn = |policy: &Policy| policy.arn.clone().unwrap_or_default();
    // Lists leave tags and descriptions out.
    let page = cut(input.max_items, &input.marker, policies, arn)?.map(|policy| Policy {
        tags: None,
        description: None,
        ..policy
    });
    let Cut { items, is_truncated, marker } = page;
    Ok(ListPoliciesResponse { policies: items, is_truncated, marker })
}

pub(super) fn delete(control: &Control, caller: &Caller, input: DeletePolicyRequest) -> Result<(), Error> {
    let arn = input.policy_arn.unwrap_or_default();
    control.write(None, |tx| {
        let policy = own(tx, caller, &arn)?.clone();
        let uses = Uses::of(tx, caller, &arn);
        if uses.attached() + uses.boundaries() > 0 {
            let message = "Cannot delete a policy attached to entities.";
            return Err(IamError::DeleteConflict(message.to_owned()).into());
        }
        if policy.versions.len() > 1 {
            let message = "This policy has more than one version. Before you delete a policy, you must delete \
                           the policy's versions. The default version is deleted with the policy.";
            return Err(IamError::DeleteConflict(message.to_owned()).into());
        }
        tx.delete::<iam::ManagedPolicy>(&arn);
        Ok(())
    })
}

/// Which identities of the caller's have a policy.
struct Uses<'a> {
    arn: &'a str,
    users: Vec<&'a Arc<iam::User>>,
    groups: Vec<&'a Arc<iam::Group>>,
    roles: Vec<&'a Arc<iam::Role>>,
}

impl<'a> Uses<'a> {
    fn of(state: &'a Snapshot, caller: &'a Caller, arn: &'a str) -> Self {
        fn having<'a, T: Permitted>(state: &'a Snapshot, caller: &Caller, arn: &str) -> Vec<&'a Arc<T>> {
            let has = |one: &T| {
                let permissions = one.permissions();
                permissions.attached.contains(arn) || permissions.boundary.as_deref() == Some(arn)
            };
            let own = |one: &T| one.named().account == caller.account;
            state.all::<T>().filter(|one| own(one) && has(one)).collect()
        }
        Self {
            arn,
            users: having(state, caller, arn),
            groups: having(state, caller, arn),
            roles: having(state, caller, arn),
        }
    }

    fn permissions(&self) -> impl Iterator<Item = &iam::Permissions> {
        let users = self.users.iter().map(|user| &user.permissions);
        let groups = self.groups.iter().map(|group| &group.permissions);
        users.chain(groups).chain(self.roles.iter().map(|role| &role.permissions))
    }

    fn attached(&self) -> usize {
        self.permissions().filter(|permissions| permissions.attached.contains(self.arn)).count()
    }

    fn boundaries(&self) -> usize {
        self.permissions().filter(|permissions| permissions.boundary.as_deref() == Some(self.arn)).count()
    }
}

pub(super) fn entities(
    control: &Control,
    caller: &Caller,
    input: ListEntitiesForPolicyRequest,
) -> Result<ListEntitiesForPolicyResponse, Error> {
    let state = control.read(None)?;
    let arn = input.policy_arn.unwrap_or_default();
    find(&state, caller, &arn)?;
    let uses = Uses::of(&state, caller, &arn);
    let filter = input.entity_filter.as_deref();
    let (prefix, usage) = (input.path_prefix.as_deref().unwrap_or("/"), input.policy_usage_filter.as_deref());
    let wanted = |kind: &str, named: &iam::Named, permissions: &iam::Permissions| {
        let used = match usage {
            Some("PermissionsBoundary") => permissions.boundary.as_deref() == Some(&arn),
            Some(_) => permissions.attached.contains(&arn),
            None => true,
        };
        used && filter.is_none_or(|filter| filter == kind) && named.path.starts_with(prefix)
    };
    // One list, so that it can be cut; the kinds are told apart again afterwards.
    let mut all: Vec<(&str, &iam::Named)> = Vec::new();
    all.extend(
        uses.groups.iter().filter(|g| wanted("Group", &g.named, &g.permissions)).map(|g| ("Group", &g.named)),
    );
    all.extend(
        uses.roles.iter().filter(|r| wanted("Role", &r.named, &r.permissions)).map(|r| ("Role", &r.named)),
    );
    all.extend(
        uses.users.iter().filter(|u| wanted("User", &u.named, &u.permissions)).map(|u| ("User", &u.named)),
    );
    let key = |(kind, named): &(&str, &iam::Named)| format!("{kind}/{}", named.key);
    let Cut { items, is_truncated, marker } = cut(input.max_items, &input.marker, all, key)?;
    let mut answer = ListEntitiesForPolicyResponse { is_truncated, marker, ..Default::default() };
    for (kind, named) in items {
        let (id, name) = (Some(named.id.clone()), Some(named.name.clone()));
        match kind {
            "Group" => answer.policy_groups.push(PolicyGroup { group_id: id, group_name: name }),
            "Role" => answer.policy_roles.push(PolicyRole { role_id: id, role_name: name }),
            _ => answer.policy_users.push(PolicyUser { user_id: id, user_name: name }),
        }
    }
    Ok(answer)
}

fn shape(state: &Snapshot, caller: &Caller, policy: &Managed) -> Policy {
    let arn = match policy {
        Managed::Customer(policy) => policy.arn.clone(),
        Managed::Aws(policy) => policy.arn(),
    };
    let uses = Uses::of(state, caller, &arn);
    let count = |count: usize| i32::try_from(count).ok();
    let (attachment_count, boundaries) = (count(uses.attached()), count(uses.boundaries()));
    let common = Policy {
        arn: Some(arn),
        attachment_count,
        permissions_boundary_usage_count: boundaries,
        is_attachable: Some(true),
        ..Policy::default()
    };
    match policy {
        Managed::Customer(policy) => Policy {
            create_date: Some(policy.named.created),
            default_version_id: Some(format!("v{}", policy.default)),
            description: policy.description.clone(),
            path: Some(policy.named.path.clone()),
            policy_id: Some(policy.named.id.clone()),
            policy_name: Some(policy.named.name.clone()),
            tags: Some(tags::shape(&policy.tags)),
            update_date: Some(policy.updated),
            ..common
        },
        Managed::Aws(policy) => Policy {
            create_date: Some(policy.created),
            default_version_id: Some(policy.version.to_owned()),
            path: Some(policy.path.to_owned()),
            policy_id: Some(policy.id.to_owned()),
            policy_name: Some(policy.name.to_owned()),
            tags: Some(Vec::new()),
            update_date: Some(policy.created),
            ..common
        },
    }
}

/// The policy that is to be a boundary.
pub(super) fn boundary(
    state: &Snapshot,
    caller: &Caller,
    arn: Option<String>,
) -> Result<Option<String>, Error> {
    if let Some(arn) = &arn
        && find(state, caller, arn).is_err()
    {
        let message = format!("Scope ARN: {arn} does not exist or is not attachable.");
        return Err(IamError::NoSuchEntity(message).into());
    }
    Ok(arn)
}

pub(super) fn no_boundary(kind: &str, name: &str) -> Error {
    IamError::NoSuchEntity(format!("The {kind} {name} does not have a permissions boundary.")).into()
}

pub(super) fn boundary_shape(permissions: &iam::Permissions) -> Option<AttachedPermissionsBoundary> {
    permissions.boundary.as_ref().map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_arn: Some(arn.clone()),
        // AWS's documentation says `PermissionsBoundaryPolicy`; its responses say `Policy`.
        permissions_boundary_type: Some("Policy".to_owned()),
    })
}

/// A policy's name, of its ARN.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}
