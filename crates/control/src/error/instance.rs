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
    /// An image whose files are not there yet.
    #[error("AMI {0} is pending, and cannot be run")]
    ImagePending(String),
    /// The token made instances that are gone.
    #[error(
        "The request is a retry of a request with the same client token that launched an instance that has been \
         terminated."
    )]
    IdempotentInstanceTerminated,
    /// An account has all the instances that it may have.
    #[error("Your quota allows for {left} more running instance(s). You requested at least {asked}")]
    InstanceLimitExceeded {
        /// How many more there may be.
        left: usize,
        /// How many were asked for, at least.
        asked: i32,
    },
    /// A launch that says too little; the message is the whole of it.
    #[error("{0}")]
    MissingInput(String),
    /// Interfaces, none of which is the first.
    #[error("When specifying network interfaces, you must include a device at index 0.")]
    NoFirstInterface,
    /// User data that is no Base64.
    #[error("Invalid BASE64 encoding of user data.")]
    UserDataEncoding,
    /// User data that is too long.
    #[error("User data is limited to {0} bytes")]
    UserDataLength(usize),
    /// Types that are not in the catalogue.
    #[error("The following supplied instance types do not exist: [{}]", .0.join(", "))]
    UnknownInstanceTypes(Vec<String>),
    /// An instance has several interfaces, of which the request names none.
    #[error(
        "There are multiple interfaces attached to instance '{0}'. Please specify an interface ID for the operation \
         instead."
    )]
    SeveralInterfaces(String),
    /// An instance has no such device.
    #[error("No device is currently mapped at {0}")]
    DeviceNotAttached(String),
    /// A mapping of devices that cannot be; the message is the whole of it.
    #[error("{0}")]
    InvalidBlockDeviceMapping(String),
    /// There are no snapshots but those that stand for images.
    #[error("The snapshot '{0}' does not exist.")]
    SnapshotNotFound(String),
    /// No instance of the caller's has such a volume.
    #[error("The volume '{0}' does not exist.")]
    VolumeNotFound(String),
    /// Not the id of a volume.
    #[error("Invalid id: \"{0}\" (expecting \"vol-...\")")]
    MalformedVolume(String),
    /// No instance of the caller's has such an association.
    #[error("An invalid association-id of '{0}' was given")]
    ProfileAssociationNotFound(String),
    /// No key pair of this name.
    #[error("The key pair '{0}' does not exist")]
    KeyPairNotFound(String),
    /// There is a key pair of this name.
    #[error("The keypair '{0}' already exists.")]
    DuplicateKeyPair(String),
    /// Not a name for a launch template.
    #[error(
        "Launch template names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', \
         '.', '-', '/' and '_'"
    )]
    MalformedLaunchTemplateName,
    /// The account has a launch template of this name.
    #[error("Launch template name already in use.")]
    LaunchTemplateNameInUse,
    /// No launch template of this name.
    #[error("The specified launch template, with template name {0}, does not exist.")]
    LaunchTemplateNameNotFound(String),
    /// A launch template has no such version.
    #[error("Could not find the specified version {version} for the launch template with ID {template}.")]
    LaunchTemplateVersionNotFound {
        /// The template's id.
        template: String,
        /// The version.
        version: String,
    },
    /// Data that were kept and cannot be read.
    #[error("An internal error has occurred")]
    LaunchTemplateUnreadable,
    /// Not a public key that can be imported.
    #[error("Key is not in valid OpenSSH public key format")]
    KeyFormat,
    /// A key could not be made.
    #[error("An internal error has occurred")]
    KeyNotMade,
}

impl InstanceError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::MalformedImageName => "InvalidAMIName.Malformed",
            Self::ImageNameInUse { .. } => "InvalidAMIName.Duplicate",
            Self::ImagePending(_) => "InvalidAMIID.Unavailable",
            Self::IdempotentInstanceTerminated => "IdempotentInstanceTerminated",
            Self::InstanceLimitExceeded { .. } => "InstanceLimitExceeded",
            Self::MissingInput(_) => "MissingInput",
            Self::NoFirstInterface => "UnsupportedOperation",
            Self::UserDataEncoding | Self::UserDataLength(_) => "InvalidUserData.Malformed",
            Self::UnknownInstanceTypes(_) => "InvalidInstanceType",
            Self::SeveralInterfaces(_) => "InvalidInstanceID",
            Self::DeviceNotAttached(_) => "InvalidInstanceAttributeValue",
            Self::InvalidBlockDeviceMapping(_) => "InvalidBlockDeviceMapping",
            Self::SnapshotNotFound(_) => "InvalidSnapshot.NotFound",
            Self::VolumeNotFound(_) => "InvalidVolume.NotFound",
            Self::MalformedVolume(_) => "InvalidVolumeID.Malformed",
            Self::ProfileAssociationNotFound(_) => "InvalidAssociationID.NotFound",
            Self::KeyPairNotFound(_) => "InvalidKeyPair.NotFound",
            Self::DuplicateKeyPair(_) => "InvalidKeyPair.Duplicate",
            Self::KeyFormat => "InvalidKey.Format",
            Self::MalformedLaunchTemplateName => "InvalidLaunchTemplateName.MalformedException",
            Self::LaunchTemplateNameInUse => "InvalidLaunchTemplateName.AlreadyExistsException",
            Self::LaunchTemplateNameNotFound(_) => "InvalidLaunchTemplateName.NotFoundException",
            Self::LaunchTemplateVersionNotFound { .. } => "InvalidLaunchTemplateId.VersionNotFound",
            Self::KeyNotMade | Self::LaunchTemplateUnreadable => "InternalError",
        }
    }
}
