//! Describing launch templates and their versions.

use std::sync::Arc;

use linkway_model::launch_template::LaunchTemplate;
use linkway_wire::ec2::{
    DescribeLaunchTemplateVersionsRequest, DescribeLaunchTemplateVersionsResult,
    DescribeLaunchTemplatesRequest, DescribeLaunchTemplatesResult, LaunchTemplateVersion,
};

use super::{Name, data, number, shape};
use crate::describe::select;
use crate::error::InstanceError;
use crate::filter::{Field, Filters, fields, many, one};
use crate::lookup::Owned;
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

/// Both operations' pages.
const PAGES: Limits = Limits { least: 1, most: 200, clamp: false };

const FILTERS: &[Field<LaunchTemplate>] = fields! {
    "create-time" => |_, found| one(format!("{:.3}", found.created));
    "launch-template-name" => |_, found| one(&found.name);
};

const VERSION_FILTERS: &[Field<LaunchTemplateVersion>] = fields! {
    "create-time" => |_, found| many(found.create_time.map(|time| format!("{time:.3}")));
    "ebs-optimized" => |_, found| many(data_of(found).and_then(|data| data.ebs_optimized));
    "iam-instance-profile" => |_, found| many(
        data_of(found)
            .and_then(|data| data.iam_instance_profile.as_ref())
            .and_then(|profile| profile.arn.as_ref().or(profile.name.as_ref()))
    );
    "image-id" => |_, found| many(data_of(found).and_then(|data| data.image_id.as_ref()));
    "instance-type" => |_, found| many(data_of(found).and_then(|data| data.instance_type.as_ref()));
    "is-default-version" => |_, found| many(found.default_version);
};

fn data_of(version: &LaunchTemplateVersion) -> Option<&linkway_wire::ec2::ResponseLaunchTemplateData> {
    version.launch_template_data.as_ref()
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeLaunchTemplatesRequest,
) -> Result<DescribeLaunchTemplatesResult, Error> {
    let state = control.read(input.dry_run)?;
    let mut ids = input.launch_template_ids.clone();
    for name in &input.launch_template_names {
        let found = super::by_name(&state, caller, name);
        let found = found.ok_or_else(|| InstanceError::LaunchTemplateNameNotFound(name.clone()))?;
        ids.push(found.id.to_string());
    }
    let page = Page::new(PAGES, input.max_results, &input.next_token);
    let (found, next_token) = select(&state, caller, &ids, FILTERS, &input.filters, page)?;
    Ok(DescribeLaunchTemplatesResult {
        launch_templates: found.iter().map(|template| shape(template)).collect(),
        next_token,
    })
}

/// The versions of a template, the newest first; or the latest or default ones of all templates.
pub(crate) fn describe_versions(
    control: &Control,
    caller: &Caller,
    input: DescribeLaunchTemplateVersionsRequest,
) -> Result<DescribeLaunchTemplateVersionsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(VERSION_FILTERS, &input.filters)?;
    let name = Name::new(&input.launch_template_id, &input.launch_template_name);
    let of_all = name.id.is_none() && name.name.is_none();
    let templates: Vec<&Arc<LaunchTemplate>> = match of_all {
        false => vec![name.find(&state, caller)?],
        true if input.versions.is_empty() => return Err(Error::MissingParameter("LaunchTemplateId")),
        true => state.all::<LaunchTemplate>().filter(|found| found.belongs_to(caller)).collect(),
    };
    let mut versions = Vec::new();
    for template in templates {
        let bound = |text: &Option<String>| text.as_deref().map(|text| number(template, text)).transpose();
        let (least, most) = (bound(&input.min_version)?, bound(&input.max_version)?);
        let asked = input.versions.iter().map(|version| number(template, version));
        let asked = asked.collect::<Result<Vec<i64>, Error>>()?;
        let is_asked = |number: &i64| {
            (asked.is_empty() || asked.contains(number))
                && least.is_none_or(|least| least <= *number)
                && most.is_none_or(|most| *number <= most)
        };
        for number in template.versions.keys().rev().filter(|number| is_asked(number)) {
            let found = version(template, *number)?;
            if filters.matches(&state, &found, &template.tags) {
                versions.push(found);
            }
        }
    }
    let page = Page::new(PAGES, input.max_results, &input.next_token);
    let order = |version: &LaunchTemplateVersion| {
        let number = version.version_number.unwrap_or_default();
        format!("{} {:019}", version.launch_template_id.as_deref().unwrap_or_default(), i64::MAX - number)
    };
    let (launch_template_versions, next_token) = page.cut(versions, order)?;
    Ok(DescribeLaunchTemplateVersionsResult { launch_template_versions, next_token })
}

/// One version, as answers have it.
pub(super) fn version(template: &LaunchTemplate, number: i64) -> Result<LaunchTemplateVersion, Error> {
    let unknown = || InstanceError::LaunchTemplateVersionNotFound {
        template: template.id.to_string(),
        version: number.to_string(),
    };
    let found = template.versions.get(&number).ok_or_else(unknown)?;
    Ok(LaunchTemplateVersion {
        create_time: Some(found.created),
        created_by: Some(found.created_by.clone()),
        default_version: Some(number == template.default),
        launch_template_data: Some(data::shape(found)?),
        launch_template_id: Some(template.id.to_string()),
        launch_template_name: Some(template.name.clone()),
        operator: None,
        version_description: found.description.clone(),
        version_number: Some(number),
    })
}
