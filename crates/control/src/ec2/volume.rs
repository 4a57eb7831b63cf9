//! Volumes: what instances of images say that their file systems are on. They are parts of their instances, are kept
//! and shown as clients compare them, and have no effect.

mod describe;
mod modify;

use std::collections::BTreeSet;

use linkway_model::image::Image;
use linkway_model::instance::Instance;
use linkway_model::launch::Volume;
use linkway_model::{InstanceId, Snapshot, SnapshotId, Tags, Timestamp, VolumeId};
use linkway_store::Transaction;
use linkway_wire::ec2::{BlockDeviceMapping, EbsBlockDevice};

pub(crate) use describe::{all, describe};
pub(crate) use modify::{describe_modifications, modify};

use crate::error::InstanceError;
use crate::{Caller, Error};

/// The device that an image's root is.
pub(crate) const ROOT_DEVICE: &str = "/dev/xvda";

/// The size that an image's root has, in GiB.
pub(crate) const ROOT_SIZE: i32 = 8;

/// The type that an image's root has.
pub(crate) const ROOT_KIND: &str = "gp3";

/// A volume that a launch asks for.
pub(crate) struct Wanted {
    device: String,
    size: i32,
    kind: String,
    iops: Option<i32>,
    throughput: Option<i32>,
    encrypted: bool,
    kms_key: Option<String>,
    snapshot: Option<SnapshotId>,
    delete_on_termination: bool,
}

impl Wanted {
    pub(crate) fn make(&self, id: VolumeId, created: Timestamp, tags: Tags) -> Volume {
        Volume {
            id,
            device: self.device.clone(),
            size: self.size,
            kind: self.kind.clone(),
            iops: self.iops,
            throughput: self.throughput,
            encrypted: self.encrypted,
            kms_key: self.kms_key.clone(),
            snapshot: self.snapshot.clone(),
            delete_on_termination: self.delete_on_termination,
            created,
            tags,
            before: None,
        }
    }
}

/// Change a volume of an instance.
pub(crate) fn change(
    tx: &mut Transaction,
    instance: &InstanceId,
    id: &VolumeId,
    change: impl FnOnce(&mut Volume),
) {
    tx.update::<Instance>(instance, |instance| {
        let mut volumes = instance.launch.iter_mut().flat_map(|launch| &mut launch.volumes);
        if let Some(volume) = volumes.find(|volume| volume.id == *id) {
            change(volume);
        }
    });
}

/// A volume of the caller's, and the instance that it is of.
pub(crate) fn find(state: &Snapshot, caller: &Caller, id: &str) -> Result<(InstanceId, Volume), Error> {
    let found = all(state, caller);
    describe::check_ids(&found, &[id.to_owned()])?;
    let mut found = found.into_iter().filter(|one| one.volume.id.as_str() == id);
    let found = found.next().map(|one| (one.instance.id.clone(), one.volume.clone()));
    found.ok_or_else(|| InstanceError::VolumeNotFound(id.to_owned()).into())
}

/// The volumes of an instance of `image`: its root, as the mapping of its device says, and the others.
pub(crate) fn wanted(image: &Image, mappings: &[BlockDeviceMapping]) -> Result<Vec<Wanted>, Error> {
    let mut volumes = Vec::new();
    let mut devices = BTreeSet::new();
    for mapping in mappings {
        let device = mapping.device_name.as_deref().ok_or(Error::MissingParameter("deviceName"))?;
        if !devices.insert(device) {
            return Err(InstanceError::InvalidBlockDeviceMapping(format!(
                "The device '{device}' is used in more than one block-device mapping"
            ))
            .into());
        }
        match &mapping.ebs {
            _ if mapping.no_device.is_some() => {}
            Some(ebs) if device == ROOT_DEVICE => volumes.insert(0, one(device, ebs, Some(image))?),
            Some(ebs) => volumes.push(one(device, ebs, None)?),
            // No type here has disks of its own; AWS leaves such a mapping without effect, too.
            None if mapping.virtual_name.is_some() => {}
            None => return Err(Error::MissingParameter("ebs")),
        }
    }
    if volumes.first().is_none_or(|first| first.device != ROOT_DEVICE) {
        volumes.insert(0, one(ROOT_DEVICE, &EbsBlockDevice::default(), Some(image))?);
    }
    Ok(volumes)
}

/// One volume; of the root, with its image.
fn one(device: &str, ebs: &EbsBlockDevice, image: Option<&Image>) -> Result<Wanted, Error> {
    let kind = ebs.volume_type.clone().unwrap_or_else(|| match image {
        Some(_) => ROOT_KIND.into(),
        None => "gp2".into(),
    });
    let own = image.map(|image| image.snapshot.clone());
    let snapshot = match (&ebs.snapshot_id, own) {
        (Some(asked), own) if own.as_ref().is_none_or(|own| own.as_str() != asked) => {
            return Err(InstanceError::SnapshotNotFound(asked.clone()).into());
        }
        (_, own) => own,
    };
    let size = match (ebs.volume_size, &snapshot) {
        (Some(size), Some(snapshot)) if size < ROOT_SIZE => {
            return Err(InstanceError::InvalidBlockDeviceMapping(format!(
                "Volume of size {size}GB is smaller than snapshot '{snapshot}', expect size >= {ROOT_SIZE}GB"
            ))
            .into());
        }
        (Some(size), _) => size,
        (None, Some(_)) => ROOT_SIZE,
        (None, None) => return Err(Error::MissingParameter("size or snapshotId")),
    };
    let (iops, throughput) = rates(&kind, size, ebs.iops, ebs.throughput)?;
    Ok(Wanted {
        device: device.to_owned(),
        size,
        kind,
        iops,
        throughput,
        encrypted: ebs.encrypted.unwrap_or(ebs.kms_key_id.is_some()),
        kms_key: ebs.kms_key_id.clone(),
        snapshot,
        delete_on_termination: ebs.delete_on_termination.unwrap_or(true),
    })
}

/// Operations and MiB a second of a volume, given or AWS's defaults. Source: "Amazon EBS volume types".
fn rates(
    kind: &str,
    size: i32,
    iops: Option<i32>,
    throughput: Option<i32>,
) -> Result<(Option<i32>, Option<i32>), Error> {
    let (sizes, fixed) = match kind {
        "gp3" => (1..=65_536, Some((iops.unwrap_or(3000), Some(throughput.unwrap_or(125))))),
        "io1" => (4..=16_384, iops.map(|iops| (iops, None))),
        "io2" => (4..=65_536, iops.map(|iops| (iops, None))),
        "gp2" => (1..=16_384, Some((size.saturating_mul(3).clamp(100, 16_000), None))),
        "st1" | "sc1" => (125..=16_384, None),
        "standard" => (1..=1024, None),
        _ => return Err(refuse("volumeType", kind)),
    };
    if !sizes.contains(&size) {
        return Err(refuse("volumeSize", &size.to_string()));
    }
    if iops.is_some() && !matches!(kind, "gp3" | "io1" | "io2") {
        return Err(Error::InvalidParameterCombination(format!(
            "The parameter iops is not supported for {kind} volumes."
        )));
    }
    if throughput.is_some() && kind != "gp3" {
        return Err(Error::InvalidParameterCombination(format!(
            "The parameter throughput is not supported for {kind} volumes."
        )));
    }
    if matches!(kind, "io1" | "io2") && iops.is_none() {
        return Err(Error::MissingParameter("iops"));
    }
    if iops.is_some_and(|iops| !(100..=256_000).contains(&iops)) {
        return Err(refuse("iops", &iops.unwrap_or_default().to_string()));
    }
    if throughput.is_some_and(|throughput| !(125..=2000).contains(&throughput)) {
        return Err(refuse("throughput", &throughput.unwrap_or_default().to_string()));
    }
    Ok((fixed.map(|(iops, _)| iops), fixed.and_then(|(_, throughput)| throughput)))
}

fn refuse(parameter: &str, value: &str) -> Error {
    Error::InvalidParameterValue(format!("Value ({value}) for parameter {parameter} is invalid."))
}
