//! Describing images.

use std::collections::BTreeSet;
use std::sync::Arc;

use linkway_model::Snapshot;
use linkway_model::image::Image;
use linkway_wire::ec2::{
    AttributeValue, BlockDeviceMapping, DescribeImageAttributeRequest, DescribeImagesRequest,
    DescribeImagesResult, EbsBlockDevice, Image as ImageShape, ImageAttribute, LaunchPermission,
};

use super::{HYPERVISOR, PLATFORM, USAGE_OPERATION, visible};
use crate::ec2::volume::{ROOT_DEVICE, ROOT_KIND, ROOT_SIZE};
use crate::filter::{Field, Filters, fields, many, none, one};
use crate::lookup::{Owned, not_found, parse, required};
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error, tags};

const FILTERS: &[Field<Image>] = fields! {
    "architecture" => |_, image| one(&image.architecture);
    "block-device-mapping.delete-on-termination" | "ena-support" | "image-allowed" => |_, _| one(true);
    "block-device-mapping.device-name" | "root-device-name" => |_, _| one(ROOT_DEVICE);
    "block-device-mapping.encrypted" | "free-tier-eligible" => |_, _| one(false);
    "block-device-mapping.snapshot-id" => |_, image| one(&image.snapshot);
    "block-device-mapping.volume-size" => |_, _| one(ROOT_SIZE);
    "block-device-mapping.volume-type" => |_, _| one(ROOT_KIND);
    "creation-date" => |_, image| one(created(image));
    "description" => |_, image| one(&image.description);
    "hypervisor" => |_, _| one(HYPERVISOR);
    "image-id" => |_, image| one(&image.id);
    "image-type" => |_, _| one("machine");
    "is-public" => |_, image| one(image.public);
    "kernel-id" | "platform" | "product-code" | "product-code.type" | "ramdisk-id" | "source-image-id"
        | "source-image-region" | "source-instance-id" | "state-reason-code" | "state-reason-message"
        | "sriov-net-support" => none;
    "manifest-location" => |_, image| one(location(image));
    "name" => |_, image| one(&image.name);
    "owner-alias" => |_, image| many(image.owner_alias());
    "owner-id" => |_, image| one(&image.owner);
    "root-device-type" => |_, _| one("ebs");
    "state" => |_, image| one(image.state.name());
    "virtualization-type" => |_, _| one("hvm");
};

/// `DescribeImages`: of what the caller may use, what is asked for by ids, owners (`self`, aliases and accounts), who
/// may use it, and filters.
pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeImagesRequest,
) -> Result<DescribeImagesResult, Error> {
    let state = control.read(input.dry_run)?;
    let ids = &input.image_ids;
    if !ids.is_empty() && input.max_results.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter imagesSet cannot be used with the parameter maxResults".into(),
        ));
    }
    let filters = Filters::new(FILTERS, &input.filters)?;
    let mut images = if ids.is_empty() { all(&state, caller) } else { by_ids(&state, caller, ids)? };
    images.retain(|image| {
        owned_by(image, caller, &input.owners)
            && executable_by(image, caller, &input.executable_users)
            && filters.matches(&state, image, &image.tags)
    });
    images.sort_by(|one, other| one.id.cmp(&other.id));
    let limits = Limits { least: 1, most: 1000, clamp: true };
    let page = Page::new(limits, input.max_results, &input.next_token);
    let (images, next_token) = page.cut(images, |image| image.id.to_string())?;
    Ok(DescribeImagesResult { images: images.iter().map(|image| shape(image)).collect(), next_token })
}

fn all(state: &Snapshot, caller: &Caller) -> Vec<Arc<Image>> {
    let kept = state
        .all::<Image>()
        .filter(|image| image.region == caller.region && image.usable_by(&caller.account))
        .cloned();
    std::iter::once(Arc::new(Image::host(&caller.region))).chain(kept).collect()
}

fn by_ids(state: &Snapshot, caller: &Caller, ids: &[String]) -> Result<Vec<Arc<Image>>, Error> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for id in ids.iter().collect::<BTreeSet<_>>() {
        match visible(state, caller, &parse::<Image>(id)?) {
            Some(image) => found.push(image),
            None => missing.push(id.clone()),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(Error::NotFound { noun: Image::NOUN, ids: missing }) }
}

fn owned_by(image: &Image, caller: &Caller, owners: &[String]) -> bool {
    let is = |owner: &String| match owner.as_str() {
        "self" => image.owner == caller.account,
        owner => image.owner.as_str() == owner || image.owner_alias() == Some(owner),
    };
    owners.is_empty() || owners.iter().any(is)
}

/// Whether an image may be used by all (`all`), or by the caller by name (`self`, or the account's number).
fn executable_by(image: &Image, caller: &Caller, users: &[String]) -> bool {
    let may = |user: &String| match user.as_str() {
        "all" => image.public,
        "self" => !image.public && image.owner == caller.account,
        user => !image.public && image.owner.as_str() == user,
    };
    users.is_empty() || users.iter().any(may)
}

fn created(image: &Image) -> String {
    format!("{:.3}", image.created)
}

/// AWS's place of an image: whose it is, and its name.
fn location(image: &Image) -> String {
    format!("{}/{}", image.owner_alias().unwrap_or(image.owner.as_str()), image.name)
}

fn devices(image: &Image) -> Vec<BlockDeviceMapping> {
    vec![BlockDeviceMapping {
        device_name: Some(ROOT_DEVICE.into()),
        ebs: Some(EbsBlockDevice {
            delete_on_termination: Some(true),
            encrypted: Some(false),
            iops: Some(3000),
            snapshot_id: Some(image.snapshot.to_string()),
            throughput: Some(125),
            volume_size: Some(ROOT_SIZE),
            volume_type: Some(ROOT_KIND.into()),
            ..EbsBlockDevice::default()
        }),
        ..BlockDeviceMapping::default()
    }]
}

fn shape(image: &Image) -> ImageShape {
    ImageShape {
        architecture: Some(image.architecture.clone()),
        block_device_mappings: devices(image),
        creation_date: Some(created(image)),
        description: Some(image.description.clone()),
        ena_support: Some(true),
        free_tier_eligible: Some(false),
        hypervisor: Some(HYPERVISOR.into()),
        image_allowed: Some(true),
        image_id: Some(image.id.to_string()),
        image_location: Some(location(image)),
        image_owner_alias: image.owner_alias().map(str::to_owned),
        image_type: Some("machine".into()),
        name: Some(image.name.clone()),
        owner_id: Some(image.owner.to_string()),
        platform_details: Some(PLATFORM.into()),
        public: Some(image.public),
        root_device_name: Some(ROOT_DEVICE.into()),
        root_device_type: Some("ebs".into()),
        state: Some(image.state.name().into()),
        tags: tags::shape(&image.tags),
        usage_operation: Some(USAGE_OPERATION.into()),
        virtualization_type: Some("hvm".into()),
        ..ImageShape::default()
    }
}

/// `DescribeImageAttribute`, which only an image's owner may call.
pub(crate) fn describe_attribute(
    control: &Control,
    caller: &Caller,
    input: DescribeImageAttributeRequest,
) -> Result<ImageAttribute, Error> {
    let state = control.read(input.dry_run)?;
    let id = parse::<Image>(required(input.image_id.as_deref(), "ImageId")?)?;
    let image = visible(&state, caller, &id).ok_or_else(|| not_found::<Image>(id.as_str()))?;
    if image.owner != caller.account {
        return Err(Error::AuthFailure(format!("Not authorized for image:{id}")));
    }
    let mut answer = ImageAttribute { image_id: Some(id.to_string()), ..ImageAttribute::default() };
    match required(input.attribute, "Attribute")?.as_str() {
        "description" => answer.description = Some(AttributeValue { value: Some(image.description.clone()) }),
        "blockDeviceMapping" => answer.block_device_mappings = devices(&image),
        "launchPermission" => {
            let everybody = LaunchPermission { group: Some("all".into()), ..LaunchPermission::default() };
            answer.launch_permissions = image.public.then_some(everybody).into_iter().collect();
        }
        "bootMode"
        | "deregistrationProtection"
        | "imdsSupport"
        | "kernel"
        | "lastLaunchedTime"
        | "productCodes"
        | "ramdisk"
        | "sriovNetSupport"
        | "tpmSupport"
        | "uefiData" => {}
        other => {
            return Err(Error::InvalidParameterValue(format!(
                "Value ({other}) for parameter attribute is invalid. Unknown attribute."
            )));
        }
    }
    Ok(answer)
}
