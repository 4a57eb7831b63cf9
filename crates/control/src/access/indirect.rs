//! Resources of EC2's that a request means and does not name by their ids: by an association, an attachment or a name.
//! And what it tells of an endpoint that it makes.

use linkway_actions::{Parameters, Scope};
use linkway_model::connection_notification::{ConnectionNotification, NotificationSubject};
use linkway_model::elastic_address::ElasticAddress;
use linkway_model::instance::Instance;
use linkway_model::interface_permission::NetworkInterfacePermission;
use linkway_model::key_pair::KeyPair;
use linkway_model::network_interface::{InterfaceRole, NetworkInterface};
use linkway_model::route_table::RouteTable;
use linkway_model::security_group::SecurityGroup;
use linkway_model::subnet::Subnet;
use linkway_model::vpc::Vpc;
use linkway_model::{Snapshot, VpcId};

use super::Resource;
use crate::lookup::Owned;

/// Complete the resources of an operation. What cannot be found stays unknown.
pub(super) fn complete(
    state: &Snapshot,
    operation: &str,
    parameters: &Parameters<'_>,
    scope: &Scope<'_>,
    resources: &mut Vec<Resource>,
) {
    let place = Place { state, parameters, scope };
    if operation == "CreateVpcEndpoint" {
        let made = resources.iter_mut().find(|resource| resource.arn.ends_with(":vpc-endpoint/*"));
        if let (Some(made), Some(service)) = (made, place.member("ServiceName")) {
            let region = place.member("ServiceRegion").unwrap_or(scope.region);
            made.keys.add_service(state, service, region);
            if let Some(preference) = place.member("DnsOptions.PrivateDnsPreference") {
                made.keys.add("ec2:VpcePrivateDnsPreference", preference);
            }
        }
    }
    let found: Vec<String> = match operation {
        "DeleteKeyPair" => place.key_pair().into_iter().collect(),
        _ if !resources.iter().any(|resource| resource.unknown) => return,
        _ => place.meant(operation),
    };
    if !found.is_empty() {
        *resources = found.into_iter().map(|arn| Resource::named(state, arn)).collect();
    }
}

/// Where a request is served, and what it says.
struct Place<'a> {
    state: &'a Snapshot,
    parameters: &'a Parameters<'a>,
    scope: &'a Scope<'a>,
}

impl<'a> Place<'a> {
    fn member(&self, name: &str) -> Option<&'a str> {
        self.parameters.values(&format!("b.{name}")).into_iter().find(|value| !value.is_empty())
    }

    fn is_here(&self, found: &impl Owned) -> bool {
        found.region() == self.scope.region && self.scope.account == Some(found.owner().as_str())
    }

    /// The first of a kind that is here and that the request means.
    fn find<T: Owned>(&self, is_meant: impl Fn(&T) -> bool) -> Option<&'a T> {
        let mut all = self.state.all::<T>().map(AsRef::as_ref);
        all.find(|found| self.is_here(*found) && is_meant(found))
    }

    fn arn(&self, kind: &str, id: impl std::fmt::Display) -> Option<String> {
        let account = self.scope.account?;
        Some(format!("arn:aws:ec2:{}:{account}:{kind}/{id}", self.scope.region))
    }

    fn meant(&self, operation: &str) -> Vec<String> {
        let association = self.member("AssociationId");
        let is_association = |id: &str| association == Some(id);
        let found: [Option<String>; 2] = match operation {
            "DetachNetworkInterface" => {
                let attachment = self.member("AttachmentId");
                let interface = self.find(|interface: &NetworkInterface| match &interface.role {
                    InterfaceRole::Instance { attachment: id, .. }
                    | InterfaceRole::Namespace { attachment: id, .. } => attachment == Some(id.as_str()),
                    _ => false,
                });
                let instance = interface.and_then(|interface| match &interface.role {
                    InterfaceRole::Instance { instance, .. } => self.arn("instance", instance),
                    _ => None,
                });
                [interface.map(Owned::arn), instance]
            }
            "DisassociateAddress" => {
                let address = self.member("PublicIp");
                let elastic = self.find(|elastic: &ElasticAddress| {
                    let own = elastic.association.as_ref();
                    own.is_some_and(|own| is_association(own.id.as_str()))
                        || association.is_none() && address == Some(&*elastic.address.to_string())
                });
                let interface = elastic.and_then(|elastic| elastic.association.as_ref());
                let interface = interface.and_then(|own| self.arn("network-interface", &own.interface));
                [elastic.map(Owned::arn), interface]
            }
            "DisassociateRouteTable" => {
                let found = self.state.all::<RouteTable>().filter(|table| self.is_here(&***table));
                let mut found = found.filter_map(|table| {
                    let (_, subnet) =
                        table.associations.iter().find(|(id, _)| is_association(id.as_str()))?;
                    Some((table.arn(), self.arn("subnet", subnet)))
                });
                found.next().map_or([None, None], |(table, subnet)| [Some(table), subnet])
            }
            "DisassociateSubnetCidrBlock" => {
                let is_meant = |subnet: &Subnet| {
                    subnet.ipv6_cidr.as_ref().is_some_and(|range| is_association(range.association.as_str()))
                };
                [self.find(is_meant).map(Owned::arn), None]
            }
            "DisassociateVpcCidrBlock" => {
                let is_meant = |vpc: &Vpc| {
                    vpc.cidrs.iter().any(|range| is_association(range.association.as_str()))
                        || vpc.ipv6_cidrs.iter().any(|range| is_association(range.association.as_str()))
                };
                [self.find(is_meant).map(Owned::arn), None]
            }
            "DisassociateIamInstanceProfile" | "ReplaceIamInstanceProfileAssociation" => {
                let is_meant = |instance: &Instance| {
                    let profile = instance.launch.as_ref().and_then(|launch| launch.profile.as_ref());
                    profile.is_some_and(|profile| is_association(profile.id.as_str()))
                };
                [self.find(is_meant).map(Owned::arn), None]
            }
            "DeleteNetworkInterfacePermission" => {
                let id = self.member("NetworkInterfacePermissionId").unwrap_or_default();
                let found = self.state.get::<NetworkInterfacePermission>(id);
                [found.and_then(|found| self.arn("network-interface", &found.interface)), None]
            }
            "ModifyVpcEndpointConnectionNotification" | "DeleteVpcEndpointConnectionNotifications" => {
                return self.notified();
            }
            "DeleteSecurityGroup"
            | "AuthorizeSecurityGroupEgress"
            | "AuthorizeSecurityGroupIngress"
            | "RevokeSecurityGroupIngress"
            | "UpdateSecurityGroupRuleDescriptionsEgress"
            | "UpdateSecurityGroupRuleDescriptionsIngress" => [self.group(), None],
            _ => [None, None],
        };
        found.into_iter().flatten().collect()
    }

    /// The group of the default VPC's that has the name.
    fn group(&self) -> Option<String> {
        let name = self.member("GroupName")?;
        let is_default = |vpc: &VpcId| self.state.get::<Vpc>(vpc).is_some_and(|vpc| vpc.is_default);
        self.find(|group: &SecurityGroup| group.name == name && is_default(&group.vpc)).map(Owned::arn)
    }

    /// A key pair's ARN has its name.
    fn key_pair(&self) -> Option<String> {
        if let Some(name) = self.member("KeyName") {
            return self.arn("key-pair", name);
        }
        let id = self.member("KeyPairId")?;
        let pair = self.find(|pair: &KeyPair| pair.id.as_str() == id)?;
        self.arn("key-pair", &pair.name)
    }

    /// What the notifications are about that are named.
    fn notified(&self) -> Vec<String> {
        let ids = self.parameters.values("b.ConnectionNotificationId");
        let found = ids.into_iter().filter_map(|id| self.state.get::<ConnectionNotification>(id));
        let subjects = found.filter_map(|found| match &found.subject {
            NotificationSubject::Service(service) => self.arn("vpc-endpoint-service", service),
            NotificationSubject::Endpoint(endpoint) => self.arn("vpc-endpoint", endpoint),
        });
        subjects.collect()
    }
}
