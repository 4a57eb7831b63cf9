//! DHCP options: what a VPC tells its instances about names and time.

use serde::{Deserialize, Serialize};

use crate::{AccountId, DhcpOptionsId, Tags};

/// A set of DHCP options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpOptions {
    /// Its id.
    pub id: DhcpOptionsId,
    /// Who owns it.
    pub owner: AccountId,
    /// Where it is.
    pub region: String,
    /// Whether it is the one that the account's VPCs get.
    pub is_default: bool,
    /// Options and their values, such as `domain-name-servers` and `AmazonProvidedDNS`.
    pub options: Vec<(String, Vec<String>)>,
    /// Its tags.
    pub tags: Tags,
}
