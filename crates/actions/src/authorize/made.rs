//! Resources that the tables cannot tell, by service.

use super::{Asked, Resource};

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
    match (kind, asked.scope.account) {
        (Some((_, kind)), Some(account)) => {
            let (partition, region) = (asked.scope.partition, asked.scope.region);
            Resource::known(format!("arn:{partition}:ec2:{region}:{account}:{kind}/{id}"))
        }
        _ => Resource::unknown(),
    }
}

/// Drops the resources that a request does not mean: a load balancer is of one type.
pub(crate) fn narrow(asked: &Asked<'_>, resources: &mut Vec<Resource>) {
    if (asked.operation.service(), asked.name()) == ("elbv2", "CreateLoadBalancer") {
        let kind = match asked.parameters.value("b.Type") {
            Some("network") => ":loadbalancer/net/",
            Some("gateway") => ":loadbalancer/gwy/",
            _ => ":loadbalancer/app/",
        };
        resources.retain(|resource| resource.unknown || resource.arn.contains(kind));
    }
}
