//! Identifiers, as AWS spells them: a prefix and 17 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that is not an identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid id: {text:?} (expecting \"{prefix}...\")")]
pub struct MalformedId {
    /// What was given.
    pub text: String,
    /// What it should have begun with, such as `vpc-`.
    pub prefix: &'static str,
}

/// `count` random hexadecimal digits.
pub fn random_hex(count: usize) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    random_bytes(count).iter().map(|byte| char::from(DIGITS[usize::from(byte & 15)])).collect()
}

/// `count` random characters of `a-z0-9`, as endpoint names carry.
pub fn random_label(count: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    random_bytes(count).iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}

/// `count` random letters of either case and digits, as records that verify a domain carry.
pub fn random_mixed(count: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789Aa";
    random_bytes(count).iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect()
}

/// 128 random bits.
pub fn random_bits() -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&random_bytes(16));
    u128::from_ne_bytes(bytes)
}

fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).expect("the kernel's random source answers once the machine has booted");
    bytes
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// What every such id begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, at random.
            pub fn random() -> Self {
                Self(format!("{}{}", $prefix, random_hex(17)))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                let digits = text.strip_prefix($prefix).unwrap_or_default();
                if matches!(digits.len(), 8 | 17)
                    && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
                {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(MalformedId { text: text.to_owned(), prefix: $prefix })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )*};
}

ids! {
    /// A VPC.
    VpcId = "vpc-";
    /// A VPC's association with one of its address ranges.
    VpcCidrAssociationId = "vpc-cidr-assoc-";
    /// A subnet's association with its IPv6 range.
    SubnetCidrAssociationId = "subnet-cidr-assoc-";
    /// A set of DHCP options.
    DhcpOptionsId = "dopt-";
    /// A subnet.
    SubnetId = "subnet-";
    /// A security group.
    SecurityGroupId = "sg-";
    /// A rule of a security group.
    SecurityGroupRuleId = "sgr-";
    /// A network interface.
    NetworkInterfaceId = "eni-";
    /// A network interface's attachment to an instance.
    AttachmentId = "eni-attach-";
    /// A route table.
    RouteTableId = "rtb-";
    /// A route table's association with a subnet, or as a VPC's main one.
    RouteTableAssociationId = "rtbassoc-";
    /// A network access control list.
    NetworkAclId = "acl-";
    /// A network ACL's association with a subnet.
    NetworkAclAssociationId = "aclassoc-";
    /// An internet gateway.
    InternetGatewayId = "igw-";
    /// An egress-only internet gateway.
    EgressOnlyInternetGatewayId = "eigw-";
    /// An elastic address's allocation.
    AllocationId = "eipalloc-";
    /// An elastic address's association.
    ElasticAddressAssociationId = "eipassoc-";
    /// A NAT gateway.
    NatGatewayId = "nat-";
    /// A managed prefix list.
    PrefixListId = "pl-";
    /// An instance.
    InstanceId = "i-";
    /// A reservation: what one launch made.
    ReservationId = "r-";
    /// A machine image.
    ImageId = "ami-";
    /// A snapshot of a volume.
    SnapshotId = "snap-";
    /// A volume.
    VolumeId = "vol-";
    /// A key pair.
    KeyPairId = "key-";
    /// An instance profile's association with an instance.
    InstanceProfileAssociationId = "iip-assoc-";
    /// A VPC endpoint.
    VpcEndpointId = "vpce-";
    /// An endpoint service.
    EndpointServiceId = "vpce-svc-";
    /// A principal's permission to connect to an endpoint service.
    ServicePermissionId = "vpce-svc-perm-";
    /// An endpoint's connection with its service.
    EndpointConnectionId = "vpce-con-";
    /// A flow log.
    FlowLogId = "fl-";
    /// A permission to a network interface.
    NetworkInterfacePermissionId = "eni-perm-";
    /// A connection notification.
    ConnectionNotificationId = "vpce-nfn-";
}

impl DhcpOptionsId {
    /// What stands in a VPC without any: AWS's word for that is `default`.
    pub fn none() -> Self {
        Self("default".to_owned())
    }
}

/// An account: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(String);

impl AccountId {
    /// The account as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedId { text: text.to_owned(), prefix: "twelve digits" })
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for AccountId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_read_back_and_differ() {
        let id = VpcEndpointId::random();
        assert_eq!(id.as_str().len(), "vpce-".len() + 17);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_ne!(id, VpcEndpointId::random());
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        // A service's id begins like an endpoint's.
        let service = EndpointServiceId::random();
        assert!(service.as_str().parse::<VpcEndpointId>().is_err());
        assert!("vpc-0G".parse::<VpcId>().is_err());
        assert!("vpc-1a2b3c4d".parse::<VpcId>().is_ok());
    }
}
