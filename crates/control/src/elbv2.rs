//! Elastic Load Balancing: the registry of its operations. Network Load Balancers are all there is.

mod arn;
mod attributes;
mod capacity;
mod limits;
mod listener;
pub(crate) mod load_balancer;
mod name;
mod page;
mod ssl_policies;
mod tags;
pub(crate) mod target;
mod target_group;
mod target_health;

use linkway_wire::elbv2::*;

use crate::Error;
use crate::error::LoadBalancingError;
use crate::registry::operations;

operations! {
    Elbv2 {
        create_load_balancer(CreateLoadBalancerInput) -> CreateLoadBalancerOutput = load_balancer::create;
        describe_load_balancers(DescribeLoadBalancersInput) -> DescribeLoadBalancersOutput = load_balancer::describe;
        delete_load_balancer(DeleteLoadBalancerInput) -> DeleteLoadBalancerOutput = load_balancer::delete;
        describe_load_balancer_attributes(DescribeLoadBalancerAttributesInput) -> DescribeLoadBalancerAttributesOutput = load_balancer::describe_attributes;
        modify_load_balancer_attributes(ModifyLoadBalancerAttributesInput) -> ModifyLoadBalancerAttributesOutput = load_balancer::modify_attributes;
        set_subnets(SetSubnetsInput) -> SetSubnetsOutput = load_balancer::set_subnets;
        set_security_groups(SetSecurityGroupsInput) -> SetSecurityGroupsOutput = load_balancer::set_security_groups;
        set_ip_address_type(SetIpAddressTypeInput) -> SetIpAddressTypeOutput = load_balancer::set_ip_address_type;
        describe_account_limits(DescribeAccountLimitsInput) -> DescribeAccountLimitsOutput = limits::describe;
        describe_capacity_reservation(DescribeCapacityReservationInput) -> DescribeCapacityReservationOutput = capacity::describe;
        modify_capacity_reservation(ModifyCapacityReservationInput) -> ModifyCapacityReservationOutput = capacity::modify;
        create_listener(CreateListenerInput) -> CreateListenerOutput = listener::create;
        describe_listeners(DescribeListenersInput) -> DescribeListenersOutput = listener::describe;
        modify_listener(ModifyListenerInput) -> ModifyListenerOutput = listener::modify;
        delete_listener(DeleteListenerInput) -> DeleteListenerOutput = listener::delete;
        describe_listener_attributes(DescribeListenerAttributesInput) -> DescribeListenerAttributesOutput = listener::describe_attributes;
        modify_listener_attributes(ModifyListenerAttributesInput) -> ModifyListenerAttributesOutput = listener::modify_attributes;
        add_listener_certificates(AddListenerCertificatesInput) -> AddListenerCertificatesOutput = listener::add_certificates;
        remove_listener_certificates(RemoveListenerCertificatesInput) -> RemoveListenerCertificatesOutput = listener::remove_certificates;
        describe_listener_certificates(DescribeListenerCertificatesInput) -> DescribeListenerCertificatesOutput = listener::describe_certificates;
        describe_ssl_policies(DescribeSSLPoliciesInput) -> DescribeSSLPoliciesOutput = ssl_policies::describe;
        create_target_group(CreateTargetGroupInput) -> CreateTargetGroupOutput = target_group::create;
        describe_target_groups(DescribeTargetGroupsInput) -> DescribeTargetGroupsOutput = target_group::describe;
        modify_target_group(ModifyTargetGroupInput) -> ModifyTargetGroupOutput = target_group::modify;
        delete_target_group(DeleteTargetGroupInput) -> DeleteTargetGroupOutput = target_group::delete;
        describe_target_group_attributes(DescribeTargetGroupAttributesInput) -> DescribeTargetGroupAttributesOutput = target_group::describe_attributes;
        modify_target_group_attributes(ModifyTargetGroupAttributesInput) -> ModifyTargetGroupAttributesOutput = target_group::modify_attributes;
        register_targets(RegisterTargetsInput) -> RegisterTargetsOutput = target::register;
        deregister_targets(DeregisterTargetsInput) -> DeregisterTargetsOutput = target::deregister;
        describe_target_health(DescribeTargetHealthInput) -> DescribeTargetHealthOutput = target_health::describe;
        describe_tags(DescribeTagsInput) -> DescribeTagsOutput = tags::describe;
        add_tags(AddTagsInput) -> AddTagsOutput = tags::add;
        remove_tags(RemoveTagsInput) -> RemoveTagsOutput = tags::remove;
    }
}

/// A refusal under the code that this service has for most of them.
fn invalid(message: impl Into<String>) -> Error {
    LoadBalancingError::Validation(message.into()).into()
}
