//! Changing volumes, which is done as soon as it is asked for.

use linkway_model::launch::{Volume, VolumeBefore};
use linkway_wire::ec2::{
    DescribeVolumesModificationsRequest, DescribeVolumesModificationsResult, ModifyVolumeRequest,
    ModifyVolumeResult, VolumeModification,
};

use super::describe::check_ids;
use super::{all, change, find, rates};
use crate::filter::{Field, Filters, fields, many, one};
use crate::lookup::required;
use crate::page::{Limits, Page};
use crate::{Caller, Control, Error};

pub(crate) fn modify(
    control: &Control,
    caller: &Caller,
    input: ModifyVolumeRequest,
) -> Result<ModifyVolumeResult, Error> {
    let id = required(input.volume_id, "VolumeId")?;
    if input.multi_attach_enabled == Some(true) {
        return Err(Error::Unsupported("A volume is one instance's.".into()));
    }
    control.write(input.dry_run, |tx| {
        let (instance, old) = find(tx, caller, &id)?;
        let kind = input.volume_type.unwrap_or_else(|| old.kind.clone());
        let size = input.size.unwrap_or(old.size);
        if size < old.size {
            return Err(Error::InvalidParameterValue("New size cannot be smaller than existing size".into()));
        }
        // What was set for the volume stays where it can be set; what followed from its size follows.
        let stays = kind == old.kind && matches!(kind.as_str(), "gp3" | "io1" | "io2");
        let kept = |given: Option<i32>, old: Option<i32>| given.or(old.filter(|_| stays));
        let (iops, throughput) =
            rates(&kind, size, kept(input.iops, old.iops), kept(input.throughput, old.throughput))?;
        let before = VolumeBefore {
            size: old.size,
            kind: old.kind.clone(),
            iops: old.iops,
            throughput: old.throughput,
            changed: control.now(),
        };
        let new = Volume { size, kind, iops, throughput, before: Some(before), ..old };
        let volume_modification = modification(&new);
        change(tx, &instance, &new.id.clone(), |volume| *volume = new);
        Ok(ModifyVolumeResult { volume_modification })
    })
}

/// The last change of a volume, if there was one.
fn modification(volume: &Volume) -> Option<VolumeModification> {
    let before = volume.before.as_ref()?;
    Some(VolumeModification {
        end_time: Some(before.changed),
        modification_state: Some("completed".into()),
        original_iops: before.iops,
        original_multi_attach_enabled: Some(false),
        original_size: Some(before.size),
        original_throughput: before.throughput,
        original_volume_type: Some(before.kind.clone()),
        progress: Some(100),
        start_time: Some(before.changed),
        target_iops: volume.iops,
        target_multi_attach_enabled: Some(false),
        target_size: Some(volume.size),
        target_throughput: volume.throughput,
        target_volume_type: Some(volume.kind.clone()),
        volume_id: Some(volume.id.to_string()),
        ..VolumeModification::default()
    })
}

const FILTERS: &[Field<Volume>] = fields! {
    "modification-state" => |_, _| one("completed");
    "original-iops" => |_, volume| many(volume.before.as_ref().and_then(|before| before.iops));
    "original-size" => |_, volume| many(volume.before.as_ref().map(|before| before.size));
    "original-volume-type" => |_, volume| many(volume.before.as_ref().map(|before| &before.kind));
    "originalMultiAttachEnabled" | "targetMultiAttachEnabled" => |_, _| one(false);
    "start-time" => |_, volume| many(volume.before.as_ref().map(|before| format!("{:.3}", before.changed)));
    "target-iops" => |_, volume| many(volume.iops);
    "target-size" => |_, volume| one(volume.size);
    "target-volume-type" => |_, volume| one(&volume.kind);
    "volume-id" => |_, volume| one(&volume.id);
};

pub(crate) fn describe_modifications(
    control: &Control,
    caller: &Caller,
    input: DescribeVolumesModificationsRequest,
) -> Result<DescribeVolumesModificationsResult, Error> {
    let state = control.read(input.dry_run)?;
    let filters = Filters::new(FILTERS, &input.filters)?;
    let found = all(&state, caller);
    check_ids(&found, &input.volume_ids)?;
    let asked = |volume: &&Volume| {
        (input.volume_ids.is_empty() || input.volume_ids.iter().any(|id| id == volume.id.as_str()))
            && filters.matches(&state, volume, &volume.tags)
    };
    let modifications =
        found.iter().map(|one| &one.volume).filter(asked).filter_map(modification).collect::<Vec<_>>();
    let page = Page::new(Limits { least: 5, most: 500, clamp: true }, input.max_results, &input.next_token);
    let (volumes_modifications, next_token) =
        page.cut(modifications, |one| one.volume_id.clone().unwrap_or_default())?;
    Ok(DescribeVolumesModificationsResult { next_token, volumes_modifications })
}
