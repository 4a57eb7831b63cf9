//! EC2: the registry of its operations.

pub(crate) mod network_interface;
pub(crate) mod security_group;

use linkway_wire::ec2::*;

use crate::registry::operations;
use crate::{Caller, Control, Error};

operations! {
    Ec2 {
        describe_regions(DescribeRegionsRequest) -> DescribeRegionsResult = absent;
        describe_availability_zones(DescribeAvailabilityZonesRequest) -> DescribeAvailabilityZonesResult = absent;
        describe_account_attributes(DescribeAccountAttributesRequest) -> DescribeAccountAttributesResult = absent;
        create_vpc(CreateVpcRequest) -> CreateVpcResult = absent;
        describe_vpcs(DescribeVpcsRequest) -> DescribeVpcsResult = absent;
        delete_vpc(DeleteVpcRequest) -> () = absent;
        describe_vpc_attribute(DescribeVpcAttributeRequest) -> DescribeVpcAttributeResult = absent;
        modify_vpc_attribute(ModifyVpcAttributeRequest) -> () = absent;
        describe_network_acls(DescribeNetworkAclsRequest) -> DescribeNetworkAclsResult = absent;
        describe_route_tables(DescribeRouteTablesRequest) -> DescribeRouteTablesResult = absent;
        describe_security_groups(DescribeSecurityGroupsRequest) -> DescribeSecurityGroupsResult = absent;
        create_subnet(CreateSubnetRequest) -> CreateSubnetResult = absent;
        describe_subnets(DescribeSubnetsRequest) -> DescribeSubnetsResult = absent;
        delete_subnet(DeleteSubnetRequest) -> () = absent;
        modify_subnet_attribute(ModifySubnetAttributeRequest) -> () = absent;
        create_security_group(CreateSecurityGroupRequest) -> CreateSecurityGroupResult = absent;
        delete_security_group(DeleteSecurityGroupRequest) -> DeleteSecurityGroupResult = absent;
        authorize_security_group_ingress(AuthorizeSecurityGroupIngressRequest) -> AuthorizeSecurityGroupIngressResult = absent;
        authorize_security_group_egress(AuthorizeSecurityGroupEgressRequest) -> AuthorizeSecurityGroupEgressResult = absent;
        revoke_security_group_ingress(RevokeSecurityGroupIngressRequest) -> RevokeSecurityGroupIngressResult = absent;
        revoke_security_group_egress(RevokeSecurityGroupEgressRequest) -> RevokeSecurityGroupEgressResult = absent;
        describe_security_group_rules(DescribeSecurityGroupRulesRequest) -> DescribeSecurityGroupRulesResult = absent;
        modify_security_group_rules(ModifySecurityGroupRulesRequest) -> ModifySecurityGroupRulesResult = absent;
        update_security_group_rule_descriptions_ingress(UpdateSecurityGroupRuleDescriptionsIngressRequest) -> UpdateSecurityGroupRuleDescriptionsIngressResult = absent;
        update_security_group_rule_descriptions_egress(UpdateSecurityGroupRuleDescriptionsEgressRequest) -> UpdateSecurityGroupRuleDescriptionsEgressResult = absent;
        create_network_interface(CreateNetworkInterfaceRequest) -> CreateNetworkInterfaceResult = absent;
        describe_network_interfaces(DescribeNetworkInterfacesRequest) -> DescribeNetworkInterfacesResult = absent;
        delete_network_interface(DeleteNetworkInterfaceRequest) -> () = absent;
        modify_network_interface_attribute(ModifyNetworkInterfaceAttributeRequest) -> () = absent;
        describe_network_interface_attribute(DescribeNetworkInterfaceAttributeRequest) -> DescribeNetworkInterfaceAttributeResult = absent;
        create_tags(CreateTagsRequest) -> () = absent;
        delete_tags(DeleteTagsRequest) -> () = absent;
        describe_tags(DescribeTagsRequest) -> DescribeTagsResult = absent;
        describe_instances(DescribeInstancesRequest) -> DescribeInstancesResult = absent;
        terminate_instances(TerminateInstancesRequest) -> TerminateInstancesResult = absent;
        describe_prefix_lists(DescribePrefixListsRequest) -> DescribePrefixListsResult = absent;
        create_vpc_endpoint(CreateVpcEndpointRequest) -> CreateVpcEndpointResult = absent;
        describe_vpc_endpoints(DescribeVpcEndpointsRequest) -> DescribeVpcEndpointsResult = absent;
        modify_vpc_endpoint(ModifyVpcEndpointRequest) -> ModifyVpcEndpointResult = absent;
        delete_vpc_endpoints(DeleteVpcEndpointsRequest) -> DeleteVpcEndpointsResult = absent;
        describe_vpc_endpoint_services(DescribeVpcEndpointServicesRequest) -> DescribeVpcEndpointServicesResult = absent;
        create_vpc_endpoint_service_configuration(CreateVpcEndpointServiceConfigurationRequest) -> CreateVpcEndpointServiceConfigurationResult = absent;
        describe_vpc_endpoint_service_configurations(DescribeVpcEndpointServiceConfigurationsRequest) -> DescribeVpcEndpointServiceConfigurationsResult = absent;
        modify_vpc_endpoint_service_configuration(ModifyVpcEndpointServiceConfigurationRequest) -> ModifyVpcEndpointServiceConfigurationResult = absent;
        delete_vpc_endpoint_service_configurations(DeleteVpcEndpointServiceConfigurationsRequest) -> DeleteVpcEndpointServiceConfigurationsResult = absent;
        modify_vpc_endpoint_service_permissions(ModifyVpcEndpointServicePermissionsRequest) -> ModifyVpcEndpointServicePermissionsResult = absent;
        describe_vpc_endpoint_service_permissions(DescribeVpcEndpointServicePermissionsRequest) -> DescribeVpcEndpointServicePermissionsResult = absent;
        describe_vpc_endpoint_connections(DescribeVpcEndpointConnectionsRequest) -> DescribeVpcEndpointConnectionsResult = absent;
        accept_vpc_endpoint_connections(AcceptVpcEndpointConnectionsRequest) -> AcceptVpcEndpointConnectionsResult = absent;
        reject_vpc_endpoint_connections(RejectVpcEndpointConnectionsRequest) -> RejectVpcEndpointConnectionsResult = absent;
        start_vpc_endpoint_service_private_dns_verification(StartVpcEndpointServicePrivateDnsVerificationRequest) -> StartVpcEndpointServicePrivateDnsVerificationResult = absent;
    }
}

/// Operations whose turn has not come.
fn absent<I, O>(_: &Control, _: &Caller, _: I) -> Result<O, Error> {
    Err(Error::Unsupported("The operation is not supported.".to_owned()))
}
