//! Instance profiles, and their associations with instances: what gives an instance the credentials of a role.

use linkway_model::instance::{Instance, InstanceState};
use linkway_model::launch::ProfileAssociation;
use linkway_model::{InstanceId, InstanceProfileAssociationId, Snapshot, Timestamp, iam};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    AssociateIamInstanceProfileRequest, AssociateIamInstanceProfileResult,
    DescribeIamInstanceProfileAssociationsRequest, DescribeIamInstanceProfileAssociationsResult,
    DisassociateIamInstanceProfileRequest, DisassociateIamInstanceProfileResult, IamInstanceProfile,
    IamInstanceProfileAssociation, IamInstanceProfileSpecification,
    ReplaceIamInstanceProfileAssociationRequest, ReplaceIamInstanceProfileAssociationResult,
};

use super::{machine, put};
use crate::error::InstanceError;
use crate::filter::{Field, Filters, fields, one};
use crate::lookup::{Owned, required};
use crate::page::{Page, USUAL};
use crate::{Caller, Control, Error};

/// An instance profile that a request names.
pub(super) struct Profile {
    key: String,
    id: String,
    arn: String,
}

impl Profile {
    /// The caller's profile of this name or ARN, if it has a role to give that the caller may pass on.
    pub(super) fn find(
        control: &Control,
        state: &Snapshot,
        caller: &Caller,
        given: &IamInstanceProfileSpecification,
    ) -> Result<Self, Error> {
        let refuse = |parameter: &str, value: &str, what: &str| {
            Error::InvalidParameterValue(format!(
                "Value ({value}) for parameter iamInstanceProfile.{parameter} is invalid. Invalid IAM Instance \
                 Profile {what}"
            ))
        };
        let arn = |profile: &iam::InstanceProfile| profile.named.arn("instance-profile");
        let mut own =
            state.all::<iam::InstanceProfile>().filter(|found| found.named.account == caller.account);
        let found = match (&given.name, &given.arn) {
            (Some(_), Some(_)) => {
                return Err(Error::InvalidParameterCombination(
                    "The parameter 'iamInstanceProfile.name' may not be used in combination with \
                     'iamInstanceProfile.arn'"
                        .into(),
                ));
            }
            (Some(name), None) => {
                let key = iam::Named::key_of(&caller.account, name);
                own.find(|found| found.named.key == key).ok_or_else(|| refuse("name", name, "name"))?
            }
            (None, Some(asked)) => {
                own.find(|found| arn(found) == *asked).ok_or_else(|| refuse("arn", asked, "ARN"))?
            }
            (None, None) => return Err(Error::MissingParameter("IamInstanceProfile.Name")),
        };
        let Some(role) = found.role.as_ref().and_then(|key| state.get::<iam::Role>(key)) else {
            return Err(Error::InvalidParameterValue(format!(
                "IAM Instance Profile \"{}\" has no associated IAM Roles",
                arn(found)
            )));
        };
        control.may_pass_role(state, caller, &role.arn(), "ec2.amazonaws.com", "ec2")?;
        Ok(Self { key: found.named.key.clone(), id: found.named.id.clone(), arn: arn(found) })
    }

    /// A new association with it.
    pub(super) fn associate(&self, now: Timestamp) -> ProfileAssociation {
        ProfileAssociation {
            id: InstanceProfileAssociationId::random(),
            profile: self.key.clone(),
            profile_id: self.id.clone(),
            arn: self.arn.clone(),
            since: now,
        }
    }
}

/// The instance and its association.
struct Associated {
    instance: InstanceId,
    association: ProfileAssociation,
}

const FILTERS: &[Field<Associated>] = fields! {
    "instance-id" => |_, found| one(&found.instance);
    "state" => |_, _| one("associated");
};

fn all(state: &Snapshot, caller: &Caller) -> Vec<Associated> {
    let own = state.all::<Instance>().filter(|instance| instance.belongs_to(caller));
    own.filter(|instance| instance.state != InstanceState::Terminated)
        .filter_map(|instance| {
            let association = instance.launch.as_ref()?.profile.clone()?;
            Some(Associated { instance: instance.id.clone(), association })
        })
        .collect()
}

fn shape(found: &Associated, state: &str) -> IamInstanceProfileAssociation {
    let Associated { instance, association } = found;
    IamInstanceProfileAssociation {
        association_id: Some(association.id.to_string()),
        iam_instance_profile: Some(IamInstanceProfile {
            arn: Some(association.arn.clone()),
            id: Some(association.profile_id.clone()),
        }),
        instance_id: Some(instance.to_string()),
        state: Some(state.into()),
        timestamp: Some(association.since),
    }
}

fn unknown(id: &str) -> Error {
    InstanceError::ProfileAssociationNotFound(id.to_owned()).into()
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeIamInstanceProfileAssociationsRequest,
) -> Result<DescribeIamInstanceProfileAssociationsResult, Error> {
    let state = control.read(None)?;
    let filters = Filters::new(FILTERS, &input.filters)?;
    let mut found = all(&state, caller);
    if let Some(id) =
        input.association_ids.iter().find(|id| !found.iter().any(|one| one.association.id.as_str() == **id))
    {
        return Err(unknown(id));
    }
    found.retain(|one| {
        let id = one.association.id.as_str();
        (input.association_ids.is_empty() || input.association_ids.iter().any(|asked| asked == id))
            && filters.matches(&state, one, &Default::default())
    });
    found.sort_by(|one, other| one.association.id.cmp(&other.association.id));
    let page = Page::new(USUAL, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(found, |one| one.association.id.to_string())?;
    Ok(DescribeIamInstanceProfileAssociationsResult {
        iam_instance_profile_associations: found.iter().map(|one| shape(one, "associated")).collect(),
        next_token,
    })
}

pub(crate) fn associate(
    control: &Control,
    caller: &Caller,
    input: AssociateIamInstanceProfileRequest,
) -> Result<AssociateIamInstanceProfileResult, Error> {
    let given = required(input.iam_instance_profile, "IamInstanceProfile")?;
    control.write(None, |tx| {
        let (instance, mut launch) = machine(tx, caller, input.instance_id.as_deref())?;
        check_state(&instance)?;
        if launch.profile.is_some() {
            return Err(Error::IncorrectState(format!(
                "There is an existing association for instance {}",
                instance.id
            )));
        }
        let association = Profile::find(control, tx, caller, &given)?.associate(control.now());
        launch.profile = Some(association.clone());
        let found = Associated { instance: instance.id.clone(), association };
        put(tx, instance, launch);
        Ok(AssociateIamInstanceProfileResult {
            iam_instance_profile_association: Some(shape(&found, "associating")),
        })
    })
}

/// Whether an instance's profile can be changed.
fn check_state(instance: &Instance) -> Result<(), Error> {
    match instance.state {
        InstanceState::ShuttingDown | InstanceState::Terminated => Err(Error::IncorrectInstanceState(
            format!("The instance '{}' is not in the 'running' or 'stopped' states.", instance.id),
        )),
        _ => Ok(()),
    }
}

/// Change the association of this id: to another, or to none. Returns the instance.
fn change(
    tx: &mut Transaction,
    caller: &Caller,
    id: Option<&str>,
    next: Option<ProfileAssociation>,
) -> Result<Associated, Error> {
    let id = required(id, "AssociationId")?;
    let found = all(tx, caller).into_iter().find(|found| found.association.id.as_str() == id);
    let found = found.ok_or_else(|| unknown(id))?;
    let (instance, mut launch) = machine(tx, caller, Some(found.instance.as_str()))?;
    check_state(&instance)?;
    launch.profile = next;
    put(tx, instance, launch);
    Ok(found)
}

pub(crate) fn disassociate(
    control: &Control,
    caller: &Caller,
    input: DisassociateIamInstanceProfileRequest,
) -> Result<DisassociateIamInstanceProfileResult, Error> {
    control.write(None, |tx| {
        let before = change(tx, caller, input.association_id.as_deref(), None)?;
        Ok(DisassociateIamInstanceProfileResult {
            iam_instance_profile_association: Some(shape(&before, "disassociating")),
        })
    })
}

/// `ReplaceIamInstanceProfileAssociation`: another association takes the place of the one that there was.
pub(crate) fn replace(
    control: &Control,
    caller: &Caller,
    input: ReplaceIamInstanceProfileAssociationRequest,
) -> Result<ReplaceIamInstanceProfileAssociationResult, Error> {
    let given = required(input.iam_instance_profile, "IamInstanceProfile")?;
    control.write(None, |tx| {
        let association = Profile::find(control, tx, caller, &given)?.associate(control.now());
        let next = association.clone();
        let before = change(tx, caller, input.association_id.as_deref(), Some(next))?;
        let found = Associated { instance: before.instance, association };
        Ok(ReplaceIamInstanceProfileAssociationResult {
            iam_instance_profile_association: Some(shape(&found, "associating")),
        })
    })
}
