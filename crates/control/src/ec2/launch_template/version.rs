//! Versions of launch templates, made and deleted.

use linkway_model::launch_template::{LaunchTemplate, LaunchTemplateVersion};
use linkway_store::Transaction;
use linkway_wire::ec2::{
    CreateLaunchTemplateVersionRequest, CreateLaunchTemplateVersionResult,
    DeleteLaunchTemplateVersionsRequest, DeleteLaunchTemplateVersionsResponseErrorItem as Kept,
    DeleteLaunchTemplateVersionsResponseSuccessItem as Deleted, DeleteLaunchTemplateVersionsResult,
    ResponseError,
};

use super::{Name, data, describe, number};
use crate::idempotency::once;
use crate::lookup::{not_found, required};
use crate::{Caller, Control, Error};

pub(crate) fn create(
    control: &Control,
    caller: &Caller,
    mut input: CreateLaunchTemplateVersionRequest,
) -> Result<CreateLaunchTemplateVersionResult, Error> {
    let given = data::stored(&required(input.launch_template_data.clone(), "LaunchTemplateData")?)?;
    let token = input.client_token.take();
    let now = control.now();
    control.write(input.dry_run.take(), |tx| {
        let name = Name::new(&input.launch_template_id, &input.launch_template_name);
        let template = name.find(tx, caller)?.id.clone();
        let make = |tx: &mut Transaction| {
            let mut template = LaunchTemplate::clone(name.find(tx, caller)?);
            let source = input.source_version.as_deref();
            let source = source.map(|version| number(&template, version)).transpose()?;
            let source = source.and_then(|number| template.versions.get(&number));
            let data = match source {
                Some(source) => data::from_source(given, &source.data),
                None => given,
            };
            let version = LaunchTemplateVersion {
                description: input.version_description.clone(),
                created: now,
                created_by: caller.principal.clone(),
                data,
            };
            template.last += 1;
            template.versions.insert(template.last, version);
            let id = template.id.to_string();
            tx.put(template);
            Ok(id)
        };
        let operation = format!("CreateLaunchTemplateVersion/{template}");
        once::<LaunchTemplate>(tx, caller, now, &operation, token.as_deref(), &input, make)?;
        let made = tx
            .get::<LaunchTemplate>(&template)
            .ok_or_else(|| not_found::<LaunchTemplate>(template.as_str()))?;
        let version = describe::version(made, made.latest())?;
        Ok(CreateLaunchTemplateVersionResult { launch_template_version: Some(version), warning: None })
    })
}

pub(crate) fn delete(
    control: &Control,
    caller: &Caller,
    input: DeleteLaunchTemplateVersionsRequest,
) -> Result<DeleteLaunchTemplateVersionsResult, Error> {
    if input.versions.is_empty() {
        return Err(Error::MissingParameter("LaunchTemplateVersion"));
    }
    let name = Name::new(&input.launch_template_id, &input.launch_template_name);
    control.write(input.dry_run, |tx| {
        let mut template = LaunchTemplate::clone(name.find(tx, caller)?);
        let (id, name) = (Some(template.id.to_string()), Some(template.name.clone()));
        let mut result = DeleteLaunchTemplateVersionsResult::default();
        for version in &input.versions {
            let number = version.parse().unwrap_or_default();
            let why = match template.versions.contains_key(&number) {
                true if number != template.default => None,
                true => Some((
                    "unexpectedError",
                    format!("Version {number} is the default version, which cannot be deleted."),
                )),
                false => Some((
                    "launchTemplateVersionDoesNotExist",
                    format!("The specified launch template version, {version}, does not exist."),
                )),
            };
            match why {
                None => {
                    template.versions.remove(&number);
                    result.successfully_deleted_launch_template_versions.push(Deleted {
                        launch_template_id: id.clone(),
                        launch_template_name: name.clone(),
                        version_number: Some(number),
                    });
                }
                Some((code, message)) => result.unsuccessfully_deleted_launch_template_versions.push(Kept {
                    launch_template_id: id.clone(),
                    launch_template_name: name.clone(),
                    response_error: Some(ResponseError { code: Some(code.into()), message: Some(message) }),
                    version_number: Some(number),
                }),
            }
        }
        tx.put(template);
        Ok(result)
    })
}
