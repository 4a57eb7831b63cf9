//! What a launch template says: kept as it came, shown, and launched. The three are structures of EC2's with the same
//! members, so that one is read from what another has written.

use std::collections::BTreeMap;

use linkway_model::launch_template::{LaunchTemplate, LaunchTemplateVersion};
use linkway_model::{Snapshot, Tags};
use linkway_wire::ec2::{
    LaunchTemplateSpecification, RequestLaunchTemplateData, ResponseLaunchTemplateData, RunInstancesRequest,
    Tag, TagSpecification,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Name, number};
use crate::ec2::instance;
use crate::error::InstanceError;
use crate::{Caller, Error};

/// Tags that AWS puts on what was launched from a template. Source: "Launch templates" in the EC2 user guide.
const TEMPLATE_TAG: &str = "aws:ec2launchtemplate:id";
const VERSION_TAG: &str = "aws:ec2launchtemplate:version";

/// The data as they are kept: the members that say something. What no launch takes, no template does.
pub(super) fn stored(data: &RequestLaunchTemplateData) -> Result<Value, Error> {
    if data.instance_requirements.is_some() {
        return Err(Error::Unsupported("A launch names an instance type.".into()));
    }
    let mut stored = serde_json::to_value(data).map_err(|error| unreadable(&error))?;
    forget_nothing(&mut stored);
    instance::check_supported(&read(&stored)?)?;
    Ok(stored)
}

/// Take out members that are not there, and lists without items.
fn forget_nothing(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(forget_nothing);
            members.retain(|_, member| {
                !member.is_null() && member.as_array().is_none_or(|list| !list.is_empty())
            });
        }
        Value::Array(items) => items.iter_mut().for_each(forget_nothing),
        _ => {}
    }
}

fn read<T: DeserializeOwned>(stored: &Value) -> Result<T, Error> {
    T::deserialize(stored).map_err(|error| unreadable(&error))
}

/// What was written here can be read here.
fn unreadable(error: &serde_json::Error) -> Error {
    tracing::error!(%error, "a launch template's data cannot be read");
    InstanceError::LaunchTemplateUnreadable.into()
}

/// As `DescribeLaunchTemplateVersions` shows it.
pub(super) fn shape(version: &LaunchTemplateVersion) -> Result<ResponseLaunchTemplateData, Error> {
    read(&version.data)
}

/// The data of a version that is made from another: what it does not say itself, the other does.
pub(super) fn from_source(mut data: Value, source: &Value) -> Value {
    if let (Value::Object(data), Value::Object(source)) = (&mut data, source) {
        for (member, value) in source {
            data.entry(member.clone()).or_insert_with(|| value.clone());
        }
    }
    data
}

/// A launch as it is with what its template says: the request goes first, member by member; of tags key by key, and of
/// devices one by one. Also the tags that instances get for it.
pub(crate) fn merged(
    state: &Snapshot,
    caller: &Caller,
    mut input: RunInstancesRequest,
) -> Result<(RunInstancesRequest, Tags), Error> {
    let Some(LaunchTemplateSpecification { launch_template_id: id, launch_template_name: name, version }) =
        input.launch_template.take()
    else {
        return Ok((input, Tags::new()));
    };
    let template: &LaunchTemplate = Name::new(&id, &name).find(state, caller)?;
    let number = number(template, version.as_deref().unwrap_or_default())?;
    let Some(version) = template.versions.get(&number) else { return Ok((input, Tags::new())) };
    let mut base: RunInstancesRequest = read(&version.data)?;
    instance::forget_empty(&mut base);
    macro_rules! fill {
        ($($member:ident)*) => { $(input.$member = input.$member.or(base.$member);)* };
    }
    macro_rules! fill_lists {
        ($($member:ident)*) => { $(if input.$member.is_empty() { input.$member = base.$member; })* };
    }
    if input.placement == Some(Default::default()) {
        input.placement = None;
    }
    fill! {
        capacity_reservation_specification cpu_options credit_specification disable_api_stop
        disable_api_termination ebs_optimized iam_instance_profile image_id instance_initiated_shutdown_behavior
        instance_type key_name maintenance_options metadata_options monitoring placement
        private_dns_name_options user_data
    }
    // Groups by ids and by names are one thing that is said.
    if input.security_group_ids.is_empty() && input.security_groups.is_empty() {
        input.security_groups = base.security_groups;
        input.security_group_ids = base.security_group_ids;
    }
    fill_lists! { network_interfaces }
    let named: Vec<_> =
        input.block_device_mappings.iter().map(|mapping| mapping.device_name.clone()).collect();
    let devices = base.block_device_mappings.into_iter();
    input.block_device_mappings.extend(devices.filter(|mapping| !named.contains(&mapping.device_name)));
    input.tag_specifications = with_tags(base.tag_specifications, &input.tag_specifications);
    input.launch_template = Some(LaunchTemplateSpecification {
        launch_template_id: Some(template.id.to_string()),
        launch_template_name: None,
        version: Some(number.to_string()),
    });
    let tags = [(TEMPLATE_TAG, template.id.to_string()), (VERSION_TAG, number.to_string())];
    Ok((input, tags.map(|(key, value)| (key.to_owned(), value)).into()))
}

/// A template's tags, with the request's in place of those of the same type and key. A type that the request gives
/// twice stays so, and is refused as without a template.
fn with_tags(base: Vec<TagSpecification>, given: &[TagSpecification]) -> Vec<TagSpecification> {
    let mut specifications = given.to_vec();
    for of_template in base {
        let kind = &of_template.resource_type;
        match specifications.iter_mut().find(|own| own.resource_type == *kind) {
            None => specifications.push(of_template),
            Some(own) => {
                let keys: BTreeMap<_, _> = own.tags.iter().map(|tag| (tag.key.clone(), ())).collect();
                let more: Vec<Tag> =
                    of_template.tags.into_iter().filter(|tag| !keys.contains_key(&tag.key)).collect();
                own.tags.extend(more);
            }
        }
    }
    specifications
}
