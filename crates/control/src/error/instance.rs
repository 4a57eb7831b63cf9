//! What can stand against an operation on instances, images and key pairs.

/// Why an operation on instances was refused.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Not a name for an image.
    #[error(
        "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', \
         '/' and '_'"
    )]
    MalformedImageName,
    /// The account has an image of this name.
    #[error("AMI name {name} is already in use by AMI {image}")]
    ImageNameInUse {
        /// The name.
        name: String,
        /// The other image.
        image: String,
    },
}

impl InstanceError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::MalformedImageName => "InvalidAMIName.Malformed",
            Self::ImageNameInUse { .. } => "InvalidAMIName.Duplicate",
        }
    }
}
