//! `linkway image`.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use linkway_model::image::{Image as Model, ImageSource, ImageState};
use linkway_model::{AccountId, ImageId};

use crate::admin::client::Client;
use crate::admin::protocol::{AddImage, ImageAvailable, ImageList, ListImages, RemoveImage};
use crate::cli::output::Output;
use crate::machine::import;
use crate::state_dir::{StateDir, lock, remove};

/// What can be done with images.
#[derive(Debug, Subcommand)]
pub(crate) enum Image {
    /// Make an image of a directory, or of a tar archive (also compressed by gzip): a file system, as `docker export` or
    /// debootstrap makes it. Instances are then launched of it with `aws ec2 run-instances --image-id`.
    Import {
        /// Its name.
        name: String,
        /// The directory or the archive.
        source: PathBuf,
        /// The region that it is in.
        #[arg(long, default_value = "us-east-1")]
        region: String,
        /// The account that it belongs to. It is for all accounts to use if this is not given.
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<AccountId>,
        /// What it is, for people.
        #[arg(long, default_value = "")]
        description: String,
        #[command(flatten)]
        output: Output,
    },
    /// List images: those that were imported, and the host's own in one region.
    List {
        /// The region whose image of the host is shown.
        #[arg(long, default_value = "us-east-1")]
        region: String,
        #[command(flatten)]
        output: Output,
    },
    /// Remove an image. Its files stay for as long as instances are made of it.
    Remove {
        /// Which.
        image: ImageId,
    },
}

impl Image {
    /// Carry it out.
    pub(crate) fn run(self, state: &StateDir) -> Result<()> {
        let client = Client::new(state);
        let (images, output) = match self {
            Self::Import { name, source, region, account, description, output } => {
                // Of a name that cannot be read, the daemon need not know.
                let source =
                    fs::canonicalize(&source).with_context(|| format!("cannot read {}", source.display()))?;
                let ImageList { images, directory } = client.call(&ListImages { region: region.clone() })?;
                let _alone = alone(&client, &images, &directory)?;
                let image = client.call(&AddImage { account, region, name, description })?;
                (vec![fill(&client, &image, &source, &directory)?], output)
            }
            Self::List { region, output } => (client.call(&ListImages { region })?.images, output),
            Self::Remove { image } => return client.call(&RemoveImage { image }),
        };
        output.list(&images, ["IMAGE", "NAME", "REGION", "OWNER", "STATE"], |image| {
            let Model { id, name, region, owner, state, .. } = image;
            [id.to_string(), name.clone(), region.clone(), owner.to_string(), state.name().to_owned()]
        })
    }
}

/// Have the images to ourselves: what is in the making then is of an import that was broken off.
fn alone(client: &Client, images: &[Model], directory: &Path) -> Result<fs::File> {
    let making = || format!("cannot make {}", directory.display());
    DirBuilder::new().recursive(true).mode(0o700).create(directory).with_context(making)?;
    let alone = lock(&directory.join("lock"))?;
    let broken = images.iter().filter(|image| {
        image.state == ImageState::Pending && matches!(image.source, ImageSource::Imported { .. })
    });
    for image in broken {
        remove(&directory.join(image.id.as_str()).with_extension("new"))?;
        client.call(&RemoveImage { image: image.id.clone() })?;
    }
    Ok(alone)
}

fn fill(client: &Client, image: &Model, source: &Path, directory: &Path) -> Result<Model> {
    let filled = import::fill(source, &directory.join(image.id.as_str()));
    if let Err(error) = filled {
        client.call(&RemoveImage { image: image.id.clone() })?;
        return Err(error);
    }
    client.call(&ImageAvailable { image: image.id.clone() })
}
