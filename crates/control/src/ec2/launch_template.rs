//! Launch templates.

mod data;
mod describe;
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;

use linkway_model::launch_template::{LaunchTemplate, LaunchTemplateVersion};
use linkway_model::{LaunchTemplateId, Snapshot};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateLaunchTemplateRequest, CreateLaunchTemplateResult, DeleteLaunchTemplateRequest,
    DeleteLaunchTemplateResult, LaunchTemplate as Shape, ModifyLaunchTemplateRequest,
    ModifyLaunchTemplateResult,
};

pub(crate) use data::merged;
pub(crate) use describe::{describe, describe_versions};
pub(crate) use version::{create as create_version, delete as delete_versions};

use crate::error::InstanceError;
use crate::idempotency::once;
use crate::lookup::{Owned, not_found, own, required};
use crate::{Caller, Control, Error, tags};

/// How a launch and other operations name a template.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
}

impl<'a> Name<'a> {
    pub(crate) fn new(id: &'a Option<String>, name: &'a Option<String>) -> Self {
        let given = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
        Self { id: given(id), name: given(name) }
    }

    /// The caller's template that is meant.
    pub(crate) fn find(self, state: &'a Snapshot, caller: &Caller) -> Result<&'a Arc<LaunchTemplate>, Error> {
        match (self.id, self.name) {
            (Some(_), Some(_)) => Err(Error::InvalidParameterCombination(
                "Either a launch template ID or a launch template name must be specified, not both.".into(),
            )),
            (Some(id), None) => own(state, caller, id),
            (None, Some(name)) => by_name(state, caller, name)
                .ok_or_else(|| InstanceError::LaunchTemplateNameNotFound(name.to_owned()).into()),
            (None, None) => Err(Error::MissingParameter("LaunchTemplateId")),
        }
    }
}

fn by_name<'a>(state: &'a Snapshot, caller: &Caller, name: &str) -> Option<&'a Arc<LaunchTemplate>> {
    state.all::<LaunchTemplate>().find(|found| found.belongs_to(caller) && found.name == name)
}

/// The version that a launch or another operation means: a number, `$Latest` or `$Default`.
fn number(template: &LaunchTemplate, version: &str) -> Result<i64, Error> {
    let unknown = || InstanceError::LaunchTemplateVersionNotFound {
        template: template.id.to_string(),
        version: version.to_owned(),
    };
    match version {
        "$Latest" => Ok(template.latest()),
        "$Default" | "" => Ok(template.default),
        number => match number.parse() {
            Ok(number) if template.versions.contains_key(&number) => Ok(number),
            Ok(_) => Err(unknown().into()),
            Err(_) => Err(Error::InvalidParameterValue(format!(
                "Invalid launch template version: either '$Default', '$Latest', or a numeric version are allowed. \
                 '{number}' is none."
            ))),
        },
    }
}

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateLaunchTemplateRequest,
) -> Result<CreateLaunchTemplateResult, Error> {
    let name = required(input.launch_template_name.clone(), "LaunchTemplateName")?;
    check_name(&name)?;
    let data = data::stored(&required(input.launch_template_data.clone(), "LaunchTemplateData")?)?;
    let tags = tags::specified(&input.tag_specifications, "launch-template")?;
    let token = input.client_token.take();
    let now = control.now();
    control.write(input.dry_run.take(), |tx| {
        let make = |tx: &mut Transaction| {
            if by_name(tx, caller, &name).is_some() {
                return Err(InstanceError::LaunchTemplateNameInUse.into());
            }
            let first = LaunchTemplateVersion {
                description: input.version_description.clone(),
                created: now,
                created_by: caller.principal.clone(),
                data,
            };
            let id = LaunchTemplateId::random();
            tx.put(LaunchTemplate {
                id: id.clone(),
                owner: caller.account.clone(),
                region: caller.region.clone(),
                name: name.clone(),
                created: now,
                created_by: caller.principal.clone(),
                default: 1,
                last: 1,
                versions: BTreeMap::from([(1, first)]),
                tags,
            });
            Ok(String::from(id))
        };
        let id =
            once::<LaunchTemplate>(tx, caller, now, "CreateLaunchTemplate", token.as_deref(), &input, make)?;
        let made = tx.get::<LaunchTemplate>(&id).ok_or_else(|| not_found::<LaunchTemplate>(&id))?;
        Ok(CreateLaunchTemplateResult { launch_template: Some(shape(made)), warning: None })
    })
}

/// Source: `LaunchTemplateName` in EC2's API reference.
fn check_name(name: &str) -> Result<(), Error> {
    let valid = (3..=128).contains(&name.chars().count())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "().-/_".contains(letter));
    if valid { Ok(()) } else { Err(InstanceError::MalformedLaunchTemplateName.into()) }
}

/// `ModifyLaunchTemplate`: which version is the default one.
pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyLaunchTemplateRequest,
) -> Result<ModifyLaunchTemplateResult, Error> {
    let name = Name::new(&input.launch_template_id, &input.launch_template_name);
    control.write(input.dry_run, |tx| {
        let mut template = LaunchTemplate::clone(name.find(tx, caller)?);
        template.default =
            number(&template, required(input.default_version.as_deref(), "SetDefaultVersion")?)?;
        let shape = shape(&template);
        tx.put(template);
        Ok(ModifyLaunchTemplateResult { launch_template: Some(shape) })
    })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteLaunchTemplateRequest,
) -> Result<DeleteLaunchTemplateResult, Error> {
    let name = Name::new(&input.launch_template_id, &input.launch_template_name);
    control.write(input.dry_run, |tx| {
        let template = Arc::clone(name.find(tx, caller)?);
        tx.delete::<LaunchTemplate>(&template.id);
        Ok(DeleteLaunchTemplateResult { launch_template: Some(shape(&template)) })
    })
}

fn shape(template: &LaunchTemplate) -> Shape {
    Shape {
        create_time: Some(template.created),
        created_by: Some(template.created_by.clone()),
        default_version_number: Some(template.default),
        latest_version_number: Some(template.latest()),
        launch_template_id: Some(template.id.to_string()),
        launch_template_name: Some(template.name.clone()),
        operator: None,
        tags: tags::shape(&template.tags),
    }
}
