//! What an instance is launched with, and how far it has come: the machine's side of an
//! [`Instance`](crate::instance::Instance).

use serde::{Deserialize, Serialize};

use crate::{ImageId, InstanceProfileAssociationId, SnapshotId, Tags, Timestamp, VolumeId, base64_text};

/// The most that user data may be, in bytes. Source: "Instance user data" in the EC2 user guide.
pub const MAX_USER_DATA: usize = 16 * 1024;

/// What an instance of an image is made with.
///
/// # Boots
///
/// `boot` counts how often the instance was to be started: 1 from its launch, one more with each start and each
/// reboot. `booted` is the boot that [`process`](crate::instance::Instance::process) is of. What runs instances has
/// to bring the two together wherever the state
/// [wants a process](crate::instance::InstanceState::wants_process): end a process of an earlier boot, start one for
/// this boot, and say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// What its file system began as.
    pub image: ImageId,
    /// Its type, such as `t3.micro`.
    pub instance_type: String,
    /// Its number among those that were launched with it: from 0.
    pub index: i32,
    /// The token that its launch came with.
    pub client_token: Option<String>,
    /// What its first boot runs, or reads: at most [`MAX_USER_DATA`] bytes.
    #[serde(with = "base64_text")]
    pub user_data: Vec<u8>,
    /// The key pair that it was launched with. It may be deleted since.
    pub key: Option<LaunchKey>,
    /// The instance profile that gives it a role.
    pub profile: Option<ProfileAssociation>,
    /// How it is told about itself.
    pub metadata: MetadataOptions,
    /// What becomes of it when it ends by itself.
    pub shutdown_behavior: ShutdownBehavior,
    /// Whether `TerminateInstances` is refused.
    pub termination_protection: bool,
    /// Whether `StopInstances` is refused.
    pub stop_protection: bool,
    /// Its name in the network.
    pub names: NameOptions,
    /// Its volumes, the root one first. They stand for its file system in answers, and have no effect.
    pub volumes: Vec<Volume>,
    /// What is kept and shown without effect.
    pub kept: Kept,
    /// How often it was to be started.
    pub boot: u32,
    /// The boot of its process, while it has one.
    pub booted: Option<u32>,
    /// Whether it is to be ended without being given time: `StopInstances` or `TerminateInstances` with `Force`.
    pub abruptly: bool,
}

/// The public half of a key pair, as it was at the launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchKey {
    /// The pair's name.
    pub name: String,
    /// A line of `authorized_keys`.
    pub public_key: String,
}

/// An instance profile's association with an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileAssociation {
    /// Its id.
    pub id: InstanceProfileAssociationId,
    /// The profile's key in the state. It may have been deleted since, and another one made of the name.
    pub profile: String,
    /// The profile's unique id: `AIPA…`.
    pub profile_id: String,
    /// The profile's ARN.
    pub arn: String,
    /// When it was made.
    pub since: Timestamp,
}

/// How an instance reads its metadata at 169.254.169.254 and fd00:ec2::254.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataOptions {
    /// Whether it can at all.
    pub enabled: bool,
    /// Whether it can by IPv6, too.
    #[serde(default)]
    pub ipv6: bool,
    /// Whether requests need a session's token: IMDSv2 only.
    pub tokens_required: bool,
    /// How many hops the answer to a token's `PUT` may take: 1 to 64.
    pub hop_limit: u8,
    /// Whether its tags are among its metadata.
    pub tags: bool,
}

impl Default for MetadataOptions {
    fn default() -> Self {
        Self { enabled: true, ipv6: false, tokens_required: false, hop_limit: 1, tags: false }
    }
}

/// What becomes of an instance when it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShutdownBehavior {
    /// It is stopped, and can be started again.
    Stop,
    /// It is terminated.
    Terminate,
}

impl ShutdownBehavior {
    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Terminate => "terminate",
        }
    }
}

/// `PrivateDnsNameOptions` of an instance: what its host name is made of, and what its resource name leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameOptions {
    /// `ip-name` or `resource-name`.
    pub hostname_type: String,
    /// Whether its resource name has an A record.
    pub resource_name_a_record: bool,
    /// Whether its resource name has an AAAA record.
    #[serde(default)]
    pub resource_name_aaaa_record: bool,
}

/// A volume of an instance's: kept, shown, and without effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// The device that it is, such as `/dev/xvda`.
    pub device: String,
    /// Its size in GiB.
    pub size: i32,
    /// Such as `gp3`.
    pub kind: String,
    /// Operations a second.
    pub iops: Option<i32>,
    /// MiB a second.
    pub throughput: Option<i32>,
    /// Whether it says that it is encrypted.
    pub encrypted: bool,
    /// The key that it would be encrypted with.
    pub kms_key: Option<String>,
    /// What it was made of.
    pub snapshot: Option<SnapshotId>,
    /// Whether it goes with the instance, as callers see it.
    pub delete_on_termination: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
    /// What it was before it was last changed, if it was.
    pub before: Option<VolumeBefore>,
}

/// A volume before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeBefore {
    /// Its size in GiB.
    pub size: i32,
    /// Such as `gp3`.
    pub kind: String,
    /// Operations a second.
    pub iops: Option<i32>,
    /// MiB a second.
    pub throughput: Option<i32>,
    /// When it was changed.
    pub changed: Timestamp,
}

/// What an instance keeps and shows without effect, under AWS's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// `EbsOptimized`.
    pub ebs_optimized: bool,
    /// `Monitoring`: detailed or not.
    pub monitoring: bool,
    /// `CreditSpecification`: `standard` or `unlimited`; of types with credits only.
    pub cpu_credits: Option<String>,
    /// `CpuOptions`: cores, and threads of each.
    pub cpu: (i32, i32),
    /// `MaintenanceOptions.AutoRecovery`: `default` or `disabled`.
    pub auto_recovery: String,
    /// `MaintenanceOptions.RebootMigration`: `default` or `disabled`.
    pub reboot_migration: String,
    /// `Placement.Tenancy`: `default` or `dedicated`.
    pub tenancy: String,
    /// `CapacityReservationPreference`: `open` or `none`.
    pub capacity: String,
}
