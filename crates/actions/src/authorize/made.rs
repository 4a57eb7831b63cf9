//! Resources that the tables cannot tell, by service.

use super::{Asked, Resource, events};

/// What EC2's ids begin with, and the type of their ARNs.
const EC2_IDS: [(&str, &str); 39] = [
    ("acl", "network-acl"),
    ("ami", "image"),
    ("cagw", "carrier-gateway"),
    ("cgw", "customer-gateway"),
    ("cr", "capacity-reservation"),
    ("dopt", "dhcp-options"),
    ("eigw", "egress-only-internet-gateway"),
    ("eipalloc", "elastic-ip"),
    ("eni", "network-interface"),
    ("fl", "vpc-flow-log"),
    ("fleet", "fleet"),
    ("h", "dedicated-host"),
    ("i", "instance"),
    ("igw", "internet-gateway"),
    ("ipam", "ipam"),
    ("ipam-pool", "ipam-pool"),
    ("ipam-scope", "ipam-scope"),
    ("key", "key-pair"),
    ("lt", "launch-template"),
    ("nat", "natgateway"),
    ("pcx", "vpc-peering-connection"),
    ("pg", "placement-group"),
    ("pl", "prefix-list"),
    ("r", "reserved-instances"),
    ("rtb", "route-table"),
    ("sfr", "spot-fleet-request"),
    ("sg", "security-group"),
    ("sgr", "security-group-rule"),
    ("sir", "spot-instances-request"),
    ("snap", "snapshot"),
    ("subnet", "subnet"),
    ("tgw", "transit-gateway"),
    ("tgw-attach", "transit-gateway-attachment"),
    ("tgw-rtb", "transit-gateway-route-table"),
    ("vgw", "vpn-gateway"),
    ("vol", "volume"),
    ("vpc", "vpc"),
    ("vpce", "vpc-endpoint"),
    ("vpce-svc", "vpc-endpoint-service"),
];

/// Operations of EC2 whose members have other names than the ARNs' variables, or of which several carry one: the
/// members with ids.
const EC2_MEMBERS: [(&str, &[&str]); 13] = [
    ("AuthorizeSecurityGroupEgress", &["b.GroupId"]),
    ("AuthorizeSecurityGroupIngress", &["b.GroupId"]),
    ("CreateFlowLogs", &["b.ResourceId"]),
    ("CreateManagedPrefixList", &[]),
    ("CreateVpcEndpoint", &["b.VpcId", "b.SubnetId", "b.SecurityGroupId", "b.RouteTableId"]),
    ("CreateVpcEndpointServiceConfiguration", &[]),
    ("DeleteSecurityGroup", &["b.GroupId"]),
    ("ModifySecurityGroupRules", &["b.GroupId", "b.SecurityGroupRule.SecurityGroupRuleId"]),
    (
        "ModifyVpcEndpoint",
        &[
            "b.VpcEndpointId",
            "b.AddSubnetId",
            "b.RemoveSubnetId",
            "b.AddSecurityGroupId",
            "b.RemoveSecurityGroupId",
            "b.AddRouteTableId",
            "b.RemoveRouteTableId",
        ],
    ),
    ("RevokeSecurityGroupIngress", &["b.GroupId"]),
    (
        "RunInstances",
        &[
            "b.SubnetId",
            "b.SecurityGroupId",
            "b.LaunchTemplate.LaunchTemplateId",
            "b.NetworkInterface.NetworkInterfaceId",
            "b.NetworkInterface.SubnetId",
            "b.NetworkInterface.SecurityGroupId",
        ],
    ),
    ("UpdateSecurityGroupRuleDescriptionsEgress", &["b.GroupId"]),
    ("UpdateSecurityGroupRuleDescriptionsIngress", &["b.GroupId"]),
];

/// What of these makes what, beside those that name it: the operation and the type.
const EC2_MAKES: [(&str, &str); 7] = [
    ("CreateFlowLogs", "vpc-flow-log"),
    ("CreateManagedPrefixList", "prefix-list"),
    ("CreateVpcEndpoint", "vpc-endpoint"),
    ("CreateVpcEndpointServiceConfiguration", "vpc-endpoint-service"),
    ("RunInstances", "instance"),
    ("RunInstances", "network-interface"),
    ("RunInstances", "volume"),
];

/// Services that keep names in lower case, however a request spells them: "stored as a lowercase string", as their
/// API references say.
const LOWER_CASE: [&str; 3] = ["elasticache", "memorydb", "rds"];

/// What is made or tagged in IAM: the operation, the type, the member with its name.
const IAM: [(&str, &str, &str); 6] = [
    ("CreateUser", "user", "b.UserName"),
    ("CreateRole", "role", "b.RoleName"),
    ("CreateGroup", "group", "b.GroupName"),
    ("CreatePolicy", "policy", "b.PolicyName"),
    ("CreateInstanceProfile", "instance-profile", "b.InstanceProfileName"),
    ("UploadServerCertificate", "server-certificate", "b.ServerCertificateName"),
];

/// An action's resources by hand; `None` where the tables know them.
pub(crate) fn resources(asked: &Asked<'_>) -> Option<Vec<Resource>> {
    match (asked.operation.iam_prefix(), asked.name()) {
        ("iam", name) => {
            let (_, kind, member) = IAM.iter().find(|(operation, _, _)| *operation == name)?;
            Some(vec![in_iam(asked, kind, member)])
        }
        ("ec2", "CreateTags" | "DeleteTags") => {
            let ids = asked.parameters.values("b.ResourceId");
            Some(ids.into_iter().map(|id| by_id(asked, id)).collect())
        }
        ("events", _) => events::resources(asked),
        ("ec2", name) => {
            let (_, members) = EC2_MEMBERS.iter().find(|(operation, _)| *operation == name)?;
            let ids = members.iter().flat_map(|member| asked.parameters.values(member));
            let mut found: Vec<_> = ids.filter(|id| !id.is_empty()).map(|id| by_id(asked, id)).collect();
            let makes = EC2_MAKES.iter().filter(|(operation, _)| *operation == name);
            found.extend(makes.map(|(_, kind)| in_ec2(asked, kind, "*")));
            if name == "RunInstances" {
                let (partition, region) = (asked.scope.partition, asked.scope.region);
                let image = asked.parameters.values("b.ImageId").into_iter();
                found.extend(
                    image.map(|id| Resource::known(format!("arn:{partition}:ec2:{region}::image/{id}"))),
                );
                let key = asked.parameters.values("b.KeyName").into_iter();
                found.extend(key.filter(|name| !name.is_empty()).map(|name| in_ec2(asked, "key-pair", name)));
            }
            Some(found)
        }
        _ => None,
    }
}

/// In IAM a name stands behind a path, which only a request that makes something carries.
fn in_iam(asked: &Asked<'_>, kind: &str, member: &str) -> Resource {
    let path = asked.parameters.value("b.Path").filter(|path| !path.is_empty()).unwrap_or("/");
    let is_path = path.starts_with('/') && path.ends_with('/');
    match (asked.parameters.value(member), asked.scope.account) {
        (Some(name), Some(account)) if is_path && !name.is_empty() => {
            Resource::known(format!("arn:{}:iam::{account}:{kind}{path}{name}", asked.scope.partition))
        }
        _ => Resource::unknown(),
    }
}

/// A resource of EC2 by its id, which begins with what it is.
fn by_id(asked: &Asked<'_>, id: &str) -> Resource {
    let kind = id.rsplit_once('-').and_then(|(start, _)| EC2_IDS.iter().find(|(known, _)| *known == start));
    kind.map_or_else(Resource::unknown, |(_, kind)| in_ec2(asked, kind, id))
}

fn in_ec2(asked: &Asked<'_>, kind: &str, id: &str) -> Resource {
    let (partition, region) = (asked.scope.partition, asked.scope.region);
    match asked.scope.account {
        Some(account) => Resource::known(format!("arn:{partition}:ec2:{region}:{account}:{kind}/{id}")),
        None => Resource::unknown(),
    }
}

/// What EC2's tags are for that come with what is made: only that needs `ec2:CreateTags`. `None` if the request does
/// not say so.
pub(crate) fn tagged(asked: &Asked<'_>) -> Option<Vec<Resource>> {
    let kinds = asked.parameters.values("b.TagSpecification.ResourceType");
    let found: Vec<_> = kinds.into_iter().map(|kind| in_ec2(asked, kind, "*")).collect();
    (asked.operation.iam_prefix() == "ec2" && !found.is_empty()).then_some(found)
}

/// Drops the resources that a request does not mean, as a load balancer is of one type, and spells the others as
/// their service keeps them.
pub(crate) fn narrow(asked: &Asked<'_>, resources: &mut Vec<Resource>) {
    if LOWER_CASE.contains(&asked.operation.iam_prefix()) {
        for resource in &mut *resources {
            resource.arn.make_ascii_lowercase();
        }
    }
    if (asked.operation.service(), asked.name()) == ("elbv2", "CreateLoadBalancer") {
        let kind = match asked.parameters.value("b.Type") {
            Some("network") => ":loadbalancer/net/",
            Some("gateway") => ":loadbalancer/gwy/",
            _ => ":loadbalancer/app/",
        };
        resources.retain(|resource| resource.unknown || resource.arn.contains(kind));
    }
}
