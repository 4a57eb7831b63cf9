//! Describing volumes.

use std::sync::Arc;

use linkway_model::instance::Instance;
use linkway_model::launch::Volume;
use linkway_model::region::Zone;
use linkway_model::{Snapshot, VolumeId};
use linkway_wire::ec2::{
    DescribeVolumesRequest, DescribeVolumesResult, OperatorResponse, Volume as VolumeShape, VolumeAttachment,
};

use crate::error::InstanceError;
use crate::filter::{Field, Filters, fields, many, none, one};
use crate::lookup::Owned;
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error, tags};

/// A volume and its instance.
pub(crate) struct Attached {
    pub(crate) instance: Arc<Instance>,
    pub(crate) volume: Volume,
}

const FILTERS: &[Field<Attached>] = fields! {
    "attachment.attach-time" | "create-time" => |_, found| one(format!("{:.3}", found.volume.created));
    "attachment.delete-on-termination" => |_, found| one(found.volume.delete_on_termination);
    "attachment.device" => |_, found| one(&found.volume.device);
    "attachment.instance-id" => |_, found| one(&found.instance.id);
    "attachment.status" => |_, _| one("attached");
    "availability-zone" => |_, found| one(&found.instance.zone);
    "availability-zone-id" => |_, found| many(Zone::find(&found.instance.zone).map(|zone| zone.id));
    "encrypted" => |_, found| one(found.volume.encrypted);
    "fast-restored" | "multi-attach-enabled" | "operator.managed" => |_, _| one(false);
    "operator.principal" => none;
    "size" => |_, found| one(found.volume.size);
    "snapshot-id" => |_, found| many(found.volume.snapshot.as_ref());
    "status" => |_, _| one("in-use");
    "volume-id" => |_, found| one(&found.volume.id);
    "volume-type" => |_, found| one(&found.volume.kind);
};

/// The volumes of the caller's instances that have not been terminated, in the order of ids.
pub(crate) fn all(state: &Snapshot, caller: &Caller) -> Vec<Attached> {
    let own =
        state.all::<Instance>().filter(|instance| instance.belongs_to(caller) && instance.ended.is_none());
    let volumes = own.filter_map(|instance| Some((instance, instance.launch.as_ref()?)));
    let mut volumes: Vec<_> = volumes
        .flat_map(|(instance, launch)| launch.volumes.iter().map(move |volume| (instance, volume)))
        .map(|(instance, volume)| Attached { instance: Arc::clone(instance), volume: volume.clone() })
        .collect();
    volumes.sort_by(|one, other| one.volume.id.cmp(&other.volume.id));
    volumes
}

/// Refuse ids that no volume has.
pub(super) fn check_ids(found: &[Attached], ids: &[String]) -> Result<(), Error> {
    for id in ids {
        id.parse::<VolumeId>().map_err(|_| InstanceError::MalformedVolume(id.clone()))?;
        if !found.iter().any(|one| one.volume.id.as_str() == id) {
            return Err(InstanceError::VolumeNotFound(id.clone()).into());
        }
    }
    Ok(())
}

pub(crate) fn describe(
    control: &Control,
    caller: &Caller,
    input: DescribeVolumesRequest,
) -> Result<DescribeVolumesResult, Error> {
    let state = control.read(input.dry_run)?;
    if !input.volume_ids.is_empty() && input.max_results.is_some() {
        return Err(Error::InvalidParameterCombination(
            "The parameter volumeSet cannot be used with the parameter maxResults".into(),
        ));
    }
    let filters = Filters::new(FILTERS, &input.filters)?;
    let mut found = all(&state, caller);
    check_ids(&found, &input.volume_ids)?;
    found.retain(|one| {
        (input.volume_ids.is_empty() || input.volume_ids.iter().any(|id| id == one.volume.id.as_str()))
            && filters.matches(&state, one, &one.volume.tags)
    });
    let limits = Limits { least: 5, most: 1000, clamp: true };
    let page = Page::new(limits, input.max_results, &input.next_token);
    let (found, next_token) = page.cut(found, |one| one.volume.id.to_string())?;
    Ok(DescribeVolumesResult { next_token, volumes: found.iter().map(shape).collect() })
}

fn shape(found: &Attached) -> VolumeShape {
    let Attached { instance, volume } = found;
    VolumeShape {
        attachments: vec![VolumeAttachment {
            attach_time: Some(volume.created),
            delete_on_termination: Some(volume.delete_on_termination),
            device: Some(volume.device.clone()),
            instance_id: Some(instance.id.to_string()),
            state: Some("attached".into()),
            volume_id: Some(volume.id.to_string()),
            ..VolumeAttachment::default()
        }],
        availability_zone: Some(instance.zone.clone()),
        availability_zone_id: Zone::find(&instance.zone).map(|zone| zone.id.into()),
        create_time: Some(volume.created),
        encrypted: Some(volume.encrypted),
        iops: volume.iops,
        kms_key_id: volume.kms_key.clone(),
        multi_attach_enabled: Some(false),
        operator: Some(OperatorResponse { managed: Some(false), ..OperatorResponse::default() }),
        size: Some(volume.size),
        snapshot_id: Some(volume.snapshot.as_ref().map(ToString::to_string).unwrap_or_default()),
        state: Some("in-use".into()),
        tags: tags::shape(&volume.tags),
        throughput: volume.throughput,
        volume_id: Some(volume.id.to_string()),
        volume_type: Some(volume.kind.clone()),
        ..VolumeShape::default()
    }
}
