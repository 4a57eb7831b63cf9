//! Machine images: the host's own file system, one in each region, and those that `linkway image` imports.

mod describe;
mod modify;

use std::ops::RangeInclusive;
use std::sync::Arc;

use linkway_model::image::Image;
use linkway_model::{ImageId, Snapshot};

pub(crate) use describe::{describe, describe_attribute};
pub(crate) use modify::{deregister, modify_attribute};

use crate::error::InstanceError;
use crate::{Caller, Error};

/// Characters of an image's name.
const NAME_LENGTH: RangeInclusive<usize> = 3..=128;

/// What AWS says of an image that runs under its virtualisation.
pub(crate) const HYPERVISOR: &str = "xen";

/// AWS's word for a Linux without a licence.
pub(crate) const PLATFORM: &str = "Linux/UNIX";

/// AWS's code for running such a one.
pub(crate) const USAGE_OPERATION: &str = "RunInstances";

/// The image of this id, if the caller may see it.
pub(crate) fn visible(state: &Snapshot, caller: &Caller, id: &ImageId) -> Option<Arc<Image>> {
    Image::find(state, id).filter(|image| image.region == caller.region && image.usable_by(&caller.account))
}

/// Check a new image's name.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "()[] ./-'@_".contains(letter);
    if NAME_LENGTH.contains(&name.chars().count()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(InstanceError::MalformedImageName.into())
}
