//! Machine images: what an instance's file system begins as.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::region::Region;
use crate::{AccountId, ImageId, Snapshot, SnapshotId, Tags, Timestamp, hash};

/// The account that AWS's own images are of, whose alias is `amazon`. Source: `describe-images --owners amazon`.
pub const AMAZON: &str = "137112412989";

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Who owns it: an account of this installation, or [`AMAZON`].
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Its name, unique among its owner's in the region.
    pub name: String,
    /// In its maker's words.
    pub description: String,
    /// Where its files are.
    pub source: ImageSource,
    /// AWS's name of the architecture that its programs are for: `x86_64`, `arm64`.
    pub architecture: String,
    /// Whether all accounts may use it.
    pub public: bool,
    /// The snapshot that stands for its files in answers.
    pub snapshot: SnapshotId,
    /// When it was made.
    pub created: Timestamp,
    /// Its state.
    pub state: ImageState,
    /// Its tags.
    pub tags: Tags,
}

/// Where an image's files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ImageSource {
    /// The host's own file system.
    Host,
    /// A directory in the state directory, made by `linkway image import`.
    Imported {
        /// Its path, relative to the state directory.
        directory: PathBuf,
    },
}

/// AWS's states of an image, as far as they occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageState {
    /// Its files are being copied.
    Pending,
    /// Instances can be made of it.
    Available,
}

impl ImageState {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Available => "available",
        }
    }
}

impl Image {
    /// The image that stands for the host's own file system in a region. It is there without being in the state, has
    /// the same id in every installation, and everybody may use it.
    pub fn host(region: &str) -> Self {
        let architecture = host_architecture();
        let digits = hash::digits(&format!("{region} {architecture}"), 16);
        let id = |prefix: &str| format!("{prefix}{digits}");
        Self {
            id: id("ami-0").parse().expect("17 hexadecimal digits"),
            owner: AMAZON.parse().expect("twelve digits"),
            region: region.to_owned(),
            name: format!("linkway/host-{architecture}"),
            description: "The file system of the host that Linkway runs on, read-only underneath".to_owned(),
            source: ImageSource::Host,
            architecture: architecture.to_owned(),
            public: true,
            snapshot: id("snap-0").parse().expect("17 hexadecimal digits"),
            created: Timestamp::from_second(1_767_225_600).expect("the first second of 2026"),
            state: ImageState::Available,
            tags: Tags::new(),
        }
    }

    /// The image of this id, in the state or the host's own.
    pub fn find(state: &Snapshot, id: &ImageId) -> Option<Arc<Self>> {
        let kept = || state.get::<Self>(id).cloned();
        let host = || Region::all().map(|region| Self::host(region.name));
        kept().or_else(|| host().find(|image| image.id == *id).map(Arc::new))
    }

    /// Whether an account may see it, and make instances of it.
    pub fn usable_by(&self, account: &AccountId) -> bool {
        self.public || self.owner == *account
    }

    /// The name that AWS gives its owner, if it has one for it.
    pub fn owner_alias(&self) -> Option<&'static str> {
        (self.owner.as_str() == AMAZON).then_some("amazon")
    }
}

/// This machine's architecture, under AWS's name.
pub fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_an_image_of_the_host() {
        let state = Snapshot::default();
        let (here, there) = (Image::host("us-east-1"), Image::host("eu-west-1"));
        assert_ne!(here.id, there.id);
        assert_eq!(Image::find(&state, &there.id).as_deref(), Some(&there));
        assert_eq!(Image::find(&state, &ImageId::random()), None);
    }
}
