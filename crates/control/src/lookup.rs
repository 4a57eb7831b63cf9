//! Finding what a caller names, among what is the caller's.

use std::str::FromStr;
use std::sync::Arc;

use linkway_model::dhcp_options::DhcpOptions;
use linkway_model::elastic_address::ElasticAddress;
use linkway_model::endpoint_service::EndpointService;
use linkway_model::flow_log::FlowLog;
use linkway_model::image::Image;
use linkway_model::index::Term;
use linkway_model::instance::Instance;
use linkway_model::internet_gateway::{EgressOnlyInternetGateway, InternetGateway};
use linkway_model::key_pair::KeyPair;
use linkway_model::launch_template::LaunchTemplate;
use linkway_model::nat_gateway::NatGateway;
use linkway_model::network_acl::NetworkAcl;
use linkway_model::network_interface::NetworkInterface;
use linkway_model::prefix_list::PrefixList;
use linkway_model::route_table::RouteTable;
use linkway_model::security_group::{SecurityGroup, SecurityGroupRule};
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::vpc_endpoint::VpcEndpoint;
use linkway_model::{AccountId, MalformedId, Resource, Snapshot, Tags};

use crate::{Caller, Error};

/// How AWS speaks of a kind of resource.
#[derive(Debug, PartialEq, Eq)]
pub struct Noun {
    /// What its ids begin with.
    pub prefix: &'static str,
    /// Its type, in tags and ARNs.
    pub resource_type: &'static str,
    /// The code when there is none of an id.
    pub not_found: &'static str,
    /// The code when an id cannot be one.
    pub malformed: &'static str,
    /// What the messages call its id.
    pub phrase: &'static str,
}

impl Noun {
    pub(crate) fn missing(&self, ids: &[String]) -> String {
        let (phrase, ids) = (self.phrase, ids.join(", "));
        if self.resource_type == Image::NOUN.resource_type {
            return match ids.contains(',') {
                true => format!("The {phrase}s '[{ids}]' do not exist"),
                false => format!("The {phrase} '[{ids}]' does not exist"),
            };
        }
        if self.resource_type == LaunchTemplate::NOUN.resource_type {
            return format!("The specified launch template, with template ID {ids}, does not exist.");
        }
        // NAT gateways came later, with words of their own.
        if self.resource_type == NatGateway::NOUN.resource_type {
            return format!("The {phrase} {ids} was not found");
        }
        if ids.contains(',') {
            format!("The {phrase}s '{ids}' do not exist")
        } else {
            format!("The {phrase} '{ids}' does not exist")
        }
    }
}

/// A resource that belongs to an account, in a region, under an id of AWS's usual form.
pub(crate) trait Owned: Resource {
    /// The type of its id.
    type Id: FromStr<Err = MalformedId> + AsRef<str> + Clone;
    /// How AWS speaks of it.
    const NOUN: &'static Noun;
    /// What the index has it under by its owner and region, if it has.
    const OWNERS: Option<Term> = None;
    /// What the index has it under by its tags, if it has.
    const TAGS: Option<Term> = None;

    fn owner(&self) -> &AccountId;
    fn region(&self) -> &str;
    fn tags(&self) -> &Tags;
    fn tags_mut(&mut self) -> &mut Tags;

    /// Its ARN.
    fn arn(&self) -> String {
        let (region, owner, kind) = (self.region(), self.owner(), Self::NOUN.resource_type);
        format!("arn:aws:ec2:{region}:{owner}:{kind}/{}", self.id())
    }

    /// Whether it is among what `caller` may name.
    fn belongs_to(&self, caller: &Caller) -> bool {
        *self.owner() == caller.account && self.region() == caller.region
    }
}

macro_rules! owned {
    ($(
        $type:ident: $id:ident, $resource_type:literal, $phrase:literal, $not_found:literal, $malformed:literal
        $(, $constant:ident = $term:expr)*;
    )*) => {$(
        impl Owned for $type {
            type Id = linkway_model::$id;
            const NOUN: &'static Noun = &Noun {
                prefix: linkway_model::$id::PREFIX,
                resource_type: $resource_type,
                not_found: $not_found,
                malformed: $malformed,
                phrase: $phrase,
            };
            $(const $constant: Option<Term> = Some($term);)*

            fn owner(&self) -> &AccountId {
                &self.owner
            }

            fn region(&self) -> &str {
                &self.region
            }

            fn tags(&self) -> &Tags {
                &self.tags
            }

            fn tags_mut(&mut self) -> &mut Tags {
                &mut self.tags
            }
        }
    )*};
}

owned! {
    Vpc: VpcId, "vpc", "vpc ID", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed";
    Subnet: SubnetId, "subnet", "subnet ID", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed";
    SecurityGroup: SecurityGroupId, "security-group", "security group",
        "InvalidGroup.NotFound", "InvalidGroupId.Malformed";
    SecurityGroupRule: SecurityGroupRuleId, "security-group-rule", "security group rule ID",
        "InvalidSecurityGroupRuleId.NotFound", "InvalidSecurityGroupRuleId.Malformed";
    NetworkInterface: NetworkInterfaceId, "network-interface", "networkInterface ID",
        "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceId.Malformed";
    RouteTable: RouteTableId, "route-table", "routeTable ID",
        "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed";
    NetworkAcl: NetworkAclId, "network-acl", "networkAcl ID",
        "InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed";
    InternetGateway: InternetGatewayId, "internet-gateway", "internetGateway ID",
        "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed";
    EgressOnlyInternetGateway: EgressOnlyInternetGatewayId, "egress-only-internet-gateway", "eigw ID",
        "InvalidGatewayID.NotFound", "InvalidEgressOnlyInternetGatewayId.Malformed";
    ElasticAddress: AllocationId, "elastic-ip", "allocation ID",
        "InvalidAllocationID.NotFound", "InvalidAllocationID.NotFound";
    NatGateway: NatGatewayId, "natgateway", "Nat Gateway", "NatGatewayNotFound", "NatGatewayMalformed";
    DhcpOptions: DhcpOptionsId, "dhcp-options", "dhcpOption ID",
        "InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsId.Malformed";
    PrefixList: PrefixListId, "prefix-list", "prefix list ID",
        "InvalidPrefixListID.NotFound", "InvalidPrefixListId.Malformed";
    FlowLog: FlowLogId, "vpc-flow-log", "flow log ID", "InvalidFlowLogId.NotFound", "InvalidFlowLogId.Malformed";
    Instance: InstanceId, "instance", "instance ID", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed";
    VpcEndpoint: VpcEndpointId, "vpc-endpoint", "Vpc Endpoint Id",
        "InvalidVpcEndpointId.NotFound", "InvalidVpcEndpointId.Malformed",
        OWNERS = Term::EndpointOwner, TAGS = Term::EndpointTag;
    Image: ImageId, "image", "image id", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed";
    KeyPair: KeyPairId, "key-pair", "key pair", "InvalidKeyPair.NotFound", "InvalidKeyPair.Malformed";
    LaunchTemplate: LaunchTemplateId, "launch-template", "launch template ID",
        "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.Malformed";
    EndpointService: EndpointServiceId, "vpc-endpoint-service", "VpcEndpointService Id",
        "InvalidVpcEndpointServiceId.NotFound", "InvalidVpcEndpointServiceIdId.Malformed";
}

/// What a request cannot do without.
pub(crate) fn required<T>(value: Option<T>, parameter: &'static str) -> Result<T, Error> {
    value.ok_or(Error::MissingParameter(parameter))
}

/// Read an id.
pub(crate) fn parse<T: Owned>(id: &str) -> Result<T::Id, Error> {
    id.parse().map_err(|_: MalformedId| Error::Malformed { noun: T::NOUN, id: id.to_owned() })
}

/// The caller's own resource of this id. Somebody else's does not exist.
pub(crate) fn own<'a, T: Owned>(state: &'a Snapshot, caller: &Caller, id: &str) -> Result<&'a Arc<T>, Error> {
    let parsed = parse::<T>(id)?;
    state.get::<T>(parsed).filter(|found| found.belongs_to(caller)).ok_or_else(|| not_found::<T>(id))
}

/// The resource of an id that a parameter must have.
pub(crate) fn named<'a, T: Owned>(
    state: &'a Snapshot,
    caller: &Caller,
    id: Option<&str>,
    parameter: &'static str,
) -> Result<&'a Arc<T>, Error> {
    own(state, caller, required(id, parameter)?)
}

/// The error for an id that nothing has.
pub(crate) fn not_found<T: Owned>(id: impl Into<String>) -> Error {
    Error::NotFound { noun: T::NOUN, ids: vec![id.into()] }
}
