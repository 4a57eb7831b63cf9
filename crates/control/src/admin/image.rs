//! Images, as `linkway image` makes and removes them.

use std::path::PathBuf;

use linkway_model::image::{AMAZON, Image, ImageSource, ImageState, host_architecture};
use linkway_model::region::Region;
use linkway_model::{AccountId, ImageId, SnapshotId, Tags};

use crate::ec2::image::check_name;
use crate::error::{AdminError, InstanceError};
use crate::lookup::not_found;
use crate::{Control, Error};

/// What an image is made with.
#[derive(Debug, Clone)]
pub struct ImageRequest {
    /// Whose; `None`: Amazon's, for all accounts to use.
    pub account: Option<AccountId>,
    /// Where it can be used.
    pub region: String,
    /// Its name, unique among its owner's in the region.
    pub name: String,
    /// In its maker's words.
    pub description: String,
}

impl Control {
    /// Make an image, `pending`, whose files are to be in the directory `images/ID` of the state directory.
    pub fn add_image(&self, request: ImageRequest) -> Result<Image, Error> {
        let ImageRequest { account, region, name, description } = request;
        check_name(&name)?;
        if Region::find(&region).is_none() {
            return Err(AdminError::UnknownRegion(region).into());
        }
        let public = account.is_none();
        let owner = account.unwrap_or_else(|| AMAZON.parse().expect("twelve digits"));
        self.write(None, |tx| {
            if !public && tx.get::<linkway_model::account::Account>(&owner).is_none() {
                return Err(AdminError::AccountNotFound(owner.clone()).into());
            }
            let same = |image: &Image| image.owner == owner && image.region == region && image.name == name;
            if let Some(other) = tx.all::<Image>().find(|image| same(image)) {
                return Err(InstanceError::ImageNameInUse {
                    name: name.clone(),
                    image: other.id.to_string(),
                }
                .into());
            }
            let id = ImageId::random();
            let directory = PathBuf::from("images").join(id.as_str());
            let image = Image {
                id,
                owner: owner.clone(),
                region: region.clone(),
                name: name.clone(),
                description: description.clone(),
                source: ImageSource::Imported { directory },
                architecture: host_architecture().to_owned(),
                public,
                snapshot: SnapshotId::random(),
                created: self.now(),
                state: ImageState::Pending,
                tags: Tags::new(),
            };
            tx.put(image.clone());
            Ok(image)
        })
    }

    /// An image's files are there: instances can be made of it.
    pub fn image_available(&self, id: &ImageId) -> Result<Image, Error> {
        self.write(None, |tx| {
            tx.update::<Image>(id, |image| image.state = ImageState::Available);
            tx.get::<Image>(id)
                .map(|image| Image::clone(image))
                .ok_or_else(|| not_found::<Image>(id.as_str()))
        })
    }

    /// Forget an image. Instances that were made of it go on; whoever removes its files has to mind those.
    pub fn remove_image(&self, id: &ImageId) -> Result<(), Error> {
        self.write(None, |tx| {
            if tx.get::<Image>(id).is_none() {
                return Err(not_found::<Image>(id.as_str()));
            }
            tx.delete::<Image>(id);
            Ok(())
        })
    }

    /// All images that are in the state, with those of the host in `region`.
    pub fn images(&self, region: &str) -> Vec<Image> {
        let state = self.store.snapshot();
        let kept = state.all::<Image>().map(|image| Image::clone(image));
        std::iter::once(Image::host(region)).chain(kept).collect()
    }
}
