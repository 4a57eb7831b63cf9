//! Permissions that owners of network interfaces give to other accounts and to AWS services.

use serde::{Deserialize, Serialize};

use crate::{AccountId, NetworkInterfaceId, NetworkInterfacePermissionId};

/// A permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterfacePermission {
    /// Its id.
    pub id: NetworkInterfacePermissionId,
    /// Who owns the interface, and gave it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// The interface.
    pub interface: NetworkInterfaceId,
    /// The account that has it.
    pub account: Option<AccountId>,
    /// The AWS service that has it.
    pub service: Option<String>,
    /// AWS's `INSTANCE-ATTACH` or `EIP-ASSOCIATE`.
    pub permission: String,
}
