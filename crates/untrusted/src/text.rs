//! Identifiers, ARNs, ranges of addresses, names.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use ipnet::IpNet;
use linkway_gateway::Names;
use linkway_model::*;
use linkway_policy::{PrincipalKind, action_matches};

use crate::api::World;

/// Reads a text as every kind of short text that there is. What reads as an identifier must be spelled so again.
/// As a range, an ARN and a name, it is given to operations that take one.
pub fn text(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    ids(text);
    let _ = (text.parse::<PrincipalKind>(), text.parse::<IpNet>());
    let (first, second) = text.split_once('\n').unwrap_or((text, text));
    let _ = action_matches(first, second);
    let _ = linkway_actions::known_action(first);
    let _ = linkway_actions::complete(first);
    let _ = linkway_actions::is_about(first, second);
    let _ = linkway_actions::prefixes_of(first);
    let names: Names = [first].into_iter().collect();
    let _ = names.contains(second);
    asked(text);
}

fn ids(text: &str) {
    spelled_again::<AccountId>(text);
    spelled_again::<AllocationId>(text);
    spelled_again::<EndpointServiceId>(text);
    spelled_again::<NetworkInterfaceId>(text);
    spelled_again::<PrefixListId>(text);
    spelled_again::<ServicePermissionId>(text);
    spelled_again::<VpcEndpointId>(text);
    spelled_again::<VpcId>(text);
}

fn spelled_again<T: FromStr<Err: Debug> + Display>(text: &str) {
    if let Ok(id) = text.parse::<T>() {
        assert_eq!(id.to_string(), text);
    }
}

/// Calls that take a range, an ARN, an id, a name or a token; `@` stands for it.
const CALLS: &str = "\
ec2 Action=CreateVpc&CidrBlock=@
ec2 Action=CreateSubnet&VpcId={vpc-}&CidrBlock=@
ec2 Action=AssociateVpcCidrBlock&VpcId={vpc-}&CidrBlock=@
ec2 Action=AuthorizeSecurityGroupIngress&GroupName=default&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=1&IpPermissions.1.ToPort=2&IpPermissions.1.IpRanges.1.CidrIp=@
ec2 Action=AuthorizeSecurityGroupIngress&GroupName=default&IpPermissions.1.IpProtocol=@&IpPermissions.1.Ipv6Ranges.1.CidrIpv6=@
ec2 Action=CreateManagedPrefixList&PrefixListName=@&AddressFamily=IPv4&MaxEntries=5&Entry.1.Cidr=@
ec2 Action=CreateNetworkInterface&SubnetId={subnet-}&PrivateIpAddress=@
ec2 Action=CreateNetworkAclEntry&NetworkAclId={acl-}&RuleNumber=5&Protocol=@&RuleAction=allow&Egress=false&CidrBlock=@
ec2 Action=DescribeVpcs&VpcId.1=@
ec2 Action=DescribeSubnets&NextToken=@&MaxResults=5
ec2 Action=DescribeSubnets&Filter.1.Name=cidr-block&Filter.1.Value.1=@
ec2 Action=CreateVpcEndpoint&VpcId={vpc-}&ServiceName=@
ec2 Action=CreateTags&ResourceId.1=@&Tag.1.Key=a
elasticloadbalancing Action=DescribeTags&Version=2015-12-01&ResourceArns.member.1=@
elasticloadbalancing Action=DescribeTargetGroups&Version=2015-12-01&TargetGroupArns.member.1=@
rds Action=ListTagsForResource&Version=2014-10-31&ResourceName=@
iam Action=GetPolicy&Version=2010-05-08&PolicyArn=@
iam Action=CreateUser&Version=2010-05-08&UserName=user&Path=@
iam Action=CreateUser&Version=2010-05-08&UserName=@
sts Action=AssumeRole&Version=2011-06-15&RoleSessionName=@&RoleArn=@";

/// Gives a text to all calls that take one.
fn asked(text: &str) {
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    World::new().run(CALLS.replace('@', &escaped).as_bytes());
}
