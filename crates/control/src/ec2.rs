//! EC2: the registry of its operations.

mod account_attribute;
mod availability_zone;
mod bulk;
mod cidr;
pub(crate) mod dependency;
mod endpoint_connection;
pub(crate) mod endpoint_service;
pub(crate) mod instance;
mod network_acl;
pub(crate) mod network_interface;
pub(crate) mod offered;
mod one_attribute;
mod prefix_list;
mod region;
mod route_table;
pub(crate) mod security_group;
mod security_group_rule;
mod service_catalog;
pub(crate) mod subnet;
mod tag;
pub(crate) mod vpc;
pub(crate) mod vpc_endpoint;

use linkway_wire::ec2::*;

use crate::registry::operations;

operations! {
    Ec2 {
        describe_regions(DescribeRegionsRequest) -> DescribeRegionsResult = region::describe;
        describe_availability_zones(DescribeAvailabilityZonesRequest) -> DescribeAvailabilityZonesResult = availability_zone::describe;
        describe_account_attributes(DescribeAccountAttributesRequest) -> DescribeAccountAttributesResult = account_attribute::describe;
        create_vpc(CreateVpcRequest) -> CreateVpcResult = vpc::create;
        describe_vpcs(DescribeVpcsRequest) -> DescribeVpcsResult = vpc::describe;
        delete_vpc(DeleteVpcRequest) -> () = vpc::delete;
        describe_vpc_attribute(DescribeVpcAttributeRequest) -> DescribeVpcAttributeResult = vpc::describe_attribute;
        modify_vpc_attribute(ModifyVpcAttributeRequest) -> () = vpc::modify_attribute;
        describe_network_acls(DescribeNetworkAclsRequest) -> DescribeNetworkAclsResult = network_acl::describe;
        describe_route_tables(DescribeRouteTablesRequest) -> DescribeRouteTablesResult = route_table::describe;
        describe_security_groups(DescribeSecurityGroupsRequest) -> DescribeSecurityGroupsResult = security_group::describe;
        create_subnet(CreateSubnetRequest) -> CreateSubnetResult = subnet::create;
        describe_subnets(DescribeSubnetsRequest) -> DescribeSubnetsResult = subnet::describe;
        delete_subnet(DeleteSubnetRequest) -> () = subnet::delete;
        modify_subnet_attribute(ModifySubnetAttributeRequest) -> () = subnet::modify_attribute;
        create_security_group(CreateSecurityGroupRequest) -> CreateSecurityGroupResult = security_group::create;
        delete_security_group(DeleteSecurityGroupRequest) -> DeleteSecurityGroupResult = security_group::delete;
        authorize_security_group_ingress(AuthorizeSecurityGroupIngressRequest) -> AuthorizeSecurityGroupIngressResult = security_group_rule::authorize_ingress;
        authorize_security_group_egress(AuthorizeSecurityGroupEgressRequest) -> AuthorizeSecurityGroupEgressResult = security_group_rule::authorize_egress;
        revoke_security_group_ingress(RevokeSecurityGroupIngressRequest) -> RevokeSecurityGroupIngressResult = security_group_rule::revoke_ingress;
        revoke_security_group_egress(RevokeSecurityGroupEgressRequest) -> RevokeSecurityGroupEgressResult = security_group_rule::revoke_egress;
        describe_security_group_rules(DescribeSecurityGroupRulesRequest) -> DescribeSecurityGroupRulesResult = security_group_rule::describe;
        modify_security_group_rules(ModifySecurityGroupRulesRequest) -> ModifySecurityGroupRulesResult = security_group_rule::modify;
        update_security_group_rule_descriptions_ingress(UpdateSecurityGroupRuleDescriptionsIngressRequest) -> UpdateSecurityGroupRuleDescriptionsIngressResult = security_group_rule::update_descriptions_ingress;
        update_security_group_rule_descriptions_egress(UpdateSecurityGroupRuleDescriptionsEgressRequest) -> UpdateSecurityGroupRuleDescriptionsEgressResult = security_group_rule::update_descriptions_egress;
        create_network_interface(CreateNetworkInterfaceRequest) -> CreateNetworkInterfaceResult = network_interface::create;
        describe_network_interfaces(DescribeNetworkInterfacesRequest) -> DescribeNetworkInterfacesResult = network_interface::describe;
        delete_network_interface(DeleteNetworkInterfaceRequest) -> () = network_interface::delete;
        modify_network_interface_attribute(ModifyNetworkInterfaceAttributeRequest) -> () = network_interface::modify_attribute;
        describe_network_interface_attribute(DescribeNetworkInterfaceAttributeRequest) -> DescribeNetworkInterfaceAttributeResult = network_interface::describe_attribute;
        create_tags(CreateTagsRequest) -> () = tag::create;
        delete_tags(DeleteTagsRequest) -> () = tag::delete;
        describe_tags(DescribeTagsRequest) -> DescribeTagsResult = tag::describe;
        describe_instances(DescribeInstancesRequest) -> DescribeInstancesResult = instance::describe;
        terminate_instances(TerminateInstancesRequest) -> TerminateInstancesResult = instance::terminate;
        describe_prefix_lists(DescribePrefixListsRequest) -> DescribePrefixListsResult = prefix_list::describe;
        create_vpc_endpoint(CreateVpcEndpointRequest) -> CreateVpcEndpointResult = vpc_endpoint::create;
        describe_vpc_endpoints(DescribeVpcEndpointsRequest) -> DescribeVpcEndpointsResult = vpc_endpoint::describe;
        modify_vpc_endpoint(ModifyVpcEndpointRequest) -> ModifyVpcEndpointResult = vpc_endpoint::modify;
        delete_vpc_endpoints(DeleteVpcEndpointsRequest) -> DeleteVpcEndpointsResult = vpc_endpoint::delete;
        describe_vpc_endpoint_services(DescribeVpcEndpointServicesRequest) -> DescribeVpcEndpointServicesResult = service_catalog::describe;
        create_vpc_endpoint_service_configuration(CreateVpcEndpointServiceConfigurationRequest) -> CreateVpcEndpointServiceConfigurationResult = endpoint_service::create;
        describe_vpc_endpoint_service_configurations(DescribeVpcEndpointServiceConfigurationsRequest) -> DescribeVpcEndpointServiceConfigurationsResult = endpoint_service::describe;
        modify_vpc_endpoint_service_configuration(ModifyVpcEndpointServiceConfigurationRequest) -> ModifyVpcEndpointServiceConfigurationResult = endpoint_service::modify;
        delete_vpc_endpoint_service_configurations(DeleteVpcEndpointServiceConfigurationsRequest) -> DeleteVpcEndpointServiceConfigurationsResult = endpoint_service::delete;
        modify_vpc_endpoint_service_permissions(ModifyVpcEndpointServicePermissionsRequest) -> ModifyVpcEndpointServicePermissionsResult = endpoint_service::modify_permissions;
        describe_vpc_endpoint_service_permissions(DescribeVpcEndpointServicePermissionsRequest) -> DescribeVpcEndpointServicePermissionsResult = endpoint_service::describe_permissions;
        describe_vpc_endpoint_connections(DescribeVpcEndpointConnectionsRequest) -> DescribeVpcEndpointConnectionsResult = endpoint_connection::describe;
        accept_vpc_endpoint_connections(AcceptVpcEndpointConnectionsRequest) -> AcceptVpcEndpointConnectionsResult = endpoint_connection::accept;
        reject_vpc_endpoint_connections(RejectVpcEndpointConnectionsRequest) -> RejectVpcEndpointConnectionsResult = endpoint_connection::reject;
        start_vpc_endpoint_service_private_dns_verification(StartVpcEndpointServicePrivateDnsVerificationRequest) -> StartVpcEndpointServicePrivateDnsVerificationResult = endpoint_service::start_verification;
    }
}
