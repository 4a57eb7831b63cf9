//! What a request may ask for on AWS and not here. Silence would promise it, so it is refused.

use linkway_model::database::DbEngine;
use linkway_wire::rds::{CreateDBInstanceMessage, ModifyDBInstanceMessage};

use crate::Error;
use crate::error::DatabaseError;
use crate::rds::engine::family;

/// Declares what both requests have, and how it is taken from either.
macro_rules! asked {
    ($($field:ident: $type:ty = $value:expr;)*) => {
        /// What a request asks for.
        pub(super) struct Asked {
            $($field: $type,)*
        }

        impl From<&CreateDBInstanceMessage> for Asked {
            fn from(input: &CreateDBInstanceMessage) -> Self {
                $(let $field = { let of: fn(_) -> _ = $value; of(&input.$field) };)*
                Self { $($field,)* }
            }
        }

        impl From<&ModifyDBInstanceMessage> for Asked {
            fn from(input: &ModifyDBInstanceMessage) -> Self {
                $(let $field = { let of: fn(_) -> _ = $value; of(&input.$field) };)*
                Self { $($field,)* }
            }
        }
    };
}

fn on(flag: &Option<bool>) -> bool {
    *flag == Some(true)
}

fn given(text: &Option<String>) -> bool {
    text.as_deref().is_some_and(|text| !text.is_empty())
}

asked! {
    db_security_groups: bool = |list: &Vec<String>| !list.is_empty();
    domain: bool = given;
    domain_fqdn: bool = given;
    enable_customer_owned_ip: bool = on;
    enable_iam_database_authentication: bool = on;
    manage_master_user_password: bool = on;
    master_user_authentication_type: Option<String> = Option::clone;
    master_user_secret_kms_key_id: bool = given;
    multi_tenant: bool = on;
    network_type: Option<String> = Option::clone;
    option_group_name: Option<String> = Option::clone;
    publicly_accessible: bool = on;
    tde_credential_arn: bool = given;
}

impl Asked {
    /// Refuse what is not to be had, for a server of this version.
    pub(super) fn check(&self, engine: DbEngine, version: &str) -> Result<(), Error> {
        first_of(&[
            (self.db_security_groups, "DB security groups are of EC2-Classic. Specify VpcSecurityGroupIds"),
            (self.domain || self.domain_fqdn, "DB instances cannot join a domain. Leave out Domain"),
            (
                self.enable_customer_owned_ip,
                "There are no customer-owned addresses. Leave out EnableCustomerOwnedIp",
            ),
            (
                self.enable_iam_database_authentication
                    || self.master_user_authentication_type.as_deref() == Some("iam-db-auth"),
                "IAM database authentication is not supported: users log in with passwords. Leave it out",
            ),
            (
                self.manage_master_user_password || self.master_user_secret_kms_key_id,
                "There is no Secrets Manager to keep the master user's password. Specify MasterUserPassword",
            ),
            (self.multi_tenant, "Tenant databases are not supported. Leave out MultiTenant"),
            (
                self.tde_credential_arn,
                "Transparent data encryption is not supported. Leave out TdeCredentialArn",
            ),
        ])?;
        if self.publicly_accessible {
            return Err(DatabaseError::NetworkState(
                "Cannot create a publicly accessible DBInstance. The specified VPC has no internet gateway attached. \
                 Update the VPC and then try again"
                    .into(),
            )
            .into());
        }
        if let Some(network) = self.network_type.as_deref().filter(|network| *network != "IPV4") {
            return Err(DatabaseError::NetworkType(network.to_owned()).into());
        }
        if let Some(group) =
            self.option_group_name.as_deref().filter(|name| *name != option_group(engine, version))
        {
            return Err(DatabaseError::OptionGroupNotFound(group.to_owned()).into());
        }
        Ok(())
    }
}

/// What only `CreateDBInstance` has.
pub(super) fn check_new(input: &CreateDBInstanceMessage) -> Result<(), Error> {
    let elsewhere = input.backup_target.as_deref().is_some_and(|target| target != "region");
    first_of(&[
        (given(&input.db_cluster_identifier), "There are no DB clusters. Leave out DBClusterIdentifier"),
        (!input.processor_features.is_empty(), "Processors cannot be chosen. Leave out ProcessorFeatures"),
        (
            given(&input.character_set_name),
            "CharacterSetName is for other engines: set character_set_server in a DB parameter group",
        ),
        (given(&input.nchar_character_set_name), "NcharCharacterSetName is for Oracle. Leave it out"),
        (given(&input.timezone), "Timezone is for other engines: set timezone in a DB parameter group"),
        (
            given(&input.custom_iam_instance_profile),
            "RDS Custom is not supported. Leave out CustomIamInstanceProfile",
        ),
        (
            !input.additional_storage_volumes.is_empty(),
            "AdditionalStorageVolumes are for other engines. Leave them out",
        ),
        (given(&input.db_system_id), "DBSystemId is for Oracle. Leave it out"),
        (elsewhere, "There are no Outposts. Leave out BackupTarget"),
        (!input.tag_specifications.is_empty(), "There are no backups to have tags. Specify Tags"),
    ])
}

/// What only `ModifyDBInstance` has.
pub(super) fn check_change(input: &ModifyDBInstanceMessage) -> Result<(), Error> {
    first_of(&[
        (!input.processor_features.is_empty(), "Processors cannot be chosen. Leave out ProcessorFeatures"),
        (on(&input.rotate_master_user_password), "There is no Secrets Manager to rotate a password"),
        (given(&input.replica_mode), "ReplicaMode is for Oracle. Leave it out"),
        (given(&input.automation_mode), "RDS Custom is not supported. Leave out AutomationMode"),
        (
            given(&input.aws_backup_recovery_point_arn),
            "There is no AWS Backup. Leave out AwsBackupRecoveryPointArn",
        ),
        (
            !input.additional_storage_volumes.is_empty(),
            "AdditionalStorageVolumes are for other engines. Leave them out",
        ),
        (!input.tag_specifications.is_empty(), "There are no backups to have tags. Use AddTagsToResource"),
    ])
}

/// Refuse with the words of the first that is asked for.
fn first_of(refused: &[(bool, &str)]) -> Result<(), Error> {
    match refused.iter().find(|(asked, _)| *asked) {
        Some((_, why)) => Err(Error::InvalidParameterCombination((*why).to_owned())),
        None => Ok(()),
    }
}

/// The one option group of a server: AWS's own, without options. Such as `default:postgres-15`.
pub(super) fn option_group(engine: DbEngine, version: &str) -> String {
    let family = family(engine, version);
    let major = family.strip_prefix(engine.name()).unwrap_or_default();
    format!("default:{}-{}", engine.name(), major.replace('.', "-"))
}
